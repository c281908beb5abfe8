//! The languages that mails are written in: each has a folder of templates and its own way to write dates. A language
//! is added by a folder under `templates/`, a variant here, and its texts in [`crate::templates`].

use chrono::{NaiveDate, NaiveDateTime};

/// A language that there are texts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, dates as in Britain: Monday 1 March 2027, 09:00.
    English,
}

/// A fact that a mail lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The time, in the recipient's zone.
    When,
    /// The time, in the location's zone.
    AtLocation,
    /// When it began before it was rescheduled.
    Before,
    /// The service.
    Service,
    /// The provider.
    Provider,
    /// The provider before it was rescheduled.
    PreviousProvider,
    /// The customer.
    Customer,
    /// The customer's email address.
    Email,
    /// The customer's telephone number.
    Phone,
    /// The location.
    Location,
    /// How many places.
    Places,
    /// What it costs.
    Price,
    /// What the customer wrote.
    Note,
    /// Why it was changed.
    Reason,
    /// The reference.
    Reference,
}

impl Fact {
    /// Whether a calendar shows it by itself.
    pub fn is_time(self) -> bool {
        matches!(self, Self::When | Self::AtLocation | Self::Before)
    }
}

impl Language {
    /// The first of these BCP 47 tags that there are texts for, by its primary subtag; else English.
    pub fn of<'a>(tags: impl IntoIterator<Item = &'a str>) -> Self {
        tags.into_iter()
            .find_map(Self::from_tag)
            .unwrap_or(Self::English)
    }

    fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        primary.eq_ignore_ascii_case("en").then_some(Self::English)
    }

    /// The folder of its templates, which is also its BCP 47 tag.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
        }
    }

    /// A date.
    pub fn date(self, date: NaiveDate) -> String {
        match self {
            Self::English => date.format("%A %-d %B %Y").to_string(),
        }
    }

    /// A date and a time of day.
    pub fn moment(self, at: NaiveDateTime) -> String {
        match self {
            Self::English => format!("{}, {}", self.date(at.date()), at.format("%H:%M")),
        }
    }

    /// What stands before a fact in the list of a mail.
    pub fn label(self, fact: Fact) -> &'static str {
        match self {
            Self::English => match fact {
                Fact::When => "When",
                Fact::AtLocation => "At the location",
                Fact::Before => "Before",
                Fact::Service => "Service",
                Fact::Provider => "With",
                Fact::PreviousProvider => "Instead of",
                Fact::Customer => "Customer",
                Fact::Email => "Email",
                Fact::Phone => "Phone",
                Fact::Location => "Location",
                Fact::Places => "Places",
                Fact::Price => "Price",
                Fact::Note => "Note",
                Fact::Reason => "Reason",
                Fact::Reference => "Reference",
            },
        }
    }

    /// From one moment to another; both dates where they differ.
    pub fn span(self, start: NaiveDateTime, end: NaiveDateTime) -> String {
        match self {
            Self::English if start.date() == end.date() => {
                format!("{}–{}", self.moment(start), end.format("%H:%M"))
            }
            Self::English => format!("{} – {}", self.moment(start), self.moment(end)),
        }
    }

    /// A zone and its offset from UTC, with both offsets where the clocks change in between.
    pub fn zone(self, name: &str, offset_at_start: &str, offset_at_end: &str) -> String {
        match self {
            Self::English if offset_at_start == offset_at_end => {
                format!("{name}, UTC{offset_at_start}")
            }
            Self::English => format!("{name}, UTC{offset_at_start}, then UTC{offset_at_end}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_first_that_there_is() {
        assert_eq!(Language::of(["xx", "en-GB"]), Language::English);
        assert_eq!(Language::of([]), Language::English);
        assert_eq!(Language::from_tag("eng"), None);
    }
}
