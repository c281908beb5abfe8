ALTER TABLE payment DROP COLUMN capture_amount;
ALTER TABLE payment DROP COLUMN saved_payment_id;
-- A fee is money that was taken, and the ledger keeps it: what came before knew no better word for it.
UPDATE payment SET kind = 'charge' WHERE kind = 'fee';
ALTER TABLE payment DROP CONSTRAINT payment_kind_check;
ALTER TABLE payment ADD CONSTRAINT payment_kind_check CHECK (kind IN ('charge', 'authorize', 'save_card'));
ALTER TABLE service DROP COLUMN capture;
