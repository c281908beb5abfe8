//! The languages that messages are written in: each has a file of texts and its own way to write dates, times and money. A language is added
//! by a file under `texts/`, a variant here, and a line in [`crate::texts`].

use chrono::{Datelike, NaiveDate, NaiveDateTime, Weekday};
use domain::money::Money;

/// A language that there are texts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, dates as in Britain: Monday 1 March 2027, 09:00.
    English,
    /// German: Montag, 1. März 2027, 09:00 Uhr.
    German,
    /// Spanish: lunes, 1 de marzo de 2027, 09:00.
    Spanish,
    /// French: lundi 1er mars 2027 à 09:00.
    French,
    /// Japanese: 2027年3月1日(月) 09:00.
    Japanese,
    /// Chinese in simplified characters: 2027年3月1日 星期一 09:00.
    Chinese,
}

const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const SPANISH_MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const FRENCH_MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const GERMAN_DAYS: [&str; 7] = [
    "Montag",
    "Dienstag",
    "Mittwoch",
    "Donnerstag",
    "Freitag",
    "Samstag",
    "Sonntag",
];
const SPANISH_DAYS: [&str; 7] = [
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
];
const FRENCH_DAYS: [&str; 7] = [
    "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
];
const JAPANESE_DAYS: [&str; 7] = ["月", "火", "水", "木", "金", "土", "日"];
const CHINESE_DAYS: [&str; 7] = ["一", "二", "三", "四", "五", "六", "日"];

fn day_of(names: [&'static str; 7], day: Weekday) -> &'static str {
    let index = day.num_days_from_monday() as usize;
    names.get(index).copied().unwrap_or_default()
}

fn month_of(names: [&'static str; 12], date: NaiveDate) -> &'static str {
    names
        .get(date.month0() as usize)
        .copied()
        .unwrap_or_default()
}

impl Language {
    /// Every language there is.
    pub const ALL: [Self; 6] = [
        Self::English,
        Self::German,
        Self::Spanish,
        Self::French,
        Self::Japanese,
        Self::Chinese,
    ];

    /// The first of these BCP 47 tags that there are texts for; else English.
    pub fn of<'a>(tags: impl IntoIterator<Item = &'a str>) -> Self {
        tags.into_iter()
            .find_map(Self::from_tag)
            .unwrap_or(Self::English)
    }

    fn from_tag(tag: &str) -> Option<Self> {
        let tag = tag.to_ascii_lowercase();
        let mut parts = tag.split(['-', '_']);
        match parts.next()? {
            "en" => Some(Self::English),
            "de" => Some(Self::German),
            "es" => Some(Self::Spanish),
            "fr" => Some(Self::French),
            "ja" => Some(Self::Japanese),
            // Traditional characters are another script, which there are no texts in.
            "zh" => {
                let is_simplified = parts.clone().any(|part| part == "hans");
                let is_other = parts.any(|part| ["hant", "tw", "hk", "mo"].contains(&part));
                (is_simplified || !is_other).then_some(Self::Chinese)
            }
            _ => None,
        }
    }

    /// Its BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::Japanese => "ja",
            Self::Chinese => "zh-Hans",
        }
    }

    /// A date.
    pub fn date(self, date: NaiveDate) -> String {
        let (year, month, day, weekday) = (date.year(), date.month(), date.day(), date.weekday());
        match self {
            Self::English => date.format("%A %-d %B %Y").to_string(),
            Self::German => {
                let month = month_of(GERMAN_MONTHS, date);
                format!("{}, {day}. {month} {year}", day_of(GERMAN_DAYS, weekday))
            }
            Self::Spanish => {
                let month = month_of(SPANISH_MONTHS, date);
                let name = day_of(SPANISH_DAYS, weekday);
                format!("{name}, {day} de {month} de {year}")
            }
            Self::French => {
                let ordinal = if day == 1 { "er" } else { "" };
                let month = month_of(FRENCH_MONTHS, date);
                format!(
                    "{} {day}{ordinal} {month} {year}",
                    day_of(FRENCH_DAYS, weekday)
                )
            }
            Self::Japanese => {
                format!(
                    "{year}年{month}月{day}日({})",
                    day_of(JAPANESE_DAYS, weekday)
                )
            }
            Self::Chinese => {
                format!(
                    "{year}年{month}月{day}日 星期{}",
                    day_of(CHINESE_DAYS, weekday)
                )
            }
        }
    }

    /// A time of day.
    pub fn time(self, at: NaiveDateTime) -> String {
        let time = at.format("%H:%M");
        match self {
            Self::German => format!("{time} Uhr"),
            _ => time.to_string(),
        }
    }

    /// A date and a time of day.
    pub fn moment(self, at: NaiveDateTime) -> String {
        let (date, time) = (self.date(at.date()), self.time(at));
        match self {
            Self::English | Self::German | Self::Spanish => format!("{date}, {time}"),
            Self::French => format!("{date} à {time}"),
            Self::Japanese | Self::Chinese => format!("{date} {time}"),
        }
    }

    /// From one moment to another; both dates where they differ.
    pub fn span(self, start: NaiveDateTime, end: NaiveDateTime) -> String {
        if start.date() != end.date() {
            return format!("{} – {}", self.moment(start), self.moment(end));
        }
        let (date, from) = (self.date(start.date()), start.format("%H:%M"));
        let to = self.time(end);
        match self {
            Self::French => format!("{date} de {from} à {to}"),
            Self::Japanese => format!("{date} {from}～{to}"),
            Self::Chinese => format!("{date} {from}–{to}"),
            _ => format!("{date}, {from}–{to}"),
        }
    }

    /// A zone and its offset from UTC, with both offsets where the clocks change in between.
    pub fn zone(self, name: &str, offset_at_start: &str, offset_at_end: &str) -> String {
        if offset_at_start == offset_at_end {
            return format!("{name}, UTC{offset_at_start}");
        }
        let then = match self {
            Self::English => ", then ",
            Self::German => ", dann ",
            Self::Spanish => ", después ",
            Self::French => ", puis ",
            Self::Japanese => "、以後 ",
            Self::Chinese => "，之后 ",
        };
        format!("{name}, UTC{offset_at_start}{then}UTC{offset_at_end}")
    }

    /// An amount, with the currency's code behind it: `1.234,50 EUR`.
    pub fn money(self, money: Money) -> String {
        let plain = money.display();
        let (number, code) = plain.split_once(' ').unwrap_or((&plain, ""));
        let (sign, number) = match number.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", number),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let (group, point, from) = match self {
            Self::English | Self::Japanese | Self::Chinese => (",", ".", 4),
            Self::German => (".", ",", 4),
            // Four digits stand together.
            Self::Spanish => (".", ",", 5),
            Self::French => ("\u{202f}", ",", 4),
        };
        let whole = if whole.len() < from {
            whole.to_owned()
        } else {
            grouped(whole, group)
        };
        let point = if part.is_empty() { "" } else { point };
        format!("{sign}{whole}{point}{part} {code}")
    }

    /// What stands between a label and what it labels.
    pub fn colon(self) -> &'static str {
        match self {
            Self::French => " : ",
            Self::Japanese | Self::Chinese => "：",
            _ => ": ",
        }
    }
}

