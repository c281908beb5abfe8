//! The binary as its operator runs it: a process of its own, killed or beside another.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "tests; the mails are named by us"
)]

mod calendars;
mod everything;
mod kill;
mod pair;
mod private_hosts;
mod server;
