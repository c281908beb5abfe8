-- A refund that failed is told to the business, as new ones are from the start: whoever has a rule of their own for it keeps that.
WITH added AS (
  INSERT INTO notification_rule (business_id, id, moment, offset_minutes, audience, channels, template, enabled, service_ids, created_at)
  SELECT b.id, gen_random_uuid(), 'payment.refund_failed', 0, 'business', '{email}', 'refund-failed', true, '{}', b.created_at
  FROM business b
  WHERE NOT EXISTS (SELECT FROM notification_rule r WHERE r.business_id = b.id AND r.moment = 'payment.refund_failed')
  RETURNING business_id
)
UPDATE business SET catalogue_version = catalogue_version + 1 WHERE id IN (SELECT business_id FROM added);
