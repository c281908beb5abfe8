//! What a dispute does to a payment, in whatever order it is seen.

use super::*;

fn dispute(status: DisputeStatus, withdrawn: i64, reinstated: i64) -> Dispute {
    Dispute {
        external_id: "du_1".to_owned(),
        status,
        amount: 4000,
        withdrawn,
        reinstated,
        respond_by: None,
    }
}

fn disputed(disputes: Vec<Dispute>) -> PaymentState {
    PaymentState {
        disputes,
        ..seen(ExternalStatus::Paid, 5000, 1000)
    }
}

#[test]
fn a_dispute_takes_what_could_be_paid_back_and_no_booking() {
    let (open, won, lost) = (DisputeStatus::Open, DisputeStatus::Won, DisputeStatus::Lost);
    let (paid, _) = payment().observe(&seen(ExternalStatus::Paid, 5000, 1000), false);
    for (life, at_hand) in [
        (dispute(open, 0, 0), 4000),
        (dispute(won, 0, 0), 4000),
        (dispute(open, 4000, 0), 0),
        (dispute(lost, 4000, 0), 0),
        (dispute(won, 4000, 4000), 4000),
        // A bank takes what was paid back before, too.
        (dispute(lost, 5000, 0), 0),
    ] {
        let (after, entries) = paid.observe(&disputed(vec![life.clone()]), false);
        assert_eq!((after.left(), after.at_hand()), (4000, at_hand), "{life:?}");
        assert_eq!(after.status, PaymentStatus::PartlyRefunded);
        assert_eq!(
            entries.iter().map(|entry| entry.amount).sum::<i64>(),
            life.withdrawn + life.reinstated
        );
        for booking in [BookingStatus::Confirmed, BookingStatus::Cancelled] {
            let consequence = after.consequence(&paid, booking);
            assert_eq!(consequence, Consequence::Nothing);
        }
        // An answer that did not ask for disputes does not take them away.
        let (later, _) = after.observe(&seen(ExternalStatus::Paid, 5000, 1000), false);
        assert_eq!(later, after);
    }
}

proptest! {
    /// Disputes that are opened, escalated, decided and decided anew, seen in any order and any number of times, end the same.
    #[test]
    fn every_order_of_looks_at_disputes_ends_the_same(
        order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(),
        again in proptest::collection::vec(0..7_usize, 0..6),
    ) {
        let (open, won, lost) = (DisputeStatus::Open, DisputeStatus::Won, DisputeStatus::Lost);
        let other = |status| Dispute { external_id: "du_0".to_owned(), amount: 500, ..dispute(status, 0, 0) };
        let life = [
            disputed(vec![]),
            disputed(vec![dispute(open, 0, 0)]),
            disputed(vec![dispute(open, 4000, 0), other(open)]),
            disputed(vec![dispute(lost, 4000, 0), other(open)]),
            disputed(vec![dispute(won, 4000, 0), other(won)]),
            disputed(vec![dispute(won, 4000, 4000), other(won)]),
            disputed(vec![dispute(lost, 8000, 4000), other(won)]),
        ];
        let mut now = payment();
        let mut ledger = [0_i64; 5];
        for turn in order.into_iter().chain(again) {
            let (after, entries) = now.observe(&life[turn], false);
            for entry in entries {
                ledger[entry.kind as usize] += entry.amount;
            }
            now = after;
        }
        prop_assert_eq!(&now.disputes, &vec![other(won), dispute(lost, 8000, 4000)]);
        prop_assert_eq!(ledger, [5000, 1000, 175, now.withdrawn(), now.reinstated()]);
    }
}
