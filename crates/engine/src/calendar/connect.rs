//! A provider's calendars elsewhere are connected, or chosen anew. The other side is asked first whether the access works and which calendars
//! there are; then the connection is written, and with it a delivery for every booking ahead.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use domain::actor::Right;
use domain::event::EventKind;
use domain::id::{BookingId, CalendarId, Id, ProviderId};
use domain::problem::Problem;
use plugin_api::{CalendarAccount, CalendarError, Plugin, PluginSettings};
use secrecy::{ExposeSecret, SecretString};
use store::Conn;
use store::calendar_connection::ConnectionRow;
use store::calendar_delivery::Desired;
use store::changes::Changes;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::access::no_calendar;
use super::choice::{read_from, sources, write_to};
use super::route;
use super::work::Work;
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result, secret};

/// Calendars to connect, or to choose anew.
#[derive(Debug, Clone)]
pub struct ConnectCalendar {
    /// Whose.
    pub provider_id: ProviderId,
    /// By which plugin.
    pub plugin: String,
    /// Their access; none: the one that is kept, else the business's own.
    pub refresh_token: Option<SecretString>,
    /// What is read for when they are busy; none: as it was, else the main one.
    pub read_from: Option<Vec<String>>,
    /// Where bookings are written, `Some(None)`: nowhere; none: as it was, else to the main one.
    pub write_to: Option<Option<String>>,
}

struct ConnectCase {
    engine: Engine,
    caller: Caller,
    plugin: Arc<dyn Plugin>,
    input: ConnectCalendar,
    /// Under which version of the plugin's settings the access is sent out, first of all by whoever had it given.
    settings: OnceLock<i64>,
    /// What the other side said, for the access that was asked with: it is asked once.
    account: OnceCell<Asked>,
}

/// The other side's answer, and to which access it was given.
struct Asked {
    before: Option<Uuid>,
    version: i64,
    subject: Option<String>,
    sealed: Option<Vec<u8>>,
    account: CalendarAccount,
}

struct ConnectPlan {
    catalogue: Arc<Catalogue>,
    /// The connection that takes the place of the one before, or is the same with another choice.
    row: ConnectionRow,
    /// The one before, where it ends.
    ends: Option<ConnectionRow>,
    is_new: bool,
}

impl UseCase for ConnectCase {
    type Plan = ConnectPlan;
    type Answer = ProviderId;

    async fn plan(&self, _: u32) -> Result<ConnectPlan> {
        let (engine, caller, input) = (&self.engine, &self.caller, &self.input);
        let conn = engine.0.database.conn().await?;
        let catalogue = engine.catalogue_on(&conn, caller.business).await?;
        let ids = [input.provider_id.uuid()];
        let list =
            store::calendar_connection::connection_list(&conn, caller.business, &ids).await?;
        drop(conn);
        let before = list.into_iter().next();
        let settings = engine
            .settings_in_use(&catalogue, &*self.plugin)
            .map_err(|not| Problem::conflict(not.to_string()))?;
        // Settings may lead to another address: there the access goes only when somebody connects by them.
        if *self.settings.get_or_init(|| settings.version()) != settings.version() {
            return Err(Problem::conflict("the settings have changed meanwhile: try again").into());
        }
        let same = before
            .clone()
            .filter(|row| row.plugin == self.plugin.name());
        let ask = || self.ask(&catalogue, same.as_ref(), settings);
        let asked = self.account.get_or_try_init(ask).await?;
        let of = |row: &ConnectionRow| (Some(row.id), row.version);
        if same.as_ref().map_or((None, 0), of) != (asked.before, asked.version) {
            return Err(
                Problem::conflict("the connection has changed meanwhile: try again").into(),
            );
        }
        let goes_on = same.filter(|row| row.account == asked.account.name);
        let ends = before.filter(|_| goes_on.is_none());
        let row = self.row(asked, goes_on.as_ref())?;
        Ok(ConnectPlan {
            catalogue,
            row,
            ends,
            is_new: goes_on.is_none(),
        })
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        plan: &ConnectPlan,
    ) -> Result<(Changes, ProviderId), TxError> {
        let (engine, caller, row) = (&self.engine, &self.caller, &plan.row);
        let (business, provider) = (caller.business, self.input.provider_id);
        let now = engine.clock().now();
        let version = store::business::business_catalogue_raise_in_tx(conn, business).await?;
        if version != plan.catalogue.version + 1 {
            return Err(TxError::race("the catalogue has changed"));
        }
        let mut changes = Changes::default();
        let calendars = vec![CalendarId::from(provider)];
        engine
            .lock_and_raise_in_tx(conn, caller, &calendars, &mut changes)
            .await?;
        let happening = Happening {
            kind: EventKind::CatalogueChanged,
            at: now,
            calendars,
            booking: None,
            hold: None,
            payment: None,
        };
        let recorded = engine.record(&plan.catalogue, &mut changes, happening)?;
        if let Some(ends) = &plan.ends {
            end_in_tx(conn, caller, ends, now).await?;
            route::write_tidy(&mut changes, &recorded, &ends.plugin, ends.id);
        }
        if plan.is_new {
            store::calendar_connection::connection_insert_in_tx(conn, business, row).await?;
        } else {
            if !store::calendar_connection::connection_renew_in_tx(conn, business, row).await? {
                return Err(TxError::race("the connection has changed"));
            }
            route::write_tidy(&mut changes, &recorded, &row.plugin, row.id);
        }
        let of = (row.id, provider);
        store::calendar_source::source_set_in_tx(conn, business, of, &sources(row), now).await?;
        store::external_event::external_event_free_in_tx(conn, business, row.id, false).await?;
        for booking in self.out_of_step_in_tx(conn, row, now).await? {
            route::write(&mut changes, &recorded, (&row.plugin, provider), booking);
        }
        Ok((changes, provider))
    }
}

