//! Notifications: what is said to whom, when and by which channel, as rules that know no database and no clock.
//!
//! A rule speaks at an event (`booking.confirmed`, at once) or at an offset from the beginning or the end of a booking (a reminder, a
//! follow-up). Guaranteed: a reminder never comes after the beginning that it reminds of; how a message fares only moves forward, in
//! whatever order it is heard.

mod quiet;
mod told;
mod who;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::booking::{BookingStatus, Span};
use crate::customer::same_tier;
use crate::event::{BookingFacts, EventKind};
use crate::id::{NotificationRuleId, ServiceId};
use crate::problem::Problem;
use crate::zone::Zone;

pub use quiet::QuietHours;
pub use told::{Notification, NotificationStatus};
pub use who::{Audience, Channel, Recipient};

/// The longest offset from a booking, in minutes: a year.
pub const OFFSET_MAX: i32 = 366 * 24 * 60;
/// The most tiers that a rule may name.
pub const TIERS_MAX: usize = 50;

/// When a rule speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Moment {
    /// When this happens.
    Event(EventKind),
    /// At an offset from the beginning of the booking.
    Start,
    /// At an offset from its end.
    End,
}

/// The events that a rule can speak at: those that tell of a booking.
const EVENTS: [EventKind; 16] = [
    EventKind::BookingConfirmed,
    EventKind::BookingPending,
    EventKind::BookingRescheduled,
    EventKind::BookingCancelled,
    EventKind::BookingCheckedIn,
    EventKind::BookingCompleted,
    EventKind::BookingNoShow,
    EventKind::BookingDisplaced,
    EventKind::Expired,
    EventKind::PaymentPaid,
    EventKind::PaymentFailed,
    EventKind::RefundRequested,
    EventKind::PaymentRefunded,
    EventKind::RefundFailed,
    EventKind::PaymentDisputed,
    EventKind::DisputeClosed,
];

impl Moment {
    /// The name under which it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event(kind) => kind.name(),
            Self::Start => "booking.start",
            Self::End => "booking.end",
        }
    }

    /// The moment with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "booking.start" => Some(Self::Start),
            "booking.end" => Some(Self::End),
            _ => {
                let kind = EventKind::from_name(name)?;
                EVENTS.contains(&kind).then_some(Self::Event(kind))
            }
        }
    }

    /// The names of all moments, for whoever is to choose one.
    pub fn names() -> String {
        let events = EVENTS.map(EventKind::name);
        let all = ["booking.start", "booking.end"].into_iter().chain(events);
        all.collect::<Vec<_>>().join(", ")
    }
}

/// A rule of a business: when what is said to whom, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: NotificationRuleId,
    /// When.
    pub moment: Moment,
    /// So many minutes after it; before it where negative. Of an event always 0.
    pub offset_minutes: i32,
    /// To whom.
    pub audience: Audience,
    /// By which channels, in order of preference: the next is taken where the one before cannot reach them.
    pub channels: Vec<Channel>,
    /// The name of a text that comes with the software, or a text.
    pub template: String,
    /// Whether it counts.
    pub enabled: bool,
    /// For which services; empty: for all.
    pub service_ids: Vec<ServiceId>,
    /// Of which customers it speaks, whoever it speaks to: those of these tiers; empty: of all, also of those without one.
    pub customer_tiers: Vec<String>,
}

impl Rule {
    /// Whether it makes sense by itself.
    pub fn check(&self) -> Result<(), Problem> {
        let offset = |message: String| Problem::invalid(&["input", "offsetMinutes"], message);
        match self.moment {
            Moment::Event(_) if self.offset_minutes != 0 => {
                return Err(offset(
                    "must be 0: what is said at an event is said at once".to_owned(),
                ));
            }
            _ if self.offset_minutes.abs() > OFFSET_MAX => {
                return Err(offset(format!(
                    "must be from -{OFFSET_MAX} to {OFFSET_MAX}"
                )));
            }
            _ => {}
        }
        let mut seen = Vec::new();
        for channel in &self.channels {
            if seen.contains(channel) {
                return Err(Problem::invalid(
                    &["input", "channels"],
                    "must not name a channel twice",
                ));
            }
            seen.push(*channel);
        }
        if seen.is_empty() {
            return Err(Problem::invalid(
                &["input", "channels"],
                "must name at least one channel",
            ));
        }
        self.check_tiers()
    }

