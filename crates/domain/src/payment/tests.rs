mod disputes;
mod refunds;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::id::Id;
use crate::money::Currency;
use crate::problem::Problem;

fn payment() -> Payment {
    let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    Payment {
        id: PaymentId::from_uuid(Uuid::nil()),
        booking_id: BookingId::from_uuid(Uuid::nil()),
        plugin: "payments-test".to_owned(),
        kind: PaymentKind::Charge,
        status: PaymentStatus::Waiting,
        amount: Money {
            amount: 5000,
            currency: Currency::new("EUR").unwrap(),
        },
        taken: 0,
        refunded: 0,
        refund_failed: 0,
        fee: 0,
        external_id: None,
        expires_at: at,
        created_at: at,
        capture_amount: None,
        saved_payment_id: None,
        disputes: Vec::new(),
        failure: None,
    }
}

fn seen(status: ExternalStatus, taken: i64, refunded: i64) -> PaymentState {
    let fee = (taken > 0).then_some(175);
    PaymentState {
        status,
        taken,
        refunded,
        failed_refunds: Vec::new(),
        fee,
        disputes: Vec::new(),
    }
}

fn over() -> ExternalStatus {
    ExternalStatus::Over {
        reason: "called off".to_owned(),
    }
}

#[test]
fn a_booking_is_confirmed_by_money_and_nothing_else() {
    let before = payment();
    for (state, booking, expected) in [
        (
            seen(ExternalStatus::Waiting, 0, 0),
            BookingStatus::Pending,
            Consequence::Nothing,
        ),
        // An answer that says paid and names no money is not believed.
        (
            seen(ExternalStatus::Paid, 0, 0),
            BookingStatus::Pending,
            Consequence::Nothing,
        ),
        (
            seen(ExternalStatus::Paid, 5000, 0),
            BookingStatus::Pending,
            Consequence::Confirm,
        ),
        (
            seen(ExternalStatus::Authorized, 0, 0),
            BookingStatus::Pending,
            Consequence::Confirm,
        ),
        (
            seen(over(), 0, 0),
            BookingStatus::Pending,
            Consequence::Expire,
        ),
        (
            seen(ExternalStatus::Paid, 5000, 0),
            BookingStatus::Expired,
            Consequence::PayBack,
        ),
        (
            seen(ExternalStatus::Paid, 5000, 0),
            BookingStatus::Cancelled,
            Consequence::PayBack,
        ),
        (
            seen(ExternalStatus::Paid, 5000, 5000),
            BookingStatus::Cancelled,
            Consequence::Nothing,
        ),
        (
            seen(ExternalStatus::Paid, 5000, 0),
            BookingStatus::Confirmed,
            Consequence::Nothing,
        ),
    ] {
        let (after, _) = before.observe(&state, false);
        assert_eq!(
            after.consequence(&before, booking),
            expected,
            "{state:?} {booking:?}"
        );
    }
}

#[test]
fn what_is_reserved_for_a_booking_that_is_lost_is_let_go_once() {
    let before = Payment {
        kind: PaymentKind::Authorize,
        ..payment()
    };
    let reserved = seen(ExternalStatus::Authorized, 0, 0);
    let (after, _) = before.observe(&reserved, false);
    for (booking, expected) in [
        (BookingStatus::Pending, Consequence::Confirm),
        (BookingStatus::Confirmed, Consequence::Nothing),
        (BookingStatus::Cancelled, Consequence::LetGo),
        (BookingStatus::Expired, Consequence::LetGo),
    ] {
        assert_eq!(after.consequence(&before, booking), expected, "{booking:?}");
        if booking != BookingStatus::Pending {
            let (again, _) = after.observe(&reserved, false);
            assert_eq!(again.consequence(&after, booking), Consequence::Nothing);
        }
    }
    let asked = Payment {
        capture_amount: Some(5000),
        ..before.clone()
    };
    let (taken, entries) = asked.observe(&seen(ExternalStatus::Paid, 5000, 0), false);
    assert_eq!(
        taken.consequence(&asked, BookingStatus::Cancelled),
        Consequence::PayBack
    );
    assert_eq!(
        entries.iter().map(|entry| entry.amount).sum::<i64>(),
        5000 + 175
    );
}

