//! What a test can do and ask.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::fault::{Call, Fault};
use crate::push::{Channel, Notification};
use crate::world::{Calendar, Called, Granted, Listed};
use crate::{FakeGoogle, SERVICE_EMAIL};

/// What a consent covers where nothing is said: events, and which calendars there are.
const SCOPE: &str = "https://www.googleapis.com/auth/calendar.events https://www.googleapis.com/auth/calendar.calendarlist.readonly";

impl FakeGoogle {
    /// From now on it is this time, until it is set again; else it is the machine's.
    pub fn set_now(&self, at: DateTime<Utc>) {
        self.world().now = Some(at);
    }

    /// Somebody opens an account: it has a calendar of this zone, under the account's name. The first one sits at the browser.
    pub fn add_account(&self, email: &str, time_zone: &str) {
        self.add(email, email, email, "owner", time_zone);
        let mut world = self.world();
        world.signed_in.get_or_insert_with(|| email.to_owned());
    }

    /// An account sees one more calendar; `role` is `owner`, `writer`, `reader` or `freeBusyReader`. Several can see the same.
    pub fn add_calendar(&self, email: &str, id: &str, name: &str, role: &str, time_zone: &str) {
        self.add(email, id, name, role, time_zone);
    }

    fn add(&self, email: &str, id: &str, name: &str, role: &str, time_zone: &str) {
        let mut world = self.world();
        let calendar = Calendar {
            name: name.to_owned(),
            time_zone: time_zone.to_owned(),
            ..Calendar::default()
        };
        world.calendars.entry(id.to_owned()).or_insert(calendar);
        let listed = Listed {
            calendar: id.to_owned(),
            role: role.to_owned(),
            is_primary: id == email,
        };
        world
            .accounts
            .entry(email.to_owned())
            .or_default()
            .push(listed);
    }

    /// The service account's own account, with a calendar of its own; it has none before.
    pub fn add_service_account(&self) {
        self.add(SERVICE_EMAIL, SERVICE_EMAIL, SERVICE_EMAIL, "owner", "UTC");
    }

    /// An account sees a calendar no more.
    pub fn remove_calendar(&self, email: &str, id: &str) {
        if let Some(listed) = self.world().accounts.get_mut(email) {
            listed.retain(|listed| listed.calendar != id);
        }
    }

    /// Who sits at the browser, and gives consent.
    pub fn sign_in(&self, email: &str) {
        let mut world = self.world();
        world.signed_in = Some(email.to_owned());
        world.refuses_consent = false;
    }

    /// Whoever sits at the browser says no.
    pub fn refuse_consent(&self) {
        self.world().refuses_consent = true;
    }

    /// Whoever sits at the browser does not tick this box.
    pub fn untick(&self, scope: &str) {
        self.world().unticked.insert(scope.to_owned());
    }

    /// A refresh token of an account, as a consent would have brought it.
    pub fn refresh_token(&self, email: &str) -> String {
        let granted = Granted {
            account: email.to_owned(),
            scope: SCOPE.to_owned(),
        };
        self.world().grant(granted)
    }

    /// Whether the service account may stand in for people.
    pub fn delegate(&self, is_delegated: bool) {
        self.world().is_delegated = is_delegated;
    }

    /// Somebody takes all access to their account back.
    pub fn revoke(&self, email: &str) {
        let mut world = self.world();
        world
            .refresh_tokens
            .retain(|_, granted| granted.account != email);
        world
            .access_tokens
            .retain(|_, granted| granted.account != email);
    }

    /// All access tokens run out.
    pub fn expire_access_tokens(&self) {
        self.world().access_tokens.clear();
    }

    /// How long new access tokens are said to be good.
    pub fn let_tokens_last(&self, seconds: u64) {
        self.world().token_seconds = seconds;
    }

    /// All sync tokens run out: 410.
    pub fn expire_sync_tokens(&self) {
        self.world().sync_tokens.clear();
    }

    /// All page tokens run out: 400.
    pub fn expire_page_tokens(&self) {
        self.world().page_tokens.clear();
    }

    /// Lists come in pages of no more than this.
    pub fn limit_pages(&self, size: usize) {
        self.world().page_max = size.max(1);
    }

    /// The next call of this kind goes wrong in this way. Several queue up.
    pub fn fault(&self, call: Call, fault: Fault) {
        self.world().faults.push_back((call, fault));
    }

    /// The calls that came in, in order.
    pub fn calls(&self) -> Vec<Called> {
        self.world().calls.clone()
    }

    /// How many calls of this kind came in.
    pub fn count(&self, call: Call) -> usize {
        let world = self.world();
        let meant = |called: &&Called| called.call == call;
        world.calls.iter().filter(meant).count()
    }

    /// The owner of a calendar makes an event of these fields, as the API takes them. Answers its id.
    pub fn put_event(&self, calendar: &str, event: &Value) -> Result<String, String> {
        let made = self.world().insert(&as_owner(calendar), event);
        let made = made.map_err(|error| error.body.to_string())?;
        Ok(made["id"].as_str().unwrap_or_default().to_owned())
    }

