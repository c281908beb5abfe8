DROP TABLE idempotency;
DROP TABLE booking_change;
DROP TABLE booking;
DROP TABLE hold;
DROP TABLE allocation;
DROP TABLE session;
DROP TABLE customer;
