DROP INDEX event_at;
DROP TABLE webhook_health;
DROP TABLE webhook_endpoint;
