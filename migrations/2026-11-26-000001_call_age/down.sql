DROP INDEX inbound_call_age;
