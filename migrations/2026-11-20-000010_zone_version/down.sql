ALTER TABLE business DROP COLUMN zone_version;
