//! Services: what can be booked, and the rules by which it can.

use serde::{Deserialize, Serialize};

use crate::deposit::{CaptureMethod, Deposit};
use crate::id::{ProviderId, ResourceKindId, ServiceId};
use crate::money::Money;
use crate::payment::PaymentKind;
use crate::policy::BookingPolicy;

/// From where start times are counted (AVAILABILITY.md, 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotAlignment {
    /// From where the working window opens.
    Window,
    /// From midnight of the wall clock.
    Clock,
}

/// So many units of a kind of resource, for as long as the session (and its buffers) lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceRequirement {
    /// The kind.
    pub kind_id: ResourceKindId,
    /// How many units at once; at least 1.
    pub units: u32,
}

/// What can be booked.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its id; its calendar (which counts sessions a day) bears it too.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// What it is, for customers.
    pub description: Option<String>,
    /// How long a session lasts, in minutes; at least 1.
    pub duration_minutes: u32,
    /// How long the provider and the resources are kept before a session, in minutes.
    pub buffer_before_minutes: u32,
    /// How long they are kept after it, in minutes.
    pub buffer_after_minutes: u32,
    /// The distance of start times, in minutes; at least 1.
    pub slot_interval_minutes: u32,
    /// From where start times are counted.
    pub slot_alignment: SlotAlignment,
    /// Seats of a session; at least 1.
    pub capacity: u32,
    /// The price of one place.
    pub price: Money,
    /// When it may be booked.
    pub policy: BookingPolicy,
    /// What is to be paid before a booking stands.
    pub deposit: Deposit,
    /// When the money of it is taken.
    pub capture: CaptureMethod,
    /// The most sessions that may start on one local day (AVAILABILITY.md, 11).
    pub daily_limit: Option<u32>,
    /// Who offers it.
    pub provider_ids: Vec<ProviderId>,
    /// What a session needs beside its provider.
    pub requires: Vec<ResourceRequirement>,
    /// Archived: kept for history, closed to new bookings.
    pub archived: bool,
}

impl Service {
    /// What so many places cost.
    pub fn price_for(&self, party_size: u32) -> Money {
        Money {
            amount: self.price.amount.saturating_mul(party_size.into()),
            ..self.price
        }
    }

    /// What is to be paid for so many places before they stand, and what becomes of the money; none: they stand at once.
    pub fn payment_due(&self, party_size: u32) -> Option<(PaymentKind, Money)> {
        let (kind, amount) = self.deposit.due(self.price_for(party_size), party_size)?;
        let kind = match (kind, self.capture) {
            (PaymentKind::Charge, CaptureMethod::Manual) => PaymentKind::Authorize,
            (kind, _) => kind,
        };
        Some((kind, amount))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::id::Id;
    use crate::money::Currency;

    #[test]
    fn what_is_taken_later_is_reserved_and_a_card_is_saved_either_way() {
        use CaptureMethod::{Automatic, Manual};
        use PaymentKind::{Authorize, Charge, SaveCard};
        for (deposit, capture, expected) in [
            (Deposit::None, Automatic, None),
            (Deposit::None, Manual, None),
            (Deposit::Full, Automatic, Some((Charge, 9000))),
            (Deposit::Full, Manual, Some((Authorize, 9000))),
            (
                Deposit::Percent { percent: 50 },
                Manual,
                Some((Authorize, 4500)),
            ),
            (
                Deposit::Amount { amount: 1000 },
                Manual,
                Some((Authorize, 2000)),
            ),
            (Deposit::CardOnFile, Automatic, Some((SaveCard, 0))),
            (Deposit::CardOnFile, Manual, Some((SaveCard, 0))),
        ] {
            let due = service(deposit, capture).payment_due(2);
            let due = due.map(|(kind, money)| (kind, money.amount));
            assert_eq!(due, expected, "{deposit:?} {capture:?}");
        }
    }

    #[test]
    fn a_way_to_take_money_is_found_by_its_name() {
        for capture in [CaptureMethod::Automatic, CaptureMethod::Manual] {
            assert_eq!(CaptureMethod::from_name(capture.name()), Some(capture));
        }
        assert_eq!(CaptureMethod::from_name("later"), None);
    }

    fn service(deposit: Deposit, capture: CaptureMethod) -> Service {
        let currency = Currency::new("EUR").unwrap();
        Service {
            id: ServiceId::from_uuid(Uuid::nil()),
            name: "Haircut".to_owned(),
            description: None,
            duration_minutes: 60,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            slot_interval_minutes: 60,
            slot_alignment: SlotAlignment::Window,
            capacity: 2,
            price: Money {
                amount: 4500,
                currency,
            },
            policy: BookingPolicy {
                minimum_notice_minutes: 0,
                maximum_advance_days: 365,
                cancellation_notice_minutes: 0,
                reschedule_notice_minutes: 0,
            },
            deposit,
            capture,
            daily_limit: None,
            provider_ids: Vec::new(),
            requires: Vec::new(),
            archived: false,
        }
    }
}