    fn check_tiers(&self) -> Result<(), Problem> {
        let wrong = |message: String| Problem::invalid(&["input", "customerTiers"], message);
        if self.customer_tiers.len() > TIERS_MAX {
            return Err(wrong(format!("must name at most {TIERS_MAX} tiers")));
        }
        let mut seen: Vec<&str> = Vec::new();
        for tier in &self.customer_tiers {
            if seen.iter().any(|known| same_tier(known, tier)) {
                return Err(wrong("must not name a tier twice".to_owned()));
            }
            seen.push(tier);
        }
        Ok(())
    }

    /// Whether it speaks at an offset from the booking's time.
    pub fn is_reminder(&self) -> bool {
        !matches!(self.moment, Moment::Event(_))
    }

    /// Whom it speaks to at this event; nobody where it does not apply.
    pub fn speaks_at(&self, kind: EventKind, facts: &BookingFacts) -> Vec<Recipient> {
        let waits = facts.status == BookingStatus::Pending
            && matches!(
                kind,
                EventKind::BookingConfirmed | EventKind::BookingRescheduled
            );
        if !self.enabled
            || waits
            || self.moment != Moment::Event(kind)
            || !self.is_for(facts.service.id)
            || self.passes_over(facts.customer_tier.as_deref()).is_some()
        {
            return Vec::new();
        }
        let mut recipients = vec![self.audience.recipient()];
        let previous = facts.previous_provider.as_ref();
        let changed = previous.is_some_and(|previous| previous.id != facts.provider.id);
        if self.audience == Audience::Provider && kind == EventKind::BookingRescheduled && changed {
            recipients.push(Recipient::PreviousProvider);
        }
        recipients
    }

    /// Whether it reminds of a booking of this service, where it does not pass over the customer.
    pub fn reminds_of(&self, service: ServiceId) -> bool {
        self.enabled && self.is_reminder() && self.is_for(service)
    }

    /// Whether it speaks of bookings of this service.
    pub fn is_for(&self, service: ServiceId) -> bool {
        self.service_ids.is_empty() || self.service_ids.contains(&service)
    }

