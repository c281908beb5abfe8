//! Settings of plugins as JSON: merged, and shown without their secrets. What is a secret the plugin's JSON Schema says (`writeOnly`), and which
//! settings say where secrets are sent ([`DESTINATION`]).
//!
//! Guaranteed: a secret that is kept is sent nowhere but where it was sent when it was given, so nobody learns it by changing an address.

use domain::problem::Problem;
use plugin_api::DESTINATION;
use serde_json::{Map, Value};

/// What a secret shows as where one is set; given back, it leaves the secret as it is.
const SET: &str = "***";

fn says(schema: &Value, field: &str, keyword: &str) -> bool {
    let said = schema
        .pointer("/properties")
        .and_then(|properties| properties.get(field)?.get(keyword));
    said == Some(&Value::Bool(true))
}

fn is_secret(schema: &Value, field: &str) -> bool {
    says(schema, field, "writeOnly")
}

/// The settings with the changes: null removes a field, a secret given as it is shown stays. Where they would send secrets elsewhere, every secret
/// has to be given with them, or removed.
pub(crate) fn merged(
    schema: &Value,
    known: &Value,
    changes: &Value,
) -> Result<Value, Vec<Problem>> {
    let Value::Object(changes) = changes else {
        let problem = Problem::invalid(&["input", "settings"], "must be a JSON object");
        return Err(vec![problem]);
    };
    let known = known.as_object().cloned().unwrap_or_default();
    let stays = |field: &str, value: &Value| is_secret(schema, field) && value == SET;
    let mut fields = known.clone();
    for (field, value) in changes {
        if value.is_null() {
            fields.remove(field);
        } else if !stays(field, value) {
            fields.insert(field.clone(), value.clone());
        }
    }
    if let Some(moved) = moved(schema, &known, &fields) {
        let is_kept = |field: &&String| {
            let given = changes.get(*field);
            is_secret(schema, field) && given.is_none_or(|value| stays(field, value))
        };
        let kept: Vec<Problem> = known
            .keys()
            .filter(is_kept)
            .map(|field| again(field, moved))
            .collect();
        if !kept.is_empty() {
            return Err(kept);
        }
    }
    Ok(Value::Object(fields))
}

/// The first setting by which secrets would be sent elsewhere than before.
fn moved<'a>(
    schema: &Value,
    known: &'a Map<String, Value>,
    fields: &'a Map<String, Value>,
) -> Option<&'a str> {
    let mut all = known.keys().chain(fields.keys());
    let found = all
        .find(|field| says(schema, field, DESTINATION) && known.get(*field) != fields.get(*field));
    found.map(String::as_str)
}

/// Whether these settings send secrets elsewhere than those before.
pub(crate) fn lead_elsewhere(schema: &Value, before: &Value, after: &Value) -> bool {
    let fields = |settings: &Value| settings.as_object().cloned().unwrap_or_default();
    moved(schema, &fields(before), &fields(after)).is_some()
}

fn again(secret: &str, moved: &str) -> Problem {
    Problem::invalid(
        &["input", "settings", secret],
        format!("has to be given again: `{moved}` is changed, by which it would be sent elsewhere"),
    )
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
        json!({ "properties": {
            "host": { "x-destination": true }, "port": { "x-destination": true }, "from": {},
            "password": { "writeOnly": true }, "key": { "writeOnly": true }
        } })
    }

    fn known() -> Value {
        json!({ "host": "a", "password": "hunter2", "port": 25, "from": "Ann" })
    }

    fn after(changes: &Value) -> Value {
        merged(&schema(), &known(), changes).unwrap()
    }

    #[test]
    fn settings_are_merged_and_secrets_are_not_shown() {
        let changes = json!({ "host": "a", "password": "***", "from": null, "key": "k" });
        let after = after(&changes);
        assert_eq!(
            after,
            json!({ "host": "a", "password": "hunter2", "port": 25, "key": "k" })
        );
        assert_eq!(
            without_secrets(&schema(), &after),
            json!({ "host": "a", "password": "***", "port": 25, "key": "***" })
        );
        assert_eq!(
            merged(&schema(), &known(), &json!({ "password": null })).unwrap(),
            json!({ "host": "a", "port": 25, "from": "Ann" })
        );
        assert!(merged(&schema(), &known(), &json!(["a"])).is_err());
    }

    #[test]
    fn a_secret_that_is_kept_is_not_sent_elsewhere() {
        for elsewhere in [
            json!({ "host": "b" }),
            json!({ "port": null }),
            json!({ "host": null, "key": "new" }),
            json!({ "port": 26, "password": "***" }),
        ] {
            let problems = merged(&schema(), &known(), &elsewhere).unwrap_err();
            let path = ["input", "settings", "password"].map(str::to_owned);
            assert!(
                matches!(&problems[..], [Problem::Invalid { path: at, message }] if at[..] == path && !message.contains("hunter2")),
                "{elsewhere}: {problems:?}"
            );
        }
        assert_eq!(
            after(&json!({ "host": "b", "password": "new" })),
            json!({ "host": "b", "password": "new", "port": 25, "from": "Ann" })
        );
        assert_eq!(
            after(&json!({ "host": "b", "password": null })),
            json!({ "host": "b", "port": 25, "from": "Ann" })
        );
        assert_eq!(
            after(&json!({ "host": "a", "from": "Bob" })),
            json!({ "host": "a", "password": "hunter2", "port": 25, "from": "Bob" })
        );
        let none = merged(&schema(), &json!({ "host": "a" }), &json!({ "host": "b" }));
        assert_eq!(none.unwrap(), json!({ "host": "b" }));
    }
}