fn grouped(digits: &str, separator: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use domain::money::Currency;

    use super::*;

    #[test]
    fn the_language_is_the_first_that_there_is() {
        assert_eq!(Language::of(["xx", "en-GB"]), Language::English);
        assert_eq!(Language::of(["xx", "DE_at"]), Language::German);
        assert_eq!(Language::of([]), Language::English);
        assert_eq!(Language::from_tag("eng"), None);
        for simplified in ["zh", "zh-CN", "zh-Hans", "zh-Hans-HK"] {
            assert_eq!(Language::from_tag(simplified), Some(Language::Chinese));
        }
        assert_eq!(Language::of(["zh-Hant-TW", "ja"]), Language::Japanese);
    }

    #[test]
    fn dates_times_and_money_are_written_as_each_language_does() {
        let at = |day, hour| {
            let date = NaiveDate::from_ymd_opt(2027, 3, day).unwrap();
            date.and_hms_opt(hour, 5, 0).unwrap()
        };
        let money = |amount, code| Money {
            amount,
            currency: Currency::new(code).unwrap(),
        };
        let shown: Vec<String> = Language::ALL
            .into_iter()
            .map(|language| {
                [
                    language.span(at(1, 9), at(1, 10)),
                    language.moment(at(2, 14)),
                    language.money(money(123_450, "EUR")),
                    language.money(money(1_200_000, "JPY")),
                    language.money(money(-4500, "GBP")),
                ]
                .join(" | ")
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @"
        Monday 1 March 2027, 09:05–10:05 | Tuesday 2 March 2027, 14:05 | 1,234.50 EUR | 1,200,000 JPY | -45.00 GBP
        Montag, 1. März 2027, 09:05–10:05 Uhr | Dienstag, 2. März 2027, 14:05 Uhr | 1.234,50 EUR | 1.200.000 JPY | -45,00 GBP
        lunes, 1 de marzo de 2027, 09:05–10:05 | martes, 2 de marzo de 2027, 14:05 | 1234,50 EUR | 1.200.000 JPY | -45,00 GBP
        lundi 1er mars 2027 de 09:05 à 10:05 | mardi 2 mars 2027 à 14:05 | 1 234,50 EUR | 1 200 000 JPY | -45,00 GBP
        2027年3月1日(月) 09:05～10:05 | 2027年3月2日(火) 14:05 | 1,234.50 EUR | 1,200,000 JPY | -45.00 GBP
        2027年3月1日 星期一 09:05–10:05 | 2027年3月2日 星期二 14:05 | 1,234.50 EUR | 1,200,000 JPY | -45.00 GBP
        ");
    }
}
