//! Plugins as a business sees them: which there are, which it uses with what settings, and how they fare.
//!
//! Guaranteed: a secret goes in and never comes out, nor goes elsewhere than where it was given for; settings are stored sealed; what is stored was
//! found right by the plugin. Whether a business uses a plugin is part of its catalogue, so that a booking need not ask for it.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::actor::Right;
use domain::problem::Problem;
use plugin_api::{Plugin, PluginSettings};
use serde::Serialize;
use serde_json::{Map, Value};
use store::Conn;
use store::changes::Changes;
use store::plugin::{PluginHealth, PluginSetting};

use crate::catalogue::Catalogue;
use crate::idempotency::Key;
use crate::notification::send_what_waited_in_tx;
use crate::payment::{FEE, PAYMENT};
use crate::settings::{lead_elsewhere, merged, without_secrets};
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// So many failures in a row, and a plugin counts as broken.
const BROKEN: i32 = 5;

/// Why a plugin is not used for a business at the moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInUse {
    /// The business has switched it off, or never on.
    #[error("this business does not use the plugin")]
    Disabled,
    /// Its settings were sealed with another key than this server has.
    #[error(
        "the settings cannot be opened with this server's secret key: set them again, or start it with the key they were sealed with"
    )]
    Sealed,
    /// What the business has set cannot be read: a fault, which the log tells.
    #[error("the business's catalogue cannot be read: see the server's log")]
    Unreadable,
}

/// A plugin as a business sees it.
pub struct PluginOfBusiness {
    /// The plugin.
    pub plugin: Arc<dyn Plugin>,
    /// Whether the business uses it.
    pub enabled: bool,
    /// What is set, secrets shown as `***`; none where nothing is.
    pub settings: Option<Value>,
    /// How it fares.
    pub health: PluginFares,
}

/// How a plugin fares for a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFares {
    /// In one word.
    pub state: PluginState,
    /// When something last worked.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When something last failed.
    pub last_error_at: Option<DateTime<Utc>>,
    /// Why.
    pub last_error: Option<String>,
    /// Deliveries on their way.
    pub waiting: i64,
    /// Deliveries that nobody tries any more.
    pub parked: i64,
}

/// How a plugin fares, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginState {
    /// What it last did worked, or it did nothing yet.
    Ok,
    /// What it last did failed.
    Retrying,
    /// It only fails, or its settings cannot be read.
    Broken,
    /// The business does not use it.
    Disabled,
}

/// What to set of a plugin.
#[derive(Debug, Clone, Serialize)]
pub struct ConfigurePlugin {
    /// Which.
    pub name: String,
    /// What to change: a field left out stays, null removes one.
    pub settings: Value,
    /// Whether the business uses it; left out: as it is, and yes where it was never set.
    pub enabled: Option<bool>,
}

struct ConfigureCase {
    engine: Engine,
    caller: Caller,
    plugin: Arc<dyn Plugin>,
    input: ConfigurePlugin,
}

struct ConfigurePlan {
    catalogue: Arc<Catalogue>,
    row: PluginSetting,
    /// Whether it switches the plugin off, or on.
    is_switch: bool,
    /// Whether what providers gave access with would be sent elsewhere than they were told.
    leads_elsewhere: bool,
}

impl UseCase for ConfigureCase {
    type Plan = ConfigurePlan;
    type Answer = String;

