-- Whether it was the settings that its last attempt failed at: with other ones it is tried again.
ALTER TABLE delivery ADD COLUMN misconfigured boolean NOT NULL DEFAULT false;
