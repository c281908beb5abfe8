-- When it was last compared what lies ahead with what was written: that takes a while where there are many bookings, and is not done at every reading.
ALTER TABLE calendar_source ADD COLUMN compared_at timestamptz;
