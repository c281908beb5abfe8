//! AVAILABILITY.md, rule by rule and by example; then as a whole against an oracle that tries every minute.

// What is denied outside tests is denied outside test functions; the helpers here serve nothing else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
// Numbers of days, units and places are small.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

mod answer;
mod examples;
mod hours;
mod joining;
mod limits;
mod oracle;
mod oracle_windows;
mod overrides;
mod properties;
mod scenario;
mod starts;
mod time;
mod world;
