//! The life of a booking, through the engine on a real database.

use chrono::TimeDelta;
use domain::booking::BookingStatus;
use domain::problem::{Problem, UnavailableReason};
use engine::availability::AvailabilityQuestion;
use engine::booking::{Reschedule, Step};
use engine::catalogue::service::ServiceInput;
use engine::hold::HoldSlot;
use engine::{Caller, Error};
use test_support::{World, at, invariants};

pub(crate) fn question(
    service_id: domain::id::ServiceId,
    from: &str,
    to: &str,
) -> AvailabilityQuestion {
    AvailabilityQuestion {
        service_id,
        from: at(from),
        to: at(to),
        location_id: None,
        provider_ids: None,
        party_size: 1,
        reschedule_of: None,
    }
}

fn problem<T: std::fmt::Debug>(result: Result<T, Error>) -> Problem {
    match result {
        Err(Error::Refused(problems)) => problems.into_iter().next().unwrap(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_slot_that_is_booked_is_gone_and_comes_back_when_it_is_cancelled() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let asked = question(service, "2027-03-02T00:00:00Z", "2027-03-03T00:00:00Z");
    let free = || async {
        world
            .engine
            .availability(&world.visitor, &asked)
            .await
            .unwrap()
            .slots
            .len()
    };
    assert_eq!(free().await, 8);

    let booked = world
        .engine
        .book(
            &world.visitor,
            world.booking(service, "2027-03-02T10:00:00Z", "Eve"),
            None,
        )
        .await;
    let booked = booked.unwrap();
    assert_eq!(booked.made.booking.status, BookingStatus::Confirmed);
    assert_eq!(booked.made.session.provider_id, anna);
    assert_eq!(free().await, 7);

    let again = world
        .engine
        .book(
            &world.visitor,
            world.booking(service, "2027-03-02T10:00:00Z", "Bob"),
            None,
        )
        .await;
    let Problem::SlotUnavailable {
        reasons,
        alternatives,
    } = problem(again)
    else {
        panic!()
    };
    assert_eq!(reasons, [UnavailableReason::ProviderBusy]);
    let starts: Vec<_> = alternatives
        .iter()
        .map(|slot| slot.starts.instant())
        .collect();
    assert!(
        starts.contains(&at("2027-03-02T09:00:00Z"))
            && starts.contains(&at("2027-03-02T11:00:00Z"))
    );

    let guest = world
        .engine
        .identify(&engine::caller::Claim {
            slug: None,
            token: Some(booked.manage_token),
        })
        .await;
    let guest: Caller = guest.unwrap();
    let id = booked.made.booking.id;
    let cancelled = world
        .engine
        .cancel(&guest, id, Some(1), Some("ill"), None)
        .await
        .unwrap();
    assert_eq!(
        (cancelled.booking.status, cancelled.booking.version),
        (BookingStatus::Cancelled, 2)
    );
    assert_eq!(free().await, 8);
    let again = world
        .engine
        .cancel(&guest, id, None, None, None)
        .await
        .unwrap();
    assert_eq!(again.booking.version, 2, "already done is not done again");
    assert_eq!(invariants(&world.url).await.unwrap(), []);
}

#[tokio::test]
async fn a_hold_keeps_its_slot_until_it_is_redeemed_released_or_runs_out() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let (engine, visitor) = (&world.engine, &world.visitor);
    let hold = |starts: &str| {
        let starts_at = at(starts);
        let input = HoldSlot {
            service_id: service,
            starts_at,
            provider_id: None,
            party_size: 1,
            ttl_seconds: 600,
        };
        engine.hold_slot(visitor, input, None)
    };
    let ten = "2027-03-02T10:00:00Z";
    let first = hold(ten).await.unwrap();
    assert!(matches!(
        problem(hold(ten).await),
        Problem::SlotUnavailable { .. }
    ));
    let mut redeem = world.booking(service, ten, "Eve");
    assert!(matches!(
        problem(engine.book(visitor, redeem.clone(), None).await),
        Problem::SlotUnavailable { .. }
    ));
    redeem.hold_id = Some(first.hold.id);
    let booked = engine.book(visitor, redeem.clone(), None).await.unwrap();
    assert_eq!(booked.made.session.id, first.session.id);
    assert_eq!(
        problem(engine.book(visitor, redeem, None).await),
        Problem::HoldExpired
    );

    let second = hold("2027-03-02T11:00:00Z").await.unwrap();
    engine
        .release_hold(visitor, second.hold.id, None)
        .await
        .unwrap();
    let third = hold("2027-03-02T11:00:00Z").await.unwrap();
    world.clock.advance(TimeDelta::seconds(601));
    // Nobody has swept it: it is as good as gone all the same.
    let taken = engine
        .book(
            visitor,
            world.booking(service, "2027-03-02T11:00:00Z", "Bob"),
            None,
        )
        .await;
    assert_ne!(taken.unwrap().made.session.id, third.session.id);
    let mut late = world.booking(service, "2027-03-02T11:00:00Z", "Eve");
    late.hold_id = Some(third.hold.id);
    assert_eq!(
        problem(engine.book(visitor, late, None).await),
        Problem::HoldExpired
    );
    assert_eq!(invariants(&world.url).await.unwrap(), []);
}

#[tokio::test]
async fn a_booking_moves_over_its_own_time_and_to_another_provider() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let ben = world.provider("Ben", &[location]).await;
    let input = ServiceInput {
        slot_interval_minutes: Some(30),
        ..ServiceInput::default()
    };
    let service = world.service(60, &[anna, ben], input).await;
    let (engine, owner) = (&world.engine, &world.owner);
    let mut book = world.booking(service, "2027-03-02T10:00:00Z", "Eve");
    book.provider_id = Some(anna);
    let booking = engine.book(owner, book, None).await.unwrap().made;
    let to = |starts: &str, provider_id, expected_version| Reschedule {
        booking_id: booking.booking.id,
        starts_at: at(starts),
        provider_id,
        expected_version,
        reason: None,
        override_reason: None,
    };
    let moved = engine
        .reschedule(owner, to("2027-03-02T10:30:00Z", None, Some(1)), None)
        .await
        .unwrap();
    assert_eq!(
        (moved.session.provider_id, moved.booking.version),
        (anna, 2)
    );
    let stale = engine
        .reschedule(owner, to("2027-03-02T12:00:00Z", None, Some(1)), None)
        .await;
    assert_eq!(
        problem(stale),
        Problem::VersionConflict { current_version: 2 }
    );
    let moved = engine
        .reschedule(owner, to("2027-03-02T10:30:00Z", Some(ben), None), None)
        .await
        .unwrap();
    assert_eq!((moved.session.provider_id, moved.booking.version), (ben, 3));
    let same = engine
        .reschedule(owner, to("2027-03-02T10:30:00Z", None, None), None)
        .await
        .unwrap();
    assert_eq!(same.booking.version, 3, "it is there already");
    assert_eq!(invariants(&world.url).await.unwrap(), []);
}

