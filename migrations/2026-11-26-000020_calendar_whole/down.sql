ALTER TABLE calendar_source DROP COLUMN whole_due_at;
