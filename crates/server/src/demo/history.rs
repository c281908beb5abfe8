//! Lives through the months of a business of the demo, day by day: customers book what is free, some call off, some do not come.
//!
//! Guaranteed: every booking takes a start that the engine has just offered, so all of them keep all the rules; nothing that is over
//! by the end still waits; the same day in the same state brings the same bookings.

use chrono::{DateTime, TimeDelta, Utc};
use domain::availability::Slot;
use domain::id::{BookingId, ServiceId};
use engine::availability::AvailabilityQuestion;
use engine::booking::{Book, Step};
use engine::customer::CustomerInput;
use engine::{Caller, Clock, Engine};
use indicatif::ProgressBar;

use super::random::Random;
use super::shape::{FIRST_NAMES, LAST_NAMES, Offer, Shape};

/// How many days the demo goes back.
pub(super) const DAYS_BACK: i64 = 60;
/// How many days ahead its last bookings lie.
const DAYS_AHEAD: usize = 45;
/// How many days before it most customers book.
const USUAL_LEAD: usize = 14;
/// How many people go there.
const CUSTOMERS: usize = 140;
const NOTES: [&str; 4] = [
    "First visit.",
    "Please ring the bell twice.",
    "I may be five minutes late.",
    "Same as last time, please.",
];

/// A business that is lived through.
pub(super) struct History<'a> {
    pub engine: &'a Engine,
    /// The engine's, standing in the past.
    pub clock: &'a Clock,
    pub visitor: Caller,
    pub system: Caller,
    pub shape: &'a Shape,
    /// In the order of the shape.
    pub services: &'a [ServiceId],
    pub random: Random,
    pub open: Vec<Open>,
}

/// A booking that is not over.
pub(super) struct Open {
    id: BookingId,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Comes,
    StaysAway,
    CallsOff,
}

impl History<'_> {
    /// Lives up to `now`, and answers how many bookings were made.
    pub(super) async fn live(
        &mut self,
        now: DateTime<Utc>,
        progress: &ProgressBar,
    ) -> anyhow::Result<usize> {
        let mut made = 0;
        for days_left in (0..=DAYS_BACK).rev() {
            self.clock.set(now - TimeDelta::days(days_left));
            self.settle().await?;
            for _ in 0..self.shape.daily {
                // Most book late: the smaller of two numbers.
                let lead = self
                    .random
                    .below(USUAL_LEAD)
                    .min(self.random.below(USUAL_LEAD));
                made += usize::from(self.book(lead).await?);
            }
            progress.inc(1);
        }
        for lead in 0..DAYS_AHEAD {
            made += usize::from(self.book(lead).await?);
        }
        Ok(made)
    }

    /// Takes the steps that are due by now.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let now = self.clock.now();
        for open in std::mem::take(&mut self.open) {
            let step = if open.ends_at <= now {
                match open.fate {
                    Fate::Comes => Step::Complete,
                    Fate::StaysAway | Fate::CallsOff => Step::MarkNoShow,
                }
            } else if open.starts_at <= now && open.fate == Fate::Comes {
                self.engine
                    .advance(&self.system, open.id, Step::CheckIn, None, None)
                    .await?;
                self.open.push(open);
                continue;
            } else if open.starts_at > now && open.fate == Fate::CallsOff && self.random.percent(50)
            {
                let reason = Some("Something came up");
                self.engine
                    .cancel(&self.system, open.id, None, reason, None)
                    .await?;
                continue;
            } else {
                self.open.push(open);
                continue;
            };
            self.engine
                .advance(&self.system, open.id, step, None, None)
                .await?;
        }
        Ok(())
    }

    /// Books something about so many days ahead; false where nothing was free then.
    async fn book(&mut self, lead_days: usize) -> anyhow::Result<bool> {
        let place = self
            .random
            .below(self.services.len())
            .min(self.random.below(self.services.len()));
        let (Some(service_id), Some(offer)) =
            (self.services.get(place), self.shape.services.get(place))
        else {
            return Ok(false);
        };
        let from = self.clock.now() + TimeDelta::days(i64::try_from(lead_days)?);
        let is_class = offer.capacity > 1;
        let party_size = if is_class && self.random.percent(12) {
            2
        } else {
            1
        };
        let question = AvailabilityQuestion {
            service_id: *service_id,
            from,
            // Over a weekend, so that few customers go away empty-handed.
            to: from + TimeDelta::days(3),
            location_id: None,
            provider_ids: None,
            party_size,
            reschedule_of: None,
        };
        let answer = self.engine.availability(&self.visitor, &question).await?;
        let Some(slot) = self.choose(offer, &answer.slots) else {
            return Ok(false);
        };
        self.take(*service_id, &slot, party_size, !is_class).await?;
        Ok(true)
    }

    /// Books the slot, with a provider by name where some would name one, and settles how it will go.
    async fn take(
        &mut self,
        service_id: ServiceId,
        slot: &Slot,
        party_size: i32,
        may_name: bool,
    ) -> anyhow::Result<()> {
        let named = may_name && self.random.percent(60);
        let provider_ids: Vec<_> = slot.provider_ids.iter().collect();
        let input = Book {
            service_id,
            starts_at: slot.starts.instant(),
            provider_id: if named {
                self.random.pick(&provider_ids).copied()
            } else {
                None
            },
            hold_id: None,
            customer: Some(self.customer()),
            party_size,
            note: self
                .random
                .percent(8)
                .then(|| self.random.pick(&NOTES))
                .flatten()
                .map(|note| (*note).to_owned()),
            override_reason: None,
        };
        let made = self.engine.book(&self.visitor, input, None).await?.made;
        self.open.push(Open {
            id: made.booking.id,
            starts_at: made.session.starts_at,
            ends_at: made.session.ends_at,
            fate: match self.random.below(100) {
                0..8 => Fate::CallsOff,
                8..12 => Fate::StaysAway,
                _ => Fate::Comes,
            },
        });
        Ok(())
    }

    /// Where others go already is where most want to go too.
    fn choose(&mut self, offer: &Offer, slots: &[Slot]) -> Option<Slot> {
        let is_begun =
            |slot: &&Slot| i32::try_from(slot.seats_left).is_ok_and(|left| left < offer.capacity);
        let begun: Vec<Slot> = slots.iter().filter(is_begun).cloned().collect();
        let liked = if !begun.is_empty() && self.random.percent(80) {
            &begun
        } else {
            slots
        };
        self.random.pick(liked).cloned()
    }

    fn customer(&mut self) -> CustomerInput {
        // The two lists have no common measure, so the numbers make as many different names.
        let number = self.random.below(CUSTOMERS);
        let name =
            |names: &[&'static str]| names.get(number % names.len()).copied().unwrap_or_default();
        let (first, last) = (name(&FIRST_NAMES), name(&LAST_NAMES));
        CustomerInput {
            name: format!("{first} {last}"),
            email: Some(format!("{first}.{last}@example.com").to_lowercase()),
            phone: None,
            time_zone: None,
            locale: None,
            preferred_channel: None,
        }
    }
}
