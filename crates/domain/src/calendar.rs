//! Calendars: whatever can be busy. Each provider and each resource has exactly one, which bears its id; a service has one
//! too, on which its sessions are counted. A calendar's version rises with every change that bears on when it is free.

use std::collections::BTreeMap;

use crate::id::CalendarId;

/// The version of a calendar; 0 when it is new.
pub type Version = i64;

/// Versions of several calendars, in the one order in which calendars are locked.
pub type Versions = BTreeMap<CalendarId, Version>;
