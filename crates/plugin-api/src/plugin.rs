//! The plugin itself: who it is, what its settings look like, and which parts it has.

use std::time::Duration;

use serde_json::Value;

use crate::calendar::CalendarSync;
use crate::check::Check;
use crate::compose::Composer;
use crate::guard::Guard;
use crate::inbound::InboundWebhook;
use crate::message::MessageChannel;
use crate::payments::Payments;
use crate::reaction::Reaction;
use crate::settings::SettingsError;
use crate::webhook::WebhookSender;

/// A plugin: one value for the life of the server, shared by all tasks and all businesses.
///
/// Every part is optional: one that a plugin does not have is `None`, so nothing it cannot do quietly succeeds.
///
/// What a plugin does (everything that may fail, so answers a `Result`) runs on a thread of its own, within a time limit and in a limited number
/// of places: a plugin that blocks its thread or panics holds up nobody but itself. What it only tells of itself (`name`, `wants`,
/// `window_minutes` and the like) is asked in the midst of everything, often, and answered from what it has at hand.
pub trait Plugin: Send + Sync + 'static {
    /// The name under which it is stored, configured and reported: kebab-case, `<what>-<whose>` (`email-smtp`). It never
    /// changes, because deliveries and settings are kept under it.
    fn name(&self) -> &'static str;

    /// The name that people read, in English.
    fn title(&self) -> &'static str;

    /// One or two English sentences: what it does, and when.
    fn description(&self) -> &'static str;

    /// The JSON Schema (draft 2020-12) of its settings: an object with `additionalProperties: false`, every secret with
    /// `writeOnly: true`, and what says where secrets are sent with `x-destination: true` ([`crate::DESTINATION`]). [`crate::settings_schema`] derives it from the type of the settings.
    fn settings_schema(&self) -> Value;

    /// Whether a business that has set nothing uses it: not where it cannot work without settings.
    fn on_by_default(&self) -> bool {
        false
    }

    /// Whether settings are complete and make sense, without asking anybody. They are a JSON object; one with no field at all is what a
    /// business has that has set nothing.
    ///
    /// # Errors
    /// [`SettingsError`] naming the first field that is wrong, and never a value.
    fn validate(&self, settings: &Value) -> Result<(), SettingsError>;

    /// How it asks the other side whether settings work, if there is another side.
    fn check(&self) -> Option<&dyn Check> {
        None
    }

    /// Its say before a booking is written, if it has one.
    fn guard(&self) -> Option<&dyn Guard> {
        None
    }

    /// What it does after the commit, if anything.
    fn reaction(&self) -> Option<&dyn Reaction> {
        None
    }

    /// How it takes payments, if it does.
    fn payments(&self) -> Option<&dyn Payments> {
        None
    }

    /// How it keeps calendars elsewhere in step, if it does.
    fn calendar(&self) -> Option<&dyn CalendarSync> {
        None
    }

    /// How it carries messages to people, if it does.
    fn messages(&self) -> Option<&dyn MessageChannel> {
        None
    }

    /// How it puts into words what is said to people, if it does.
    fn composer(&self) -> Option<&dyn Composer> {
        None
    }

    /// How it posts events to addresses that a business chose, if it does.
    fn webhooks(&self) -> Option<&dyn WebhookSender> {
        None
    }

    /// How often a delivery is tried before it is parked, where the runner's usual (twelve times, within a day) is not right.
    fn attempts(&self) -> Option<u32> {
        None
    }

    /// How long one attempt at a delivery may take, where the runner's usual (a minute) is not right. One that may take long is given fewer
    /// places for each business.
    fn time_limit(&self) -> Option<Duration> {
        None
    }

    /// How it takes what the other side calls it with, if it does.
    fn inbound(&self) -> Option<&dyn InboundWebhook> {
        None
    }
}
