use fake_twilio::{ACCOUNT, SERVICE};
use plugin_api::{Channel, MessageChannel, Plugin, contract};
use serde_json::{Value, json};

use crate::{Clock, plugin};

#[test]
fn it_keeps_the_contract_of_plugins() {
    let plugin = plugin(&Clock::new());
    contract::plugin(&plugin);
    assert_eq!(plugin.name(), "sms-twilio");
    assert!(!plugin.on_by_default());
    assert!(
        plugin.messages().is_some()
            && plugin.inbound().is_some()
            && Plugin::check(&plugin).is_some()
    );
    assert!(plugin.guard().is_none() && plugin.reaction().is_none() && plugin.payments().is_none());
    assert_eq!(plugin.channel(), Channel::Sms);
}

#[test]
fn its_settings_describe_themselves_by_the_names_of_the_contract() {
    let schema = plugin(&Clock::new()).settings_schema();
    let mut names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    names.sort();
    let expected = [
        "accountSid",
        "apiBase",
        "authToken",
        "from",
        "messagingServiceSid",
    ];
    assert_eq!(names, expected);
    assert_eq!(schema["required"], json!(["accountSid", "authToken"]));
    for name in expected {
        let is_secret = if name == "authToken" {
            json!(true)
        } else {
            Value::Null
        };
        assert_eq!(schema["properties"][name]["writeOnly"], is_secret, "{name}");
    }
}

#[test]
fn settings_are_checked_without_asking_anybody() {
    let plugin = plugin(&Clock::new());
    let mut settings = json!({ "accountSid": ACCOUNT, "authToken": "t" });
    assert_eq!(plugin.validate(&settings).unwrap_err().path, ["from"]);
    settings["messagingServiceSid"] = json!(SERVICE);
    assert_eq!(plugin.validate(&settings), Ok(()));
    settings["form"] = json!("+442071838750");
    assert_eq!(plugin.validate(&settings).unwrap_err().path, ["form"]);
    assert_eq!(
        plugin.validate(&json!({})).unwrap_err().path,
        ["accountSid"]
    );
}

#[test]
fn addresses_are_numbers() {
    let plugin = plugin(&Clock::new());
    let address = |given, region| plugin.address(given, region);
    assert_eq!(
        address("07400 123456", Some("GB")).unwrap(),
        "+447400123456"
    );
    assert!(address("07400 123456", None).is_err());
    assert!(address("jo@customer.example", Some("GB")).is_err());
}
