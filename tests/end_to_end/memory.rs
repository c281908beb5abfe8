//! Calendars in memory: what has not changed is not read again, and what this process changed is known to it.

use engine::catalogue::service::ServiceInput;
use engine::hold::HoldSlot;
use test_support::{World, at};

use crate::booking::question;

#[tokio::test]
async fn a_question_reads_no_bookings_while_nothing_changes_and_a_constant_number_of_statements_else()
 {
    let mut counts = Vec::new();
    for providers in [2, 40] {
        let world = World::new().await;
        let location = world.location("Europe/London").await;
        let mut ids = Vec::new();
        for number in 0..providers {
            ids.push(world.provider(&format!("P{number}"), &[location]).await);
        }
        let service = world.service(30, &ids, ServiceInput::default()).await;
        world
            .engine
            .book(
                &world.visitor,
                world.booking(service, "2027-03-05T10:00:00Z", "Eve"),
                None,
            )
            .await
            .unwrap();
        let other = world.another_node(Vec::new());
        let asked = question(service, "2027-03-02T00:00:00Z", "2027-04-02T00:00:00Z");
        other
            .engine
            .availability(&other.visitor, &asked)
            .await
            .unwrap();
        let cold = other.statements.take();
        other
            .engine
            .availability(&other.visitor, &asked)
            .await
            .unwrap();
        let warm = other.statements.take();
        assert!(cold.iter().any(|sql| sql.contains("allocation")));
        assert!(
            !warm
                .iter()
                .any(|sql| sql.contains("allocation") || sql.contains("session")),
            "{warm:#?}"
        );
        counts.push((cold.len(), warm.len()));
    }
    assert_eq!(counts[0], counts[1]);
    assert_eq!(
        counts[0].1, 2,
        "the versions of the catalogue and of the calendars"
    );
}

#[tokio::test]
async fn what_this_process_books_holds_and_cancels_it_need_not_read_again() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let limited = ServiceInput {
        daily_limit: Some(Some(3)),
        ..ServiceInput::default()
    };
    let service = world.service(60, &[anna], limited).await;
    let (engine, visitor) = (&world.engine, &world.visitor);
    let asked = question(service, "2027-03-02T00:00:00Z", "2027-03-03T00:00:00Z");
    let before = engine.availability(visitor, &asked).await.unwrap();
    world.statements.take();
    let request = world.booking(service, "2027-03-02T10:00:00Z", "Eve");
    let booked = engine.book(visitor, request, None).await.unwrap();
    let hold = HoldSlot {
        service_id: service,
        starts_at: at("2027-03-02T11:00:00Z"),
        provider_id: None,
        party_size: 1,
        ttl_seconds: 600,
    };
    let held = engine.hold_slot(visitor, hold, None).await.unwrap();
    let full = engine.availability(visitor, &asked).await.unwrap();
    assert!(full.slots.len() < before.slots.len());
    engine
        .release_hold(visitor, held.hold.id, None)
        .await
        .unwrap();
    let id = booked.made.booking.id;
    engine
        .cancel(&world.owner, id, None, None, None)
        .await
        .unwrap();
    let after = engine.availability(visitor, &asked).await.unwrap();
    assert_eq!(after.slots, before.slots);
    let read = world.statements.take();
    assert!(
        !read.iter().any(|sql| sql.contains("upper(a.during)")),
        "{read:#?}"
    );
    assert_eq!(engine.calendars_astray(&world.owner).await.unwrap(), []);
}