impl ConnectCase {
    /// Asks the other side whose calendars these are.
    async fn ask(
        &self,
        catalogue: &Catalogue,
        same: Option<&ConnectionRow>,
        settings: PluginSettings,
    ) -> Result<Asked> {
        let (business, input) = (self.caller.business, &self.input);
        let name = self.plugin.name();
        let calendar = self.plugin.calendar();
        let calendar =
            calendar.ok_or_else(|| Problem::not_found(&["input", "plugin"], "calendar plugin"))?;
        let (mut sealed, mut subject) = (None, None);
        if let Some(token) = &input.refresh_token {
            let token = self
                .engine
                .seal_token(business, name, input.provider_id, token)?;
            sealed = Some(token);
        } else if let Some(kept) = same.and_then(|row| row.sealed.as_ref()) {
            sealed = Some(kept.clone());
        } else if calendar.has_own_access(&settings) {
            let provider = catalogue.provider(input.provider_id);
            subject = provider.and_then(|provider| provider.email.clone());
            if subject.is_none() {
                return Err(Problem::invalid(
                    &["input", "providerId"],
                    "the provider has no email address, by which their calendar is found",
                )
                .into());
            }
        } else {
            return Err(Problem::invalid(
                &["input", "refreshToken"],
                "is required: or have the provider consent by startCalendarConnection",
            )
            .into());
        }
        let trial = self.blank(subject.clone(), sealed.clone());
        let access = self
            .engine
            .access(business, &trial, settings)
            .map_err(|failure| Problem::conflict(failure.reason()))?;
        let asked = self.plugin.clone();
        let work = async move {
            let calendar = asked.calendar().ok_or_else(no_calendar)?;
            calendar.account(&access).await
        };
        let answer = self.engine.ask_calendar(&self.plugin, business, work).await;
        Ok(Asked {
            before: same.map(|row| row.id),
            version: same.map_or(0, |row| row.version),
            subject,
            sealed,
            account: answer.map_err(|error| self.refused(&error))?,
        })
    }

    fn refused(&self, error: &CalendarError) -> Error {
        let is_given = self.input.refresh_token.is_some();
        match error {
            CalendarError::Revoked { reason } if is_given => {
                Problem::invalid(&["input", "refreshToken"], reason.as_str()).into()
            }
            CalendarError::Revoked { reason } => Problem::conflict(format!(
                "the access was taken back, the provider has to consent anew: {reason}"
            ))
            .into(),
            error => {
                Problem::conflict(format!("the calendar could not be reached: {error}")).into()
            }
        }
    }

    /// A connection of the provider, as yet without calendars.
    fn blank(&self, subject: Option<String>, sealed: Option<Vec<u8>>) -> ConnectionRow {
        ConnectionRow {
            id: Uuid::now_v7(),
            provider_id: self.input.provider_id.uuid(),
            plugin: self.plugin.name().to_owned(),
            account: String::new(),
            subject,
            sealed,
            read_from: Vec::new(),
            write_to: None,
            version: 1,
            broken_at: None,
            last_error: None,
            conflict: None,
            conflict_at: None,
            created_at: self.engine.clock().now(),
            ended_at: None,
        }
    }

