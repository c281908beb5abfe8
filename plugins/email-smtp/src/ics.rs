//! Invitations: the iCalendar object (RFC 5545, RFC 5546) of a booking, for one recipient. All objects of one booking
//! bear the same UID and a SEQUENCE that rises with the booking's version, so a calendar program knows which one is
//! newer, in whatever order they arrive.

use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component, Event, EventLike, Property};
use lettre::Address;
use lettre::message::Mailbox;
use plugin_api::clean::line;

/// What the object asks the calendar program to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Enter or update the appointment.
    Request,
    /// Take it out.
    Cancel,
}

impl Method {
    /// Its name in iTIP and in the `method` of the content type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }

    fn status(self) -> &'static str {
        match self {
            Self::Request => "CONFIRMED",
            Self::Cancel => "CANCELLED",
        }
    }
}

/// An appointment as one recipient's calendar shows it. The texts are clean: `description` may have lines ended by `\n`,
/// the others are one line.
#[derive(Debug, Clone)]
pub struct Appointment<'a> {
    pub method: Method,
    /// The same for the life of the booking.
    pub uid: String,
    /// Never falls over the life of the booking.
    pub sequence: i64,
    /// When this was said.
    pub stamp: DateTime<Utc>,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub summary: String,
    pub location: String,
    pub description: String,
    pub organizer_name: &'a str,
    pub organizer: &'a Address,
    pub attendee: &'a Mailbox,
}

impl Appointment<'_> {
    /// The object as text, lines folded and ended by CRLF.
    pub fn to_ics(&self) -> String {
        let mut event = Event::new();
        event
            .uid(&self.uid)
            .summary(&self.summary)
            .description(&self.description)
            .location(&self.location)
            .add_property("SEQUENCE", self.sequence.to_string())
            .add_property("DTSTAMP", utc(self.stamp))
            .add_property("DTSTART", utc(self.starts_at))
            .add_property("DTEND", utc(self.ends_at))
            .add_property("STATUS", self.method.status())
            .add_property("TRANSP", "OPAQUE")
            .append_property(self.organizer())
            .append_property(self.attendee());

        let mut calendar = Calendar::empty();
        calendar
            .append_property(Property::new("VERSION", "2.0"))
            .append_property(Property::new("PRODID", "-//Bookable//email-smtp//EN"))
            .append_property(Property::new("CALSCALE", "GREGORIAN"))
            .append_property(Property::new("METHOD", self.method.name()))
            .push(event.done());
        calendar.to_string()
    }

    fn organizer(&self) -> Property {
        let mut property = Property::new("ORGANIZER", format!("mailto:{}", self.organizer));
        property
            .add_parameter("CN", &parameter(self.organizer_name))
            .done()
    }

    /// The recipient comes: whoever booked has said so, and the provider is there to serve.
    fn attendee(&self) -> Property {
        let mut property = Property::new("ATTENDEE", format!("mailto:{}", self.attendee.email));
        property
            .add_parameter("CUTYPE", "INDIVIDUAL")
            .add_parameter("ROLE", "REQ-PARTICIPANT")
            .add_parameter("PARTSTAT", "ACCEPTED")
            .add_parameter("RSVP", "FALSE");
        if let Some(name) = &self.attendee.name {
            property.add_parameter("CN", &parameter(name));
        }
        property.done()
    }
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// The value of a parameter holds neither line ends nor double quotes (RFC 5545, 3.2), and has no way to escape them.
fn parameter(text: &str) -> String {
    line(text).replace('"', "'")
}
