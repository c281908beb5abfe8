use super::*;
use crate::id::RefundId;

fn failed(amount: i64) -> FailedRefund {
    FailedRefund {
        id: Some(RefundId::from_uuid(Uuid::nil())),
        amount,
        reason: "the account is closed".to_owned(),
    }
}

/// So much is paid back, and this came to nothing.
fn refunded(refunded: i64, failed: Vec<FailedRefund>) -> PaymentState {
    PaymentState {
        failed_refunds: failed,
        ..seen(ExternalStatus::Paid, 5000, refunded)
    }
}

#[test]
fn what_comes_back_can_be_paid_back_again() {
    let mut now = payment();
    for (state, status, at_hand) in [
        (refunded(5000, vec![]), PaymentStatus::Refunded, 0),
        (refunded(0, vec![failed(5000)]), PaymentStatus::Paid, 5000),
        (
            refunded(2000, vec![failed(5000)]),
            PaymentStatus::PartlyRefunded,
            3000,
        ),
        // An answer from before comes late.
        (refunded(5000, vec![]), PaymentStatus::PartlyRefunded, 3000),
        (
            refunded(5000, vec![failed(5000)]),
            PaymentStatus::Refunded,
            0,
        ),
    ] {
        (now, _) = now.observe(&state, false);
        assert_eq!((now.status, now.at_hand()), (status, at_hand), "{state:?}");
    }
}

#[test]
fn a_failure_is_two_movements_even_where_it_is_seen_at_once() {
    let (paid, _) = payment().observe(&refunded(0, vec![]), false);
    let (after, entries) = paid.observe(&refunded(0, vec![failed(700)]), false);
    let moved: Vec<_> = entries
        .iter()
        .map(|entry| (entry.kind, entry.amount))
        .collect();
    assert_eq!(
        moved,
        [(EntryKind::Refund, 700), (EntryKind::RefundFailed, 700)]
    );
    assert_eq!((after.refunded, after.status), (0, PaymentStatus::Paid));
    assert_eq!(after.observe(&refunded(0, vec![failed(700)]), false).1, []);
}

proptest! {
    /// Refunds that go out and come back, seen in any order and any number of times, end the same, and the ledger adds up.
    #[test]
    fn every_order_of_observations_of_refunds_ends_the_same(
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
        again in proptest::collection::vec(0..6_usize, 0..6),
    ) {
        let life = [
            refunded(0, vec![]),
            refunded(1000, vec![]),
            refunded(4000, vec![]),
            refunded(1000, vec![failed(3000)]),
            refunded(0, vec![failed(1000), failed(3000)]),
            refunded(2500, vec![failed(1000), failed(3000)]),
        ];
        let mut now = payment();
        let (mut out, mut back) = (0, 0);
        for turn in order.into_iter().chain(again) {
            let (after, entries) = now.observe(&life[turn], false);
            for entry in entries {
                match entry.kind {
                    EntryKind::Refund => out += entry.amount,
                    EntryKind::RefundFailed => back += entry.amount,
                    _ => {}
                }
            }
            now = after;
            prop_assert_eq!(out - back, now.refunded);
        }
        prop_assert_eq!((now.status, now.refunded, now.refund_failed), (PaymentStatus::PartlyRefunded, 2500, 4000));
        prop_assert_eq!((out, back), (6500, 4000));
    }
}

/// So much, asked for at one minute, and failed at another.
fn refund(amount: i64, asked: i64, failed: Option<i64>) -> Refund {
    let at = |minute: i64| DateTime::from_timestamp(1_800_000_000 + 60 * minute, 0).unwrap();
    Refund {
        id: RefundId::from_uuid(Uuid::from_u128(u128::try_from(asked).unwrap())),
        payment_id: payment().id,
        amount,
        reason: None,
        created_at: at(asked),
        outcome: Some(match failed {
            None => RefundOutcome::Succeeded,
            Some(minute) => RefundOutcome::Failed {
                reason: "closed".to_owned(),
                at: at(minute),
            },
        }),
    }
}

fn missing(all: &[Refund]) -> Vec<i64> {
    let owed = Refund::owed(all).into_iter();
    owed.map(|refund| refund.amount).collect()
}

#[test]
fn only_what_was_asked_for_since_makes_a_failure_good() {
    let late = refund(40, 0, Some(9));
    assert_eq!(missing(&[late.clone(), refund(60, 1, None)]), [40]);
    assert_eq!(missing(&[late.clone(), refund(60, 10, None)]), [0; 0]);
    assert_eq!(missing(&[late.clone(), refund(39, 10, None)]), [40]);
    let parts = [refund(39, 10, None), refund(1, 11, None)];
    assert_eq!(
        missing(&[std::slice::from_ref(&late), &parts[..]].concat()),
        [0; 0]
    );
    let once = [late, refund(41, 0, Some(8)), refund(41, 10, None)];
    assert_eq!(missing(&once), [40], "it makes one good, not both");
}

#[test]
fn what_is_asked_back_is_not_there_to_be_paid_back_and_what_failed_is_again() {
    let (paid, _) = payment().observe(&seen(ExternalStatus::Paid, 5000, 1000), false);
    let waiting = Refund {
        outcome: None,
        ..refund(2000, 1, None)
    };
    assert_eq!(paid.refundable(&[]), 4000, "it went back elsewhere");
    assert_eq!(paid.refundable(std::slice::from_ref(&waiting)), 3000);
    let failed = refund(2000, 0, Some(1));
    assert_eq!(paid.refundable(&[failed, waiting]), 3000);
}
