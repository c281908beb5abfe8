-- Nothing is lost: what was still to be handed on is.
INSERT INTO delivery (business_id, id, event_id, plugin, part, booking_id, booking_version, status, next_attempt_at, created_at)
SELECT d.business_id, gen_random_uuid(), d.event_id, w.plugin, w.part, d.booking_id, d.booking_version, 'waiting', d.at, d.at
FROM dispatch d CROSS JOIN LATERAL unnest(d.plugins, d.parts) AS w (plugin, part)
ON CONFLICT DO NOTHING;
DROP TABLE dispatch;
