//! The GraphQL API: thin. It translates what is asked into calls of the engine, and what the engine answers into the types of the
//! contract; it decides nothing.
//!
//! Guaranteed: what a client can mend is a problem in a mutation's payload, and in a query an error with the same code; every
//! error has `extensions.code`; what went wrong inside is logged under a trace id, and only that id is shown.
#![recursion_limit = "512"]
#![allow(
    clippy::unused_async,
    reason = "every resolver is async, also one that has nothing to wait for"
)]

mod availability;
mod block;
mod booking;
mod booking_change;
mod booking_list;
mod business;
mod calendar;
mod connection;
mod customer;
mod delivery;
mod deposit;
mod executor;
mod expansion;
mod extension;
mod failure;
mod hold;
mod id;
mod location;
mod money;
mod node;
mod notification;
mod notification_change;
mod payment;
mod plugin;
mod problem;
mod provider;
mod request;
mod resource;
mod resource_kind;
mod root;
mod scalar;
mod schedule;
mod service;
mod service_input;
mod session;
mod settle;
mod slot;
mod subscription;
mod timetable;
mod webhook;

use async_graphql::{Response, SDLExportOptions};

pub use executor::Api;
pub use root::{Mutation, Query, Subscription};

/// The schema that the server runs. Each request brings its [`engine::Caller`] along: `request.data(caller)`.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// How much one request may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep fields may be nested. The introspection query of GraphiQL is 15 deep.
    pub depth: usize,
    /// How many fields the answer may have by a rough estimate made before anything runs: a page of bookings counts by its size, any
    /// other list as ten.
    pub complexity: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 15,
            complexity: 5_000,
        }
    }
}

/// The schema on an engine.
pub fn schema(engine: engine::Engine, limits: Limits) -> Schema {
    Schema::build(Query::default(), Mutation::default(), Subscription)
        .data(engine)
        .limit_depth(limits.depth)
        .limit_complexity(limits.complexity)
        .extension(extension::Answering(limits))
        .finish()
}

/// The schema in GraphQL's schema language: types by name, fields in the order in which they are declared.
pub fn sdl() -> String {
    let schema = Schema::new(Query::default(), Mutation::default(), Subscription);
    schema.sdl_with_options(
        SDLExportOptions::new()
            .prefer_single_line_descriptions()
            .use_space_ident(),
    )
}

/// The answer to a request that failed before it was run, because nobody knows who asks about which business.
pub fn error_response(error: &engine::Error) -> Response {
    Response::from_errors(vec![failure::Failure::from(error).into_server_error()])
}

/// How many fields a list of unknown length is taken for.
const LIST_COST: usize = 10;
