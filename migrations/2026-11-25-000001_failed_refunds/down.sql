ALTER TABLE refund DROP COLUMN failed_at;
ALTER TABLE refund DROP COLUMN failure;

-- What came before knows no refunds that fail, and takes what is gone for good for all that ever went out.
DELETE FROM payment_entry WHERE kind = 'refund_failed';
ALTER TABLE payment_entry DROP CONSTRAINT payment_entry_kind_check;
ALTER TABLE payment_entry ADD CONSTRAINT payment_entry_kind_check CHECK (kind IN ('charge', 'refund', 'fee', 'withdrawal', 'reinstatement'));
UPDATE payment SET refunded = least(refunded + refund_failed, taken) WHERE refund_failed > 0;
ALTER TABLE payment DROP COLUMN refund_failed;
