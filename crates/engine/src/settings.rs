//! Settings of plugins as JSON: merged, and shown without their secrets. What is a secret the plugin's JSON Schema says (`writeOnly`).

use domain::problem::Problem;
use serde_json::Value;

/// What a secret shows as where one is set; given back, it leaves the secret as it is.
const SET: &str = "***";

fn is_secret(schema: &Value, field: &str) -> bool {
    let written = schema
        .pointer("/properties")
        .and_then(|properties| properties.get(field)?.get("writeOnly"));
    written == Some(&Value::Bool(true))
}

/// The settings with the changes: null removes a field, a secret given as it is shown stays.
pub(crate) fn merged(schema: &Value, known: &Value, changes: &Value) -> Result<Value, Problem> {
    let path = ["input", "settings"];
    let Value::Object(changes) = changes else {
        return Err(Problem::invalid(&path, "must be a JSON object"));
    };
    let mut fields = known.as_object().cloned().unwrap_or_default();
    for (field, value) in changes {
        if value.is_null() {
            fields.remove(field);
        } else if !(is_secret(schema, field) && value == SET) {
            fields.insert(field.clone(), value.clone());
        }
    }
    Ok(Value::Object(fields))
}

/// The settings as they are shown: whether a secret is set, and not which.
pub(crate) fn without_secrets(schema: &Value, settings: &Value) -> Value {
    let fields = settings.as_object().into_iter().flatten();
    let shown = fields.map(|(field, value)| {
        let value = if is_secret(schema, field) {
            Value::from(SET)
        } else {
            value.clone()
        };
        (field.clone(), value)
    });
    Value::Object(shown.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({ "properties": { "host": {}, "password": { "writeOnly": true } } })
    }

    #[test]
    fn settings_are_merged_and_secrets_are_not_shown() {
        let known = json!({ "host": "a", "password": "hunter2", "port": 25 });
        let changes = json!({ "host": "b", "password": "***", "port": null });
        let after = merged(&schema(), &known, &changes).unwrap();
        assert_eq!(after, json!({ "host": "b", "password": "hunter2" }));
        assert_eq!(
            without_secrets(&schema(), &after),
            json!({ "host": "b", "password": "***" })
        );
        assert_eq!(
            merged(&schema(), &known, &json!({ "password": null })).unwrap(),
            json!({ "host": "a", "port": 25 })
        );
        assert!(merged(&schema(), &known, &json!(["a"])).is_err());
    }
}
