DROP TABLE inbound_call;
DROP TABLE refund;
DROP TABLE payment_entry;
DROP TABLE payment;
ALTER TABLE booking DROP COLUMN expires_at;
ALTER TABLE service DROP COLUMN deposit;
