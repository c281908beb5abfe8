//! Many clients who do everything at once on few calendars, for several seconds: no overlap, no lost seat, nobody lied to.

use std::time::{Duration, Instant};

use domain::id::{BookingId, HoldId, ServiceId};
use domain::problem::Problem;
use engine::booking::{Book, Reschedule};
use engine::catalogue::service::ServiceInput;
use engine::hold::HoldSlot;
use engine::{Error, Result};
use futures_util::future::join_all;
use test_support::{World, WorldOptions, at, invariants};

/// How long the storm lasts.
const STORM: Duration = Duration::from_secs(4);

/// Numbers that look random, the same for the same client in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

/// What one client believes to have.
#[derive(Default)]
struct Belief {
    bookings: Vec<BookingId>,
    holds: Vec<(HoldId, Book)>,
}

async fn client(world: World, services: Vec<ServiceId>, number: u64) -> Vec<BookingId> {
    let mut dice = Dice(number * 7919 + 17);
    let mut belief = Belief::default();
    let end = Instant::now() + STORM;
    while Instant::now() < end {
        let starts = format!(
            "2027-03-02T{:02}:{}:00Z",
            9 + dice.roll(8),
            ["00", "30"][dice.roll(2)]
        );
        let service = services[dice.roll(services.len())];
        let request = world.booking(service, &starts, &format!("Client {number}"));
        match act(&world, &mut dice, &mut belief, request).await {
            Ok(()) => {}
            Err(Error::Refused(problems)) => assert!(
                problems.iter().all(|problem| matches!(
                    problem,
                    Problem::SlotUnavailable { .. }
                        | Problem::HoldExpired
                        | Problem::Conflict { .. }
                )),
                "{problems:?}"
            ),
            Err(other) => panic!("client {number}: {other}"),
        }
    }
    belief.bookings
}

async fn act(world: &World, dice: &mut Dice, belief: &mut Belief, request: Book) -> Result<()> {
    let (engine, owner) = (&world.engine, &world.owner);
    match dice.roll(6) {
        0 | 1 => belief
            .bookings
            .push(engine.book(owner, request, None).await?.made.booking.id),
        2 => {
            let hold = HoldSlot {
                service_id: request.service_id,
                starts_at: request.starts_at,
                provider_id: None,
                party_size: 1,
                ttl_seconds: 1 + i32::try_from(dice.roll(3)).unwrap(),
            };
            let held = engine.hold_slot(owner, hold, None).await?;
            belief.holds.push((held.hold.id, request));
        }
        3 => {
            let Some((id, mut request)) = belief.holds.pop() else {
                return Ok(());
            };
            if dice.roll(3) == 0 {
                engine.release_hold(owner, id, None).await?;
            } else {
                request.hold_id = Some(id);
                belief
                    .bookings
                    .push(engine.book(owner, request, None).await?.made.booking.id);
            }
        }
        4 => {
            if let Some(id) = belief.bookings.pop() {
                engine.cancel(owner, id, None, None, None).await?;
            }
        }
        _ => {
            let Some(booking_id) = belief.bookings.last().copied() else {
                return Ok(());
            };
            let to = Reschedule {
                booking_id,
                starts_at: request.starts_at,
                provider_id: None,
                expected_version: None,
                reason: None,
                override_reason: None,
            };
            engine.reschedule(owner, to, None).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_book_move_cancel_and_hold_at_random_on_few_calendars() {
    let world = World::with(WorldOptions {
        now: None,
        ..WorldOptions::default()
    })
    .await;
    world.clock.set(at("2027-03-01T08:00:00Z"));
    let location = world.location("Europe/London").await;
    let (anna, ben) = (
        world.provider("Anna", &[location]).await,
        world.provider("Ben", &[location]).await,
    );
    let room = world.kind("Room").await;
    world.resource("Hall", room, location, 2).await;
    let half = |input| ServiceInput {
        slot_interval_minutes: Some(30),
        ..input
    };
    let cut = half(ServiceInput {
        buffer_after_minutes: Some(10),
        ..ServiceInput::default()
    });
    let massage = half(ServiceInput {
        requires: Some(vec![(room, 1)]),
        ..ServiceInput::default()
    });
    let class = half(ServiceInput {
        capacity: Some(6),
        ..ServiceInput::default()
    });
    let services = vec![
        world.service(30, &[anna, ben], cut).await,
        world.service(60, &[anna, ben], massage).await,
        world.service(60, &[ben], class).await,
    ];
    let clients =
        (1..=50).map(|number| tokio::spawn(client(world.clone(), services.clone(), number)));
    let mut believed: Vec<BookingId> = Vec::new();
    for bookings in join_all(clients).await {
        believed.extend(bookings.unwrap());
    }
    assert_eq!(invariants(&world.url).await.unwrap(), []);
    assert_eq!(
        world.engine.calendars_astray(&world.owner).await.unwrap(),
        []
    );
    assert!(!believed.is_empty());
    for id in believed {
        let (booking, session) = world
            .engine
            .booking(&world.owner, id)
            .await
            .unwrap()
            .unwrap();
        assert!(
            booking.status.takes_seats() && session.seats_taken >= booking.party_size,
            "{id} was promised"
        );
    }
}
