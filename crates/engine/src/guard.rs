//! The plugins' say before a booking is written.

use domain::problem::Problem;
use plugin_api::Proposal;

use crate::catalogue::Catalogue;
use crate::{Engine, Result};

impl Engine {
    /// Asks the guard of every plugin that the business uses; the first that refuses is heard.
    pub(crate) fn ask_guards(&self, catalogue: &Catalogue, proposal: &Proposal) -> Result<()> {
        for plugin in self.plugins_in_use(catalogue) {
            let Some(guard) = plugin.guard() else {
                continue;
            };
            let asked =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| guard.check(proposal)));
            let message = match asked {
                Ok(Ok(())) => continue,
                Ok(Err(refused)) => refused.reason,
                Err(_) => {
                    tracing::error!(plugin = plugin.name(), "a guard panicked");
                    "this cannot be booked at the moment".to_owned()
                }
            };
            return Err(Problem::PluginRefused { message }.into());
        }
        Ok(())
    }
}