#[test]
fn a_reservation_that_lapses_has_failed_and_its_booking_stays() {
    let before = Payment {
        kind: PaymentKind::Authorize,
        status: PaymentStatus::Authorized,
        ..payment()
    };
    for has_expired in [false, true] {
        let (after, entries) = before.observe(&seen(over(), 0, 0), has_expired);
        assert_eq!((after.status, entries), (PaymentStatus::Failed, Vec::new()));
        assert_eq!(
            after.consequence(&before, BookingStatus::Confirmed),
            Consequence::Nothing
        );
        // An answer from before comes late.
        let (late, _) = after.observe(&seen(ExternalStatus::Authorized, 0, 0), false);
        assert_eq!(late, after);
    }
}

#[test]
fn a_fee_changes_no_booking_whatever_becomes_of_either() {
    let before = Payment {
        kind: PaymentKind::Fee,
        ..payment()
    };
    for state in [
        seen(ExternalStatus::Waiting, 0, 0),
        seen(ExternalStatus::Paid, 5000, 0),
        seen(ExternalStatus::Paid, 5000, 5000),
        seen(over(), 0, 0),
    ] {
        let (after, _) = before.observe(&state, false);
        for booking in [
            BookingStatus::Pending,
            BookingStatus::Confirmed,
            BookingStatus::NoShow,
            BookingStatus::Cancelled,
            BookingStatus::Expired,
        ] {
            let consequence = after.consequence(&before, booking);
            assert_eq!(consequence, Consequence::Nothing, "{state:?} {booking:?}");
        }
    }
}

#[test]
fn only_what_is_reserved_for_a_booking_that_stands_is_taken_and_only_once() {
    let reserved = Payment {
        kind: PaymentKind::Authorize,
        status: PaymentStatus::Authorized,
        ..payment()
    };
    let capture = |payment: &Payment, amount, booking| match payment.capture(amount, booking) {
        Ok(amount) => Ok(amount),
        Err(Problem::Invalid { path, .. }) => Err(path.join(".")),
        Err(Problem::Conflict { .. }) => Err("conflict".to_owned()),
        Err(other) => panic!("{other:?}"),
    };
    let conflict = || Err("conflict".to_owned());
    let invalid = || Err("input.amount".to_owned());
    for (amount, booking, expected) in [
        (None, BookingStatus::Confirmed, Ok(5000)),
        (None, BookingStatus::NoShow, Ok(5000)),
        (Some(1), BookingStatus::Completed, Ok(1)),
        (Some(5000), BookingStatus::CheckedIn, Ok(5000)),
        (Some(5001), BookingStatus::Confirmed, invalid()),
        (Some(0), BookingStatus::Confirmed, invalid()),
        (Some(-1), BookingStatus::Confirmed, invalid()),
        (None, BookingStatus::Cancelled, conflict()),
        (None, BookingStatus::Expired, conflict()),
    ] {
        let captured = capture(&reserved, amount, booking);
        assert_eq!(captured, expected, "{amount:?} {booking:?}");
    }
    for other in [
        Payment {
            kind: PaymentKind::SaveCard,
            ..reserved.clone()
        },
        Payment {
            status: PaymentStatus::Waiting,
            ..reserved.clone()
        },
        Payment {
            status: PaymentStatus::Paid,
            ..reserved.clone()
        },
        Payment {
            status: PaymentStatus::Failed,
            ..reserved.clone()
        },
        Payment {
            capture_amount: Some(1000),
            ..reserved.clone()
        },
    ] {
        let captured = capture(&other, None, BookingStatus::Confirmed);
        assert_eq!(captured, conflict(), "{other:?}");
    }
}

