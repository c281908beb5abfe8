//! The promises of the database: kept by its constraints, and seen by the check when they are broken.

use engine::catalogue::service::ServiceInput;
use test_support::{World, invariants};

async fn run(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let driver = tokio::spawn(connection);
    let result = client.batch_execute(sql).await;
    drop(client);
    driver.await.unwrap()?;
    result
}

const TWICE: &str = "INSERT INTO session SELECT business_id, gen_random_uuid(), service_id, provider_id, location_id, starts_at, ends_at, \
    wall_start, time_zone, capacity, seats_taken, overlap, created_at FROM session; \
    INSERT INTO allocation SELECT s.business_id, a.calendar_id, a.unit, s.id, a.during, a.overlap \
    FROM allocation a, session s WHERE s.id <> a.session_id";

/// A payment that was asked for.
const UNPAID: &str = "INSERT INTO payment (business_id, id, booking_id, plugin, kind, status, amount, currency, reference, description, customer_name, expires_at, created_at) \
    SELECT business_id, id, id, 'payments-till', 'charge', 'waiting', 5000, 'EUR', 'R', 'Cut', 'Eve', now(), now() FROM booking";
/// A delivery of an event,
const DELIVERY: &str = "INSERT INTO delivery (business_id, id, event_id, booking_id, plugin, part, booking_version, status, next_attempt_at, created_at)";
/// and the rest of it.
const WAITING: &str =
    "'none', 'none', 1, 'waiting', at, at FROM event WHERE booking_id IS NOT NULL";

async fn booked() -> World {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    world
        .engine
        .book(
            &world.visitor,
            world.booking(service, "2027-03-02T10:00:00Z", "Eve"),
            None,
        )
        .await
        .unwrap();
    world
}

#[tokio::test]
async fn the_database_refuses_a_double_booking_whatever_the_code_does() {
    let world = booked().await;
    let refused = run(&world.url, TWICE).await.unwrap_err();
    let constraint = refused
        .as_db_error()
        .and_then(|error| error.constraint())
        .map(str::to_owned);
    assert_eq!(constraint.as_deref(), Some("allocation_no_overlap"));
    assert_eq!(invariants(&world.url).await.unwrap(), []);
}

#[tokio::test]
async fn the_check_sees_every_promise_that_is_broken() {
    let broken = [
        ("overlapping allocations", format!("ALTER TABLE allocation DROP CONSTRAINT allocation_no_overlap; {TWICE}")),
        ("seats do not add up", "ALTER TABLE session DROP CONSTRAINT session_seats; UPDATE session SET seats_taken = 2".into()),
        (
            "more seats taken than there are",
            "ALTER TABLE session DROP CONSTRAINT session_seats; UPDATE session SET seats_taken = 2".into(),
        ),
        ("a session without its provider", "DELETE FROM allocation".into()),
        ("an empty session that keeps a calendar", "UPDATE session SET seats_taken = 0".into()),
        ("an allocation shorter than its session", "UPDATE session SET ends_at = ends_at + interval '1 hour'".into()),
        (
            "a session without its resources",
            "INSERT INTO resource_kind SELECT business_id, id, 'Room', now() FROM location; \
             INSERT INTO service_requirement SELECT s.business_id, s.id, k.id, 1 FROM service s, resource_kind k"
                .into(),
        ),
        ("history does not match the version", "DELETE FROM booking_change".into()),
        ("a booking waits for no payment", "UPDATE booking SET status = 'pending'".into()),
        ("a booking stands unpaid", format!("{UNPAID}; UPDATE booking SET status = 'confirmed'")),
        ("the ledger does not add up", format!("{UNPAID}; UPDATE payment SET status = 'paid', taken = 5000")),
        (
            "a booking stands unpaid",
            format!("{UNPAID}; UPDATE payment SET kind = 'authorize'; UPDATE booking SET status = 'confirmed'"),
        ),
        (
            "more was taken than was asked for",
            format!("{UNPAID}; UPDATE payment SET kind = 'authorize', status = 'paid', taken = 5000, capture_amount = 4000"),
        ),
        (
            "more was taken than was asked for",
            format!("{UNPAID}; UPDATE payment SET kind = 'authorize', status = 'paid', taken = 5000"),
        ),
        (
            "fees beyond the price",
            format!("{UNPAID}; UPDATE payment SET kind = 'fee', saved_payment_id = id, status = 'paid', taken = 5000"),
        ),
        (
            "the ledger does not add up",
            format!("{UNPAID}; UPDATE payment SET disputes = '[{{\"withdrawn\": 5000, \"reinstated\": 0}}]'"),
        ),
        (
            "more came back than was withdrawn",
            format!("{UNPAID}; UPDATE payment SET disputes = '[{{\"withdrawn\": 0, \"reinstated\": 5000}}]'"),
        ),
        ("events do not match the version", "DELETE FROM delivery; DELETE FROM dispatch; DELETE FROM event WHERE booking_id IS NOT NULL".into()),
        ("a delivery of nothing", format!("{DELIVERY} SELECT business_id, id, booking_id, booking_id, {WAITING}")),
        ("a delivery of nothing", format!("{DELIVERY} SELECT business_id, id, id, id, {WAITING}")),
        (
            "a dispatch of nothing",
            "INSERT INTO dispatch (business_id, event_id, booking_version, at, plugins, parts) \
             SELECT business_id, booking_id, 1, at, '{}', '{}' FROM event WHERE booking_id IS NOT NULL".into(),
        ),
    ];
    for (rule, sql) in broken {
        let world = booked().await;
        run(&world.url, &sql).await.unwrap();
        let found = invariants(&world.url).await.unwrap();
        assert!(
            found.iter().any(|violation| violation.rule == rule),
            "{rule}: {found:?}"
        );
    }
}
