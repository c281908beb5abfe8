//! The one way in which bookings and holds are written: a use case says what changes ([`Changes`]), and two statements write it.
//!
//! The first gives back what is let go of (and one more moves sessions, which is rare), so that the second may take the same time again. The second is a single statement that
//! inserts and updates everything else, one round trip however many tables it touches; its rows come as JSON. What could have been
//! lost to somebody else in the meantime is counted, and a wrong count is a lost race.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::calendar::Versions;
use domain::id::{BusinessId, CalendarId, Id};
use serde::Serialize;
use uuid::Uuid;

pub use crate::change_rows::{
    AllocationRow, BookingRow, BookingUpdateRow, CustomerRow, DeliveryRow, DispatchRow, EventRow,
    HistoryRow, HoldEndingRow, HoldRow, IdempotencyRow, PaymentRow, SeatRow, SessionRow,
};
use crate::prepared::Prepared;
use crate::session::{MovedSessionRow, session_move_in_tx};
use crate::{Conn, Result, StoreError};

/// Everything that one use case writes, together.
#[derive(Debug, Default, Serialize)]
pub struct Changes {
    /// Seats given back; a session without any left lets go of its calendars. Written first.
    #[serde(skip)]
    pub given_back: Vec<SeatRow>,
    /// Sessions that go to another time; what they take there is among the allocations. Written first, too.
    #[serde(skip)]
    pub moved: Vec<MovedSessionRow>,
    /// New sessions, with the seats already taken in them.
    pub sessions: Vec<SessionRow>,
    /// What new and moved sessions take of calendars, sorted by calendar and unit.
    pub allocations: Vec<AllocationRow>,
    /// Seats taken in sessions that exist.
    pub seats: Vec<SeatRow>,
    /// New customers.
    pub customers: Vec<CustomerRow>,
    /// New holds.
    pub holds: Vec<HoldRow>,
    /// Active holds that end.
    pub hold_endings: Vec<HoldEndingRow>,
    /// New bookings.
    pub bookings: Vec<BookingRow>,
    /// New payments of them.
    pub payments: Vec<PaymentRow>,
    /// Bookings that change, which the caller has locked.
    pub booking_updates: Vec<BookingUpdateRow>,
    /// History.
    pub history: Vec<HistoryRow>,
    /// Events.
    pub events: Vec<EventRow>,
    /// Those of them that plugins want.
    pub dispatches: Vec<DispatchRow>,
    /// What plugins are asked for beside, or at another time.
    pub deliveries: Vec<DeliveryRow>,
    /// The answer under the idempotency key.
    pub idempotency: Vec<IdempotencyRow>,
    /// Calendars whose version rises, which the caller has locked.
    pub calendars: Vec<Uuid>,
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    allocations: i64,
    #[diesel(sql_type = BigInt)]
    seats: i64,
    #[diesel(sql_type = BigInt)]
    hold_endings: i64,
    #[diesel(sql_type = BigInt)]
    booking_updates: i64,
    #[diesel(sql_type = BigInt)]
    idempotency: i64,
    #[diesel(sql_type = Array<SqlUuid>)]
    raised: Vec<Uuid>,
    #[diesel(sql_type = Array<BigInt>)]
    versions: Vec<i64>,
}

/// What somebody else was faster at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Nothing: all of it stands, once the transaction commits. The calendars that rose are at these versions then.
    All(Versions),
    /// The idempotency key was taken in the meantime: roll back and answer what it was answered.
    KeyTaken,
}

/// Writes it all. A lost race is [`StoreError::Race`]: the caller rolls back, reads again and decides again.
pub async fn changes_write_in_tx(
    conn: &Conn,
    business: BusinessId,
    changes: &Changes,
) -> Result<Written> {
    if !changes.given_back.is_empty() {
        give_back_in_tx(conn, business, &changes.given_back).await?;
    }
    if !changes.moved.is_empty() {
        session_move_in_tx(conn, business, &changes.moved).await?;
    }
    let mut shared = conn;
    let counts: Counts = Prepared(
        diesel::sql_query(WRITE)
            .bind::<SqlUuid, _>(business.uuid())
            .bind::<Jsonb, _>(serde_json::to_value(changes)?),
    )
    .get_result(&mut shared)
    .await?;
    if counts.idempotency < count(changes.idempotency.len()) {
        return Ok(Written::KeyTaken);
    }
    let whole = counts.allocations == count(changes.allocations.len())
        && counts.seats == count(changes.seats.len())
        && counts.hold_endings == count(changes.hold_endings.len())
        && counts.booking_updates == count(changes.booking_updates.len());
    if whole {
        let ids = counts.raised.into_iter().map(CalendarId::from_uuid);
        Ok(Written::All(ids.zip(counts.versions).collect()))
    } else {
        Err(StoreError::Race(
            "a calendar, a seat or a hold was taken".to_owned(),
        ))
    }
}

