//! Planning: what is said of an event, and when the booking is reminded of, written in one transaction under the lock of the booking. It does no
//! harm however often it is done, in whatever order: what is said of an event is planned once, and reminders follow the booking as it is now.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::booking::{Booking, Span};
use domain::event::{BookingFacts, Event};
use domain::id::{DeliveryId, Id};
use domain::notification::{Notification, NotificationStatus, Recipient, Rule, changes_reminders};
use domain::session::Session;
use plugin_api::{Delivery, Done, Failure, HouseRules};
use store::Conn;
use store::changes::{Changes, DeliveryRow};
use store::notification_plan::Replanned;
use uuid::Uuid;

use super::{MESSAGE, Saying, away, person, system};
use crate::catalogue::Catalogue;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Result};

struct PlanCase {
    engine: Engine,
    caller: Caller,
    event: Event,
    facts: BookingFacts,
}

impl UseCase for PlanCase {
    const IS_WAITED_FOR: bool = false;
    type Plan = Arc<Catalogue>;
    type Answer = ();

    async fn plan(&self, _: u32) -> Result<Arc<Catalogue>> {
        self.engine.catalogue(&self.caller).await
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        catalogue: &Arc<Catalogue>,
    ) -> Result<(Changes, ()), TxError> {
        let (business, id) = (self.caller.business, self.facts.booking_id);
        let booking = store::booking::booking_lock_in_tx(conn, business, id).await?;
        let booking = booking.ok_or_else(|| TxError::race("the booking is gone"))?;
        let existing = store::notification::notification_list(conn, business, &[id]).await?;
        let house = match self.engine.words(catalogue) {
            Some(words) => words.house,
            None => return Ok((Changes::default(), ())),
        };
        let mut planning = Planning {
            case: self,
            catalogue,
            house: &house,
            now: self.engine.clock().now(),
            new: Vec::new(),
            moved: Vec::new(),
            deliveries: Vec::new(),
        };
        planning.tell_of_the_event(&existing);
        if changes_reminders(self.event.kind) {
            let session = store::session::session_find(conn, business, booking.session_id).await?;
            let session = session.ok_or_else(|| TxError::race("the session is gone"))?;
            let tier = self.tier_on(conn, catalogue, &booking).await?;
            planning.remind(&booking, &session, &existing, tier.as_deref());
        }
        Ok((planning.write_in_tx(conn).await?, ()))
    }
}

impl PlanCase {
    /// The tier of the customer as it is now: what the event knew may be over. Asked only where a rule reminds by it.
    async fn tier_on(
        &self,
        conn: &Conn,
        catalogue: &Catalogue,
        booking: &Booking,
    ) -> Result<Option<String>> {
        let mut rules = catalogue.notification_rules.iter();
        if !rules.any(|rule| rule.is_reminder() && !rule.customer_tiers.is_empty()) {
            return Ok(None);
        }
        let (engine, id) = (&self.engine, booking.customer_id);
        Ok(engine.customer_on(conn, &self.caller, id).await?.tier)
    }
}

/// What is planned, on its way to be written.
struct Planning<'a> {
    case: &'a PlanCase,
    catalogue: &'a Catalogue,
    house: &'a HouseRules,
    now: DateTime<Utc>,
    new: Vec<Notification>,
    moved: Vec<Replanned>,
    deliveries: Vec<DeliveryRow>,
}

