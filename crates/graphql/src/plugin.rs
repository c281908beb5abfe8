//! Plugins: what the server has, what a business has set, and how they fare.

use async_graphql::{Context, Enum, InputObject, Json, Object, SimpleObject};
use engine::Engine;
use engine::plugin::{self as engine_plugin, PluginOfBusiness};
use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::problem::Problem;
use crate::request::Asked;
use crate::scalar::DateTime;
use crate::settle::{About, bare, settled};

/// A part that a plugin can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PluginCapability {
    /// It takes payments.
    Payments,
    /// It keeps calendars elsewhere in step.
    Calendar,
    /// It carries messages.
    Messages,
    /// It may refuse a booking before it is made.
    Guard,
    /// It does something after something has happened.
    Reaction,
    /// The other side calls it.
    Inbound,
}

/// How a plugin fares, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PluginState {
    /// What it last did worked, or it did nothing yet.
    Ok,
    /// What it last did failed, and is tried again.
    Retrying,
    /// It only fails: look at `lastError`.
    Broken,
    /// The business does not use it.
    Disabled,
}

impl From<engine_plugin::PluginState> for PluginState {
    fn from(state: engine_plugin::PluginState) -> Self {
        match state {
            engine_plugin::PluginState::Ok => Self::Ok,
            engine_plugin::PluginState::Retrying => Self::Retrying,
            engine_plugin::PluginState::Broken => Self::Broken,
            engine_plugin::PluginState::Disabled => Self::Disabled,
        }
    }
}

/// How a plugin fares for a business.
#[derive(SimpleObject)]
pub struct PluginHealth {
    /// In one word.
    state: PluginState,
    /// When something last worked.
    last_success_at: Option<DateTime>,
    /// When something last failed.
    last_error_at: Option<DateTime>,
    /// Why.
    last_error: Option<String>,
    /// How many deliveries are on their way.
    waiting: i32,
    /// How many deliveries nobody tries any more.
    parked: i32,
}

pub struct Plugin {
    shown: PluginOfBusiness,
    engine: Engine,
    slug: String,
    zone: domain::zone::Zone,
}

/// An integration that the server has, as a business sees it.
#[Object]
impl Plugin {
    /// The name under which it is configured: `email-smtp`.
    async fn name(&self) -> &str {
        self.shown.plugin.name()
    }

    /// The name that people read.
    async fn title(&self) -> &str {
        self.shown.plugin.title()
    }

    /// What it does, and when.
    async fn description(&self) -> &str {
        self.shown.plugin.description()
    }

    /// The parts that it has.
    async fn capabilities(&self) -> Vec<PluginCapability> {
        let plugin = &self.shown.plugin;
        let parts = [
            (plugin.payments().is_some(), PluginCapability::Payments),
            (plugin.guard().is_some(), PluginCapability::Guard),
            (plugin.calendar().is_some(), PluginCapability::Calendar),
            (plugin.messages().is_some(), PluginCapability::Messages),
            (
                plugin.reaction().is_some()
                    || plugin.composer().is_some()
                    || plugin.webhooks().is_some(),
                PluginCapability::Reaction,
            ),
            (plugin.inbound().is_some(), PluginCapability::Inbound),
        ];
        let has = parts.into_iter().filter(|(has, _)| *has);
        has.map(|(_, part)| part).collect()
    }

    /// The JSON Schema (draft 2020-12) of its settings. A secret has `"writeOnly": true`; what says where secrets are sent has
    /// `"x-destination": true`.
    async fn settings_schema(&self) -> Json<Value> {
        Json(self.shown.plugin.settings_schema())
    }

    /// What is set; a secret shows as `"***"` where one is. Null where nothing was ever set.
    async fn settings(&self) -> Option<Json<Value>> {
        self.shown.settings.clone().map(Json)
    }

    /// Whether the business uses it.
    async fn enabled(&self) -> bool {
        self.shown.enabled
    }

    /// How it fares.
    async fn health(&self) -> PluginHealth {
        let health = &self.shown.health;
        let instant = |at| DateTime::new(at, &self.zone);
        PluginHealth {
            state: health.state.into(),
            last_success_at: health.last_success_at.map(instant),
            last_error_at: health.last_error_at.map(instant),
            last_error: health.last_error.clone(),
            waiting: i32::try_from(health.waiting).unwrap_or(i32::MAX),
            parked: i32::try_from(health.parked).unwrap_or(i32::MAX),
        }
    }

