-- What a booking of a service asks to be paid before it stands.
ALTER TABLE service ADD COLUMN deposit jsonb NOT NULL DEFAULT '{"kind": "none"}';

-- Until when a booking waits for its payment.
ALTER TABLE booking ADD COLUMN expires_at timestamptz;

-- Money that a customer pays for a booking, at the other side of a plugin. What was taken and paid back only ever grows.
CREATE TABLE payment (
  business_id uuid NOT NULL REFERENCES business (id),
  id uuid NOT NULL,
  booking_id uuid NOT NULL,
  plugin text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('charge', 'authorize', 'save_card')),
  status text NOT NULL CHECK (status IN ('waiting', 'authorized', 'paid', 'failed', 'expired', 'refunded', 'partly_refunded')),
  amount bigint NOT NULL CHECK (amount >= 0),
  currency text NOT NULL,
  -- What the other side is told, as it was when the money was asked for: asking again must say the same.
  reference text NOT NULL,
  description text NOT NULL,
  customer_name text NOT NULL,
  customer_email text,
  taken bigint NOT NULL DEFAULT 0 CHECK (taken >= 0),
  refunded bigint NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND taken),
  fee bigint NOT NULL DEFAULT 0 CHECK (fee >= 0),
  external_id text,
  sealed bytea,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, booking_id) REFERENCES booking (business_id, id)
);
CREATE INDEX payment_booking ON payment (business_id, booking_id);
CREATE UNIQUE INDEX payment_external ON payment (business_id, plugin, external_id);

-- The ledger: every movement of money, once. A payment's totals are the sums of its entries.
CREATE TABLE payment_entry (
  business_id uuid NOT NULL REFERENCES business (id),
  id uuid NOT NULL,
  payment_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('charge', 'refund', 'fee')),
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, payment_id) REFERENCES payment (business_id, id)
);
CREATE INDEX payment_entry_payment ON payment_entry (business_id, payment_id);

-- Money that is to go back.
CREATE TABLE refund (
  business_id uuid NOT NULL REFERENCES business (id),
  id uuid NOT NULL,
  payment_id uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  reason text,
  status text NOT NULL CHECK (status IN ('waiting', 'succeeded', 'failed')),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (business_id, id),
  FOREIGN KEY (business_id, payment_id) REFERENCES payment (business_id, id)
);
CREATE INDEX refund_payment ON refund (business_id, payment_id);

-- Calls of other sides, each once, however often it comes.
CREATE TABLE inbound_call (
  business_id uuid NOT NULL REFERENCES business (id),
  plugin text NOT NULL,
  external_id text NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (business_id, plugin, external_id)
);