#[tokio::test]
async fn the_same_key_answers_the_same_and_another_input_under_it_is_refused() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let input = world.booking(service, "2027-03-02T10:00:00Z", "Eve");
    let first = world
        .engine
        .book(&world.visitor, input.clone(), Some("k1"))
        .await
        .unwrap();
    let second = world
        .engine
        .book(&world.visitor, input.clone(), Some("k1"))
        .await
        .unwrap();
    assert_eq!(first.made.booking, second.made.booking);
    assert_eq!(first.manage_token, second.manage_token);
    let other = world.booking(service, "2027-03-02T11:00:00Z", "Eve");
    assert_eq!(
        problem(world.engine.book(&world.visitor, other, Some("k1")).await),
        Problem::IdempotencyConflict
    );
}

#[tokio::test]
async fn the_state_machine_is_kept_and_told() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let (engine, owner) = (&world.engine, &world.owner);
    let booking = engine
        .book(
            owner,
            world.booking(service, "2027-03-01T10:00:00Z", "Eve"),
            None,
        )
        .await
        .unwrap();
    let id = booking.made.booking.id;
    let early = engine.advance(owner, id, Step::Complete, None, None).await;
    assert!(matches!(problem(early), Problem::Conflict { .. }));
    world.clock.set(at("2027-03-01T09:55:00Z"));
    let here = engine
        .advance(owner, id, Step::CheckIn, Some(1), None)
        .await
        .unwrap();
    assert_eq!(here.booking.status, BookingStatus::CheckedIn);
    let done = engine
        .advance(owner, id, Step::Complete, Some(2), None)
        .await
        .unwrap();
    assert_eq!(
        (done.booking.status, done.booking.version),
        (BookingStatus::Completed, 3)
    );
    assert!(matches!(
        problem(engine.cancel(owner, id, None, None, None).await),
        Problem::Conflict { .. }
    ));
    let refused = engine
        .advance(&world.visitor, id, Step::MarkNoShow, None, None)
        .await;
    assert!(
        matches!(refused, Err(Error::Refused(_))),
        "a visitor does not even learn that it exists"
    );
    let history = engine.booking_history(owner, &[id]).await.unwrap();
    let kinds: Vec<_> = history.iter().map(|change| change.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "booking.confirmed",
            "booking.checked_in",
            "booking.completed"
        ]
    );
}