    /// Where the other side sends its calls: `/plugins/<name>/<slug of the business>`, with the server's address before it where the
    /// operator has said it. Null where there are none.
    async fn inbound_url(&self) -> Option<String> {
        let (name, slug) = (self.shown.plugin.name(), &self.slug);
        self.shown.plugin.inbound()?;
        let whole = self.engine.inbound_url(name, slug);
        whole.or_else(|| Some(engine::inbound::inbound_path(name, slug)))
    }
}

/// What to set of a plugin.
#[derive(InputObject)]
pub struct ConfigurePluginInput {
    /// Which, by name.
    name: String,
    /// A JSON object by the plugin's `settingsSchema`. A field left out keeps its value, null removes it; a secret given as `"***"` stays.
    /// Where a setting with `"x-destination": true` changes, every secret has to be given again.
    settings: Json<Value>,
    /// Whether the business uses it. Left out: as it is, and yes where nothing was ever set.
    enabled: Option<bool>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What became of a mutation of a plugin.
#[derive(SimpleObject)]
pub struct PluginPayload {
    /// The plugin as it is now; null when nothing was done.
    plugin: Option<Plugin>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

/// What the other side says of the settings.
#[derive(SimpleObject)]
pub struct PluginCheckPayload {
    /// Whether they work.
    ok: bool,
    /// What was found out, or what is wrong, in a sentence.
    message: String,
    /// What stood in the way of asking; empty when it was asked.
    problems: Vec<Problem>,
}

#[derive(Default)]
pub struct PluginQuery;

#[Object]
impl PluginQuery {
    /// Every integration that the server has, as the business sees it. Owners and managers.
    #[graphql(complexity = "1 + crate::LIST_COST * child_complexity")]
    async fn plugins(&self, ctx: &Context<'_>) -> Result<Vec<Plugin>> {
        all(&Asked::of(ctx)?).await
    }
}

#[derive(Default)]
pub struct PluginMutation;

#[Object]
impl PluginMutation {
    /// Changes the settings of a plugin, and whether the business uses it. Unknown and ill-typed fields are INVALID, with their path. What went
    /// wrong about payments by the old settings is tried again, also what was parked. Owners and managers.
    async fn configure_plugin(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to set.")] input: ConfigurePluginInput,
    ) -> Result<PluginPayload> {
        let asked = Asked::of(ctx)?;
        let configure = engine_plugin::ConfigurePlugin {
            name: input.name,
            settings: input.settings.0,
            enabled: input.enabled,
        };
        let key = input.idempotency_key.as_deref();
        let outcome = asked.engine.configure_plugin(&asked.caller, configure, key);
        match settled(ctx, outcome.await, &About::Other).await? {
            Ok(name) => {
                let mut all = all(&asked).await?.into_iter();
                let found = all.find(|plugin| plugin.shown.plugin.name() == name);
                let plugin = found.ok_or_else(|| Failure::fault("a plugin has gone"))?;
                Ok(PluginPayload {
                    plugin: Some(plugin),
                    problems: Vec::new(),
                })
            }
            Err(problems) => Ok(PluginPayload {
                plugin: None,
                problems,
            }),
        }
    }

    /// Asks the other side whether the settings work, and changes nothing. Owners and managers.
    async fn check_plugin(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which plugin, by name.")] name: String,
    ) -> Result<PluginCheckPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = asked.engine.check_plugin(&asked.caller, &name).await;
        Ok(match settled(ctx, bare(outcome), &About::Other).await? {
            Ok(found) => PluginCheckPayload {
                ok: found.is_ok(),
                message: found.unwrap_or_else(|wrong| wrong),
                problems: Vec::new(),
            },
            Err(problems) => PluginCheckPayload {
                ok: false,
                message: "nothing was asked".to_owned(),
                problems,
            },
        })
    }
}

async fn all(asked: &Asked<'_>) -> Result<Vec<Plugin>> {
    let plugins = asked.engine.plugins_of_business(&asked.caller).await?;
    let catalogue = asked.catalogue().await?;
    let plugin = |shown| Plugin {
        shown,
        engine: asked.engine.clone(),
        slug: catalogue.business.slug.clone(),
        zone: catalogue.zone.clone(),
    };
    Ok(plugins.into_iter().map(plugin).collect())
}
