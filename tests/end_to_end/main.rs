//! The tests that need a database, and those that go through HTTP and WebSocket as clients do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::similar_names,
    clippy::too_many_lines,
    reason = "tests: a failure is a panic, and a story is told whole"
)]

mod apart;
mod api;
mod authorization;
mod booking;
mod calendar_storm;
mod calendars;
mod delivery;
mod dispatch;
mod disputes;
mod google;
mod google_settings;
mod hang_up;
mod house;
mod limits;
mod live;
mod mail_elsewhere;
mod mail_settings;
mod memory;
mod notices;
mod notifications;
mod payment_storm;
mod payments;
mod plugins;
mod promises;
mod race;
mod refusal;
mod restart;
mod retention;
mod schedule;
mod slow_reader;
mod socket;
mod storm;
mod stripe;
mod stripe_later;
mod stripe_settings;
mod twilio;
mod unreadable;
mod webhooks;
mod zones;
