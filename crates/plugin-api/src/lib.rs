//! What a plugin implements, and what it may ask for. A plugin sees the domain's values and this crate, and nothing of
//! the database, the engine or the API.
//!
//! Guaranteed to a plugin: a [`Guard`] is asked before anything is written; a [`Reaction`] hears of what was committed,
//! at least once, one version of a booking after the other for each plugin and part, and of nothing that was not. Guaranteed by a plugin: what
//! it cannot do is `None`, so nothing quietly succeeds; what it says about an event follows from the event and its
//! settings alone, so a repeat says the same.
//!
//! A plugin is one [`Plugin`] with optional parts: [`Guard`], [`Reaction`], [`Check`], [`Payments`], [`CalendarSync`], [`MessageChannel`], [`Composer`],
//! [`WebhookSender`], [`InboundWebhook`], each a trait in a file of its own and reached by a method of [`Plugin`] that answers `Option<&dyn …>`. Settings belong to a business and come along with every call ([`PluginSettings`]).
//!
//! [`contract`] has the tests that every plugin runs, [`sample`] a delivery to run them with; `plugins/example-chat` is a small plugin, whole.

mod calendar;
mod check;
pub mod clean;
mod compose;
pub mod contract;
mod delivery;
mod guard;
mod inbound;
mod message;
mod payments;
mod plugin;
mod reaction;
pub mod sample;
mod settings;
mod webhook;

pub use calendar::{
    BookingEvent, CalendarAccess, CalendarAccount, CalendarError, CalendarSync, ChannelRequest,
    Consent, ExternalCalendar, ExternalChange, ExternalMove, ExternalState, Next, Page, PullFrom,
    WatchChannel, Written,
};
pub use check::Check;
pub use compose::{
    Compose, ComposeError, Composed, Composer, HouseRules, TemplateProblem, Variable,
};
pub use delivery::{Delivery, Done, Failure};
pub use guard::{Guard, Proposal, Refused};
pub use inbound::{
    Inbound, InboundAbout, InboundRefused, InboundReply, InboundRequest, InboundWebhook,
};
pub use message::{
    Channel, Invitation, Letter, Message, MessageChannel, MessageStatus, NoAddress, Recipient,
    Sent, Wish,
};
pub use payments::{
    Dispute, DisputeStatus, ExternalStatus, FailedRefund, PaymentBegun, PaymentKind,
    PaymentRequest, PaymentState, Payments, RefundRequest, RefundState, RefundStatus,
};
pub use plugin::Plugin;
pub use reaction::{Reaction, Want};
pub use settings::{DESTINATION, PluginSettings, SettingsError, read_settings, settings_schema};
pub use webhook::{WebhookMessage, WebhookSender};

/// The attribute under which [`Reaction`] is implemented: `#[plugin_api::async_trait]`.
pub use async_trait::async_trait;
