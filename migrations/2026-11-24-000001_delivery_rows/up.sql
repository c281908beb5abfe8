-- A booking writes several deliveries, so each row is kept cheap.

-- Deliveries are written by the statement that writes their event, or copied from one that is there; events and bookings are never deleted. What
-- the foreign keys could have caught cost every booking a third of what its deliveries cost.
ALTER TABLE delivery DROP CONSTRAINT delivery_business_id_event_id_fkey;
ALTER TABLE delivery DROP CONSTRAINT delivery_business_id_booking_id_fkey;

-- One index keeps the deliveries of one booking, plugin and part in order, and of one event only one.
DROP INDEX delivery_of_booking;
DROP INDEX delivery_booking;
CREATE UNIQUE INDEX delivery_of_booking ON delivery (business_id, booking_id, plugin, part, booking_version, event_id)
  WHERE booking_id IS NOT NULL;

-- What waits of one business in the order in which it is due, so that its queue is read past the crowd of another; and what is parked, which is little.
DROP INDEX delivery_open;
CREATE INDEX delivery_waiting ON delivery (business_id, plugin, next_attempt_at) WHERE status = 'waiting';
CREATE INDEX delivery_parked ON delivery (business_id, plugin) WHERE status = 'parked';
