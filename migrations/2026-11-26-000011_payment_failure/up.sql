-- Why a payment has failed, where the other side says so: for staff.
ALTER TABLE payment ADD COLUMN failure text;
