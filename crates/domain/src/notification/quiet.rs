//! Quiet hours: when nobody is disturbed.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use crate::zone::Zone;

/// The hours in which people are left alone, on the recipient's clock; over midnight where `to` is not after `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// From.
    pub from: NaiveTime,
    /// To, exclusive.
    pub to: NaiveTime,
    /// Whether what is said at an event waits for their end, too.
    pub for_events: bool,
}

impl QuietHours {
    /// The quiet hours that an instant lies in, if it does.
    pub fn around(&self, at: DateTime<Utc>, zone: &Zone) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let wall = zone.to_wall(at);
        let (date, time) = (wall.date(), wall.time());
        let next = |date: NaiveDate| date.checked_add_days(Days::new(1));
        let (first, last) = if self.from < self.to {
            let inside = self.from <= time && time < self.to;
            inside.then_some((date, date))?
        } else if time >= self.from && self.from != self.to {
            (date, next(date)?)
        } else if time < self.to && self.from != self.to {
            (date.checked_sub_days(Days::new(1))?, date)
        } else {
            return None;
        };
        let begins = zone.to_instant(first.and_time(self.from));
        Some((begins, zone.to_instant(last.and_time(self.to))))
    }
}
