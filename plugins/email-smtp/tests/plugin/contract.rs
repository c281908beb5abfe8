use plugin_api::{Plugin, contract};
use serde_json::json;

use crate::facts::any_delivery;
use crate::{to_files, to_server};

#[tokio::test]
async fn it_keeps_the_contract_of_plugins() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = to_files(directory.path());
    contract::plugin(&plugin);
    contract::reaction(plugin.reaction().unwrap(), &any_delivery()).await;
}

#[test]
fn its_settings_describe_themselves_by_the_names_of_the_contract() {
    let plugin = to_server(json!({ "host": "localhost", "from": "a@b.example" }));
    let schema = plugin.settings_schema();
    let mut names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(
        names,
        [
            "from", "host", "password", "port", "replyTo", "security", "username"
        ]
    );
    assert_eq!(schema["required"], json!(["host", "from"]));
    assert_eq!(schema["properties"]["password"]["writeOnly"], json!(true));
    let security = schema["properties"]["security"].to_string();
    assert!(
        ["NONE", "STARTTLS", "TLS"]
            .iter()
            .all(|name| security.contains(&format!("\"{name}\""))),
        "{security}"
    );
}
