-- What a business has set of a plugin. The settings are sealed: only a server that has the key reads them.
CREATE TABLE plugin_setting (
  business_id uuid NOT NULL REFERENCES business (id),
  plugin text NOT NULL,
  enabled boolean NOT NULL,
  sealed bytea,
  version bigint NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (business_id, plugin)
);

-- How a plugin fares for a business: what staff are shown. Kept beside the deliveries, so that nobody has to search them for it.
CREATE TABLE plugin_health (
  business_id uuid NOT NULL REFERENCES business (id),
  plugin text NOT NULL,
  last_success_at timestamptz,
  last_error_at timestamptz,
  last_error text,
  failures_in_row int NOT NULL DEFAULT 0 CHECK (failures_in_row >= 0),
  PRIMARY KEY (business_id, plugin)
);

-- What is waiting or parked is counted for each plugin.
CREATE INDEX delivery_open ON delivery (business_id, plugin, status) WHERE status <> 'delivered';
