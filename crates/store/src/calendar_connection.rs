//! Connections of providers to their calendars elsewhere. A provider has one at a time; one that has ended is kept until its traces at the
//! other side are gone.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id};
use uuid::Uuid;

use crate::schema::calendar_connection;
use crate::{Conn, Result};

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = calendar_connection)]
pub struct ConnectionRow {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub provider_id: Uuid,
    /// By which plugin.
    pub plugin: String,
    /// The account, as its owner knows it.
    pub account: String,
    /// Whom the business's own access stands in for.
    pub subject: Option<String>,
    /// The refresh token, sealed; none: by the business's own access.
    pub sealed: Option<Vec<u8>>,
    /// What is read for when the provider is busy.
    pub read_from: Vec<String>,
    /// Where bookings are written.
    pub write_to: Option<String>,
    /// Rises with every new access, and when one is forgotten.
    pub version: i64,
    /// Since when the access does not work any more.
    pub broken_at: Option<DateTime<Utc>>,
    /// Why.
    pub last_error: Option<String>,
    /// The booking that could not follow its event.
    pub conflict: Option<String>,
    /// Since when that is said.
    pub conflict_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The connection with this id, ended or not.
pub async fn connection_find(
    mut conn: &Conn,
    business: BusinessId,
    id: Uuid,
) -> Result<Option<ConnectionRow>> {
    let found = calendar_connection::table
        .find((business.uuid(), id))
        .select(ConnectionRow::as_select())
        .first(&mut conn)
        .await;
    Ok(found.optional()?)
}

/// The connections of these providers that have not ended.
pub async fn connection_list(
    mut conn: &Conn,
    business: BusinessId,
    providers: &[Uuid],
) -> Result<Vec<ConnectionRow>> {
    Ok(calendar_connection::table
        .filter(calendar_connection::business_id.eq(business.uuid()))
        .filter(calendar_connection::provider_id.eq_any(providers))
        .filter(calendar_connection::ended_at.is_null())
        .select(ConnectionRow::as_select())
        .load(&mut conn)
        .await?)
}

/// Adds a connection.
pub async fn connection_insert_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &ConnectionRow,
) -> Result<()> {
    diesel::insert_into(calendar_connection::table)
        .values((calendar_connection::business_id.eq(business.uuid()), row))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Gives a connection that has not ended its choice of calendars and, where there is one, a new access: it works again. Answers whether it
/// was as it was read.
pub async fn connection_renew_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &ConnectionRow,
) -> Result<bool> {
    let own = calendar_connection::table
        .find((business.uuid(), row.id))
        .filter(calendar_connection::ended_at.is_null())
        .filter(calendar_connection::version.eq(row.version - 1));
    let written = diesel::update(own)
        .set((
            calendar_connection::sealed.eq(&row.sealed),
            calendar_connection::subject.eq(&row.subject),
            calendar_connection::read_from.eq(&row.read_from),
            calendar_connection::write_to.eq(&row.write_to),
            calendar_connection::version.eq(row.version),
            calendar_connection::broken_at.eq(None::<DateTime<Utc>>),
            calendar_connection::last_error.eq(None::<String>),
            calendar_connection::conflict.eq(None::<String>),
            calendar_connection::conflict_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(&mut conn)
        .await?;
    Ok(written == 1)
}

/// Ends a connection: what was read by it is forgotten, and nothing more is. Answers whether it had not ended before.
pub async fn connection_end_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: Uuid,
    at: DateTime<Utc>,
) -> Result<bool> {
    let own = calendar_connection::table
        .find((business.uuid(), id))
        .filter(calendar_connection::ended_at.is_null());
    let ended = diesel::update(own)
        .set(calendar_connection::ended_at.eq(at))
        .execute(&mut conn)
        .await?;
    Ok(ended == 1)
}

/// Says that the access does not work any more; answers whether that is news of this version of it.
pub async fn connection_break_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    (id, version): (Uuid, i64),
    at: DateTime<Utc>,
    reason: &str,
) -> Result<bool> {
    let own = calendar_connection::table
        .find((business.uuid(), id))
        .filter(calendar_connection::version.eq(version))
        .filter(calendar_connection::ended_at.is_null())
        .filter(calendar_connection::broken_at.is_null());
    let broken = diesel::update(own)
        .set((
            calendar_connection::broken_at.eq(at),
            calendar_connection::last_error.eq(reason),
        ))
        .execute(&mut conn)
        .await?;
    Ok(broken == 1)
}

/// Forgets the access of every connection of a plugin, and every consent that is under way; answers the providers whose calendars that cuts off.
/// Whoever read an access before does not write it back: the version rises.
pub async fn connection_forget_all_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    at: DateTime<Utc>,
    reason: &str,
) -> Result<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct CutOff {
        #[diesel(sql_type = SqlUuid)]
        provider_id: Uuid,
    }
    let rows: Vec<CutOff> = diesel::sql_query(
        "WITH known AS (SELECT id, provider_id, ended_at IS NULL AND broken_at IS NULL AS is_used FROM calendar_connection \
           WHERE business_id = $1 AND plugin = $2 AND sealed IS NOT NULL ORDER BY id FOR UPDATE), \
         forgotten AS (UPDATE calendar_connection c SET sealed = NULL, version = c.version + 1, broken_at = coalesce(c.broken_at, $3), \
             last_error = $4 \
           FROM known k WHERE c.business_id = $1 AND c.id = k.id), \
         consents AS (DELETE FROM calendar_consent WHERE business_id = $1 AND plugin = $2) \
         SELECT provider_id FROM known WHERE is_used",
    )
    .bind::<SqlUuid, _>(business.uuid())
    .bind::<Text, _>(plugin)
    .bind::<Timestamptz, _>(at)
    .bind::<Text, _>(reason)
    .load(&mut conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.provider_id).collect())
}

/// Says of which booking the event was put back, for staff.
pub async fn connection_flag_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: Uuid,
    at: DateTime<Utc>,
    conflict: &str,
) -> Result<()> {
    diesel::update(calendar_connection::table.find((business.uuid(), id)))
        .set((
            calendar_connection::conflict.eq(conflict),
            calendar_connection::conflict_at.eq(at),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Forgets the access of a connection that has ended, what was written by it and what was read.
pub async fn connection_forget_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: Uuid,
) -> Result<()> {
    use crate::schema::{calendar_link, calendar_source};
    let links = calendar_link::table
        .filter(calendar_link::business_id.eq(business.uuid()))
        .filter(calendar_link::connection_id.eq(id));
    diesel::delete(links).execute(&mut conn).await?;
    let sources = calendar_source::table
        .filter(calendar_source::business_id.eq(business.uuid()))
        .filter(calendar_source::connection_id.eq(id))
        .filter(calendar_source::next_sync_at.is_null());
    diesel::delete(sources).execute(&mut conn).await?;
    let own = calendar_connection::table
        .find((business.uuid(), id))
        .filter(calendar_connection::ended_at.is_not_null());
    diesel::update(own)
        .set(calendar_connection::sealed.eq(None::<Vec<u8>>))
        .execute(&mut conn)
        .await?;
    Ok(())
}
