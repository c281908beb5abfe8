//! What a delivery asks to be done. Most go to the plugin's own reaction; the others are work of the engine by a capability of the plugin,
//! told by the delivery's part: `<what>:<id of what it is about>`.

use plugin_api::{Delivery, Done, Failure, Plugin};

use crate::notification::is_message;
use crate::payment::Work;
use crate::{Engine, calendar};

/// Whether deliveries can come to a plugin.
pub fn has_work(plugin: &dyn Plugin) -> bool {
    plugin.reaction().is_some()
        || plugin.payments().is_some()
        || plugin.calendar().is_some()
        || plugin.messages().is_some()
        || plugin.webhooks().is_some()
        || plugin.composer().is_some()
}

/// Whether what a delivery asks for is brought to its end also where the plugin was switched off meanwhile: what was begun about money is, and
/// what was left behind in calendars is cleared up; of a message it is told that it is not sent, or it goes another way.
pub(crate) fn outlives_use(part: &str) -> bool {
    Work::is_asked_for_by(part) || calendar::Work::is_asked_for_by(part) || is_message(part)
}

impl Engine {
    /// Does what a delivery asks for. Whether this is the last attempt tells whether a message that fails goes another way.
    ///
    /// # Errors
    /// [`Failure`] says whether it is worth trying again.
    pub async fn work_on(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
        is_last: bool,
    ) -> Result<Done, Failure> {
        if let Some(done) = self.work_on_payment(plugin, delivery).await {
            return done;
        }
        if let Some(done) = self.work_on_webhook(plugin, delivery).await {
            return done;
        }
        if let Some(done) = self.work_on_calendar(plugin, delivery).await {
            return done;
        }
        if let Some(done) = self.work_on_notice(plugin, delivery).await {
            return done;
        }
        if let Some(done) = self.work_on_notification(plugin, delivery, is_last).await {
            return done;
        }
        match plugin.reaction() {
            Some(reaction) => reaction.react(delivery).await,
            None => Err(Failure::give_up(
                "the plugin does not react to anything any more",
            )),
        }
    }
}
