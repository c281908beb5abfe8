//! The rules of booking, and nothing else.
//!
//! Everything here is a value or a pure function: no IO, no async runtime, no database, no GraphQL, and no reading of
//! the clock (the one exception, named there: [`zone`] reads the zone files of the system). What a rule needs arrives as an argument, the time too; what it decides leaves as a value.

pub mod actor;
pub mod availability;
pub mod booking;
pub mod business;
pub mod calendar;
pub mod customer;
pub mod deposit;
pub mod event;
pub mod hold;
pub mod id;
pub mod interval;
pub mod location;
pub mod money;
pub mod notification;
pub mod payment;
pub mod policy;
pub mod problem;
pub mod provider;
pub mod reference;
pub mod resource;
pub mod schedule;
pub mod service;
pub mod session;
pub mod text;
pub mod webhook;
pub mod zone;
