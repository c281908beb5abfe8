//! Following a customer: when what is known of one changes, the reminders of their bookings are looked at again, those that a rule for their
//! tier owes them now among them. It does no harm however often it is done. And following a rule: when it speaks at another time, what it has
//! planned is due then.

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::{BookingStatus, Span};
use domain::event::Event;
use domain::id::{BusinessId, CustomerId};
use domain::notification::{QuietHours, Recipient, Rule};
use store::booking::{BookingFilter, Page, Position};
use store::notification_plan::{PlannedReminder, Replanned};
use store::{Conn, StoreError};

use crate::{Caller, Engine, Result};

/// How many bookings are looked at in one go.
const STRETCH: i64 = 100;
/// Longer than any session lasts, in minutes: how long before its end one may have begun.
const SESSION_MAX: i64 = 7 * 24 * 60;

impl Engine {
    /// Has what a rule has planned be due when the rule as it is now has each of them be due, by the time of its booking. What would have been
    /// due already is not sent; what has come due by the rule as it was is owed.
    pub(super) async fn follow_rule_in_tx(
        &self,
        conn: &Conn,
        business: BusinessId,
        rule: &Rule,
        quiet: Option<&QuietHours>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        use store::notification_plan as stored;
        let planned = stored::notification_lock_planned_in_tx(conn, business, rule.id, now).await?;
        let moved = planned.into_iter().filter_map(|known| {
            let due_at = self.due_by(rule, quiet, &known);
            let is_late = due_at <= now;
            let stays = due_at == known.due_at || (is_late && known.due_at <= now);
            let error = "its time had passed when the rule was changed";
            (!stays).then(|| Replanned {
                id: known.id,
                due_at,
                error: is_late.then(|| error.to_owned()),
                delivery_id: known.delivery_id,
                plugin: known.plugin,
            })
        });
        let moved: Vec<Replanned> = moved.collect();
        if !moved.is_empty() {
            stored::notification_move_in_tx(conn, business, &moved, now).await?;
        }
        Ok(())
    }

    fn due_by(
        &self,
        rule: &Rule,
        quiet: Option<&QuietHours>,
        known: &PlannedReminder,
    ) -> DateTime<Utc> {
        let span = Span {
            starts_at: known.starts_at,
            ends_at: known.ends_at,
        };
        let is_customer = known.recipient == Recipient::Customer.name();
        let own = known.customer_zone.as_deref().filter(|_| is_customer);
        match self.zone_among(own, &known.location_zone) {
            Some(zone) => rule.due(span, quiet, &zone),
            None => known.due_at,
        }
    }

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
