//! Whether a plugin works with what a business has set: asked of the other side.

use std::time::Duration;

use plugin_api::Failure;

use crate::plugin::may_manage;
use crate::{Caller, Engine, Result};

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
        let (business, asked) = (caller.business, plugin.clone());
        let work = async move {
            asked.validate(settings.json())?;
            match asked.check() {
                Some(check) => check.check(business, &settings).await,
                None => Ok("the settings are complete; there is nobody to ask".to_owned()),
            }
        };
        let checked = self.ask_other_side(&plugin, business, LIMIT, work).await;
        let checked = checked.unwrap_or_else(|none| Err(none.into()));
        Ok(checked.map_err(|failure: Failure| failure.reason().to_owned()))
    }
}
