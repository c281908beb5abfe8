-- Calendars elsewhere: by what they are reached, what was read of them, and what was written there.

-- A provider's connection to their calendars elsewhere. One that has ended is kept until its traces there are gone.
CREATE TABLE calendar_connection (
  business_id uuid NOT NULL,
  id          uuid NOT NULL,
  provider_id uuid NOT NULL,
  plugin      text NOT NULL,
  account     text NOT NULL,
  -- Whom the business's own access stands in for.
  subject     text,
  -- The refresh token, sealed; none where the business's own access serves.
  sealed      bytea,
  read_from   text[] NOT NULL,
  write_to    text,
  -- Rises with every new access: what an older one met with says nothing of it.
  version     bigint NOT NULL DEFAULT 1,
  broken_at   timestamptz,
  last_error  text,
  -- The booking that could not follow its event, for staff.
  conflict    text,
  conflict_at timestamptz,
  created_at  timestamptz NOT NULL,
  ended_at    timestamptz,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, provider_id) REFERENCES provider (business_id, id)
);
CREATE INDEX calendar_connection_provider ON calendar_connection (business_id, provider_id);
CREATE UNIQUE INDEX calendar_connection_active ON calendar_connection (business_id, provider_id) WHERE ended_at IS NULL;

-- A consent that was asked for: known by the hash of what its answer bears, good for one answer and a short while.
CREATE TABLE calendar_consent (
  business_id  uuid NOT NULL,
  state_hash   bytea NOT NULL,
  provider_id  uuid NOT NULL,
  plugin       text NOT NULL,
  redirect_url text NOT NULL,
  -- The verifier of PKCE, sealed.
  sealed       bytea NOT NULL,
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (business_id, state_hash),
  FOREIGN KEY (business_id, provider_id) REFERENCES provider (business_id, id)
);
CREATE INDEX calendar_consent_provider ON calendar_consent (business_id, provider_id);

-- One calendar elsewhere that is read: for when its owner is busy, and for what becomes of our events in it.
CREATE TABLE calendar_source (
  business_id         uuid NOT NULL,
  id                  uuid NOT NULL,
  connection_id       uuid NOT NULL,
  provider_id         uuid NOT NULL,
  calendar            text NOT NULL,
  -- Whether what is in it makes its owner busy.
  is_busy             boolean NOT NULL,
  sync_token          text,
  -- When all of it was last read.
  full_read_at        timestamptz,
  last_sync_at        timestamptz,
  -- Null: it is not read any more, and goes when its channel is closed.
  next_sync_at        timestamptz,
  -- Rises whenever somebody says that it changed: a reading that began before has not seen it.
  nudges              bigint NOT NULL DEFAULT 0,
  failures            int NOT NULL DEFAULT 0 CHECK (failures >= 0),
  last_error          text,
  -- Who reads it, until when; a lease that has run out is anybody's.
  lease_id            uuid,
  leased_until        timestamptz,
  channel_id          uuid,
  channel_resource    text,
  channel_digest      bytea,
  channel_expires_at  timestamptz,
  channel_renew_at    timestamptz,
  PRIMARY KEY (business_id, id),
  UNIQUE (business_id, connection_id, calendar),
  FOREIGN KEY (business_id, connection_id) REFERENCES calendar_connection (business_id, id),
  FOREIGN KEY (business_id, provider_id) REFERENCES provider (business_id, id)
);
CREATE INDEX calendar_source_provider ON calendar_source (business_id, provider_id);
CREATE INDEX calendar_source_due ON calendar_source (next_sync_at) WHERE next_sync_at IS NOT NULL;
CREATE INDEX calendar_source_channel ON calendar_source (business_id, channel_id) WHERE channel_id IS NOT NULL;

-- When a provider is busy elsewhere.
CREATE TABLE external_event (
  business_id uuid NOT NULL,
  source_id   uuid NOT NULL,
  external_id text NOT NULL,
  calendar_id uuid NOT NULL,
  starts_at   timestamptz NOT NULL,
  ends_at     timestamptz NOT NULL,
  PRIMARY KEY (business_id, source_id, external_id),
  FOREIGN KEY (business_id, source_id) REFERENCES calendar_source (business_id, id),
  FOREIGN KEY (business_id, calendar_id) REFERENCES calendar (business_id, id),
  CHECK (starts_at < ends_at)
);
CREATE INDEX external_event_calendar ON external_event (business_id, calendar_id, ends_at);

-- The event of a booking in a calendar elsewhere, as we last wrote it. It stands here before it is written there, so that none is forgotten.
CREATE TABLE calendar_link (
  business_id   uuid NOT NULL,
  connection_id uuid NOT NULL,
  booking_id    uuid NOT NULL,
  calendar      text NOT NULL,
  -- The other side's name for what we wrote; none: it is being written.
  etag          text,
  starts_at     timestamptz NOT NULL,
  ends_at       timestamptz NOT NULL,
  -- Rises whenever we write: a reading that began before has not seen it.
  revision      bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (business_id, connection_id, booking_id),
  FOREIGN KEY (business_id, connection_id) REFERENCES calendar_connection (business_id, id),
  FOREIGN KEY (business_id, booking_id) REFERENCES booking (business_id, id)
);
CREATE INDEX calendar_link_booking ON calendar_link (business_id, booking_id);

-- What happens to a calendar can be of consequence for many bookings, each with a delivery of its own.
ALTER TABLE delivery DROP CONSTRAINT delivery_business_id_event_id_plugin_part_key;
CREATE UNIQUE INDEX delivery_of_booking ON delivery (business_id, event_id, plugin, part, booking_id) WHERE booking_id IS NOT NULL;
CREATE UNIQUE INDEX delivery_of_none ON delivery (business_id, event_id, plugin, part) WHERE booking_id IS NULL;
