//! The tests that need a database, and those that go through HTTP and WebSocket as clients do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod api;
mod booking;
mod delivery;
mod house;
mod live;
mod promises;
mod race;
mod storm;
