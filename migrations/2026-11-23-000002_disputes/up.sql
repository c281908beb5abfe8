-- What customers' banks dispute of a payment, dispute by dispute, as the other side tells it. What was withdrawn and came back of it is in the ledger.
ALTER TABLE payment ADD COLUMN disputes jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(disputes) = 'array');

ALTER TABLE payment_entry DROP CONSTRAINT payment_entry_kind_check;
ALTER TABLE payment_entry ADD CONSTRAINT payment_entry_kind_check
  CHECK (kind IN ('charge', 'refund', 'fee', 'withdrawal', 'reinstatement'));
