-- When the money of a deposit is taken: when the customer pays, or when staff ask for it.
ALTER TABLE service ADD COLUMN capture text NOT NULL DEFAULT 'automatic' CHECK (capture IN ('automatic', 'manual'));

-- A fee is taken from a card that another payment saved.
ALTER TABLE payment DROP CONSTRAINT payment_kind_check;
ALTER TABLE payment ADD CONSTRAINT payment_kind_check CHECK (kind IN ('charge', 'authorize', 'save_card', 'fee'));
ALTER TABLE payment ADD COLUMN saved_payment_id uuid;
ALTER TABLE payment ADD CONSTRAINT payment_saved_check CHECK ((kind = 'fee') = (saved_payment_id IS NOT NULL));
ALTER TABLE payment ADD CONSTRAINT payment_saved_fkey
  FOREIGN KEY (business_id, saved_payment_id) REFERENCES payment (business_id, id);
CREATE INDEX payment_saved ON payment (business_id, saved_payment_id);

-- How much of a reservation is to be taken, once that was asked for: asking the other side again must say the same.
ALTER TABLE payment ADD COLUMN capture_amount bigint;
ALTER TABLE payment ADD CONSTRAINT payment_capture_check
  CHECK (capture_amount IS NULL OR (kind = 'authorize' AND capture_amount BETWEEN 1 AND amount));
