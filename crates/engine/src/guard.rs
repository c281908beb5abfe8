//! The plugins' say before a booking is written.

use std::fmt::Display;
use std::sync::Arc;

use domain::problem::Problem;
use plugin_api::{Plugin, Proposal};

use crate::catalogue::Catalogue;
use crate::{Engine, Error, Result};

/// What is said where a guard could not say why.
const REFUSED: &str = "this cannot be booked at the moment";

impl Engine {
    /// Asks the guard of every plugin that the business uses; the first that refuses is heard.
    /// Nobody holds a connection to the database meanwhile.
    pub(crate) async fn ask_guards(&self, catalogue: &Catalogue, proposal: Proposal) -> Result<()> {
        let guards = self.plugins_in_use(catalogue);
        let guards: Vec<_> = guards.filter(|plugin| plugin.guard().is_some()).collect();
        let (business, proposal) = (proposal.business_id, Arc::new(proposal));
        for plugin in guards {
            let settings = match self.settings_of(catalogue, plugin.name()) {
                Ok(settings) => settings,
                Err(not) => return Err(unasked(&**plugin, &not)),
            };
            let proposal = proposal.clone();
            let asked = self.ask_plugin(plugin, business, move |plugin| {
                let guard = plugin.guard();
                guard.map_or(Ok(()), |guard| guard.check(&settings, &proposal))
            });
            match asked.await {
                Ok(Ok(())) => {}
                Ok(Err(refused)) => return Err(refusal(refused.reason)),
                Err(none) => return Err(unasked(&**plugin, &none)),
            }
        }
        Ok(())
    }
}

/// A guard that cannot be asked has not said yes.
fn unasked(plugin: &dyn Plugin, why: &impl Display) -> Error {
    tracing::error!(plugin = plugin.name(), %why, "a guard could not be asked");
    refusal(REFUSED.to_owned())
}

fn refusal(message: String) -> Error {
    Problem::PluginRefused { message }.into()
}
