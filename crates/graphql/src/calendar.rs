//! Calendars elsewhere: a provider's connection to them, and how it is made and ended.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use engine::calendar::{self as engine_calendar, ConnectCalendar};

use crate::failure::{Failure, Result};
use crate::id::parsed;
use crate::plugin::PluginState;
use crate::provider::ProviderPayload;
use crate::request::Asked;
use crate::scalar::DateTime;
use crate::settle::bare;

/// A provider's connection to their calendars elsewhere: what is busy there blocks their slots here, and their bookings stand there.
#[derive(SimpleObject)]
pub struct CalendarConnection {
    /// By which plugin: `calendar-google`.
    plugin: String,
    /// The account, as its owner knows it.
    account: Option<String>,
    /// How it fares. BROKEN: the access was taken back, and the provider has to connect anew; what is due waits.
    state: PluginState,
    /// When all of its calendars had been read last. Null: not yet.
    last_sync_at: Option<DateTime>,
    /// What is wrong, in a sentence; also the last booking that could not follow its event, for a week.
    last_error: Option<String>,
    /// The calendars that are read for when the provider is busy.
    read_from: Vec<String>,
    /// The calendar to which bookings are written. Null: none.
    write_to: Option<String>,
}

impl CalendarConnection {
    pub(crate) fn new(
        shown: engine_calendar::CalendarConnection,
        zone: &domain::zone::Zone,
    ) -> Self {
        Self {
            plugin: shown.plugin,
            account: Some(shown.account),
            state: shown.state.into(),
            last_sync_at: shown.last_sync_at.map(|at| DateTime::new(at, zone)),
            last_error: shown.last_error,
            read_from: shown.read_from,
            write_to: shown.write_to,
        }
    }
}

/// Calendars elsewhere to connect, or to choose anew.
#[derive(InputObject)]
pub struct ConnectCalendarInput {
    /// Whose.
    provider_id: ID,
    /// By which plugin: `calendar-google`.
    plugin: String,
    /// A refresh token of the provider's account. Default: the access that is there already, else the business's own (a service account).
    refresh_token: Option<String>,
    /// The calendars that are read for when the provider is busy, at most 20. Default: as it was, at first the main one.
    read_from: Option<Vec<String>>,
    /// The calendar to which bookings are written. Null: none, and what was written is taken away. Default: as it was, at first the main one.
    write_to: MaybeUndefined<String>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

#[derive(Default)]
pub struct CalendarMutation;

#[Object]
impl CalendarMutation {
    /// Answers the address of the page on which the provider gives consent; good for ten minutes. The answer comes back to
    /// `/plugins/<name>/<business>/oauth`; when the provider has confirmed there, the calendar is connected. Owners, managers, and the provider themself.
    async fn start_calendar_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose calendar.")] provider_id: ID,
        #[graphql(desc = "By which plugin: `calendar-google`.")] plugin: String,
    ) -> Result<String> {
        let asked = Asked::of(ctx)?;
        let provider = parsed(&["providerId"], &provider_id).map_err(Failure::from)?;
        let started = asked
            .engine
            .start_calendar_connection(&asked.caller, provider, &plugin);
        Ok(started.await?)
    }

    /// Connects the calendars of a provider whose access is there already (a refresh token, or the business's service account), or chooses
    /// among them. The other side is asked first; unknown calendars are INVALID. Owners, managers, and the provider themself.
    async fn connect_calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The connection.")] input: ConnectCalendarInput,
    ) -> Result<ProviderPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let connect = ConnectCalendar {
                provider_id: parsed(&["input", "providerId"], &input.provider_id)?,
                plugin: input.plugin,
                refresh_token: input.refresh_token.map(Into::into),
                read_from: input.read_from,
                write_to: input.write_to.as_opt_ref().map(Option::<&String>::cloned),
            };
            let key = input.idempotency_key.as_deref();
            asked
                .engine
                .connect_calendar(&asked.caller, connect, key)
                .await
        };
        ProviderPayload::of(ctx, outcome.await).await
    }

    /// Disconnects the calendars of a provider: what is busy there blocks nothing any more, and the bookings ahead are taken away there, as far as
    /// that can be done. Owners, managers, and the provider themself.
    async fn disconnect_calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose calendars.")] provider_id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<ProviderPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let provider = parsed(&["providerId"], &provider_id)?;
            let key = idempotency_key.as_deref();
            asked
                .engine
                .disconnect_calendar(&asked.caller, provider, key)
                .await
        };
        ProviderPayload::of(ctx, bare(outcome.await)).await
    }
}
