DROP INDEX delivery_of_none;
DROP INDEX delivery_of_booking;
DELETE FROM delivery_attempt t USING delivery d
  WHERE t.business_id = d.business_id AND t.delivery_id = d.id AND d.part LIKE 'calendar%';
DELETE FROM delivery WHERE part LIKE 'calendar%';
ALTER TABLE delivery ADD CONSTRAINT delivery_business_id_event_id_plugin_part_key UNIQUE (business_id, event_id, plugin, part);
DROP TABLE calendar_link;
DROP TABLE external_event;
DROP TABLE calendar_source;
DROP TABLE calendar_consent;
DROP TABLE calendar_connection;
