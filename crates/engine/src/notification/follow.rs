//! Following a customer: when what is known of one changes, the reminders of their bookings are looked at again, those that a rule for their
//! tier owes them now among them. It does no harm however often it is done.

use chrono::TimeDelta;
use domain::booking::BookingStatus;
use domain::event::Event;
use domain::id::CustomerId;
use domain::notification::Rule;
use store::booking::{BookingFilter, Page, Position};

use crate::{Caller, Engine, Result};

/// How many bookings are looked at in one go.
const STRETCH: i64 = 100;
/// Longer than any session lasts, in minutes: how long before its end one may have begun.
const SESSION_MAX: i64 = 7 * 24 * 60;

impl Engine {
    /// Has the reminders of a customer's bookings follow the customer as they are now.
    pub(super) async fn follow_customer(
        &self,
        caller: Caller,
        event: &Event,
        customer: CustomerId,
    ) -> Result<()> {
        let catalogue = self.catalogue(&caller).await?;
        let reminds = |rule: &&Rule| rule.enabled && rule.is_reminder();
        let rules = catalogue.notification_rules.iter().filter(reminds);
        // What ended earlier nothing can be due of any more.
        let Some(latest) = rules.map(|rule| i64::from(rule.offset_minutes)).max() else {
            return Ok(());
        };
        let back = TimeDelta::minutes(latest.max(0) + SESSION_MAX);
        let filter = BookingFilter {
            statuses: Some(vec![
                BookingStatus::Confirmed,
                BookingStatus::CheckedIn,
                BookingStatus::Completed,
            ]),
            from: Some(self.clock().now() - back),
            customer_id: Some(customer),
            ..BookingFilter::default()
        };
        let mut after: Option<Position> = None;
        loop {
            let page = Page {
                after,
                before: None,
                limit: STRETCH,
                backward: false,
            };
            let found = self.bookings(&caller, &filter, page).await?;
            for (_, booking) in &found.bookings {
                let facts = self.facts_of(&caller, &catalogue, booking.id).await?;
                self.plan_for(caller, event, facts).await?;
            }
            after = found.bookings.last().map(|(position, _)| *position);
            if !found.has_more || after.is_none() {
                return Ok(());
            }
        }
    }
}
