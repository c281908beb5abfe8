ALTER TABLE payment DROP COLUMN failure;