    /// Why nothing is said of the bookings of a customer of this tier, if that is so.
    pub fn passes_over(&self, tier: Option<&str>) -> Option<&'static str> {
        let mut tiers = self.customer_tiers.iter();
        let named = tier.is_some_and(|own| tiers.any(|known| same_tier(known, own)));
        (!named && !self.customer_tiers.is_empty())
            .then_some("the rule is for customers of another tier")
    }

    /// Why what it has planned is not said any more, if that is so: its words are for another occasion by now, or for other people. `event` is
    /// what happened, where the notification tells of that.
    pub fn disowns(&self, planned: &Notification, event: EventKind) -> Option<&'static str> {
        let speaks_of_it = match self.moment {
            Moment::Event(own) => !planned.is_reminder() && own == event,
            Moment::Start | Moment::End => planned.is_reminder(),
        };
        if !speaks_of_it {
            Some("the rule speaks of something else now")
        } else if !self.audience.holds(planned.recipient) {
            Some("the rule speaks to somebody else now")
        } else {
            None
        }
    }

    /// Its channels in the order in which they are tried: to a customer first the one that they prefer, if it is one of the rule's.
    pub fn channels_for(&self, recipient: Recipient, preferred: Option<Channel>) -> Vec<Channel> {
        let first = preferred.filter(|_| recipient == Recipient::Customer);
        let (mut ordered, rest): (Vec<_>, Vec<_>) = self
            .channels
            .iter()
            .copied()
            .partition(|channel| Some(*channel) == first);
        ordered.extend(rest);
        ordered
    }

    /// When a reminder of a booking at this time is due. Quiet hours push it to their end; one that would then come at or after the
    /// beginning it reminds of comes at theirs.
    pub fn due(&self, span: Span, quiet: Option<&QuietHours>, zone: &Zone) -> DateTime<Utc> {
        let base = match self.moment {
            Moment::End => span.ends_at,
            Moment::Start | Moment::Event(_) => span.starts_at,
        };
        let offset = TimeDelta::minutes(self.offset_minutes.into());
        let due = base.checked_add_signed(offset).unwrap_or(base);
        match quiet.and_then(|quiet| quiet.around(due, zone)) {
            None => due,
            Some((begins, ends)) if self.is_ahead() && ends >= span.starts_at => begins.min(due),
            Some((_, ends)) => ends.max(due),
        }
    }

    /// Until when what is to be said now waits, so that nobody is disturbed: for the end of quiet hours. What is said at an event waits only
    /// where the business wishes it so, and nothing waits that would then come too late.
    pub fn waits_until(
        &self,
        now: DateTime<Utc>,
        span: Span,
        quiet: Option<&QuietHours>,
        zone: &Zone,
    ) -> Option<DateTime<Utc>> {
        let quiet = quiet.filter(|quiet| quiet.for_events || self.is_reminder())?;
        let (_, ends) = quiet.around(now, zone)?;
        let is_too_late = self.is_ahead() && ends >= span.starts_at;
        (ends > now && !is_too_late).then_some(ends)
    }

    /// Whether it speaks before the booking begins.
    pub fn is_ahead(&self) -> bool {
        self.moment == Moment::Start && self.offset_minutes < 0
    }

    /// Why nothing is said of a booking with this status, if that is so.
    pub fn silenced_by(&self, status: BookingStatus) -> Option<&'static str> {
        match status {
            BookingStatus::Cancelled => Some("the booking was cancelled"),
            BookingStatus::Expired => Some("the booking expired"),
            BookingStatus::NoShow => Some("the customer did not come"),
            BookingStatus::Pending => Some("the booking is not confirmed"),
            BookingStatus::Confirmed | BookingStatus::CheckedIn | BookingStatus::Completed => None,
        }
    }
}

/// The events after which the reminders of a booking are looked at again, or those of a customer's bookings.
pub fn changes_reminders(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::BookingConfirmed
            | EventKind::BookingRescheduled
            | EventKind::BookingCancelled
            | EventKind::BookingNoShow
            | EventKind::BookingDisplaced
            | EventKind::CustomerChanged
    )
}

/// The rules that a business begins with.
pub fn default_rules(mut id: impl FnMut() -> NotificationRuleId) -> Vec<Rule> {
    use Audience::{Business, Customer, Provider};
    use Channel::{Email, Sms};
    let mut rules = Vec::new();
    let mut add =
        |moment, offset_minutes, audience, channels: &[Channel], template: &str, enabled| {
            rules.push(Rule {
                id: id(),
                moment,
                offset_minutes,
                audience,
                channels: channels.to_vec(),
                template: template.to_owned(),
                enabled,
                service_ids: Vec::new(),
                customer_tiers: Vec::new(),
            });
        };
    for (kind, template) in [
        (EventKind::BookingConfirmed, "confirmed"),
        (EventKind::BookingRescheduled, "rescheduled"),
        (EventKind::BookingCancelled, "cancelled"),
    ] {
        add(Moment::Event(kind), 0, Customer, &[Email], template, true);
        add(Moment::Event(kind), 0, Provider, &[Email], template, true);
        add(Moment::Event(kind), 0, Customer, &[Sms], template, true);
    }
    let refunded = Moment::Event(EventKind::PaymentRefunded);
    // Whoever paid too late has to know that the booking does not stand, by whatever reaches them; and the business of money that goes.
    add(refunded, 0, Customer, &[Email, Sms], "refunded", true);
    add(refunded, 0, Business, &[Email], "refunded", true);
    let failed = Moment::Event(EventKind::RefundFailed);
    add(failed, 0, Business, &[Email], "refund-failed", true);
    add(
        Moment::Start,
        -1440,
        Customer,
        &[Sms, Email],
        "reminder",
        true,
    );
    add(
        Moment::Start,
        -120,
        Customer,
        &[Sms, Email],
        "reminder",
        false,
    );
    add(Moment::End, 1440, Customer, &[Email], "follow-up", false);
    rules
}
