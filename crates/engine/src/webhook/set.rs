//! Endpoints are made, changed, given new secrets and taken away.

use domain::id::{Id, WebhookEndpointId};
use domain::problem::Problem;
use domain::webhook::{ENDPOINTS_MAX, WebhookEndpoint, patterns};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::Conn;
use store::changes::Changes;
use store::webhook::SealedEndpoint;
use uuid::Uuid;

use super::secrets::Secrets;
use crate::idempotency::Key;
use crate::plugin::may_manage;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// The longest address.
const URL_MAX: usize = 2_000;

/// An endpoint to make, or how to change one.
#[derive(Debug, Clone, Serialize)]
pub struct SetEndpoint {
    /// Which to change; none: a new one.
    pub id: Option<WebhookEndpointId>,
    /// The address.
    pub url: String,
    /// Which events.
    pub events: Vec<String>,
    /// Whether anything is posted. Switching one on again that was paused begins anew.
    pub enabled: bool,
}

/// What a mutation of an endpoint answers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct EndpointAnswer {
    /// The endpoint.
    pub id: WebhookEndpointId,
    /// The number of the secret that was made; it is shown as long as it is the current one. None: none was made.
    pub secret_version: Option<i32>,
}

enum Change {
    Set(SetEndpoint),
    Rotate(WebhookEndpointId),
    Delete(WebhookEndpointId),
}

struct EndpointCase {
    engine: Engine,
    caller: Caller,
    change: Change,
}

enum Planned {
    Put(SealedEndpoint, EndpointAnswer),
    Delete(WebhookEndpointId),
}

impl UseCase for EndpointCase {
    type Plan = Planned;
    type Answer = EndpointAnswer;

    async fn plan(&self, _: u32) -> Result<Planned> {
        match &self.change {
            Change::Set(input) => {
                let (row, made) = match input.id {
                    None => (self.new_one().await?, true),
                    Some(id) => (self.found(&["input", "id"], id).await?, false),
                };
                let row = changed(row, input);
                Ok(planned(row, made))
            }
            Change::Rotate(id) => {
                let row = self.found(&["input", "id"], *id).await?;
                let now = self.engine.clock().now();
                // Secrets that cannot be opened any more can only be replaced.
                let secrets = match self.engine.secrets(&self.caller, &row) {
                    Some(secrets) => secrets.rotated(now)?,
                    None => Secrets::new()?,
                };
                let row = SealedEndpoint {
                    sealed: self.sealed(&secrets, *id)?,
                    secret_version: row.secret_version + 1,
                    version: row.version + 1,
                    ..row
                };
                Ok(planned(row, true))
            }
            Change::Delete(id) => {
                self.found(&["input", "id"], *id).await?;
                Ok(Planned::Delete(*id))
            }
        }
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        plan: &Planned,
    ) -> Result<(Changes, EndpointAnswer), TxError> {
        let business = self.caller.business;
        store::business::business_catalogue_raise_in_tx(conn, business).await?;
        let (is_written, answer) = match plan {
            Planned::Put(row, answer) => {
                let written =
                    store::webhook::webhook_endpoint_put_in_tx(conn, business, row).await?;
                // One that is switched on, or leads elsewhere, begins anew.
                if matches!(self.change, Change::Set(_)) {
                    store::webhook::webhook_health_clear(conn, business, answer.id).await?;
                }
                (written, *answer)
            }
            Planned::Delete(id) => {
                let gone =
                    store::webhook::webhook_endpoint_delete_in_tx(conn, business, *id).await?;
                let answer = EndpointAnswer {
                    id: *id,
                    secret_version: None,
                };
                (gone, answer)
            }
        };
        if is_written {
            Ok((Changes::default(), answer))
        } else {
            Err(TxError::race("the endpoint was changed meanwhile"))
        }
    }
}

impl EndpointCase {
    async fn found(&self, path: &[&str], id: WebhookEndpointId) -> Result<SealedEndpoint> {
        let conn = self.engine.0.database.conn().await?;
        let found = store::webhook::webhook_endpoint_find(&conn, self.caller.business, id).await?;
        Ok(found.ok_or_else(|| Problem::not_found(path, "webhook endpoint"))?)
    }

    /// An endpoint that is not written yet.
    async fn new_one(&self) -> Result<SealedEndpoint> {
        let catalogue = self.engine.catalogue(&self.caller).await?;
        if catalogue.webhooks.len() >= ENDPOINTS_MAX {
            let message = format!("there are {ENDPOINTS_MAX} endpoints already: take one away");
            return Err(Problem::conflict(&message).into());
        }
        let id = WebhookEndpointId::from_uuid(Uuid::now_v7());
        Ok(SealedEndpoint {
            endpoint: WebhookEndpoint {
                id,
                url: String::new(),
                events: Vec::new(),
                enabled: true,
                paused_at: None,
                created_at: self.engine.clock().now(),
            },
            sealed: self.sealed(&Secrets::new()?, id)?,
            secret_version: 1,
            version: 0,
        })
    }

