-- What was said to customers of a tier alone is not to be said to all.
UPDATE notification_rule SET enabled = false WHERE customer_tiers <> '{}';
ALTER TABLE notification_rule DROP COLUMN customer_tiers;
ALTER TABLE customer DROP COLUMN preferred_channel;
ALTER TABLE customer DROP COLUMN tier;
