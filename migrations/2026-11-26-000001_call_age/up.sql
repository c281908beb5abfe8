-- Calls are forgotten by their age.
CREATE INDEX inbound_call_age ON inbound_call (received_at);
