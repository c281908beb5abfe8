ALTER TABLE delivery DROP COLUMN misconfigured;
