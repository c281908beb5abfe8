-- The tenant and its catalogue. Every table but the global one (business) starts with business_id, which is part of every
-- key: a row cannot point into another business, and every table can be sharded by business as it stands.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE business (
  id                uuid PRIMARY KEY,
  slug              text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name              text NOT NULL,
  time_zone         text NOT NULL,
  currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  locale            text NOT NULL,
  -- Rises with every change to the catalogue: the truth about the staleness of every cache of it.
  catalogue_version bigint NOT NULL DEFAULT 0,
  created_at        timestamptz NOT NULL
);

-- Whatever can be busy. It bears the id of the provider, resource or service whose calendar it is.
CREATE TABLE calendar (
  business_id uuid NOT NULL REFERENCES business (id),
  id          uuid NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('provider', 'resource', 'service')),
  -- Rises with every change to anything that bears on when the calendar is free.
  version     bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (business_id, id)
);

CREATE TABLE location (
  business_id uuid NOT NULL REFERENCES business (id),
  id          uuid NOT NULL,
  name        text NOT NULL,
  time_zone   text NOT NULL,
  -- The location's own weekly opening hours, [[weekday, opens, closes], …] in minutes after midnight; null: always open.
  opening     jsonb,
  created_at  timestamptz NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (business_id, id)
);

CREATE TABLE provider (
  business_id uuid NOT NULL,
  id          uuid NOT NULL,
  name        text NOT NULL,
  email       text,
  daily_limit int CHECK (daily_limit > 0),
  created_at  timestamptz NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, id) REFERENCES calendar (business_id, id)
);

CREATE TABLE provider_location (
  business_id uuid NOT NULL,
  provider_id uuid NOT NULL,
  location_id uuid NOT NULL,
  PRIMARY KEY (business_id, provider_id, location_id),
  FOREIGN KEY (business_id, provider_id) REFERENCES provider (business_id, id),
  FOREIGN KEY (business_id, location_id) REFERENCES location (business_id, id)
);
CREATE INDEX provider_location_location ON provider_location (business_id, location_id);

-- The weekly hours of a provider at a location, [[weekday, opens, closes], …], weekday 0 is Monday.
CREATE TABLE weekly_hours (
  business_id uuid NOT NULL,
  provider_id uuid NOT NULL,
  location_id uuid NOT NULL,
  windows     jsonb NOT NULL,
  PRIMARY KEY (business_id, provider_id, location_id),
  FOREIGN KEY (business_id, provider_id) REFERENCES provider (business_id, id),
  FOREIGN KEY (business_id, location_id) REFERENCES location (business_id, id)
);
CREATE INDEX weekly_hours_location ON weekly_hours (business_id, location_id);

-- What replaces the weekly hours on one local day, [[opens, closes], …]; empty: closed.
CREATE TABLE date_override (
  business_id uuid NOT NULL,
  provider_id uuid NOT NULL,
  location_id uuid NOT NULL,
  date        date NOT NULL,
  windows     jsonb NOT NULL,
  PRIMARY KEY (business_id, provider_id, location_id, date),
  FOREIGN KEY (business_id, provider_id) REFERENCES provider (business_id, id),
  FOREIGN KEY (business_id, location_id) REFERENCES location (business_id, id)
);
CREATE INDEX date_override_location ON date_override (business_id, location_id);

CREATE TABLE resource_kind (
  business_id uuid NOT NULL REFERENCES business (id),
  id          uuid NOT NULL,
  name        text NOT NULL,
  created_at  timestamptz NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (business_id, id)
);

CREATE TABLE resource (
  business_id uuid NOT NULL,
  id          uuid NOT NULL,
  name        text NOT NULL,
  kind_id     uuid NOT NULL,
  location_id uuid NOT NULL,
  units       int NOT NULL CHECK (units > 0),
  created_at  timestamptz NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, id) REFERENCES calendar (business_id, id),
  FOREIGN KEY (business_id, kind_id) REFERENCES resource_kind (business_id, id),
  FOREIGN KEY (business_id, location_id) REFERENCES location (business_id, id)
);
CREATE INDEX resource_kind_of ON resource (business_id, kind_id);
CREATE INDEX resource_location ON resource (business_id, location_id);

CREATE TABLE service (
  business_id           uuid NOT NULL,
  id                    uuid NOT NULL,
  name                  text NOT NULL,
  description           text,
  duration_minutes      int NOT NULL CHECK (duration_minutes > 0),
  buffer_before_minutes int NOT NULL CHECK (buffer_before_minutes >= 0),
  buffer_after_minutes  int NOT NULL CHECK (buffer_after_minutes >= 0),
  slot_interval_minutes int NOT NULL CHECK (slot_interval_minutes > 0),
  slot_alignment        text NOT NULL CHECK (slot_alignment IN ('window', 'clock')),
  capacity              int NOT NULL CHECK (capacity > 0),
  price_amount          bigint NOT NULL CHECK (price_amount >= 0),
  policy                jsonb NOT NULL,
  daily_limit           int CHECK (daily_limit > 0),
  created_at            timestamptz NOT NULL,
  archived_at           timestamptz,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, id) REFERENCES calendar (business_id, id)
);

CREATE TABLE service_provider (
  business_id uuid NOT NULL,
  service_id  uuid NOT NULL,
  provider_id uuid NOT NULL,
  PRIMARY KEY (business_id, service_id, provider_id),
  FOREIGN KEY (business_id, service_id) REFERENCES service (business_id, id),
  FOREIGN KEY (business_id, provider_id) REFERENCES provider (business_id, id)
);
CREATE INDEX service_provider_provider ON service_provider (business_id, provider_id);

CREATE TABLE service_requirement (
  business_id uuid NOT NULL,
  service_id  uuid NOT NULL,
  kind_id     uuid NOT NULL,
  units       int NOT NULL CHECK (units > 0),
  PRIMARY KEY (business_id, service_id, kind_id),
  FOREIGN KEY (business_id, service_id) REFERENCES service (business_id, id),
  FOREIGN KEY (business_id, kind_id) REFERENCES resource_kind (business_id, id)
);
CREATE INDEX service_requirement_kind ON service_requirement (business_id, kind_id);

-- Time off, breaks: nobody is booked over it from now on. What is booked already stands.
CREATE TABLE block (
  business_id uuid NOT NULL,
  id          uuid NOT NULL,
  calendar_id uuid NOT NULL,
  starts_at   timestamptz NOT NULL,
  ends_at     timestamptz NOT NULL,
  reason      text,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, calendar_id) REFERENCES calendar (business_id, id),
  CHECK (starts_at < ends_at)
);
CREATE INDEX block_calendar ON block (business_id, calendar_id, ends_at);

-- Bearer tokens of staff, by their hash. The token carries its business, so that it is looked up there and nowhere else.
CREATE TABLE access_token (
  business_id uuid NOT NULL REFERENCES business (id),
  id          uuid NOT NULL,
  secret_hash bytea NOT NULL,
  role        text NOT NULL CHECK (role IN ('owner', 'manager', 'provider')),
  provider_id uuid,
  created_at  timestamptz NOT NULL,
  revoked_at  timestamptz,
  PRIMARY KEY (business_id, id),
  UNIQUE (business_id, secret_hash),
  FOREIGN KEY (business_id, provider_id) REFERENCES provider (business_id, id),
  CHECK ((role = 'provider') = (provider_id IS NOT NULL))
);
CREATE INDEX access_token_provider ON access_token (business_id, provider_id);
