-- When what is said to whom, by which channels.
CREATE TABLE notification_rule (
  business_id uuid NOT NULL REFERENCES business (id),
  id uuid NOT NULL,
  -- An event (booking.confirmed), or booking.start or booking.end with an offset.
  moment text NOT NULL,
  offset_minutes int NOT NULL,
  audience text NOT NULL CHECK (audience IN ('customer', 'provider', 'business')),
  -- In order of preference.
  channels text[] NOT NULL CHECK (cardinality(channels) > 0),
  template text NOT NULL,
  enabled boolean NOT NULL,
  -- Empty: all.
  service_ids uuid[] NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (business_id, id)
);

-- What every business begins with; new ones are given the same by the engine.
INSERT INTO notification_rule
SELECT b.id, gen_random_uuid(), x.moment, x.offset_minutes, x.audience, x.channels::text[], x.template, x.enabled, '{}', b.created_at
FROM business b CROSS JOIN (VALUES
  ('booking.confirmed', 0, 'customer', '{email}', 'confirmed', true),
  ('booking.confirmed', 0, 'provider', '{email}', 'confirmed', true),
  ('booking.confirmed', 0, 'customer', '{sms}', 'confirmed', true),
  ('booking.rescheduled', 0, 'customer', '{email}', 'rescheduled', true),
  ('booking.rescheduled', 0, 'provider', '{email}', 'rescheduled', true),
  ('booking.rescheduled', 0, 'customer', '{sms}', 'rescheduled', true),
  ('booking.cancelled', 0, 'customer', '{email}', 'cancelled', true),
  ('booking.cancelled', 0, 'provider', '{email}', 'cancelled', true),
  ('booking.cancelled', 0, 'customer', '{sms}', 'cancelled', true),
  ('payment.refunded', 0, 'customer', '{email}', 'refunded', true),
  ('booking.start', -1440, 'customer', '{sms,email}', 'reminder', true),
  ('booking.start', -120, 'customer', '{sms,email}', 'reminder', false),
  ('booking.end', 1440, 'customer', '{email}', 'follow-up', false)
) AS x (moment, offset_minutes, audience, channels, template, enabled);

-- What was or will be said, to one recipient by one channel. It outlives its rule.
CREATE TABLE notification (
  business_id uuid NOT NULL REFERENCES business (id),
  id uuid NOT NULL,
  booking_id uuid NOT NULL,
  rule_id uuid NOT NULL,
  -- What is told of once: the event, or, of a reminder, the booking.
  occasion_id uuid NOT NULL,
  booking_version bigint NOT NULL,
  recipient text NOT NULL CHECK (recipient IN ('customer', 'provider', 'previous-provider', 'business')),
  channel text NOT NULL CHECK (channel IN ('email', 'sms', 'push')),
  plugin text NOT NULL,
  address text NOT NULL,
  due_at timestamptz NOT NULL,
  status text NOT NULL CHECK (status IN ('planned', 'sent', 'delivered', 'failed', 'suppressed')),
  subject text,
  body text,
  error text,
  external_id text,
  -- The delivery that carries it: one that is not named here has nothing to send.
  delivery_id uuid,
  created_at timestamptz NOT NULL,
  tried_at timestamptz,
  PRIMARY KEY (business_id, id),
  -- One reminder for one booking, however often it moves; one message about one event.
  CONSTRAINT notification_once UNIQUE (business_id, occasion_id, rule_id, recipient, channel),
  FOREIGN KEY (business_id, booking_id) REFERENCES booking (business_id, id)
);
CREATE INDEX notification_booking ON notification (business_id, booking_id, created_at);
CREATE INDEX notification_delivery ON notification (business_id, delivery_id);
CREATE INDEX notification_planned ON notification (business_id, rule_id) WHERE status = 'planned';
CREATE INDEX notification_external ON notification (business_id, plugin, external_id) WHERE external_id IS NOT NULL;

-- Who wants no more messages, by which channel.
CREATE TABLE message_opt_out (
  business_id uuid NOT NULL REFERENCES business (id),
  channel text NOT NULL CHECK (channel IN ('email', 'sms', 'push')),
  address text NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (business_id, channel, address)
);

-- Mails that are on their way, or parked, go on as notifications.
INSERT INTO notification (business_id, id, booking_id, rule_id, occasion_id, booking_version, recipient, channel, plugin, address, due_at,
                          status, delivery_id, created_at)
SELECT d.business_id, gen_random_uuid(), d.booking_id, r.id, d.event_id, d.booking_version, d.part, 'email', d.plugin, '', e.at,
       'planned', d.id, d.created_at
FROM delivery d
JOIN event e ON e.business_id = d.business_id AND e.id = d.event_id
JOIN notification_rule r ON r.business_id = d.business_id AND r.moment = e.kind AND r.channels = '{email}'
 AND r.audience = CASE d.part WHEN 'customer' THEN 'customer' ELSE 'provider' END
WHERE d.plugin = 'email-smtp' AND d.part IN ('customer', 'provider', 'previous-provider') AND d.status <> 'delivered' AND d.booking_id IS NOT NULL;
UPDATE delivery SET part = 'notification:' || part
WHERE plugin = 'email-smtp' AND part IN ('customer', 'provider', 'previous-provider') AND status <> 'delivered';
