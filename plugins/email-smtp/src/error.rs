//! What keeps the plugin from starting.

use plugin_api::SettingsError;

/// Why the plugin cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error("email-smtp: {0}")]
    Settings(#[from] SettingsError),
}