async fn give_back_in_tx(mut conn: &Conn, business: BusinessId, rows: &[SeatRow]) -> Result<()> {
    #[derive(QueryableByName)]
    struct Given {
        #[diesel(sql_type = BigInt)]
        sessions: i64,
    }
    let given: Given = Prepared(
        diesel::sql_query(GIVE_BACK)
            .bind::<SqlUuid, _>(business.uuid())
            .bind::<Jsonb, _>(serde_json::to_value(rows)?),
    )
    .get_result(&mut conn)
    .await?;
    if given.sessions == count(rows.len()) {
        Ok(())
    } else {
        Err(StoreError::Race(
            "a session has fewer seats taken than were to be given back".to_owned(),
        ))
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

const GIVE_BACK: &str = "\
WITH given AS (
  UPDATE session s SET seats_taken = s.seats_taken - x.seats
  FROM jsonb_to_recordset($2) AS x (id uuid, seats int)
  WHERE s.business_id = $1 AND s.id = x.id AND s.seats_taken >= x.seats
  RETURNING s.id, s.seats_taken
), freed AS (
  DELETE FROM allocation a USING given g
  WHERE a.business_id = $1 AND a.session_id = g.id AND g.seats_taken = 0
)
SELECT count(*) AS sessions FROM given";

const WRITE: &str = "\
WITH new_session AS (
  INSERT INTO session (business_id, id, service_id, provider_id, location_id, starts_at, ends_at, wall_start, time_zone,
                       capacity, seats_taken, overlap, created_at)
  SELECT $1, x.* FROM jsonb_to_recordset($2 -> 'sessions') AS x (id uuid, service_id uuid, provider_id uuid,
    location_id uuid, starts_at timestamptz, ends_at timestamptz, wall_start timestamp, time_zone text, capacity int,
    seats_taken int, overlap boolean, created_at timestamptz)
), new_allocation AS (
  INSERT INTO allocation (business_id, calendar_id, unit, session_id, during, overlap)
  SELECT $1, x.calendar_id, x.unit, x.session_id, tstzrange(x.kept_from, x.kept_to), x.overlap
  FROM jsonb_to_recordset($2 -> 'allocations') AS x (calendar_id uuid, unit int, session_id uuid,
    kept_from timestamptz, kept_to timestamptz, overlap boolean)
  ORDER BY x.calendar_id, x.unit
  ON CONFLICT DO NOTHING RETURNING 1
), taken AS (
  UPDATE session s SET seats_taken = s.seats_taken + x.seats
  FROM jsonb_to_recordset($2 -> 'seats') AS x (id uuid, seats int)
  WHERE s.business_id = $1 AND s.id = x.id AND s.seats_taken > 0 AND s.seats_taken + x.seats <= s.capacity RETURNING 1
), new_customer AS (
  INSERT INTO customer (business_id, id, name, email, phone, time_zone, locale, created_at, preferred_channel)
  SELECT $1, x.* FROM jsonb_to_recordset($2 -> 'customers') AS x (id uuid, name text, email text, phone text,
    time_zone text, locale text, created_at timestamptz, preferred_channel text)
), new_hold AS (
  INSERT INTO hold (business_id, id, session_id, party_size, expires_at, created_at, status)
  SELECT $1, x.*, 'active' FROM jsonb_to_recordset($2 -> 'holds') AS x (id uuid, session_id uuid, party_size int,
    expires_at timestamptz, created_at timestamptz)
), ended_hold AS (
  UPDATE hold h SET status = x.status FROM jsonb_to_recordset($2 -> 'hold_endings') AS x (id uuid, status text)
  WHERE h.business_id = $1 AND h.id = x.id AND h.status = 'active' RETURNING 1
), new_booking AS (
  INSERT INTO booking (business_id, id, reference, status, session_id, customer_id, party_size, price_amount,
                       price_currency, policy, note, manage_hash, created_at, expires_at, version)
  SELECT $1, x.id, x.reference, x.status, x.session_id, x.customer_id, x.party_size, x.price_amount, x.price_currency,
         x.policy, x.note, decode(x.manage_hash, 'hex'), x.created_at, x.expires_at, 1
  FROM jsonb_to_recordset($2 -> 'bookings') AS x (id uuid, reference text, status text, session_id uuid,
    customer_id uuid, party_size int, price_amount bigint, price_currency text, policy jsonb, note text,
    manage_hash text, created_at timestamptz, expires_at timestamptz)
), new_payment AS (
  INSERT INTO payment (business_id, id, booking_id, plugin, kind, status, amount, currency, reference, description,
                       customer_name, customer_email, expires_at, created_at, saved_payment_id)
  SELECT $1, x.id, x.booking_id, x.plugin, x.kind, 'waiting', x.amount, x.currency, x.reference, x.description,
         x.customer_name, x.customer_email, x.expires_at, x.created_at, x.saved_payment_id
  FROM jsonb_to_recordset($2 -> 'payments') AS x (id uuid, booking_id uuid, plugin text, kind text, amount bigint,
    currency text, reference text, description text, customer_name text, customer_email text, expires_at timestamptz, created_at timestamptz,
    saved_payment_id uuid)
), changed_booking AS (
  UPDATE booking b SET status = x.status, session_id = x.session_id, version = x.version,
    expires_at = CASE WHEN x.status = 'pending' THEN b.expires_at END
  FROM jsonb_to_recordset($2 -> 'booking_updates') AS x (id uuid, status text, session_id uuid, version bigint)
  WHERE b.business_id = $1 AND b.id = x.id AND b.version = x.version - 1 RETURNING 1
), new_history AS (
  INSERT INTO booking_change (business_id, id, booking_id, at, kind, by, was, becomes, reason)
  SELECT $1, x.* FROM jsonb_to_recordset($2 -> 'history') AS x (id uuid, booking_id uuid, at timestamptz, kind text,
    by text, was text, becomes text, reason text)
), new_event AS (
  INSERT INTO event (business_id, id, kind, at, booking_id, calendar_ids, payload)
  SELECT $1, x.* FROM jsonb_to_recordset($2 -> 'events') AS x (id uuid, kind text, at timestamptz, booking_id uuid,
    calendar_ids uuid[], payload jsonb)
), new_dispatch AS (
  INSERT INTO dispatch (business_id, event_id, booking_id, booking_version, at, plugins, parts)
  SELECT $1, x.* FROM jsonb_to_recordset($2 -> 'dispatches') AS x (event_id uuid, booking_id uuid, booking_version bigint,
    at timestamptz, plugins text[], parts text[])
), new_delivery AS (
  INSERT INTO delivery (business_id, id, event_id, plugin, part, booking_id, booking_version, status, next_attempt_at,
                        created_at)
  SELECT $1, x.id, x.event_id, x.plugin, x.part, x.booking_id, x.booking_version, 'waiting', x.due_at, x.created_at
  FROM jsonb_to_recordset($2 -> 'deliveries') AS x (id uuid, event_id uuid, plugin text, part text, booking_id uuid,
    booking_version bigint, created_at timestamptz, due_at timestamptz)
), new_answer AS (
  INSERT INTO idempotency (business_id, scope, key_hash, operation, input_hash, answer, created_at)
  SELECT $1, x.scope, decode(x.key_hash, 'hex'), x.operation, decode(x.input_hash, 'hex'), x.answer, x.created_at
  FROM jsonb_to_recordset($2 -> 'idempotency') AS x (scope text, key_hash text, operation text, input_hash text,
    answer jsonb, created_at timestamptz)
  ON CONFLICT DO NOTHING RETURNING 1
), raised AS (
  UPDATE calendar c SET version = c.version + 1
  WHERE c.business_id = $1 AND c.id = ANY (ARRAY(SELECT x::uuid FROM jsonb_array_elements_text($2 -> 'calendars') AS x))
  RETURNING c.id, c.version
)
SELECT (SELECT count(*) FROM new_allocation) AS allocations, (SELECT count(*) FROM taken) AS seats,
       (SELECT count(*) FROM ended_hold) AS hold_endings, (SELECT count(*) FROM changed_booking) AS booking_updates,
       (SELECT count(*) FROM new_answer) AS idempotency, (SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM raised) AS raised,
       (SELECT coalesce(array_agg(version ORDER BY id), '{}') FROM raised) AS versions";
