//! The plugins' say before a booking is written.

use domain::problem::Problem;
use plugin_api::Proposal;

use crate::catalogue::Catalogue;
use crate::{Engine, Result};

/// What is said where a guard could not say why.
const REFUSED: &str = "this cannot be booked at the moment";

impl Engine {
    /// Asks the guard of every plugin that the business uses; the first that refuses is heard.
    pub(crate) fn ask_guards(&self, catalogue: &Catalogue, proposal: &Proposal) -> Result<()> {
        for plugin in self.plugins_in_use(catalogue) {
            let Some(guard) = plugin.guard() else {
                continue;
            };
            let asked = self.settings_of(catalogue, plugin.name()).map(|settings| {
                let check = || guard.check(&settings, proposal);
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(check))
            });
            let message = match asked {
                Ok(Ok(Ok(()))) => continue,
                Ok(Ok(Err(refused))) => refused.reason,
                Ok(Err(_)) => {
                    tracing::error!(plugin = plugin.name(), "a guard panicked");
                    REFUSED.to_owned()
                }
                Err(not) => {
                    tracing::error!(plugin = plugin.name(), %not, "a guard cannot be asked");
                    REFUSED.to_owned()
                }
            };
            return Err(Problem::PluginRefused { message }.into());
        }
        Ok(())
    }
}
