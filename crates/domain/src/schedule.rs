//! Working and opening hours as people state them: wall-clock windows for each weekday, and overrides for single dates.
//!
//! A [`LocalTime`] is always a time a clock can show (or 24:00), a [`LocalWindow`] is never empty: one whose `closes` is
//! not later than its `opens` runs past midnight (AVAILABILITY.md, 3). Which instants a window means is decided nowhere
//! here: that takes a zone and a date.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Minutes of a day by the clock.
const DAY: u16 = 24 * 60;

/// A wall-clock time in whole minutes, 00:00 to 24:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(u16);

/// Why a text is not a wall-clock time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 09:30, from 00:00 to 24:00")]
pub struct LocalTimeError;

impl LocalTime {
    /// 24:00, the next midnight: allowed where a window closes.
    pub const DAY_END: Self = Self(DAY);

    /// The time so many minutes after midnight by the clock; at most 1440.
    pub fn from_minutes(minutes: u16) -> Option<Self> {
        (minutes <= DAY).then_some(Self(minutes))
    }

    /// Minutes after midnight by the clock, 0 to 1440.
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl FromStr for LocalTime {
    type Err = LocalTimeError;

    fn from_str(text: &str) -> Result<Self, LocalTimeError> {
        let two = |part: Option<&str>| {
            let digits = part
                .filter(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()));
            digits.and_then(|digits| digits.parse::<u16>().ok())
        };
        let mut parts = text.split(':');
        let (hour, minute) = (two(parts.next()), two(parts.next()));
        let whole = matches!((parts.next(), parts.next()), (None | Some("00"), None));
        match (hour, minute) {
            (Some(hour), Some(minute)) if whole && minute < 60 => {
                Self::from_minutes(hour * 60 + minute).ok_or(LocalTimeError)
            }
            _ => Err(LocalTimeError),
        }
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LocalTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// Hours within one local day, or past midnight into the next (AVAILABILITY.md, 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalWindow {
    opens: LocalTime,
    closes: LocalTime,
}

impl LocalWindow {
    /// The window between the two; none where it would open at 24:00.
    pub fn new(opens: LocalTime, closes: LocalTime) -> Option<Self> {
        (opens < LocalTime::DAY_END).then_some(Self { opens, closes })
    }

    /// When it opens.
    pub fn opens(self) -> LocalTime {
        self.opens
    }

    /// When it closes: on the same day where that is later than it opens, else on the next.
    pub fn closes(self) -> LocalTime {
        self.closes
    }

    /// Whether it closes on the day after the one on which it opens. 24:00 is of the day itself.
    pub fn runs_past_midnight(self) -> bool {
        self.closes <= self.opens
    }

    /// When it closes, in minutes by the clock after the midnight before it opens; at most 2879.
    pub fn closes_minutes(self) -> u16 {
        if self.runs_past_midnight() {
            self.closes.0 + DAY
        } else {
            self.closes.0
        }
    }
}

/// Weekly hours, and what replaces them on single dates (AVAILABILITY.md, 4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The windows that open on each weekday, Monday first.
    pub weekly: [Vec<LocalWindow>; 7],
    /// The windows that open on a date instead of its weekday's; none at all: closed.
    pub overrides: BTreeMap<NaiveDate, Vec<LocalWindow>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> LocalTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_reads_back_what_it_wrote() {
        for text in ["00:00", "09:30", "23:59", "24:00"] {
            assert_eq!(time(text).to_string(), text);
        }
        assert_eq!(time("09:30:00"), time("09:30"));
        assert_eq!(serde_json::to_string(&time("07:05")).unwrap(), "\"07:05\"");
    }

    #[test]
    fn what_no_clock_shows_is_refused() {
        for text in [
            "",
            "9:30",
            "09:60",
            "24:01",
            "25:00",
            "09:30:01",
            "09:30:00:00",
            "0930",
            "+9:30",
            "-1:00",
            "09:3O",
        ] {
            assert_eq!(text.parse::<LocalTime>(), Err(LocalTimeError), "{text}");
        }
    }

    #[test]
    fn rule_3_a_window_that_closes_no_later_than_it_opens_runs_past_midnight() {
        let window = |opens, closes| LocalWindow::new(time(opens), time(closes)).unwrap();
        assert_eq!(window("22:00", "06:00").closes_minutes(), 30 * 60);
        assert_eq!(window("09:00", "09:00").closes_minutes(), 33 * 60);
        assert_eq!(window("09:00", "24:00").closes_minutes(), 24 * 60);
        assert!(!window("00:00", "24:00").runs_past_midnight());
        assert!(window("00:00", "00:00").runs_past_midnight());
        assert_eq!(LocalWindow::new(time("24:00"), time("06:00")), None);
    }
}