#[test]
fn all_fees_of_a_booking_are_at_most_its_price() {
    let price = payment().amount;
    let fee = |status, amount: i64, taken, refunded| Payment {
        kind: PaymentKind::Fee,
        status,
        amount: Money { amount, ..price },
        taken,
        refunded,
        ..payment()
    };
    let deposit = Payment {
        status: PaymentStatus::Paid,
        taken: 5000,
        ..payment()
    };
    for (others, most) in [
        (vec![], 5000),
        (vec![deposit], 5000),
        (vec![fee(PaymentStatus::Paid, 2000, 2000, 0)], 3000),
        (
            vec![fee(PaymentStatus::PartlyRefunded, 2000, 2000, 500)],
            3500,
        ),
        (vec![fee(PaymentStatus::Refunded, 5000, 5000, 5000)], 5000),
        (vec![fee(PaymentStatus::Failed, 5000, 0, 0)], 5000),
        (
            vec![
                fee(PaymentStatus::Paid, 2000, 2000, 0),
                fee(PaymentStatus::Paid, 3000, 3000, 0),
            ],
            0,
        ),
    ] {
        for amount in [-1, 0, 1, most, most + 1] {
            let is_right = (1..=most).contains(&amount);
            let checked = check_fee(amount, price, &others);
            assert_eq!(checked.is_ok(), is_right, "{amount} {others:?}");
        }
    }
    assert!(check_fee(1, Money { amount: 0, ..price }, &[]).is_err());
    let waits = [fee(PaymentStatus::Waiting, 2000, 0, 0)];
    let refused = check_fee(1, price, &waits);
    assert!(matches!(refused, Err(Problem::Conflict { .. })));
}

proptest! {
    /// A reservation that is taken or lapses, seen in any order and any number of times, ends the same.
    #[test]
    fn every_order_of_observations_of_a_reservation_ends_the_same(
        is_taken in proptest::bool::ANY,
        order in Just((0..4_usize).collect::<Vec<_>>()).prop_shuffle(),
        again in proptest::collection::vec(0..4_usize, 0..6),
    ) {
        let (end, expected) = if is_taken {
            (seen(ExternalStatus::Paid, 3000, 0), PaymentStatus::Paid)
        } else {
            (seen(over(), 0, 0), PaymentStatus::Failed)
        };
        let life = [
            seen(ExternalStatus::Waiting, 0, 0),
            seen(ExternalStatus::Authorized, 0, 0),
            end,
            seen(ExternalStatus::Authorized, 0, 0),
        ];
        let mut now = Payment { kind: PaymentKind::Authorize, ..payment() };
        let mut charged = 0;
        for turn in order.into_iter().chain(again) {
            let (after, entries) = now.observe(&life[turn], false);
            charged += entries.iter().filter(|entry| entry.kind == EntryKind::Charge).map(|entry| entry.amount).sum::<i64>();
            now = after;
        }
        prop_assert_eq!((now.status, charged), (expected, now.taken));
    }

    /// What a payment goes through, seen in any order and any number of times, ends the same, and the ledger adds up.
    #[test]
    fn every_order_of_observations_ends_the_same(
        order in Just((0..5_usize).collect::<Vec<_>>()).prop_shuffle(),
        again in proptest::collection::vec(0..5_usize, 0..6),
    ) {
        let life = [
            seen(ExternalStatus::Waiting, 0, 0),
            seen(ExternalStatus::Paid, 5000, 0),
            seen(ExternalStatus::Paid, 5000, 1000),
            seen(ExternalStatus::Paid, 5000, 3000),
            seen(ExternalStatus::Waiting, 0, 0),
        ];
        let mut now = payment();
        let mut booking = BookingStatus::Pending;
        let mut ledger = [0_i64; 3];
        for turn in order.into_iter().chain(again) {
            let (after, entries) = now.observe(&life[turn], false);
            match after.consequence(&now, booking) {
                Consequence::Confirm => booking = BookingStatus::Confirmed,
                other => prop_assert_eq!(other, Consequence::Nothing),
            }
            for entry in entries {
                ledger[entry.kind as usize] += entry.amount;
            }
            now = after;
        }
        prop_assert_eq!((now.status, now.taken, now.refunded, now.fee), (PaymentStatus::PartlyRefunded, 5000, 3000, 175));
        prop_assert_eq!(booking, BookingStatus::Confirmed);
        prop_assert_eq!(ledger, [now.taken, now.refunded, now.fee]);
    }
}