impl Planning<'_> {
    /// What the rules say of the event. What goes to one person by one plugin shares a delivery, and deliveries to them are in order.
    fn tell_of_the_event(&mut self, existing: &[Notification]) {
        let (event, facts) = (&self.case.event, &self.case.facts);
        let occasion_id = event.id.uuid();
        if existing
            .iter()
            .any(|known| known.occasion_id == occasion_id)
        {
            return;
        }
        let mut shared: BTreeMap<(String, String), DeliveryId> = BTreeMap::new();
        for rule in &self.catalogue.notification_rules {
            for recipient in rule.speaks_at(event.kind, facts) {
                let due_at = self.at_once(recipient);
                for mut draft in self.drafts(rule, recipient, occasion_id, due_at) {
                    if draft.status == NotificationStatus::Planned {
                        let person = person(facts, recipient);
                        let key = (draft.plugin.clone(), person.clone());
                        let id = match shared.get(&key) {
                            Some(id) => *id,
                            None => self.deliver(&draft, &person),
                        };
                        shared.insert(key, id);
                        draft.delivery_id = Some(id);
                    }
                    self.new.push(draft);
                }
            }
        }
    }

    /// When something is said that is said at once.
    fn at_once(&self, recipient: Recipient) -> DateTime<Utc> {
        let at = self.case.event.at;
        let quiet = self.house.quiet_hours.filter(|quiet| quiet.for_events);
        let zone = self.case.engine.zone_of(&self.case.facts, recipient);
        let around = quiet
            .zip(zone)
            .and_then(|(quiet, zone)| quiet.around(at, &zone));
        around.map_or(at, |(_, ends)| ends)
    }

    /// Has the reminders of the booking follow it as it is now.
    fn remind(
        &mut self,
        booking: &Booking,
        session: &Session,
        existing: &[Notification],
        tier: Option<&str>,
    ) {
        let service = session.service_id;
        let all = self.catalogue.notification_rules.iter();
        for rule in all.filter(|rule| rule.reminds_of(service)) {
            let recipient = rule.audience.recipient();
            let own: Vec<&Notification> = existing
                .iter()
                .filter(|known| known.rule_id == rule.id && known.is_reminder())
                .collect();
            let planned = |known: &&&Notification| known.status == NotificationStatus::Planned;
            let active: Vec<&Notification> = own.iter().filter(planned).copied().collect();
            let due = self.due(rule, recipient, session);
            let against = rule
                .silenced_by(booking.status)
                .or_else(|| rule.passes_over(tier));
            let late = (due <= self.now).then_some("its time had passed already");
            match (against, late) {
                (Some(reason), _) => {
                    for known in active {
                        self.replan(known, due, Some(reason));
                    }
                }
                // What came due in its time, and is not out yet, is owed all the same.
                (None, Some(reason)) => {
                    let now = self.now;
                    let to_come = |known: &&Notification| !known.is_due(now);
                    for known in active.into_iter().filter(to_come) {
                        self.replan(known, due, Some(reason));
                    }
                }
                (None, None) if !active.is_empty() => {
                    for known in active.into_iter().filter(|known| known.due_at != due) {
                        self.replan(known, due, None);
                    }
                }
                (None, None) if own.iter().all(|known| known.tried_at.is_none()) => {
                    self.begin_to_remind(rule, recipient, due);
                }
                // It was reminded of.
                (None, None) => {}
            }
        }
    }

    fn due(&self, rule: &Rule, recipient: Recipient, session: &Session) -> DateTime<Utc> {
        let span = Span {
            starts_at: session.starts_at,
            ends_at: session.ends_at,
        };
        let quiet = self.house.quiet_hours.as_ref();
        match self.case.engine.zone_of(&self.case.facts, recipient) {
            Some(zone) => rule.due(span, quiet, &zone),
            None => span.starts_at,
        }
    }

    fn begin_to_remind(&mut self, rule: &Rule, recipient: Recipient, due: DateTime<Utc>) {
        let occasion_id = self.case.facts.booking_id.uuid();
        for mut draft in self.drafts(rule, recipient, occasion_id, due) {
            if draft.status == NotificationStatus::Planned {
                let own = draft.id.to_string();
                draft.delivery_id = Some(self.deliver(&draft, &own));
            }
            self.new.push(draft);
        }
    }

    fn drafts(
        &self,
        rule: &Rule,
        recipient: Recipient,
        occasion_id: Uuid,
        due_at: DateTime<Utc>,
    ) -> Vec<Notification> {
        let saying = Saying {
            rule,
            recipient,
            occasion_id,
            facts: &self.case.facts,
            due_at,
            now: self.now,
        };
        let engine = &self.case.engine;
        let channels = rule.channels_for(recipient, self.case.facts.customer_channel);
        engine.drafts(self.catalogue, self.house, &saying, &channels)
    }

    fn replan(&mut self, known: &Notification, due_at: DateTime<Utc>, error: Option<&str>) {
        self.moved.push(Replanned {
            id: known.id.uuid(),
            due_at,
            error: error.map(str::to_owned),
            delivery_id: known.delivery_id.map(Id::uuid).unwrap_or_default(),
            plugin: known.plugin.clone(),
        });
    }

    fn deliver(&mut self, draft: &Notification, whom: &str) -> DeliveryId {
        let id = DeliveryId::from_uuid(Uuid::now_v7());
        let row = self.delivery(id, &draft.plugin, whom, draft.due_at);
        self.deliveries.push(row);
        id
    }

    fn delivery(
        &self,
        id: DeliveryId,
        plugin: &str,
        whom: &str,
        due_at: DateTime<Utc>,
    ) -> DeliveryRow {
        DeliveryRow {
            id: id.uuid(),
            event_id: self.case.event.id.uuid(),
            plugin: plugin.to_owned(),
            part: format!("{MESSAGE}{whom}"),
            booking_id: Some(self.case.facts.booking_id.uuid()),
            booking_version: self.case.facts.version,
            created_at: self.now,
            due_at,
        }
    }

    async fn write_in_tx(mut self, conn: &Conn) -> Result<Changes, TxError> {
        use store::notification_plan as stored;
        let business = self.case.caller.business;
        if !self.moved.is_empty() {
            let (rows, now) = (&self.moved, self.now);
            let moved = stored::notification_move_in_tx(conn, business, rows, now).await?;
            // Somebody has the delivery in hand, or it is over: another one comes at the new time.
            let left: Vec<Replanned> = std::mem::take(&mut self.moved);
            let left = left
                .into_iter()
                .filter(|row| row.error.is_none() && !moved.contains(&row.delivery_id));
            for row in left {
                let id = domain::id::NotificationId::from_uuid(row.id);
                let delivery = DeliveryId::from_uuid(Uuid::now_v7());
                stored::notification_carry_in_tx(conn, business, id, delivery).await?;
                let row = self.delivery(delivery, &row.plugin, &id.to_string(), row.due_at);
                self.deliveries.push(row);
            }
        }
        if !self.new.is_empty() {
            stored::notification_plan_in_tx(conn, business, &self.new).await?;
        }
        Ok(Changes {
            deliveries: self.deliveries,
            ..Changes::default()
        })
    }
}

impl Engine {
    /// Plans what is said of the event of a delivery.
    pub(super) async fn plan_notifications(&self, delivery: &Delivery) -> Result<Done, Failure> {
        let (event, caller) = (&delivery.event, system(delivery.business_id));
        let planned = match (&event.booking, event.customer_id) {
            (Some(facts), _) => self.plan_for(caller, event, facts.clone()).await,
            (None, Some(customer)) => self.follow_customer(caller, event, customer).await,
            (None, None) => return Ok(Done::skipped("the event has no booking")),
        };
        planned
            .map(|()| Done::Delivered)
            .map_err(|error| away(&error))
    }

    pub(super) async fn plan_for(
        &self,
        caller: Caller,
        event: &Event,
        facts: BookingFacts,
    ) -> Result<()> {
        let case = PlanCase {
            engine: self.clone(),
            caller,
            event: event.clone(),
            facts,
        };
        self.write(&caller, None, &case).await
    }
}
