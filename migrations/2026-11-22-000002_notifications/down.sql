UPDATE delivery SET part = substr(part, length('notification:') + 1)
WHERE plugin = 'email-smtp' AND part IN ('notification:customer', 'notification:provider', 'notification:previous-provider') AND status <> 'delivered';
DROP TABLE message_opt_out;
DROP TABLE notification;
DROP TABLE notification_rule;
