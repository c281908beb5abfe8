//! Where the bookings of providers are written elsewhere: what of their connections is part of the catalogue.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, ProviderId};
use uuid::Uuid;

use crate::schema::calendar_connection;
use crate::{Conn, Result};

/// Where the bookings of a provider are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarRoute {
    /// By which connection.
    pub connection_id: Uuid,
    /// By which plugin.
    pub plugin: String,
    /// To which calendar; none: nowhere.
    pub write_to: Option<String>,
}

/// The routes by all connections that have not ended, by provider.
pub async fn route_list(
    mut conn: &Conn,
    business: BusinessId,
) -> Result<Vec<(ProviderId, CalendarRoute)>> {
    let rows = calendar_connection::table
        .filter(calendar_connection::business_id.eq(business.uuid()))
        .filter(calendar_connection::ended_at.is_null())
        .select((
            calendar_connection::provider_id,
            calendar_connection::id,
            calendar_connection::plugin,
            calendar_connection::write_to,
        ))
        .load::<(Uuid, Uuid, String, Option<String>)>(&mut conn)
        .await?;
    let route = |(provider, connection_id, plugin, write_to)| {
        let route = CalendarRoute {
            connection_id,
            plugin,
            write_to,
        };
        (ProviderId::from_uuid(provider), route)
    };
    Ok(rows.into_iter().map(route).collect())
}
