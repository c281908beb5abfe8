//! Whether a plugin works with what a business has set: asked of the other side on a thread of its own, so a plugin that panics or blocks takes
//! nothing else with it.

use std::sync::Arc;
use std::time::Duration;

use domain::id::BusinessId;
use plugin_api::{Failure, Plugin, PluginSettings};
use tokio::time::timeout;

use crate::plugin::may_manage;
use crate::{Caller, Engine, Result, apart};

/// How long the other side may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

impl Engine {
    /// Asks the other side whether the settings work: what was found out, or what is wrong.
    pub async fn check_plugin(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Result<String, String>> {
        may_manage(caller)?;
        let plugin = self.plugin_named(&["name"], name)?;
        let catalogue = self.catalogue(caller).await?;
        let settings = match self.settings_of(&catalogue, name) {
            Ok(settings) => settings,
            Err(not) => return Ok(Err(not.to_string())),
        };
        if let Err(error) = plugin.validate(settings.json()) {
            return Ok(Err(error.to_string()));
        }
        let checked = checked(plugin, caller.business, settings).await;
        Ok(checked.map_err(|failure| failure.reason().to_owned()))
    }
}

async fn checked(
    plugin: Arc<dyn Plugin>,
    business: BusinessId,
    settings: PluginSettings,
) -> Result<String, Failure> {
    let work = async move {
        match plugin.check() {
            Some(check) => check.check(business, &settings).await,
            None => Ok("the settings are complete; there is nobody to ask".to_owned()),
        }
    };
    let mut apart = apart::begin(work, ());
    match timeout(LIMIT, &mut apart.task).await {
        Ok(Ok(Some(answer))) => answer,
        Ok(Err(_)) => Err(Failure::retry("the plugin panicked")),
        Ok(Ok(None)) | Err(_) => Err(Failure::retry("the other side did not answer in time")),
    }
}
