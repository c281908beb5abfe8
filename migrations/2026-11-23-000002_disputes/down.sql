-- What came before knows no disputes, and its totals do not count them.
DELETE FROM payment_entry WHERE kind IN ('withdrawal', 'reinstatement');
ALTER TABLE payment_entry DROP CONSTRAINT payment_entry_kind_check;
ALTER TABLE payment_entry ADD CONSTRAINT payment_entry_kind_check CHECK (kind IN ('charge', 'refund', 'fee'));
ALTER TABLE payment DROP COLUMN disputes;
