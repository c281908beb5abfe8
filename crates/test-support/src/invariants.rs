//! The promises of the database, checked by plain SQL over the whole of it: what must be true whatever happened before.

use tokio_postgres::NoTls;

/// A promise that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: String,
    /// Where, as the database tells it.
    pub detail: String,
}

/// Everything that is wrong in the database at this address; empty when all is well.
pub async fn invariants(url: &str) -> anyhow::Result<Vec<Violation>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let driver = tokio::spawn(connection);
    let rows = client.query(CHECK, &[]).await?;
    drop(client);
    driver.await??;
    Ok(rows
        .iter()
        .map(|row| Violation {
            rule: row.get(0),
            detail: row.get(1),
        })
        .collect())
}

const CHECK: &str = "
-- Two sessions never share a unit of a calendar, unless staff booked one over the other on purpose.
SELECT 'overlapping allocations' AS rule, format('%s and %s on %s', a.session_id, b.session_id, a.calendar_id) AS detail
FROM allocation a JOIN allocation b
  ON a.business_id = b.business_id AND a.calendar_id = b.calendar_id AND a.unit = b.unit
 AND a.session_id < b.session_id AND a.during && b.during
WHERE NOT a.overlap AND NOT b.overlap
UNION ALL
-- The seats of a session are those of its bookings and of its active holds, no more and no fewer.
SELECT 'seats do not add up', format('session %s: taken %s, booked %s, held %s', s.id, s.seats_taken, b.seats, h.seats)
FROM session s
CROSS JOIN LATERAL (SELECT coalesce(sum(party_size), 0) AS seats FROM booking b
  WHERE b.business_id = s.business_id AND b.session_id = s.id AND b.status NOT IN ('cancelled', 'expired')) b
CROSS JOIN LATERAL (SELECT coalesce(sum(party_size), 0) AS seats FROM hold h
  WHERE h.business_id = s.business_id AND h.session_id = s.id AND h.status = 'active') h
WHERE s.seats_taken <> b.seats + h.seats
UNION ALL
SELECT 'more seats taken than there are', format('session %s: %s of %s', id, seats_taken, capacity)
FROM session WHERE seats_taken > capacity OR seats_taken < 0
UNION ALL
-- A session that anybody has a seat in keeps its provider; one that nobody has a seat in keeps nothing.
SELECT 'a session without its provider', s.id::text FROM session s
WHERE s.seats_taken > 0 AND NOT EXISTS (SELECT FROM allocation a WHERE a.business_id = s.business_id
  AND a.session_id = s.id AND a.calendar_id = s.provider_id)
UNION ALL
SELECT 'an empty session that keeps a calendar', s.id::text FROM session s
WHERE s.seats_taken = 0 AND EXISTS (SELECT FROM allocation a WHERE a.business_id = s.business_id AND a.session_id = s.id)
UNION ALL
-- What is kept covers the session.
SELECT 'an allocation shorter than its session', a.session_id::text
FROM allocation a JOIN session s ON s.business_id = a.business_id AND s.id = a.session_id
WHERE NOT a.during @> tstzrange(s.starts_at, s.ends_at)
UNION ALL
-- A session has all the resources that its service needs (as far as the service has not changed since).
SELECT 'a session without its resources', format('session %s: %s of %s', s.id, count(a.unit), q.units)
FROM session s
JOIN service_requirement q ON q.business_id = s.business_id AND q.service_id = s.service_id
LEFT JOIN (allocation a JOIN resource r ON r.business_id = a.business_id AND r.id = a.calendar_id)
  ON a.business_id = s.business_id AND a.session_id = s.id AND r.kind_id = q.kind_id
WHERE s.seats_taken > 0
GROUP BY s.business_id, s.id, q.kind_id, q.units HAVING count(a.unit) < q.units
UNION ALL
-- Every change of a booking left one line of history and one event.
SELECT 'history does not match the version', format('booking %s: version %s, %s lines', b.id, b.version, count(c.id))
FROM booking b LEFT JOIN booking_change c ON c.business_id = b.business_id AND c.booking_id = b.id
GROUP BY b.business_id, b.id, b.version HAVING count(c.id) <> b.version
UNION ALL
SELECT 'events do not match the version', format('booking %s: version %s, %s events', b.id, b.version, count(e.id))
FROM booking b LEFT JOIN event e ON e.business_id = b.business_id AND e.booking_id = b.id AND e.kind LIKE 'booking.%'
GROUP BY b.business_id, b.id, b.version HAVING count(e.id) <> b.version
UNION ALL
-- What is said of a payment is the sum of what moved.
SELECT 'the ledger does not add up', format('payment %s', p.id)
FROM payment p LEFT JOIN payment_entry e ON e.business_id = p.business_id AND e.payment_id = p.id
GROUP BY p.business_id, p.id
HAVING p.taken <> coalesce(sum(e.amount) FILTER (WHERE e.kind = 'charge'), 0)
    OR p.refunded + p.refund_failed <> coalesce(sum(e.amount) FILTER (WHERE e.kind = 'refund'), 0)
    OR p.refund_failed <> coalesce(sum(e.amount) FILTER (WHERE e.kind = 'refund_failed'), 0)
    OR p.fee <> coalesce(sum(e.amount) FILTER (WHERE e.kind = 'fee'), 0)
    OR (SELECT coalesce(sum((d->>'withdrawn')::bigint), 0) FROM jsonb_array_elements(p.disputes) d)
       <> coalesce(sum(e.amount) FILTER (WHERE e.kind = 'withdrawal'), 0)
    OR (SELECT coalesce(sum((d->>'reinstated')::bigint), 0) FROM jsonb_array_elements(p.disputes) d)
       <> coalesce(sum(e.amount) FILTER (WHERE e.kind = 'reinstatement'), 0)
    OR bool_or(e.currency <> p.currency)
