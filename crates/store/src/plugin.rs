//! What a business has set of plugins, sealed, and how they fare for it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id};

use crate::prepared::Prepared;
use crate::schema::{plugin_health, plugin_setting};
use crate::{Conn, Result};

/// What a business has set of one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = plugin_setting)]
pub struct PluginSetting {
    /// The plugin's name.
    pub plugin: String,
    /// Whether the business uses it.
    pub enabled: bool,
    /// The settings, sealed; none where only `enabled` was ever set.
    pub sealed: Option<Vec<u8>>,
    /// Rises with every change, from 1.
    pub version: i64,
}

/// Everything that a business has set.
pub async fn plugin_setting_list(
    mut conn: &Conn,
    business: BusinessId,
) -> Result<Vec<PluginSetting>> {
    Ok(plugin_setting::table
        .filter(plugin_setting::business_id.eq(business.uuid()))
        .select(PluginSetting::as_select())
        .load(&mut conn)
        .await?)
}

/// Sets a plugin of a business, if what was set before is at the version just below; answers whether it was.
pub async fn plugin_setting_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &PluginSetting,
    at: DateTime<Utc>,
) -> Result<bool> {
    let values = (
        plugin_setting::enabled.eq(row.enabled),
        plugin_setting::sealed.eq(&row.sealed),
        plugin_setting::version.eq(row.version),
        plugin_setting::updated_at.eq(at),
    );
    let written = if row.version == 1 {
        diesel::insert_into(plugin_setting::table)
            .values((
                plugin_setting::business_id.eq(business.uuid()),
                plugin_setting::plugin.eq(&row.plugin),
                values,
            ))
            .on_conflict_do_nothing()
            .execute(&mut conn)
            .await?
    } else {
        let own = plugin_setting::table
            .filter(plugin_setting::business_id.eq(business.uuid()))
            .filter(plugin_setting::plugin.eq(&row.plugin))
            .filter(plugin_setting::version.eq(row.version - 1));
        diesel::update(own).set(values).execute(&mut conn).await?
    };
    Ok(written == 1)
}

/// How a plugin fares for a business.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = plugin_health)]
pub struct PluginHealth {
    /// The plugin's name.
    pub plugin: String,
    /// When something last worked.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When something last failed.
    pub last_error_at: Option<DateTime<Utc>>,
    /// Why.
    pub last_error: Option<String>,
    /// How often in a row it failed, up to now.
    pub failures_in_row: i32,
}

/// How the plugins fare that ever did anything for a business.
pub async fn plugin_health_list(
    mut conn: &Conn,
    business: BusinessId,
) -> Result<Vec<PluginHealth>> {
    Ok(plugin_health::table
        .filter(plugin_health::business_id.eq(business.uuid()))
        .select(PluginHealth::as_select())
        .load(&mut conn)
        .await?)
}

/// Records that a plugin has failed for a business, where that was no attempt at a delivery.
pub async fn plugin_fail_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<()> {
    let failed = (
        plugin_health::last_error_at.eq(at),
        plugin_health::last_error.eq(reason),
    );
    diesel::insert_into(plugin_health::table)
        .values((
            plugin_health::business_id.eq(business.uuid()),
            plugin_health::plugin.eq(plugin),
            plugin_health::failures_in_row.eq(1),
            failed,
        ))
        .on_conflict((plugin_health::business_id, plugin_health::plugin))
        .do_update()
        .set((
            plugin_health::failures_in_row.eq(plugin_health::failures_in_row + 1),
            failed,
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// How many deliveries of a plugin are in one state.
#[derive(Debug, Clone, QueryableByName)]
pub struct OpenCount {
    /// The plugin's name.
    #[diesel(sql_type = Text)]
    pub plugin: String,
    /// `waiting` or `parked`.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// How many deliveries of a business are waiting and parked, by plugin; those that events are still to become are counted by themselves.
pub async fn plugin_open_counts(mut conn: &Conn, business: BusinessId) -> Result<Vec<OpenCount>> {
    Ok(Prepared(
        diesel::sql_query(
            "SELECT plugin, 'waiting' AS status, count(*) AS count FROM delivery \
               WHERE business_id = $1 AND status = 'waiting' GROUP BY plugin \
             UNION ALL SELECT plugin, 'parked', count(*) FROM delivery \
               WHERE business_id = $1 AND status = 'parked' GROUP BY plugin \
             UNION ALL SELECT plugin, 'waiting', count(*) FROM dispatch, unnest(plugins) AS plugin \
               WHERE business_id = $1 GROUP BY plugin",
        )
        .bind::<SqlUuid, _>(business.uuid()),
    )
    .load(&mut conn)
    .await?)
}
