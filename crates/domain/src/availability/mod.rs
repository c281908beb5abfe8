//! What is free, what may be booked and why not: one pure function of schedules, busy time, policies and now.
//!
//! It guarantees that [`slots`] lists a start exactly when [`decide`] allows it, because both ask the same stages, one
//! for each rule of AVAILABILITY.md:
//!
//! | module     | rules     | what it knows                                                        |
//! |------------|-----------|----------------------------------------------------------------------|
//! | `days`     | 2, 10, 11 | the local days of a place, and which instants they hold                |
//! | `hours`    | 2, 3, 4   | schedules as windows and stretches of working time                     |
//! | `grid`     | 6         | the candidate starts of a window or of the clock                       |
//! | `span`     | 7, 8      | which starts fit into a stretch, and which an interval forbids         |
//! | `timeline` | 8, 9, 11  | the busy time of one calendar                                          |
//! | `pool`     | 8         | enough units of the resources                                          |
//! | `place`    | 10, 11    | what holds for everyone at a place                                     |
//! | `desk`     | 7, 8, 9   | what holds for one provider there                                      |
//! | `listing`  | 13        | slots, and when time alone changes them                                |
//! | `roster`   | 13        | the providers of each slot                                             |
//! | `decision` | 9, 12, 14 | who takes a booking, with which units, or the reasons why nobody can   |
//! | `nearest`  |           | alternatives, and the next slot                                        |
//!
//! All of it works on sorted, disjoint lists of intervals of start minutes. A list is made for the starts in question
//! only: for weeks of them when slots are listed, for a single minute when a booking is decided.

mod days;
mod decision;
mod desk;
mod grid;
mod hours;
mod listing;
mod nearest;
mod place;
mod pool;
mod question;
mod roster;
mod span;
mod timeline;

pub use decision::{decide, decide_overriding};
pub use listing::{for_each_start, next_change, slots};
pub use nearest::{alternatives, next_slot};
pub use question::{Candidate, Place, Plan, Question, Requirement, Seats, Slot, Taken};
pub use roster::ProviderIds;
pub use timeline::{BusySession, HeldSeats, Timeline};
