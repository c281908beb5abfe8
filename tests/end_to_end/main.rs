//! The tests that need a database, and those that go through HTTP and WebSocket as clients do.

mod booking;
mod race;
