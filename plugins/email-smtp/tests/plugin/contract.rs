use plugin_api::{Plugin, contract};
use serde_json::json;

use crate::{to_files, to_server};

#[test]
fn it_keeps_the_contract_of_plugins() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = to_files(directory.path());
    contract::plugin(&plugin);
    assert!(plugin.messages().is_some() && plugin.reaction().is_none());
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

#[test]
fn addresses_are_written_in_one_form() {
    let plugin = to_server(json!({ "host": "localhost", "from": "a@b.example" }));
    let address = |given| plugin.messages().unwrap().address(given, None).ok();
    assert_eq!(
        address(" Jo@Customer.EXAMPLE "),
        Some("Jo@customer.example".to_owned())
    );
    assert_eq!(
        address("jö@customer.example"),
        Some("jö@customer.example".to_owned())
    );
    for wrong in [
        "",
        "jo",
        "jo@",
        "@x",
        "jo smith@customer.example",
        "jo@a.example, b@c.example",
    ] {
        assert_eq!(address(wrong), None, "{wrong}");
    }
}
