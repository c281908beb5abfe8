ALTER TABLE calendar_source DROP COLUMN channel_address;
