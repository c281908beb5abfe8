DROP INDEX delivery_open;
DROP TABLE plugin_health;
DROP TABLE plugin_setting;