UNION ALL
-- No bank gives back more than it took.
SELECT 'more came back than was withdrawn', format('payment %s', p.id)
FROM payment p CROSS JOIN LATERAL jsonb_array_elements(p.disputes) d WHERE (d->>'reinstated')::bigint > (d->>'withdrawn')::bigint
UNION ALL
-- Whoever was asked to pay and stands has paid, or had it reserved until it lapsed. A fee is asked for later, and is no part of that.
SELECT 'a booking stands unpaid', b.id::text FROM booking b
WHERE b.status NOT IN ('pending', 'cancelled', 'expired')
  AND EXISTS (SELECT FROM payment p WHERE p.business_id = b.business_id AND p.booking_id = b.id AND p.kind <> 'fee')
  AND NOT EXISTS (SELECT FROM payment p WHERE p.business_id = b.business_id AND p.booking_id = b.id AND p.kind <> 'fee'
                  AND (p.status NOT IN ('waiting', 'failed', 'expired') OR (p.kind = 'authorize' AND p.status = 'failed')))
UNION ALL
-- No more is taken than was asked for: of a reservation no more than was to be taken of it.
SELECT 'more was taken than was asked for', p.id::text FROM payment p
WHERE p.taken > coalesce(p.capture_amount, p.amount) OR (p.kind = 'authorize' AND p.taken > 0 AND p.capture_amount IS NULL)
UNION ALL
-- All fees of a booking are at most its price.
SELECT 'fees beyond the price', b.id::text FROM booking b
JOIN payment p ON p.business_id = b.business_id AND p.booking_id = b.id AND p.kind = 'fee'
GROUP BY b.business_id, b.id, b.price_amount HAVING sum(p.taken - p.refunded) > b.price_amount
UNION ALL
SELECT 'a booking waits for no payment', b.id::text FROM booking b
WHERE (b.status = 'pending') <> (b.expires_at IS NOT NULL)
UNION ALL
-- Whoever is busy elsewhere has a connection there that is read for it.
SELECT 'busy elsewhere without a connection', format('%s of source %s', e.external_id, e.source_id)
FROM external_event e
LEFT JOIN calendar_source s ON s.business_id = e.business_id AND s.id = e.source_id AND s.is_busy AND s.next_sync_at IS NOT NULL
LEFT JOIN calendar_connection c ON c.business_id = s.business_id AND c.id = s.connection_id AND c.ended_at IS NULL
WHERE c.id IS NULL OR s.provider_id <> c.provider_id OR e.calendar_id <> c.provider_id
UNION ALL
-- What is read is what the connection says.
SELECT 'a calendar is read that was not chosen', format('%s of connection %s', s.calendar, c.id)
FROM calendar_source s JOIN calendar_connection c ON c.business_id = s.business_id AND c.id = s.connection_id
WHERE s.next_sync_at IS NOT NULL AND (c.ended_at IS NOT NULL OR s.is_busy <> (s.calendar = ANY (c.read_from))
  OR NOT s.is_busy AND s.calendar IS DISTINCT FROM c.write_to)
UNION ALL
-- A delivery is the way of an event, of a booking that there is: no foreign key looks at each row.
SELECT 'a delivery of nothing', d.id::text FROM delivery d
LEFT JOIN event e ON e.business_id = d.business_id AND e.id = d.event_id
LEFT JOIN booking b ON b.business_id = d.business_id AND b.id = d.booking_id
WHERE e.id IS NULL OR (d.booking_id IS NOT NULL AND b.id IS NULL)
UNION ALL
SELECT 'a dispatch of nothing', d.seq::text FROM dispatch d
LEFT JOIN event e ON e.business_id = d.business_id AND e.id = d.event_id WHERE e.id IS NULL
";
