//! The one binary, as a library: the command line, the configuration, HTTP and WebSocket, and the list of plugins.
//!
//! [`app`] is what a test runs in its own process; [`command`] is what the binary runs. Nobody else knows the names of plugins.

pub mod app;
mod bench;
mod cluster;
pub mod command;
mod config;
pub mod demo;
mod http;
mod logging;
mod mail;
mod output;
mod plugins;
mod secret_key;
mod signals;
