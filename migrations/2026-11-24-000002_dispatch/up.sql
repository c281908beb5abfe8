-- Events that are still to be handed to plugins: one narrow row beside the event, however many parts of plugins want it, so that a booking costs the
-- same whatever follows from it. Whoever hands an event on writes its deliveries and deletes this row, in one statement.
CREATE TABLE dispatch (
  business_id     uuid NOT NULL,
  -- The order in which they are handed on: that of the events of one booking, drawn while its row is locked.
  seq             bigint GENERATED ALWAYS AS IDENTITY,
  event_id        uuid NOT NULL,
  booking_id      uuid,
  -- The version of the booking after the event.
  booking_version bigint NOT NULL,
  at              timestamptz NOT NULL,
  -- Who wants it, side by side: the plugin, and which of its parts.
  plugins         text[] NOT NULL,
  parts           text[] NOT NULL,
  PRIMARY KEY (business_id, seq)
);
CREATE INDEX dispatch_seq ON dispatch (seq);
