-- Sessions, what they take of calendars, and the bookings and holds that take their seats.

CREATE TABLE customer (
  business_id uuid NOT NULL,
  id          uuid NOT NULL,
  name        text NOT NULL,
  email       text,
  phone       text,
  time_zone   text,
  locale      text,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (business_id, id)
);
CREATE INDEX customer_email ON customer (business_id, lower(email));

CREATE TABLE session (
  business_id uuid NOT NULL,
  id          uuid NOT NULL,
  service_id  uuid NOT NULL,
  provider_id uuid NOT NULL,
  location_id uuid NOT NULL,
  starts_at   timestamptz NOT NULL,
  ends_at     timestamptz NOT NULL,
  -- The wall-clock time that was booked, and its zone: what stays when a country changes its clocks.
  wall_start  timestamp NOT NULL,
  time_zone   text NOT NULL,
  capacity    int NOT NULL CHECK (capacity > 0),
  -- Taken by bookings and by holds. At 0 the session has let go of its calendars.
  seats_taken int NOT NULL,
  -- Booked by staff over something, on purpose.
  overlap     boolean NOT NULL,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, service_id) REFERENCES service (business_id, id),
  FOREIGN KEY (business_id, provider_id) REFERENCES provider (business_id, id),
  FOREIGN KEY (business_id, location_id) REFERENCES location (business_id, id),
  CHECK (starts_at < ends_at),
  CONSTRAINT session_seats CHECK (seats_taken BETWEEN 0 AND capacity)
);
CREATE INDEX session_service ON session (business_id, service_id, starts_at);
CREATE INDEX session_provider ON session (business_id, provider_id, starts_at);
CREATE INDEX session_location ON session (business_id, location_id);
CREATE INDEX session_start ON session (business_id, starts_at, id);

-- An interval taken of one unit of a calendar, buffers included. Two that overlap cannot both exist: the guarantee.
CREATE TABLE allocation (
  business_id uuid NOT NULL,
  calendar_id uuid NOT NULL,
  unit        int NOT NULL CHECK (unit >= 0),
  session_id  uuid NOT NULL,
  during      tstzrange NOT NULL CHECK (NOT isempty(during) AND lower_inc(during) AND NOT upper_inc(during)),
  overlap     boolean NOT NULL,
  PRIMARY KEY (business_id, session_id, calendar_id, unit),
  FOREIGN KEY (business_id, calendar_id) REFERENCES calendar (business_id, id),
  FOREIGN KEY (business_id, session_id) REFERENCES session (business_id, id),
  CONSTRAINT allocation_no_overlap EXCLUDE USING gist
    (business_id WITH =, calendar_id WITH =, unit WITH =, during WITH &&) WHERE (NOT overlap)
);
CREATE INDEX allocation_calendar ON allocation (business_id, calendar_id, upper(during));

CREATE TABLE hold (
  business_id uuid NOT NULL,
  id          uuid NOT NULL,
  session_id  uuid NOT NULL,
  party_size  int NOT NULL CHECK (party_size > 0),
  expires_at  timestamptz NOT NULL,
  status      text NOT NULL CHECK (status IN ('active', 'redeemed', 'released', 'expired')),
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, session_id) REFERENCES session (business_id, id)
);
CREATE INDEX hold_session ON hold (business_id, session_id);
CREATE INDEX hold_due ON hold (expires_at) WHERE status = 'active';

CREATE TABLE booking (
  business_id    uuid NOT NULL,
  id             uuid NOT NULL,
  reference      text NOT NULL,
  status         text NOT NULL CHECK (status IN
                   ('pending', 'confirmed', 'checked_in', 'completed', 'no_show', 'cancelled', 'expired')),
  version        bigint NOT NULL CHECK (version > 0),
  session_id     uuid NOT NULL,
  customer_id    uuid NOT NULL,
  party_size     int NOT NULL CHECK (party_size > 0),
  price_amount   bigint NOT NULL CHECK (price_amount >= 0),
  price_currency text NOT NULL,
  -- The policy it was made under.
  policy         jsonb NOT NULL,
  note           text,
  -- The hash of the secret with which a customer without an account manages it.
  manage_hash    bytea NOT NULL,
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (business_id, id),
  CONSTRAINT booking_reference UNIQUE (business_id, reference),
  UNIQUE (business_id, manage_hash),
  FOREIGN KEY (business_id, session_id) REFERENCES session (business_id, id),
  FOREIGN KEY (business_id, customer_id) REFERENCES customer (business_id, id)
);
CREATE INDEX booking_session ON booking (business_id, session_id);
CREATE INDEX booking_customer ON booking (business_id, customer_id);

-- What happened to a booking, for people.
CREATE TABLE booking_change (
  business_id uuid NOT NULL,
  id          uuid NOT NULL,
  booking_id  uuid NOT NULL,
  at          timestamptz NOT NULL,
  kind        text NOT NULL,
  by          text NOT NULL,
  was         text,
  becomes     text,
  reason      text,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, booking_id) REFERENCES booking (business_id, id)
);
CREATE INDEX booking_change_booking ON booking_change (business_id, booking_id, at, id);

-- Answers to requests that bore an idempotency key, written with what they did.
CREATE TABLE idempotency (
  business_id uuid NOT NULL,
  -- Whose key it is: keys of different actors do not meet.
  scope       text NOT NULL,
  key_hash    bytea NOT NULL,
  operation   text NOT NULL,
  input_hash  bytea NOT NULL,
  answer      jsonb NOT NULL,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (business_id, scope, key_hash)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