    fn sealed(&self, secrets: &Secrets, id: WebhookEndpointId) -> Result<Vec<u8>> {
        secrets.sealed(&self.engine.0.vault, self.caller.business, id)
    }
}

fn changed(row: SealedEndpoint, input: &SetEndpoint) -> SealedEndpoint {
    let paused_at = row.endpoint.paused_at.filter(|_| !input.enabled);
    SealedEndpoint {
        endpoint: WebhookEndpoint {
            url: input.url.clone(),
            events: input.events.clone(),
            enabled: input.enabled,
            paused_at,
            ..row.endpoint
        },
        version: row.version + 1,
        ..row
    }
}

fn planned(row: SealedEndpoint, made_secret: bool) -> Planned {
    let answer = EndpointAnswer {
        id: row.endpoint.id,
        secret_version: made_secret.then_some(row.secret_version),
    };
    Planned::Put(row, answer)
}

impl Engine {
    /// Makes an endpoint, or changes one.
    pub async fn set_webhook_endpoint(
        &self,
        caller: &Caller,
        input: SetEndpoint,
        key: Option<&str>,
    ) -> Result<EndpointAnswer> {
        may_manage(caller)?;
        let key = Key::of("setWebhookEndpoint", key, &input)?;
        let path = ["input", "url"];
        let url = input.url.trim().to_owned();
        if url.is_empty() || url.len() > URL_MAX {
            let message = format!("must be 1 to {URL_MAX} characters long");
            return Err(Problem::invalid(&path, message).into());
        }
        let plugin = self.posting_plugin();
        let plugin = plugin.ok_or_else(|| Problem::conflict("this server posts no events"))?;
        let asked = url.clone();
        let address = self.ask_plugin(plugin, caller.business, move |plugin| {
            let sender = plugin.webhooks();
            sender.map_or(Ok(()), |sender| sender.address(&asked))
        });
        let address = address.await?;
        address.map_err(|wrong| Problem::invalid(&path, wrong))?;
        let events = patterns(&["input", "events"], &input.events)?;
        let input = SetEndpoint {
            url,
            events,
            ..input
        };
        self.change_endpoint(caller, key, Change::Set(input)).await
    }

    /// Gives an endpoint a new secret; the old one signs along for a day.
    pub async fn rotate_webhook_secret(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        key: Option<&str>,
    ) -> Result<EndpointAnswer> {
        may_manage(caller)?;
        let key = Key::of("rotateWebhookSecret", key, &id)?;
        self.change_endpoint(caller, key, Change::Rotate(id)).await
    }

    /// Takes an endpoint away; what is on its way to it is given up.
    pub async fn delete_webhook_endpoint(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        key: Option<&str>,
    ) -> Result<EndpointAnswer> {
        may_manage(caller)?;
        let key = Key::of("deleteWebhookEndpoint", key, &id)?;
        self.change_endpoint(caller, key, Change::Delete(id)).await
    }

    async fn change_endpoint(
        &self,
        caller: &Caller,
        key: Option<Key>,
        change: Change,
    ) -> Result<EndpointAnswer> {
        let (engine, caller) = (self.clone(), *caller);
        let case = EndpointCase {
            engine: self.clone(),
            caller,
            change,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }

    /// The secret that was made for this answer, as long as it is the current one.
    pub async fn webhook_secret(
        &self,
        caller: &Caller,
        answer: &EndpointAnswer,
    ) -> Result<Option<SecretString>> {
        may_manage(caller)?;
        let conn = self.0.database.conn().await?;
        let found =
            store::webhook::webhook_endpoint_find(&conn, caller.business, answer.id).await?;
        let made = found.filter(|row| Some(row.secret_version) == answer.secret_version);
        let Some(row) = made else { return Ok(None) };
        let secrets = self.secrets(caller, &row);
        let secrets = secrets.ok_or_else(|| {
            Error::Fault("the secrets of an endpoint cannot be opened".to_owned())
        })?;
        Ok(secrets.current().cloned())
    }

    /// The secrets of an endpoint; none with another key than they were sealed with.
    pub(super) fn secrets(&self, caller: &Caller, row: &SealedEndpoint) -> Option<Secrets> {
        Secrets::opened(&self.0.vault, caller.business, row.endpoint.id, &row.sealed)
    }
}
