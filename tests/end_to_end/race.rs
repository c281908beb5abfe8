//! Many clients at once for the same few seats: nobody is lied to, and the database's promises hold.

use std::collections::BTreeMap;

use domain::problem::Problem;
use engine::Error;
use engine::booking::{Book, Booked};
use engine::catalogue::service::ServiceInput;
use futures_util::future::join_all;
use test_support::{World, invariants};

async fn race(world: &World, requests: Vec<Book>) -> (Vec<Booked>, usize) {
    let answers = join_all(
        requests
            .into_iter()
            .map(|request| world.engine.book(&world.visitor, request, None)),
    )
    .await;
    let (mut won, mut lost) = (Vec::new(), 0);
    for answer in answers {
        match answer {
            Ok(booked) => won.push(booked),
            Err(Error::Refused(problems)) => {
                assert!(
                    matches!(problems.as_slice(), [Problem::SlotUnavailable { .. }]),
                    "{problems:?}"
                );
                lost += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(invariants(&world.url).await.unwrap(), []);
    assert_eq!(
        world.engine.calendars_astray(&world.owner).await.unwrap(),
        []
    );
    (won, lost)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_race_for_one_slot() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let ask = |n: usize| world.booking(service, "2027-03-02T10:00:00Z", &format!("Client {n}"));
    let (won, lost) = race(&world, (0..200).map(ask).collect()).await;
    assert_eq!((won.len(), lost), (1, 199));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_race_for_the_last_five_seats_of_a_class_of_twenty() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let input = ServiceInput {
        capacity: Some(20),
        ..ServiceInput::default()
    };
    let service = world.service(60, &[anna], input).await;
    let ask = |n: usize| world.booking(service, "2027-03-02T10:00:00Z", &format!("Client {n}"));
    let mut first = ask(999);
    first.party_size = 15;
    world
        .engine
        .book(&world.visitor, first, None)
        .await
        .unwrap();
    let (won, lost) = race(&world, (0..200).map(ask).collect()).await;
    assert_eq!((won.len(), lost), (5, 195));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_race_for_two_rooms_among_three_therapists() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let mut therapists = Vec::new();
    for name in ["Anna", "Ben", "Cleo"] {
        therapists.push(world.provider(name, &[location]).await);
    }
    let room = world.kind("Room").await;
    world.resource("Red", room, location, 1).await;
    world.resource("Blue", room, location, 1).await;
    let input = ServiceInput {
        requires: Some(vec![(room, 1)]),
        ..ServiceInput::default()
    };
    let service = world.service(60, &therapists, input).await;
    let ask = |n: usize| world.booking(service, "2027-03-02T10:00:00Z", &format!("Client {n}"));
    let (won, lost) = race(&world, (0..200).map(ask).collect()).await;
    assert_eq!((won.len(), lost), (2, 198));
    let mut rooms: BTreeMap<_, usize> = BTreeMap::new();
    for booked in &won {
        *rooms
            .entry(booked.made.session.resource_ids.clone())
            .or_default() += 1;
    }
    assert_eq!(rooms.len(), 2, "a room each");
}
