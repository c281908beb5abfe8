//! Idempotency keys: the same key with the same input answers the first answer again and does nothing; with another input it is
//! refused. Keys of different actors do not meet. The key itself is not stored, only its hash: what is derived from it (the manage
//! token) cannot be read out of the database.

use chrono::{DateTime, Utc};
use domain::actor::Actor;
use domain::problem::Problem;
use domain::text::KEY_MAX;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::changes::IdempotencyRow;

use crate::{Caller, Engine, Error, Result, secret};

/// A key with the request that bears it.
pub(crate) struct Key {
    text: String,
    operation: &'static str,
    input_hash: Vec<u8>,
}

impl Key {
    /// The key of a request, if it bears one; `input` is everything else that the request says.
    pub(crate) fn of(
        operation: &'static str,
        text: Option<&str>,
        input: &impl Serialize,
    ) -> Result<Option<Self>> {
        let Some(text) = text else { return Ok(None) };
        if text.is_empty() || text.chars().count() > KEY_MAX {
            let path = ["input", "idempotencyKey"];
            return Err(
                Problem::invalid(&path, format!("must be 1 to {KEY_MAX} characters long")).into(),
            );
        }
        let input = serde_json::to_vec(input).map_err(|error| Error::Fault(error.to_string()))?;
        Ok(Some(Self {
            text: text.to_owned(),
            operation,
            input_hash: secret::hash(&input),
        }))
    }

    /// The key as the client sent it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn hash(&self) -> Vec<u8> {
        secret::hash(self.text.as_bytes())
    }

    /// The row that remembers the answer.
    pub(crate) fn row(
        &self,
        caller: &Caller,
        answer: &impl Serialize,
        now: DateTime<Utc>,
    ) -> Result<IdempotencyRow> {
        Ok(IdempotencyRow {
            scope: scope(&caller.actor),
            key_hash: secret::hex(&self.hash()),
            operation: self.operation,
            input_hash: secret::hex(&self.input_hash),
            answer: serde_json::to_value(answer)
                .map_err(|error| Error::Fault(error.to_string()))?,
            created_at: now,
        })
    }
}

fn scope(actor: &Actor) -> String {
    match actor {
        Actor::Anonymous => "anonymous".to_owned(),
        Actor::Guest(booking) => booking.to_string(),
        Actor::Customer(customer) => customer.to_string(),
        Actor::Provider(_, token) | Actor::Manager(token) | Actor::Owner(token) => {
            token.to_string()
        }
        Actor::System | Actor::Calendar => "system".to_owned(),
    }
}

impl Engine {
    /// What was answered under the key, if it was used; refused if it was used with another input.
    pub(crate) async fn answered<A: DeserializeOwned>(
        &self,
        caller: &Caller,
        key: Option<&Key>,
    ) -> Result<Option<A>> {
        let Some(key) = key else { return Ok(None) };
        let conn = self.0.database.conn().await?;
        let found = store::idempotency::idempotency_find(
            &conn,
            caller.business,
            &scope(&caller.actor),
            &key.hash(),
        )
        .await?;
        let Some(found) = found else { return Ok(None) };
        if found.operation != key.operation || found.input_hash != key.input_hash {
            return Err(Problem::IdempotencyConflict.into());
        }
        serde_json::from_value(found.answer)
            .map(Some)
            .map_err(|error| Error::Fault(error.to_string()))
    }
}
