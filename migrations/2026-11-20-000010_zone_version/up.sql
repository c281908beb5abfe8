-- The version of the rules of time zones that the business's bookings follow: when the rules change, bookings keep their wall-clock
-- time. Null: not known.
ALTER TABLE business ADD COLUMN zone_version text;
