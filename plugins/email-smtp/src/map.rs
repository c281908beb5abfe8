//! From an event to a mail: a pure function of the delivery, the sender and the rules of time zones, so that a repeat
//! says the same to the byte.

use domain::booking::BookingStatus;
use domain::event::{BookingFacts, EventKind};
use domain::zone::ZoneDatabase;
use lettre::Address;
use lettre::message::Mailbox;
use plugin_api::{Delivery, Want};

use crate::clean::{file_name_part, line};
use crate::ics::{Appointment, Method};
use crate::mime::Mail;
use crate::settings::Sender;
use crate::templates::{Templates, Texts};
use crate::view::{Audience, Subject};

const fn want(event: EventKind, part: &'static str) -> Want {
    Want { event, part }
}

/// What the plugin hears of. A provider who loses a booking to another is told by a part of its own.
pub const WANTS: [Want; 7] = [
    want(EventKind::BookingConfirmed, "customer"),
    want(EventKind::BookingConfirmed, "provider"),
    want(EventKind::BookingRescheduled, "customer"),
    want(EventKind::BookingRescheduled, "provider"),
    want(EventKind::BookingRescheduled, "previous-provider"),
    want(EventKind::BookingCancelled, "customer"),
    want(EventKind::BookingCancelled, "provider"),
];

/// Why there is no mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoMail {
    /// There is nothing to say, or nobody to say it to.
    Nothing(String),
    /// There can be none.
    Impossible(String),
}

impl NoMail {
    fn nothing(reason: &str) -> Self {
        Self::Nothing(reason.to_owned())
    }
}

/// What happened, for those who are written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    Confirmed,
    Rescheduled,
    Cancelled,
}

impl Occasion {
    fn of(kind: EventKind) -> Option<Self> {
        match kind {
            EventKind::BookingConfirmed => Some(Self::Confirmed),
            EventKind::BookingRescheduled => Some(Self::Rescheduled),
            EventKind::BookingCancelled => Some(Self::Cancelled),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Rescheduled => "rescheduled",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What a translation needs besides the delivery.
pub struct Translator<'a> {
    pub templates: &'a Templates,
    pub zones: &'a ZoneDatabase,
    pub sender: &'a Sender,
}

impl Translator<'_> {
    /// The mail for this delivery.
    pub fn mail(&self, delivery: &Delivery) -> Result<Mail, NoMail> {
        let (occasion, audience) = wanted(delivery)?;
        let facts = delivery.event.booking.as_ref();
        let facts =
            facts.ok_or_else(|| NoMail::Impossible("the event has no booking".to_owned()))?;
        if facts.status == BookingStatus::Pending {
            return Err(NoMail::nothing("the booking is not confirmed yet"));
        }
        let to = recipient(audience, facts)?;
        let subject = Subject::new(audience, facts, self.zones);
        // For whoever loses the booking to another, the change is a cancellation.
        let said = if audience == Audience::PreviousProvider {
            Occasion::Cancelled
        } else {
            occasion
        };
        let method = if said == Occasion::Cancelled {
            Method::Cancel
        } else {
            Method::Request
        };
        let from = self.from(facts);
        let host = from.email.domain().to_owned();
        Ok(Mail {
            texts: self.texts(audience, said, &subject)?,
            ics: self
                .appointment(delivery, facts, &subject, method, &to)
                .to_ics(),
            reply_to: self.sender.reply_to.clone(),
            method,
            at: delivery.event.at,
            message_id: format!("<{}@{host}>", delivery.id),
            thread_id: format!("<{}.{}@{host}>", facts.booking_id, audience.thread()),
            begins_thread: occasion == Occasion::Confirmed,
            boundary: delivery.id.to_string(),
            file_name: file_name(delivery, facts, occasion),
            from,
            to,
        })
    }

    fn texts(
        &self,
        audience: Audience,
        said: Occasion,
        subject: &Subject<'_>,
    ) -> Result<Texts, NoMail> {
        let template = format!("{}-{}", audience.part(), said.name());
        let texts = self
            .templates
            .render(subject.language(), &template, &subject.view());
        texts.map_err(|error| NoMail::Impossible(format!("template {template}: {error}")))
    }

    /// The sender, under the business's name where the settings give none.
    fn from(&self, facts: &BookingFacts) -> Mailbox {
        let Mailbox { name, email } = self.sender.from.clone();
        let name = name
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| facts.business.name.clone());
        Mailbox::new(named(&name), email)
    }

    fn appointment<'b>(
        &'b self,
        delivery: &Delivery,
        facts: &'b BookingFacts,
        subject: &Subject<'_>,
        method: Method,
        attendee: &'b Mailbox,
    ) -> Appointment<'b> {
        let (starts_at, ends_at) = subject.span();
        Appointment {
            method,
            uid: format!("{}@bookable", facts.booking_id),
            sequence: facts.version.saturating_sub(1).max(0),
            stamp: delivery.event.at,
            starts_at,
            ends_at,
            summary: subject.summary(),
            location: subject.place(),
            description: subject.description(),
            organizer_name: &facts.business.name,
            organizer: &self.sender.from.email,
            attendee,
        }
    }
}

/// What happened and who is told, where that is something the plugin wants.
fn wanted(delivery: &Delivery) -> Result<(Occasion, Audience), NoMail> {
    let kind = delivery.event.kind;
    let is_wanted = WANTS
        .iter()
        .any(|want| want.event == kind && want.part == delivery.part);
    Occasion::of(kind)
        .zip(Audience::from_part(&delivery.part))
        .filter(|_| is_wanted)
        .ok_or_else(|| {
            NoMail::Impossible(format!(
                "there is no mail for {} to `{}`",
                kind.name(),
                delivery.part
            ))
        })
}

fn recipient(audience: Audience, facts: &BookingFacts) -> Result<Mailbox, NoMail> {
    let (name, email) = match audience {
        Audience::Customer => (&facts.customer.name, &facts.customer.email),
        Audience::Provider => (&facts.provider.name, &facts.provider.email),
        Audience::PreviousProvider => match &facts.previous_provider {
            Some(previous) if previous.id != facts.provider.id => (&previous.name, &previous.email),
            _ => return Err(NoMail::nothing("the provider has not changed")),
        },
    };
    let who = audience.noun();
    let email = email
        .as_deref()
        .map(str::trim)
        .filter(|email| !email.is_empty());
    let email = email.ok_or_else(|| NoMail::Nothing(format!("the {who} has no email address")))?;
    let address: Address = email.parse().map_err(|_| {
        NoMail::Impossible(format!(
            "the {who}'s email address is not one that mail can be sent to"
        ))
    })?;
    Ok(Mailbox::new(named(name), address))
}

fn named(name: &str) -> Option<String> {
    Some(line(name)).filter(|name| !name.is_empty())
}

/// `20270301T090000Z-AB12CD-confirmed-customer-<suffix of the delivery's id>.eml`: sorted by name is sorted by time.
fn file_name(delivery: &Delivery, facts: &BookingFacts, occasion: Occasion) -> String {
    let id = delivery.id.to_string();
    let suffix = id.rsplit('_').next().unwrap_or(&id);
    format!(
        "{}-{}-{}-{}-{suffix}.eml",
        delivery.event.at.format("%Y%m%dT%H%M%SZ"),
        file_name_part(&facts.reference),
        occasion.name(),
        delivery.part,
    )
}
