ALTER TABLE calendar_source DROP COLUMN compared_at;