    async fn plan(&self, _: u32) -> Result<ConfigurePlan> {
        let catalogue = self.engine.catalogue(&self.caller).await?;
        let name = self.plugin.name();
        let before = catalogue.plugins.get(name);
        // Settings that cannot be opened any more can only be replaced.
        let known = self
            .engine
            .settings_of(&catalogue, name)
            .unwrap_or_else(|_| PluginSettings::none());
        let settings = merged(
            &self.plugin.settings_schema(),
            known.json(),
            &self.input.settings,
        )
        .map_err(Error::Refused)?;
        let enabled = self
            .input
            .enabled
            .unwrap_or_else(|| before.is_none_or(|row| row.enabled));
        let is_empty = settings.as_object().is_none_or(Map::is_empty);
        if enabled || !is_empty {
            let (asked, business) = (settings.clone(), self.caller.business);
            let valid = self
                .engine
                .ask_plugin(&self.plugin, business, move |plugin| {
                    plugin.validate(&asked)
                });
            valid.await?.map_err(|error| {
                let path: Vec<&str> = ["input", "settings"]
                    .into_iter()
                    .chain(error.path.iter().map(String::as_str))
                    .collect();
                Problem::invalid(&path, error.message.clone())
            })?;
        }
        let sealed = self
            .engine
            .0
            .vault
            .seal(self.caller.business, name, &settings)?;
        let row = PluginSetting {
            plugin: name.to_owned(),
            enabled,
            sealed: Some(sealed),
            version: before.map_or(1, |row| row.version + 1),
        };
        let schema = self.plugin.settings_schema();
        Ok(ConfigurePlan {
            leads_elsewhere: self.plugin.calendar().is_some()
                && lead_elsewhere(&schema, known.json(), &settings),
            is_switch: is_in_use(&catalogue, &*self.plugin) != enabled,
            row,
            catalogue,
        })
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        ConfigurePlan {
            catalogue,
            row,
            is_switch,
            leads_elsewhere,
        }: &ConfigurePlan,
    ) -> Result<(Changes, String), TxError> {
        let (engine, caller) = (&self.engine, &self.caller);
        let (business, now) = (caller.business, engine.clock().now());
        let version = store::business::business_catalogue_raise_in_tx(conn, business).await?;
        if version != catalogue.version + 1 {
            return Err(TxError::race("the catalogue has changed"));
        }
        let mut changes = Changes::default();
        if *is_switch {
            let to = (row.plugin.as_str(), row.enabled);
            changes = engine
                .switch_calendars_in_tx(conn, caller, catalogue, to)
                .await?;
        }
        if *leads_elsewhere {
            let plugin = row.plugin.as_str();
            engine
                .forget_accesses_in_tx(conn, caller, catalogue, plugin, &mut changes)
                .await?;
        }
        if !store::plugin::plugin_setting_put_in_tx(conn, business, row, now).await? {
            return Err(TxError::race("the settings were changed meanwhile"));
        }
        if self
            .input
            .settings
            .as_object()
            .is_some_and(|set| !set.is_empty())
        {
            // A booking may wait for what went wrong by the old settings: it is tried by these, however often it was before. No harm where it
            // goes wrong again: every call about money has one effect. But no card is charged because of a change of settings with what nobody tries
            // any more: staff ask for that by hand, or for another fee.
            let (name, parts) = (&row.plugin, (PAYMENT, FEE));
            store::delivery_list::delivery_retry_all_in_tx(conn, business, name, parts, now)
                .await?;
            if row.enabled {
                send_what_waited_in_tx(conn, business, name, now).await?;
            }
        }
        Ok((changes, row.plugin.clone()))
    }
}

impl Engine {
    /// Every plugin that the server has, as the caller's business sees it.
    pub async fn plugins_of_business(&self, caller: &Caller) -> Result<Vec<PluginOfBusiness>> {
        may_manage(caller)?;
        let conn = self.0.database.conn().await?;
        let catalogue = self.catalogue_on(&conn, caller.business).await?;
        let (health, counts) = futures_util::try_join!(
            store::plugin::plugin_health_list(&conn, caller.business),
            store::plugin::plugin_open_counts(&conn, caller.business),
        )?;
        let mut health: HashMap<String, PluginHealth> = health
            .into_iter()
            .map(|row| (row.plugin.clone(), row))
            .collect();
        let shown = self.plugins().iter().map(|plugin| {
            let count = |status: &str| {
                let own = counts
                    .iter()
                    .filter(|row| row.plugin == plugin.name() && row.status == status);
                own.map(|row| row.count).sum()
            };
            let health = health.remove(plugin.name()).unwrap_or_default();
            self.shown(
                &catalogue,
                plugin,
                health,
                (count("waiting"), count("parked")),
            )
        });
        Ok(shown.collect())
    }

