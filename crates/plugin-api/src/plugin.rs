//! The plugin itself: who it is, what its settings look like, and which parts it has.

use crate::guard::Guard;
use crate::reaction::Reaction;

/// A plugin: one value for the life of the server, shared by all tasks and all businesses.
///
/// It has no methods with a default body: a part that a plugin does not have is an explicit `None`.
pub trait Plugin: Send + Sync + 'static {
    /// The name under which it is stored, configured and reported: kebab-case, `<what>-<whose>` (`email-smtp`). It never
    /// changes, because deliveries and settings are kept under it.
    fn name(&self) -> &'static str;

    /// The name that people read, in English.
    fn title(&self) -> &'static str;

    /// One or two English sentences: what it does, and when.
    fn description(&self) -> &'static str;

    /// The JSON Schema (draft 2020-12) of its settings: an object with `additionalProperties: false`, every secret with
    /// `writeOnly: true`. [`crate::settings_schema`] derives it from the type of the settings.
    fn settings_schema(&self) -> serde_json::Value;

    /// Its say before a booking is written, if it has one.
    fn guard(&self) -> Option<&dyn Guard>;

    /// What it does after the commit, if anything.
    fn reaction(&self) -> Option<&dyn Reaction>;
}
