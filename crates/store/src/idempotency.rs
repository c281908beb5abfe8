//! Answers under idempotency keys, written in the transaction that did what they answer.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id};

use crate::schema::idempotency;
use crate::{Conn, Result};

/// The answer that a key was given.
pub struct Answered {
    /// The operation it was given for.
    pub operation: String,
    /// SHA-256 of the operation's input.
    pub input_hash: Vec<u8>,
    /// The answer.
    pub answer: serde_json::Value,
}

/// What was answered under this key, if anything.
pub async fn idempotency_find(
    mut conn: &Conn,
    business: BusinessId,
    scope: &str,
    key_hash: &[u8],
) -> Result<Option<Answered>> {
    let found = idempotency::table
        .find((business.uuid(), scope, key_hash))
        .select((
            idempotency::operation,
            idempotency::input_hash,
            idempotency::answer,
        ))
        .first::<(String, Vec<u8>, serde_json::Value)>(&mut conn)
        .await
        .optional()?;
    Ok(found.map(|(operation, input_hash, answer)| Answered {
        operation,
        input_hash,
        answer,
    }))
}

/// Forgets answers older than an instant, over all businesses; answers how many.
pub async fn idempotency_forget(
    mut conn: &Conn,
    before: chrono::DateTime<chrono::Utc>,
) -> Result<usize> {
    let old = idempotency::table.filter(idempotency::created_at.lt(before));
    Ok(diesel::delete(old).execute(&mut conn).await?)
}
