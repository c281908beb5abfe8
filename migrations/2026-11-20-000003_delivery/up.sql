-- What happened, kept for ever, and its way to the plugins: the durable outbox.

CREATE TABLE event (
  business_id  uuid NOT NULL,
  id           uuid NOT NULL,
  -- The order of the events of one booking or calendar: drawn while its row is locked.
  seq          bigint GENERATED ALWAYS AS IDENTITY,
  -- The transaction that wrote it: a reader takes what lies below the oldest transaction still running, so it misses none.
  txid         bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
  kind         text NOT NULL,
  at           timestamptz NOT NULL,
  booking_id   uuid,
  calendar_ids uuid[] NOT NULL,
  payload      jsonb NOT NULL,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, booking_id) REFERENCES booking (business_id, id)
);
CREATE INDEX event_booking ON event (business_id, booking_id);
CREATE INDEX event_txid ON event (txid, seq);

CREATE TABLE delivery (
  business_id     uuid NOT NULL,
  id              uuid NOT NULL,
  event_id        uuid NOT NULL,
  plugin          text NOT NULL,
  -- Which of the effects that the plugin has on the event, each delivered on its own: the mail to the customer, …
  part            text NOT NULL,
  booking_id      uuid,
  -- The version of the booking after the event: deliveries of one booking, plugin and part go out in this order.
  booking_version bigint NOT NULL,
  status          text NOT NULL CHECK (status IN ('waiting', 'delivered', 'parked')),
  attempts        int NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL,
  -- Who works on it, until when; a lease that has run out is anybody's.
  lease_id        uuid,
  leased_until    timestamptz,
  last_error      text,
  created_at      timestamptz NOT NULL,
  finished_at     timestamptz,
  PRIMARY KEY (business_id, id),
  UNIQUE (business_id, event_id, plugin, part),
  FOREIGN KEY (business_id, event_id) REFERENCES event (business_id, id),
  FOREIGN KEY (business_id, booking_id) REFERENCES booking (business_id, id)
);
CREATE INDEX delivery_due ON delivery (plugin, next_attempt_at) WHERE status = 'waiting';
CREATE INDEX delivery_booking ON delivery (business_id, booking_id, plugin, part, booking_version);

CREATE TABLE delivery_attempt (
  business_id uuid NOT NULL,
  id          uuid NOT NULL,
  delivery_id uuid NOT NULL,
  at          timestamptz NOT NULL,
  ok          boolean NOT NULL,
  error       text,
  duration_ms int NOT NULL,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, delivery_id) REFERENCES delivery (business_id, id)
);
CREATE INDEX delivery_attempt_delivery ON delivery_attempt (business_id, delivery_id);
