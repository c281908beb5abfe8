//! The only crate that knows tables.
//!
//! One file per noun; functions are noun first (`booking_find`, `calendar_lock_in_tx`), so one prefix finds them all. Whoever
//! ends in `_in_tx` wants to run inside the caller's transaction; nobody here opens one. Every statement names the business it
//! is about; the few that look for due work over all businesses say so.

mod address;
pub mod allocation;
pub mod block;
pub mod booking;
pub mod business;
pub mod calendar;
pub mod calendar_channel;
pub mod calendar_connection;
pub mod calendar_consent;
pub mod calendar_delivery;
pub mod calendar_link;
pub mod calendar_route;
pub mod calendar_source;
mod change_rows;
pub mod changes;
pub mod customer;
pub mod database;
pub mod delivery;
pub mod delivery_due;
pub mod delivery_list;
pub mod dispatch;
pub mod error;
pub mod event;
pub mod external_event;
pub mod hold;
pub mod idempotency;
pub mod inbound_call;
pub mod location;
pub mod migrate;
pub mod notification;
pub mod notification_plan;
pub mod notification_rule;
pub mod payment;
pub mod plugin;
mod prepared;
pub mod provider;
pub mod resource;
pub mod schedule;
pub mod schema;
pub mod service;
pub mod session;
mod tls;
pub mod token;
pub mod webhook;

pub use database::{Conn, Database};
pub use error::StoreError;

/// What a store function answers.
pub type Result<T> = std::result::Result<T, StoreError>;
