-- What a business calls customers of a kind ('vip'), as it was written; compared without regard to case. Only staff set it.
ALTER TABLE customer ADD COLUMN tier text CHECK (char_length(tier) BETWEEN 1 AND 40);
-- By which channel they would rather be reached.
ALTER TABLE customer ADD COLUMN preferred_channel text CHECK (preferred_channel IN ('email', 'sms', 'push'));

-- Of customers of which tiers; empty: of all. A process that does not know of it yet makes rules for all.
ALTER TABLE notification_rule ADD COLUMN customer_tiers text[] NOT NULL DEFAULT '{}';
