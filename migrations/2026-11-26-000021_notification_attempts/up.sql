-- How often it was about to be sent: an attempt that came to nothing is taken back by whoever made it, unless another was made since.
ALTER TABLE notification ADD COLUMN attempts bigint NOT NULL DEFAULT 0;

-- What else was sent to an address: none of it is what is looked for there.
CREATE INDEX notification_taken ON notification (business_id, plugin, address) WHERE external_id IS NOT NULL;
