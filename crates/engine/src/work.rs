//! What a delivery asks to be done, by its [`Part`].

use plugin_api::{Delivery, Done, Failure, Plugin};

use crate::Engine;
use crate::part::Part;

/// Whether deliveries can come to a plugin.
pub fn has_work(plugin: &dyn Plugin) -> bool {
    plugin.reaction().is_some()
        || plugin.payments().is_some()
        || plugin.calendar().is_some()
        || plugin.messages().is_some()
        || plugin.webhooks().is_some()
        || plugin.composer().is_some()
}

impl Engine {
    /// Does what a delivery asks for. Whether this is the last attempt tells whether a message that fails goes another
    /// way, and what cannot be left undone is put off.
    ///
    /// # Errors
    /// [`Failure`] says whether it is worth trying again.
    pub async fn work_on(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
        is_last: bool,
    ) -> Result<Done, Failure> {
        let done = match Part::of(&delivery.part) {
            Part::Payment(work, id) => {
                self.work_on_payment(plugin, delivery, (work, id), is_last)
                    .await
            }
            Part::PayBack(what) => self.work_on_refund(plugin, delivery, what).await,
            Part::PaymentToFind(name) => self.work_on_payment_to_find(plugin, delivery, name).await,
            Part::Webhook(id) => self.work_on_webhook(plugin, delivery, id).await,
            Part::Calendar(work) => self.work_on_calendar(plugin, delivery, work).await,
            Part::Notice => self.work_on_notice(plugin, delivery).await,
            Part::Plan => self.work_on_plan(plugin, delivery).await,
            Part::Message => self.work_on_messages(plugin, delivery, is_last).await,
            Part::Reaction => None,
        };
        if let Some(done) = done {
            return done;
        }
        // A plugin without the capability may have given the name to a part of its own.
        match plugin.reaction() {
            Some(reaction) => reaction.react(delivery).await,
            None => Err(Failure::give_up(
                "the plugin does not react to anything any more",
            )),
        }
    }

    /// Ends what a delivery asked for whose last attempt broke off, so that nothing came of it: a message goes another way, if there is one.
    pub async fn give_up_on(&self, plugin: &dyn Plugin, delivery: &Delivery, reason: &str) {
        if Part::of(&delivery.part) == Part::Message {
            self.give_up_on_messages(plugin, delivery, reason).await;
        }
    }
}
