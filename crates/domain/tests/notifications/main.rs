//! By which rules people are spoken to.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "tests: a failure is a panic, and a table is as long as it is"
)]

mod rules;
mod tiers;
mod when;

use domain::id::{Id, NotificationRuleId};
use domain::notification::{Audience, Channel, Moment, Rule};
use uuid::Uuid;

fn reminder(moment: Moment, offset_minutes: i32) -> Rule {
    Rule {
        id: NotificationRuleId::from_uuid(Uuid::nil()),
        moment,
        offset_minutes,
        audience: Audience::Customer,
        channels: vec![Channel::Email],
        template: "reminder".to_owned(),
        enabled: true,
        service_ids: Vec::new(),
        customer_tiers: Vec::new(),
    }
}
