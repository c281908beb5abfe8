//! Settings of a plugin: a type that describes itself as JSON Schema and refuses what it does not know, by name.

use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a business has set of a plugin, secrets included: Debug shows none of it.
#[derive(Clone, PartialEq)]
pub struct PluginSettings {
    version: i64,
    json: Arc<Value>,
}

impl PluginSettings {
    /// What is set when nothing is.
    pub fn none() -> Self {
        Self::new(0, Value::Object(serde_json::Map::new()))
    }

    /// Settings at their version.
    pub fn new(version: i64, json: Value) -> Self {
        let json = Arc::new(json);
        Self { version, json }
    }

    /// Rises with every change; 0 where nothing was ever set. A plugin that keeps a client for a business keeps it under this.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The object itself.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.json.as_object().is_none_or(serde_json::Map::is_empty)
    }

    /// The settings as the plugin's type.
    ///
    /// # Errors
    /// [`SettingsError`] naming the first field that is missing, unknown or of the wrong type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        read_settings(Value::clone(&self.json))
    }
}

impl fmt::Debug for PluginSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version;
        f.debug_struct("PluginSettings")
            .field("version", &version)
            .finish_non_exhaustive()
    }
}

/// What is wrong with settings. Neither the text nor the path holds a value that was given, since it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", if path.is_empty() { "settings".to_owned() } else { path.join(".") })]
pub struct SettingsError {
    /// The names from the outside in, `["security"]`; empty where it is the object as a whole.
    pub path: Vec<String>,
    /// What was expected.
    pub message: String,
}

impl SettingsError {
    /// This field is wrong.
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        Self {
            path: vec![name.to_owned()],
            message: message.into(),
        }
    }
}

/// The keyword of a setting that says where secrets are sent, or how they are protected on the way: the base of an API, a host, a port. Where one is
/// changed, the secrets have to be given anew: a secret that is kept is sent only where it was sent when it was given, so that nobody who may change
/// settings comes by one that they do not know.
pub const DESTINATION: &str = "x-destination";

/// The JSON Schema (draft 2020-12) of settings, all of it in one piece (no `$ref`), as [`crate::Plugin::settings_schema`]
/// answers it. A secret field bears `#[schemars(with = "Option<String>", extend("writeOnly" = true))]`, and one that says where secrets go
/// `#[schemars(extend("x-destination" = true))]` ([`DESTINATION`]).
pub fn settings_schema<T: JsonSchema>() -> Value {
    let generator =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    SchemaGenerator::new(generator)
        .into_root_schema_for::<T>()
        .to_value()
}

/// Reads settings that were given as JSON.
///
/// # Errors
/// [`SettingsError`] naming the first field that is missing, unknown or of the wrong type.
pub fn read_settings<T: DeserializeOwned>(json: Value) -> Result<T, SettingsError> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().iter().map(ToString::to_string).collect();
        without_value(path, &error.into_inner().to_string())
    })
}

/// Serde's message without the value that was given: it may be a secret in the wrong place.
fn without_value(mut path: Vec<String>, message: &str) -> SettingsError {
    if let Some(name) = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next())
    {
        path.push(name.to_owned());
        return SettingsError {
            path,
            message: "is required".to_owned(),
        };
    }
    let complaint = if message.starts_with("unknown field") {
        "is not a setting; "
    } else {
        ""
    };
    let message = match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{complaint}expected {}", in_words(expected)),
        None => format!("{complaint}is not valid"),
    };
    SettingsError { path, message }
}

/// What serde expected, for people who do not know its types.
fn in_words(expected: &str) -> String {
    let up_to = |largest: u64| format!("a whole number from 0 to {largest}");
    match expected {
        "u8" => up_to(u8::MAX.into()),
        "u16" => up_to(u16::MAX.into()),
        "u32" => up_to(u32::MAX.into()),
        "u64" | "usize" => "a whole number, not less than 0".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        _ if expected.starts_with("struct ") => "an object".to_owned(),
        _ => expected.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Sample {
        host: String,
        port: Option<u16>,
        mode: Option<Mode>,
        #[schemars(with = "Option<String>", extend("writeOnly" = true))]
        password: Option<String>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    enum Mode {
        Plain,
        Tls,
    }

    fn refusal(json: Value) -> String {
        read_settings::<Sample>(json).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named_and_its_value_is_not_repeated() {
        assert_eq!(refusal(json!({})), "host: is required");
        assert_eq!(
            refusal(json!({ "host": "h", "port": "s3cret" })),
            "port: expected a whole number from 0 to 65535"
        );
        assert_eq!(
            refusal(json!({ "host": "h", "password": 42 })),
            "password: expected a string"
        );
        assert_eq!(
            refusal(json!({ "host": "h", "mode": "s3cret" })),
            "mode: expected `Plain` or `Tls`"
        );
        assert_eq!(
            refusal(json!({ "host": "h", "hots": 1 })),
            "hots: is not a setting; expected one of `host`, `port`, `mode`, `password`"
        );
        assert_eq!(
            refusal(json!({ "host": "h", "port": 65536 })),
            "port: expected a whole number from 0 to 65535"
        );
        assert_eq!(refusal(json!("s3cret")), "settings: expected an object");
    }

    #[test]
    fn a_schema_is_in_one_piece_and_marks_secrets() {
        let schema = settings_schema::<Sample>();
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["properties"]["password"]["writeOnly"], json!(true));
        assert!(!schema.to_string().contains("$ref"), "{schema}");
    }
}
