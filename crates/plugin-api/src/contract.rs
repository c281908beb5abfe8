//! The tests that every plugin runs: plain functions that panic with a sentence when a plugin breaks its contract.
//!
//! A plugin's tests call [`plugin`] (which needs nothing from outside), [`settings`] with settings that are right and
//! ones that are wrong, [`reaction`] with a delivery to bend, and, with a place to look at what the other side has got,
//! [`repeats`].

use std::collections::BTreeSet;
use std::fmt::Debug;

use domain::event::EventKind;
use serde_json::Value;

use crate::{
    DESTINATION, Delivery, Done, Failure, Message, MessageChannel, Plugin, PluginSettings,
    Reaction, SettingsError,
};

/// Who the plugin is, what its settings look like and what it wants: names are kebab-case and stay the same, the schema
/// is of an object that refuses unknown fields, wants are not empty and unique.
///
/// # Panics
/// When the plugin breaks the contract.
pub fn plugin(plugin: &dyn Plugin) {
    kebab_case("the plugin's name", plugin.name());
    assert_eq!(plugin.name(), plugin.name(), "the name stays the same");
    for (what, text) in [
        ("title", plugin.title()),
        ("description", plugin.description()),
    ] {
        assert!(
            !text.trim().is_empty(),
            "{}: its {what} says something",
            plugin.name()
        );
        assert_eq!(
            text,
            text.trim(),
            "{}: its {what} has no blanks around it",
            plugin.name()
        );
    }
    schema(&plugin.settings_schema());
    if let Some(reaction) = plugin.reaction() {
        wants(reaction);
    }
}

/// Settings are read as the schema says: `right` is taken, every one of `wrong` is refused with the path given.
///
/// # Panics
/// When the plugin breaks the contract.
pub fn settings<T: Debug>(
    read: impl Fn(Value) -> Result<T, SettingsError>,
    right: Value,
    wrong: impl IntoIterator<Item = (Value, Vec<&'static str>)>,
) {
    if let Err(error) = read(right.clone()) {
        panic!("settings that are right are taken: {error}");
    }
    let mut more = right;
    if let Some(fields) = more.as_object_mut() {
        fields.insert("noSuchSetting".to_owned(), Value::Bool(true));
    }
    for (settings, path) in wrong.into_iter().chain([(more, vec!["noSuchSetting"])]) {
        match read(settings.clone()) {
            Ok(read) => {
                panic!("settings that are wrong are refused: {settings} was read as {read:?}")
            }
            Err(error) => assert_eq!(error.path, path, "the field is named: {settings}: {error}"),
        }
    }
}

/// A reaction given what it never asked for (another event, another part, an event without a booking) gives up or skips,
/// and does not panic. `delivery` is any delivery that it wants.
///
/// # Panics
/// When the plugin breaks the contract.
pub async fn reaction(reaction: &dyn Reaction, delivery: &Delivery) {
    wants(reaction);
    for kind in EventKind::ALL {
        if reaction.wants().iter().all(|want| want.event != kind) {
            let mut stranger = delivery.clone();
            stranger.event.kind = kind;
            turned_down(kind.name(), &reaction.react(&stranger).await);
        }
    }
    let mut stranger = delivery.clone();
    "no-such-part".clone_into(&mut stranger.part);
    turned_down(
        "a part that does not exist",
        &reaction.react(&stranger).await,
    );

    if delivery.event.booking.is_some() {
        let mut bare = delivery.clone();
        bare.event.booking = None;
        turned_down("an event without its booking", &reaction.react(&bare).await);
    }
}

/// A delivery that is repeated, as a later attempt, says the same. `observe` answers what the other side got of this
/// delivery since it was last asked, without what the transport adds (times of receipt).
///
/// # Panics
/// When the plugin breaks the contract.
pub async fn repeats<C: PartialEq + Debug>(
    reaction: &dyn Reaction,
    delivery: &Delivery,
    mut observe: impl FnMut() -> C,
) {
    let mut seen = Vec::new();
    for attempt in 1..=3 {
        let delivery = Delivery {
            attempt,
            ..delivery.clone()
        };
        let result = reaction.react(&delivery).await;
        assert_eq!(
            result,
            Ok(Done::Delivered),
            "attempt {attempt} is delivered"
        );
        seen.push(observe());
    }
    for pair in seen.windows(2) {
        if let [first, second] = pair {
            assert_eq!(first, second, "a repeat says the same");
        }
    }
}

/// A message that is sent again, as a later attempt, says the same. `observe` answers what the other side got since it was last asked.
///
/// # Panics
/// When the plugin breaks the contract.
pub async fn message_repeats<C: PartialEq + Debug>(
    channel: &dyn MessageChannel,
    settings: &PluginSettings,
    message: &Message,
    mut observe: impl FnMut() -> C,
) {
    let mut seen = Vec::new();
    // The last as after staff sent it on its way again: the attempts are counted anew.
    for (attempt, may_have_been_sent) in [(1, false), (2, true), (1, true)] {
        let message = Message {
            attempt,
            may_have_been_sent,
            ..message.clone()
        };
        let result = channel.send(settings, &message).await;
        assert!(result.is_ok(), "attempt {attempt} is sent: {result:?}");
        seen.push(observe());
    }
    for pair in seen.windows(2) {
        if let [first, second] = pair {
            assert_eq!(first, second, "a repeat says the same");
        }
    }
}

fn wants(reaction: &dyn Reaction) {
    let wants = reaction.wants();
    assert!(!wants.is_empty(), "a reaction wants something");
    let mut seen = BTreeSet::new();
    for want in wants {
        kebab_case("a part", want.part);
        assert!(
            seen.insert(*want),
            "{} is wanted for `{}` once",
            want.event.name(),
            want.part
        );
    }
    assert_eq!(wants, reaction.wants(), "wants stay the same");
}

fn turned_down(what: &str, result: &Result<Done, Failure>) {
    assert!(
        matches!(
            result,
            Ok(Done::Skipped { .. }) | Err(Failure::GiveUp { .. })
        ),
        "{what} is skipped or given up on, not {result:?}"
    );
}

fn schema(schema: &Value) {
    let field = |name: &str| schema.get(name);
    assert_eq!(
        field("type"),
        Some(&Value::from("object")),
        "the settings are an object"
    );
    assert_eq!(
        field("additionalProperties"),
        Some(&Value::Bool(false)),
        "unknown settings are refused"
    );
    for (name, property) in field("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let camel = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(camel, "`{name}` is camelCase");
        let described = property
            .get("description")
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty());
        assert!(described, "`{name}` has a description");
        let lower = name.to_ascii_lowercase();
        if ["password", "secret", "token", "key"]
            .iter()
            .any(|word| lower.ends_with(word))
            && lower != "publishablekey"
        {
            assert_eq!(
                property.get("writeOnly"),
                Some(&Value::Bool(true)),
                "`{name}` is a secret: writeOnly"
            );
        }
        if ["host", "port", "base", "security", "tokenurl"]
            .iter()
            .any(|word| lower.ends_with(word))
        {
            assert_eq!(
                property.get(DESTINATION),
                Some(&Value::Bool(true)),
                "`{name}` says where secrets are sent: {DESTINATION}"
            );
        }
    }
}

fn kebab_case(what: &str, name: &str) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = !name.is_empty()
        && name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .split('-')
            .all(|word| !word.is_empty() && word.chars().all(plain));
    assert!(fits, "{what} is kebab-case, 1 to 40 characters: `{name}`");
}
