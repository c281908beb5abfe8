//! The scalars of the API, each in its one written form.
//!
//! Guaranteed: an instant that goes out carries the offset of a zone and means exactly the instant it was made of; one that comes in
//! names its offset. What cannot be read is refused before anything runs.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, Utc};
use domain::interval::Minute;
use domain::zone::Zone;

/// An instant on the clocks of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime(chrono::DateTime<chrono::FixedOffset>);

impl DateTime {
    /// The instant on the clocks of the zone.
    pub(crate) fn new(at: chrono::DateTime<Utc>, zone: &Zone) -> Self {
        let seconds = zone.offset(at).local_minus_utc();
        // RFC 3339 knows whole minutes only; zones of before 1972 have others.
        let offset = chrono::FixedOffset::east_opt(seconds - seconds % 60);
        Self(offset.map_or_else(|| at.fixed_offset(), |offset| at.with_timezone(&offset)))
    }

    /// The minute on the clocks of the zone.
    pub(crate) fn of_minute(at: Minute, zone: &Zone) -> Self {
        Self::new(at.instant(), zone)
    }

    /// The instant.
    pub(crate) fn utc(self) -> chrono::DateTime<Utc> {
        self.0.to_utc()
    }
}

/// An instant, as RFC 3339 writes it, with seconds and an offset: `2027-03-14T09:30:00-04:00` or `2027-03-14T13:30:00Z`. Answers
/// carry the offset of the time zone asked for, else that of the location (or of the business, where no location bears on it). Years
/// from 1970 to 9999 are accepted.
#[Scalar(
    name = "DateTime",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339"
)]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let read = text(&value).and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
        read.map(Self).ok_or_else(bad)
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, false))
    }
}

/// A calendar day without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date(pub(crate) NaiveDate);

/// A calendar day by ISO 8601, `2027-03-14`. Which instants it holds depends on the time zone of the location.
#[Scalar(name = "Date")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let read = |text: &str| {
            text.parse()
                .ok()
                .filter(|date: &NaiveDate| date.to_string() == text)
        };
        text(&value).and_then(read).map(Self).ok_or_else(bad)
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A wall-clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime(pub(crate) domain::schedule::LocalTime);

/// A wall-clock time in whole minutes, `09:30`, from `00:00` to `23:59`. `24:00`, the end of the day, is allowed where a window closes.
#[Scalar(name = "LocalTime")]
impl ScalarType for LocalTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let read = text(&value).and_then(|text| text.parse().ok());
        read.map(Self).ok_or_else(bad)
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// The name of a time zone. Whether it is one is asked of the engine's zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone(pub(crate) String);

/// The name of a time zone in the IANA database, `Europe/London`. A name that is not in it is refused with a problem of code `INVALID`.
#[Scalar(
    name = "TimeZone",
    specified_by_url = "https://www.iana.org/time-zones"
)]
impl ScalarType for TimeZone {
    fn parse(value: Value) -> InputValueResult<Self> {
        let read = text(&value).map(|name| Self(name.to_owned()));
        read.ok_or_else(bad)
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// What a scalar of this name expects, for messages.
pub(crate) fn expected(scalar: &str) -> Option<&'static str> {
    match scalar {
        "DateTime" => Some("an instant such as 2027-03-14T09:30:00Z, with seconds and an offset"),
        "Date" => Some("a day such as 2027-03-14"),
        "LocalTime" => Some("a time such as 09:30, from 00:00 to 24:00"),
        "TimeZone" => Some("the name of a time zone such as Europe/London"),
        _ => None,
    }
}

/// Whether the scalar of this name reads the value, or each value of a list.
pub(crate) fn reads(scalar: &str, value: &Value) -> bool {
    match (scalar, value) {
        (_, Value::Null) => true,
        (_, Value::List(values)) => values.iter().all(|value| reads(scalar, value)),
        ("DateTime", _) => DateTime::is_valid(value),
        ("Date", _) => Date::is_valid(value),
        ("LocalTime", _) => LocalTime::is_valid(value),
        ("TimeZone", _) => TimeZone::is_valid(value),
        _ => true,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn bad<T: async_graphql::InputType>() -> InputValueError<T> {
    let expected = expected(&T::type_name()).unwrap_or("another value");
    InputValueError::custom(format!("expected {expected}")).with_extension("code", "BAD_USER_INPUT")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::zone::ZoneDatabase;

    fn read<T: ScalarType>(text: &str) -> Option<T> {
        T::parse(Value::String(text.to_owned())).ok()
    }

    #[test]
    fn an_instant_needs_seconds_and_an_offset() {
        let at = read::<DateTime>("2027-03-14T09:30:00-04:00").unwrap();
        assert_eq!(at, read("2027-03-14T13:30:00Z").unwrap());
        assert_eq!(at.utc().timestamp(), 1_805_031_000);
        for wrong in [
            "",
            "2027-03-14",
            "2027-03-14T09:30Z",
            "2027-03-14T09:30:00",
            "2027-02-30T09:30:00Z",
            "now",
            "1805031000",
        ] {
            assert_eq!(read::<DateTime>(wrong), None, "{wrong}");
        }
        assert!(DateTime::parse(Value::from(1_805_031_000_i64)).is_err());
    }

    #[test]
    fn an_instant_goes_out_with_the_offset_of_its_zone() {
        let zones = ZoneDatabase::bundled();
        let at = |text: &str, zone: &str| {
            let at = read::<DateTime>(text).unwrap().utc();
            DateTime::new(at, &zones.get(zone).unwrap())
                .to_value()
                .to_string()
        };
        assert_eq!(
            at("2027-01-14T12:00:00Z", "America/New_York"),
            "\"2027-01-14T07:00:00-05:00\""
        );
        assert_eq!(
            at("2027-07-14T12:00:00Z", "Asia/Kathmandu"),
            "\"2027-07-14T17:45:00+05:45\""
        );
        assert_eq!(
            at("2027-01-14T12:00:00.25Z", "Europe/London"),
            "\"2027-01-14T12:00:00.250+00:00\""
        );
        // Monrovia was 44 minutes and 30 seconds behind until 1972.
        assert_eq!(
            at("1971-01-01T12:00:00Z", "Africa/Monrovia"),
            "\"1971-01-01T11:16:00-00:44\""
        );
    }

    #[test]
    fn days_times_and_names_have_their_form() {
        assert!(read::<Date>("2027-03-14").is_some());
        for wrong in ["2027-3-14", "14.03.2027", "2027-02-29", "+2027-03-1"] {
            assert_eq!(read::<Date>(wrong), None, "{wrong}");
        }
        assert_eq!(
            read::<LocalTime>("24:00").unwrap().to_value(),
            Value::from("24:00")
        );
        assert_eq!(read::<LocalTime>("24:01"), None);
        assert!(TimeZone::parse(Value::from(1)).is_err());
    }
}