    fn shown(
        &self,
        catalogue: &Catalogue,
        plugin: &Arc<dyn Plugin>,
        health: PluginHealth,
        (waiting, parked): (i64, i64),
    ) -> PluginOfBusiness {
        let enabled = is_in_use(catalogue, &**plugin);
        let settings = self.settings_of(catalogue, plugin.name());
        let state = match &settings {
            _ if !enabled => PluginState::Disabled,
            Err(_) => PluginState::Broken,
            Ok(_) if health.failures_in_row >= BROKEN => PluginState::Broken,
            Ok(_) if health.failures_in_row > 0 => PluginState::Retrying,
            Ok(_) => PluginState::Ok,
        };
        let last_error = settings
            .as_ref()
            .err()
            .map(ToString::to_string)
            .or(health.last_error);
        let shown = settings.ok().filter(|settings| settings.version() > 0);
        PluginOfBusiness {
            plugin: plugin.clone(),
            enabled,
            settings: shown
                .map(|settings| without_secrets(&plugin.settings_schema(), settings.json())),
            health: PluginFares {
                state,
                last_success_at: health.last_success_at,
                last_error_at: health.last_error_at,
                last_error,
                waiting,
                parked,
            },
        }
    }

    /// Changes what a business has set of a plugin, and answers the plugin's name.
    pub async fn configure_plugin(
        &self,
        caller: &Caller,
        input: ConfigurePlugin,
        key: Option<&str>,
    ) -> Result<String> {
        may_manage(caller)?;
        let key = Key::of("configurePlugin", key, &input)?;
        let plugin = self.plugin_named(&["input", "name"], &input.name)?;
        let (engine, caller) = (self.clone(), *caller);
        let case = ConfigureCase {
            engine: self.clone(),
            caller,
            plugin,
            input,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }

    /// The plugins that a business uses.
    pub(crate) fn plugins_in_use(
        &self,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = &Arc<dyn Plugin>> {
        self.plugins()
            .iter()
            .filter(|plugin| is_in_use(catalogue, &***plugin))
    }

    /// What a business has set of a plugin that it uses.
    pub(crate) fn settings_in_use(
        &self,
        catalogue: &Catalogue,
        plugin: &dyn Plugin,
    ) -> Result<PluginSettings, NotInUse> {
        if is_in_use(catalogue, plugin) {
            self.settings_of(catalogue, plugin.name())
        } else {
            Err(NotInUse::Disabled)
        }
    }

    /// What a business has set of a plugin, whether or not it uses it.
    pub(crate) fn settings_of(
        &self,
        catalogue: &Catalogue,
        plugin: &str,
    ) -> Result<PluginSettings, NotInUse> {
        let Some(row) = catalogue.plugins.get(plugin) else {
            return Ok(PluginSettings::none());
        };
        let Some(sealed) = &row.sealed else {
            return Ok(PluginSettings::none());
        };
        let opened = self.0.vault.open(catalogue.business.id, plugin, sealed);
        Ok(PluginSettings::new(
            row.version,
            opened.ok_or(NotInUse::Sealed)?,
        ))
    }

    pub(crate) fn plugin_named(&self, path: &[&str], name: &str) -> Result<Arc<dyn Plugin>> {
        let mut all = self.plugins().iter();
        let found = all.find(|plugin| plugin.name() == name).cloned();
        Ok(found.ok_or_else(|| Problem::not_found(path, "plugin"))?)
    }
}

pub(crate) fn may_manage(caller: &Caller) -> Result<()> {
    if caller.actor.may(Right::ManagePlugins) {
        Ok(())
    } else {
        Err(Error::forbidden(caller, "set up plugins"))
    }
}

pub(crate) fn is_in_use(catalogue: &Catalogue, plugin: &dyn Plugin) -> bool {
    let set = catalogue.plugins.get(plugin.name());
    set.map_or_else(|| plugin.on_by_default(), |row| row.enabled)
}
