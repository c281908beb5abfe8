//! A span of time as somebody reads it: in their zone, with the zone named. The rules of zones are the domain's.

use chrono::{DateTime, NaiveDateTime, Utc};
use domain::zone::{Zone, ZoneDatabase};

use crate::language::Language;

/// A span of time on the wall clocks of one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSpan {
    zone: String,
    start: Moment,
    end: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Moment {
    wall: NaiveDateTime,
    offset: String,
}

impl LocalSpan {
    /// The span in the first of these zones that is known; in UTC where none is.
    pub fn new(
        zones: &ZoneDatabase,
        names: &[&str],
        starts_at: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Self {
        let zone = names.iter().find_map(|name| zones.get(name));
        Self {
            zone: zone
                .as_ref()
                .map_or_else(|| "UTC".to_owned(), |zone| zone.name().to_owned()),
            start: Moment::new(zone.as_ref(), starts_at),
            end: Moment::new(zone.as_ref(), ends_at),
        }
    }

    /// The name of the zone.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// `Monday 1 March 2027, 09:00–09:30 (Europe/London, UTC+00:00)`.
    pub fn full(&self, language: Language) -> String {
        let span = language.span(self.start.wall, self.end.wall);
        format!(
            "{span} ({})",
            language.zone(&self.zone, &self.start.offset, &self.end.offset)
        )
    }

    /// Its beginning on the clocks there.
    pub fn wall_start(&self) -> NaiveDateTime {
        self.start.wall
    }

    /// Its end on the clocks there.
    pub fn wall_end(&self) -> NaiveDateTime {
        self.end.wall
    }

    /// Its beginning, `Monday 1 March 2027, 09:00`.
    pub fn start(&self, language: Language) -> String {
        language.moment(self.start.wall)
    }
}

impl Moment {
    fn new(zone: Option<&Zone>, at: DateTime<Utc>) -> Self {
        match zone {
            Some(zone) => Self {
                wall: zone.to_wall(at),
                offset: zone.offset(at).to_string(),
            },
            None => Self {
                wall: at.naive_utc(),
                offset: "+00:00".to_owned(),
            },
        }
    }
}
