//! What a plugin implements, and what it may ask for. A plugin sees the domain's values and this crate, and nothing of
//! the database, the engine or the API.
//!
//! Guaranteed to a plugin: a [`Guard`] is asked before anything is written; a [`Reaction`] hears of what was committed,
//! at least once, in order for one booking, plugin and part, and of nothing that was not. Guaranteed by a plugin: what
//! it cannot do is `None`, so nothing quietly succeeds; what it says about an event follows from the event and its
//! settings alone, so a repeat says the same.
//!
//! A plugin is one [`Plugin`] with optional parts. The parts so far are [`Guard`] and [`Reaction`]. Payments, calendar
//! sync, message channels and inbound webhooks are further parts, each a trait in a file of its own beside `guard.rs`
//! and reached by one more method of [`Plugin`] that answers `Option<&dyn …>`.
//!
//! [`contract`] has the tests that every plugin runs.

pub mod contract;
mod delivery;
mod guard;
mod plugin;
mod reaction;
mod settings;

pub use delivery::{Delivery, Done, Failure};
pub use guard::{Guard, Proposal, Refused};
pub use plugin::Plugin;
pub use reaction::{Reaction, Want};
pub use settings::{SettingsError, read_settings, settings_schema};

/// The attribute under which [`Reaction`] is implemented: `#[plugin_api::async_trait]`.
pub use async_trait::async_trait;