    /// The connection as it will be.
    fn row(&self, asked: &Asked, goes_on: Option<&ConnectionRow>) -> Result<ConnectionRow> {
        let account = &asked.account;
        let mut row = self.blank(asked.subject.clone(), asked.sealed.clone());
        row.account.clone_from(&account.name);
        row.read_from = read_from(self.input.read_from.as_deref(), account, goes_on)?;
        row.write_to = write_to(self.input.write_to.as_ref(), account, goes_on)?;
        if let Some(before) = goes_on {
            row.id = before.id;
            row.version = before.version + 1;
            row.created_at = before.created_at;
        }
        Ok(row)
    }

    /// What waited for the access goes out, and every booking ahead that does not stand there as it should.
    async fn out_of_step_in_tx(
        &self,
        conn: &Conn,
        row: &ConnectionRow,
        now: DateTime<Utc>,
    ) -> Result<Vec<(BookingId, i64)>, TxError> {
        let (business, provider) = (self.caller.business, self.input.provider_id);
        let part = Work::Keep(provider).part();
        let of = (row.plugin.as_str(), part.as_str());
        store::calendar_delivery::calendar_delivery_wake_in_tx(conn, business, of, now).await?;
        let desired = Desired {
            connection: row.id,
            provider,
            write_to: row.write_to.as_deref(),
            plugin: &row.plugin,
            part: &part,
        };
        let found =
            store::calendar_delivery::calendar_delivery_missing(conn, business, desired, now)
                .await?;
        Ok(found
            .into_iter()
            .map(|row| (BookingId::from_uuid(row.booking_id), row.version))
            .collect())
    }
}

/// Ends a connection: nothing more is read by it, and what was read makes nobody busy. Answers whether it had not ended before.
pub(super) async fn end_in_tx(
    conn: &Conn,
    caller: &Caller,
    row: &ConnectionRow,
    now: DateTime<Utc>,
) -> Result<bool, TxError> {
    let business = caller.business;
    let provider = ProviderId::from_uuid(row.provider_id);
    let has_ended =
        store::calendar_connection::connection_end_in_tx(conn, business, row.id, now).await?;
    store::calendar_source::source_set_in_tx(conn, business, (row.id, provider), &[], now).await?;
    store::external_event::external_event_free_in_tx(conn, business, row.id, true).await?;
    Ok(has_ended)
}

/// Who sets the hours of a provider connects their calendars.
pub(super) fn may_connect(caller: &Caller, provider: ProviderId) -> Result<()> {
    if caller.actor.may(Right::ManageSchedule(Some(provider))) {
        Ok(())
    } else {
        Err(Error::forbidden(caller, "connect this provider's calendar"))
    }
}

impl Engine {
    /// Connects a provider's calendars elsewhere, or chooses among them.
    pub async fn connect_calendar(
        &self,
        caller: &Caller,
        input: ConnectCalendar,
        key: Option<&str>,
    ) -> Result<ProviderId> {
        self.connect_calendar_by(caller, input, key, OnceLock::new())
            .await
    }

    /// The same, by these settings alone, where they are given: by their version.
    pub(super) async fn connect_calendar_by(
        &self,
        caller: &Caller,
        input: ConnectCalendar,
        key: Option<&str>,
        settings: OnceLock<i64>,
    ) -> Result<ProviderId> {
        may_connect(caller, input.provider_id)?;
        let token = input.refresh_token.as_ref();
        let token = token.map(|token| secret::hash(token.expose_secret().as_bytes()));
        let asked = (
            input.provider_id,
            &input.plugin,
            token,
            &input.read_from,
            &input.write_to,
        );
        let key = Key::of("connectCalendar", key, &asked)?;
        let plugin = self
            .connectable(caller, &["input"], input.provider_id, &input.plugin)
            .await?;
        let (engine, caller) = (self.clone(), *caller);
        let case = ConnectCase {
            engine: self.clone(),
            caller,
            plugin,
            input,
            settings,
            account: OnceCell::new(),
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }

    /// The plugin by which a provider's calendars are connected.
    pub(super) async fn connectable(
        &self,
        caller: &Caller,
        path: &[&str],
        provider: ProviderId,
        plugin: &str,
    ) -> Result<Arc<dyn Plugin>> {
        let at = |field| [path, &[field]].concat();
        let catalogue = self.catalogue(caller).await?;
        catalogue
            .provider(provider)
            .ok_or_else(|| Problem::not_found(&at("providerId"), "provider"))?;
        let plugin = self.plugin_named(&at("plugin"), plugin)?;
        if plugin.calendar().is_none() {
            return Err(Problem::not_found(&at("plugin"), "calendar plugin").into());
        }
        self.settings_in_use(&catalogue, &*plugin)
            .map_err(|not| Problem::conflict(not.to_string()))?;
        Ok(plugin)
    }
}
