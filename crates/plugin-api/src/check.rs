//! A check of settings: does the other side accept them?

use async_trait::async_trait;
use domain::id::BusinessId;

use crate::delivery::Failure;
use crate::settings::PluginSettings;

/// Asks the other side whether settings work.
#[async_trait]
pub trait Check: Send + Sync {
    /// Asks, and changes nothing there. Cut off at a time limit by the caller. Answers what was found out, in a sentence for staff without
    /// secrets: `smtp.example.com takes mail from bookings@example.com`.
    ///
    /// # Errors
    /// [`Failure`] with what is wrong, in a sentence for staff, naming the setting where it can.
    async fn check(
        &self,
        business: BusinessId,
        settings: &PluginSettings,
    ) -> Result<String, Failure>;
}
