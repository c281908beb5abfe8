-- When all of it is to be read anew, sooner than otherwise: a series changed, and of its instances not all may have been told of.
ALTER TABLE calendar_source ADD COLUMN whole_due_at timestamptz;
