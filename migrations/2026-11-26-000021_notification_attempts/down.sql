DROP INDEX notification_taken;
ALTER TABLE notification DROP COLUMN attempts;
