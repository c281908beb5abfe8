-- Addresses to which a business has its events posted. The secrets are sealed: only a server that has the key reads them.
CREATE TABLE webhook_endpoint (
  business_id uuid NOT NULL REFERENCES business (id),
  id uuid NOT NULL,
  url text NOT NULL,
  -- Names of events, `booking.confirmed`, of all of a noun, `booking.*`, or `*`.
  events text[] NOT NULL,
  enabled boolean NOT NULL,
  sealed bytea NOT NULL,
  -- Rises with every new secret: an answer that is given again under its key shows the secret only while it is still that one.
  secret_version int NOT NULL CHECK (secret_version > 0),
  -- Since when it is off because it only failed.
  paused_at timestamptz CHECK (paused_at IS NULL OR NOT enabled),
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (business_id, id)
);

-- How an endpoint fares that fails; one that works has no row. Kept apart, because it is no part of the catalogue.
CREATE TABLE webhook_health (
  business_id uuid NOT NULL,
  endpoint_id uuid NOT NULL,
  failures_in_row int NOT NULL CHECK (failures_in_row > 0),
  failing_since timestamptz NOT NULL,
  -- Nothing is posted before.
  resting_until timestamptz,
  last_error text NOT NULL,
  PRIMARY KEY (business_id, endpoint_id),
  FOREIGN KEY (business_id, endpoint_id) REFERENCES webhook_endpoint (business_id, id) ON DELETE CASCADE
);

-- Events of a span of time are posted again. They are written in about that order, so a small index finds them.
CREATE INDEX event_at ON event USING brin (at);