    /// The owner of a calendar is busy. Answers the event's id.
    pub fn put_busy(
        &self,
        calendar: &str,
        starts_at: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<String, String> {
        let event = json!({ "summary": "Private", "start": when(starts_at), "end": when(ends_at) });
        self.put_event(calendar, &event)
    }

    /// The owner changes these fields of an event; null takes one away. An instance of a recurring event (by its id) becomes one of its own.
    pub fn change_event(&self, calendar: &str, id: &str, changes: &Value) -> Result<(), String> {
        let mut world = self.world();
        let listed = as_owner(calendar);
        let failed = |error: crate::error::Error| error.body.to_string();
        world.detach(calendar, id).map_err(failed)?;
        let known = world.get(&listed, id).map_err(failed)?;
        let mut changes = changes.clone();
        changes["sequence"] = known["sequence"].clone();
        let after = world.patch(&listed, id, &changes, None);
        after.map(drop).map_err(failed)
    }

    /// The owner moves an event.
    pub fn move_event(
        &self,
        calendar: &str,
        id: &str,
        starts_at: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<(), String> {
        let mut changes = json!({ "start": when(starts_at), "end": when(ends_at) });
        for name in ["start", "end"] {
            changes[name]["date"] = Value::Null;
        }
        self.change_event(calendar, id, &changes)
    }

    /// The owner deletes an event, or an instance of a recurring one.
    pub fn delete_event(&self, calendar: &str, id: &str) -> Result<(), String> {
        let mut world = self.world();
        let failed = |error: crate::error::Error| error.body.to_string();
        world.detach(calendar, id).map_err(failed)?;
        let deleted = world.delete(&as_owner(calendar), id, None);
        deleted.map_err(failed)
    }

    /// The owner declines an event that they are invited to.
    pub fn decline_event(&self, calendar: &str, id: &str) -> Result<(), String> {
        let owner = json!({ "email": calendar, "self": true, "responseStatus": "declined" });
        let guest = json!({ "email": "boss@elsewhere.example", "organizer": true, "responseStatus": "accepted" });
        self.change_event(calendar, id, &json!({ "attendees": [owner, guest] }))
    }

    /// An event, deleted or not; null where there is none.
    pub fn event(&self, calendar: &str, id: &str) -> Value {
        let found = self.world().get(&as_owner(calendar), id);
        found.unwrap_or_default()
    }

    /// What stands in a calendar: the events that are not deleted, recurring ones as one.
    pub fn events(&self, calendar: &str) -> Vec<Value> {
        let world = self.world();
        let stored = world.calendars.get(calendar);
        let events = stored
            .into_iter()
            .flat_map(|calendar| calendar.events.values());
        let there = events.filter(|stored| stored.json["status"] != "cancelled");
        there
            .map(|stored| Value::Object(stored.json.clone()))
            .collect()
    }

    /// The channels that are open.
    pub fn channels(&self) -> Vec<Channel> {
        let world = self.world();
        let open = world.channels.values();
        open.map(|open| open.channel.clone()).collect()
    }

    /// All channels end, as if they had run out: nobody is told.
    pub fn forget_channels(&self) {
        self.world().channels.clear();
    }

    /// Whether changes are told to nobody, as happens.
    pub fn be_silent(&self, is_silent: bool) {
        self.world().is_silent = is_silent;
    }

    /// The calls that channels have made, in order.
    pub fn notifications(&self) -> Vec<Notification> {
        self.world().notifications.clone()
    }

    /// Waits until channels have made so many calls in all.
    pub async fn notified(&self, count: usize) {
        let mut notified = self.notified.clone();
        // It fails only when the server has ended.
        drop(notified.wait_for(|made| *made >= count).await);
    }
}

impl crate::World {
    /// Makes an instance of a recurring event one of its own, so that it can be changed.
    fn detach(&mut self, calendar_id: &str, id: &str) -> Result<(), crate::error::Error> {
        let calendar = self.calendar(calendar_id)?;
        if calendar.events.contains_key(id) {
            return Ok(());
        }
        let master = id.rsplit_once('_').map_or("", |(master, _)| master);
        let Some(master) = calendar.events.get(master) else {
            return Ok(());
        };
        let mut fields = master.json.clone();
        let instances = crate::recurrence::instances(&fields, &calendar.time_zone);
        let Some(instance) = instances.into_iter().find(|instance| instance.id == id) else {
            return Ok(());
        };
        fields.remove("recurrence");
        fields.insert("recurringEventId".to_owned(), fields["id"].clone());
        fields.insert("originalStartTime".to_owned(), instance.start.clone());
        fields.insert("id".to_owned(), id.into());
        fields.insert("start".to_owned(), instance.start);
        fields.insert("end".to_owned(), instance.end);
        self.store(calendar_id, id, fields).map(drop)
    }
}

fn as_owner(calendar: &str) -> Listed {
    Listed {
        calendar: calendar.to_owned(),
        role: "owner".to_owned(),
        is_primary: true,
    }
}

fn when(at: DateTime<Utc>) -> Value {
    json!({ "dateTime": at.to_rfc3339_opts(SecondsFormat::Secs, true), "timeZone": "UTC" })
}
