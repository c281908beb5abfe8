//! By what a calendar elsewhere is reached, and what it means that it is not any more.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::event::EventKind;
use domain::id::{BusinessId, CalendarId, Id, ProviderId};
use plugin_api::{CalendarAccess, CalendarError, Failure, Plugin, PluginSettings};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::Conn;
use store::calendar_connection::ConnectionRow;
use store::changes::Changes;
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// How long the other side may take to answer somebody who waits.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long what waits for a new access waits before it looks again by itself.
const BROKEN_WAIT: Duration = Duration::from_secs(300);

/// The name under which a provider's token is sealed: it opens for nobody else.
fn sealed_for(plugin: &str, provider: ProviderId) -> String {
    format!("{plugin}/{provider}")
}

impl Engine {
    /// Keeps a refresh token.
    pub(super) fn seal_token(
        &self,
        business: BusinessId,
        plugin: &str,
        provider: ProviderId,
        token: &SecretString,
    ) -> Result<Vec<u8>> {
        let kept = json!({ "refreshToken": token.expose_secret() });
        self.0
            .vault
            .seal(business, &sealed_for(plugin, provider), &kept)
    }

    /// The refresh token that was kept; none: it cannot be opened.
    pub(super) fn open_token(
        &self,
        business: BusinessId,
        plugin: &str,
        provider: ProviderId,
        sealed: &[u8],
    ) -> Option<SecretString> {
        let name = sealed_for(plugin, provider);
        let kept = self.0.vault.open(business, &name, sealed)?;
        Some(kept.get("refreshToken")?.as_str()?.to_owned().into())
    }

    /// By what a connection reaches its calendars.
    pub(super) fn access(
        &self,
        business: BusinessId,
        connection: &ConnectionRow,
        settings: PluginSettings,
    ) -> Result<CalendarAccess, Failure> {
        let provider_id = ProviderId::from_uuid(connection.provider_id);
        let open = |sealed: &Vec<u8>| {
            self.open_token(business, &connection.plugin, provider_id, sealed)
                .ok_or_else(|| {
                    Failure::misconfigured(
                        "the access cannot be opened with this server's secret key: connect anew",
                    )
                })
        };
        Ok(CalendarAccess {
            business_id: business,
            provider_id,
            settings,
            refresh_token: connection.sealed.as_ref().map(open).transpose()?,
            subject: connection.subject.clone(),
        })
    }

    /// What an error of a calendar means for the work at hand. One that is final breaks the connection, and the work waits for a new access.
    pub(super) async fn calendar_failed(
        &self,
        business: BusinessId,
        connection: &ConnectionRow,
        error: CalendarError,
    ) -> Failure {
        match error {
            CalendarError::Failed(failure) => failure,
            CalendarError::TokenExpired => Failure::retry("the other side wants a new reading"),
            CalendarError::Revoked { reason } => {
                let caller = Caller::system(business);
                let case = BreakCase {
                    engine: self.clone(),
                    caller,
                    connection: connection.clone(),
                    reason,
                };
                match self.write(&caller, None, &case).await {
                    Ok(()) => broken(),
                    Err(error) => away(&error),
                }
            }
        }
    }
}

impl Engine {
    /// What the other side answers to somebody who waits for it.
    pub(super) async fn ask_calendar<T: Send + 'static>(
        &self,
        plugin: &Arc<dyn Plugin>,
        business: BusinessId,
        work: impl Future<Output = Result<T, CalendarError>> + Send + 'static,
    ) -> Result<T, CalendarError> {
        let answer = self.ask_other_side(plugin, business, PATIENCE, work).await;
        answer.unwrap_or_else(|none| Err(Failure::from(none).into()))
    }

    /// Forgets what providers gave access to their calendars with: the plugin's settings lead elsewhere by now, and nobody has agreed to send it
    /// there. They connect anew.
    pub(crate) async fn forget_accesses_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        catalogue: &Catalogue,
        plugin: &str,
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        let (business, now) = (caller.business, self.clock().now());
        let reason = "the settings lead to another address: connect anew";
        let providers = store::calendar_connection::connection_forget_all_in_tx(
            conn, business, plugin, now, reason,
        )
        .await?;
        for provider in providers {
            let broken = broken_happening(provider, now);
            self.record(catalogue, changes, broken)?;
        }
        Ok(())
    }
}

/// That a provider has to connect anew.
fn broken_happening(provider: Uuid, at: DateTime<Utc>) -> Happening {
    Happening {
        kind: EventKind::CalendarBroken,
        at,
        calendars: vec![CalendarId::from_uuid(provider)],
        booking: None,
        hold: None,
        payment: None,
    }
}

/// The plugin has no such part any more.
pub(super) fn no_calendar() -> Failure {
    Failure::give_up("the plugin keeps no calendars any more")
}

/// Nothing can be done until the provider connects anew.
pub(super) fn broken() -> Failure {
    Failure::NotYet {
        after: Some(BROKEN_WAIT),
        reason: "the access to the calendar was taken back: the provider has to connect anew"
            .to_owned(),
    }
}

/// Trouble of our own: it passes.
pub(super) fn away(error: &Error) -> Failure {
    Failure::retry(match error {
        Error::Unavailable(_) => "the database was away".to_owned(),
        _ => {
            tracing::error!(%error, "a calendar elsewhere could not be worked on");
            "something went wrong inside: see the log".to_owned()
        }
    })
}

struct BreakCase {
    engine: Engine,
    caller: Caller,
    connection: ConnectionRow,
    reason: String,
}

impl UseCase for BreakCase {
    type Plan = Arc<Catalogue>;
    type Answer = ();

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        self.engine.catalogue(&self.caller).await
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        catalogue: &Self::Plan,
    ) -> Result<(Changes, ()), TxError> {
        let (connection, now) = (&self.connection, self.engine.clock().now());
        let this = (connection.id, connection.version);
        let (business, reason) = (self.caller.business, &self.reason);
        let is_news =
            store::calendar_connection::connection_break_in_tx(conn, business, this, now, reason)
                .await?;
        let mut changes = Changes::default();
        if is_news {
            tracing::warn!(%business, plugin = connection.plugin, reason, "a calendar's access was taken back");
            let broken = broken_happening(connection.provider_id, now);
            self.engine.record(catalogue, &mut changes, broken)?;
        }
        Ok((changes, ()))
    }
}
