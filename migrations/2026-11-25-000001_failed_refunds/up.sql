-- What was to be paid back and came to nothing: the business has it again. What went out and what came back of it are two totals that only grow;
-- `refunded` is their difference.
ALTER TABLE payment ADD COLUMN refund_failed bigint NOT NULL DEFAULT 0 CHECK (refund_failed >= 0);

ALTER TABLE payment_entry DROP CONSTRAINT payment_entry_kind_check;
ALTER TABLE payment_entry ADD CONSTRAINT payment_entry_kind_check
  CHECK (kind IN ('charge', 'refund', 'fee', 'withdrawal', 'reinstatement', 'refund_failed'));

-- Why a refund failed, and when that was known: only what was asked for after that makes it good.
ALTER TABLE refund ADD COLUMN failure text;
ALTER TABLE refund ADD COLUMN failed_at timestamptz;
