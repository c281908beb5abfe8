//! A plugin that is nothing but a guard.

use plugin_api::{Guard, Plugin, PluginSettings, Proposal, Refused};

/// A plugin whose guard is this function.
pub struct Guarding<F>(pub F);

impl<F> Plugin for Guarding<F>
where
    F: Fn(&Proposal) -> Result<(), Refused> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        "guarding"
    }
    fn title(&self) -> &'static str {
        "Guarding"
    }
    fn description(&self) -> &'static str {
        "Says what a test has it say."
    }
    fn settings_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "object", "additionalProperties": false })
    }
    fn on_by_default(&self) -> bool {
        true
    }
    fn validate(&self, _: &serde_json::Value) -> Result<(), plugin_api::SettingsError> {
        Ok(())
    }
    fn guard(&self) -> Option<&dyn Guard> {
        Some(self)
    }
}

impl<F> Guard for Guarding<F>
where
    F: Fn(&Proposal) -> Result<(), Refused> + Send + Sync,
{
    fn check(&self, _: &PluginSettings, proposal: &Proposal) -> Result<(), Refused> {
        self.0(proposal)
    }
}
