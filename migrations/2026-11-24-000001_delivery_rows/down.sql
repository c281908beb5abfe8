DROP INDEX delivery_parked;
DROP INDEX delivery_waiting;
CREATE INDEX delivery_open ON delivery (business_id, plugin, status) WHERE status <> 'delivered';
DROP INDEX delivery_of_booking;
CREATE INDEX delivery_booking ON delivery (business_id, booking_id, plugin, part, booking_version);
CREATE UNIQUE INDEX delivery_of_booking ON delivery (business_id, event_id, plugin, part, booking_id) WHERE booking_id IS NOT NULL;
ALTER TABLE delivery ADD CONSTRAINT delivery_business_id_booking_id_fkey FOREIGN KEY (business_id, booking_id) REFERENCES booking (business_id, id);
ALTER TABLE delivery ADD CONSTRAINT delivery_business_id_event_id_fkey FOREIGN KEY (business_id, event_id) REFERENCES event (business_id, id);
