#!/usr/bin/env bash
# What PostgreSQL alone reaches with the rows of one booking, and nothing else: no HTTP, no decision, no answer. To set beside `bookable bench`,
# on the same cluster and the same data (a business `bench-…`, which `bookable bench` makes).
#
#   scripts/pgbench.sh [DATA]      the private server of a data directory; default ./data. Or set DATABASE_URL.
#   SECONDS_EACH=5 CLIENTS="1 8 32" scripts/pgbench.sh
set -euo pipefail

data=${1:-./data}
url=${DATABASE_URL:-"host=$(cd "$data/postgres/run" && pwd) user=bookable dbname=bookable"}
bin=$(dirname "$(command -v pgbench || ls /usr/lib/postgresql/*/bin/pgbench | tail -1)")
ask() { psql "$url" -qAtX -c "$1"; }

business=$(ask "SELECT id FROM business WHERE slug LIKE 'bench-%' ORDER BY slug LIMIT 1")
if [ -z "$business" ]; then
  echo "There is no business to measure on: run \`bookable bench\` first." >&2
  exit 1
fi
service=$(ask "SELECT id FROM service WHERE business_id = '$business' ORDER BY id LIMIT 1")
location=$(ask "SELECT id FROM location WHERE business_id = '$business' ORDER BY id LIMIT 1")
providers=$(ask "SELECT array_agg(id) FROM (SELECT id FROM provider WHERE business_id = '$business' ORDER BY id LIMIT 200) p")
# What is written can be read again by a server: the policy and the event are those of a booking that was made.
policy=$(ask "SELECT policy FROM booking WHERE business_id = '$business' LIMIT 1")
payload=$(ask "SELECT payload FROM event WHERE business_id = '$business' AND kind = 'booking.confirmed' LIMIT 1")

script=$(mktemp)
trap 'rm -f "$script"' EXIT
# Hours from the year 2200 on, at random: nobody takes the same twice.
cat >"$script" <<'SQL'
\set provider random(1, 200)
\set hour random(1, 500000000)
WITH at AS MATERIALIZED (
  SELECT timestamptz '2200-01-01 00:00Z' + (:hour::int % 60000000) * interval '1 hour' AS starts,
         (:providers::uuid[])[1 + :provider::int % cardinality(:providers::uuid[])] AS provider,
         gen_random_uuid() AS session, gen_random_uuid() AS booking, gen_random_uuid() AS customer, gen_random_uuid() AS event
), s AS (
  INSERT INTO session (business_id, id, service_id, provider_id, location_id, starts_at, ends_at, wall_start, time_zone, capacity,
                       seats_taken, overlap, created_at)
  SELECT :business::uuid, session, :service::uuid, provider, :location::uuid, starts, starts + interval '1 hour', starts AT TIME ZONE 'UTC', 'UTC', 1, 1,
         false, now() FROM at
), a AS (
  INSERT INTO allocation (business_id, calendar_id, unit, session_id, during, overlap)
  SELECT :business::uuid, provider, 0, session, tstzrange(starts, starts + interval '1 hour'), false FROM at ON CONFLICT DO NOTHING
), c AS (
  INSERT INTO customer (business_id, id, name, created_at) SELECT :business::uuid, customer, 'Eve Example', now() FROM at
), b AS (
  INSERT INTO booking (business_id, id, reference, status, session_id, customer_id, party_size, price_amount, price_currency, policy,
                       manage_hash, created_at, version)
  SELECT :business::uuid, booking, upper(left(md5(booking::text), 8)), 'confirmed', session, customer, 1, 4500, 'EUR', :policy::jsonb,
         decode(md5(booking::text) || md5(session::text), 'hex'), now(), 1 FROM at
), h AS (
  INSERT INTO booking_change (business_id, id, booking_id, at, kind, by)
  SELECT :business::uuid, gen_random_uuid(), booking, now(), 'booking.confirmed', 'customer' FROM at
), e AS (
  INSERT INTO event (business_id, id, kind, at, booking_id, calendar_ids, payload)
  SELECT :business::uuid, event, 'booking.confirmed', now(), booking, ARRAY[provider], :payload::jsonb FROM at
), d AS (
  INSERT INTO dispatch (business_id, event_id, booking_id, booking_version, at, plugins, parts)
  SELECT :business::uuid, event, booking, 1, now(), '{}', '{}' FROM at
)
UPDATE calendar c SET version = version + 1 FROM at WHERE c.business_id = :business::uuid AND c.id = at.provider;
SQL

echo "| Rows of one booking, no server | Clients | Bookings/s | mean ms |"
echo "|---|--:|--:|--:|"
for clients in ${CLIENTS:-1 8 32}; do
  "$bin/pgbench" "$url" -n -M prepared -T "${SECONDS_EACH:-5}" -c "$clients" -j 2 -f "$script" \
    -D business="$business" -D service="$service" -D location="$location" -D providers="$providers" -D policy="$policy" -D payload="$payload" 2>&1 |
    awk -v c="$clients" '/latency average/ { ms = $4 } /^tps/ { tps = $3 } END { printf "| one statement | %s | %d | %.2f |\n", c, tps, ms }'
done
