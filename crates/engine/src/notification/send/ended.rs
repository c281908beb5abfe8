//! How it ended for a message: recorded as far as it is further on, and what failed for good goes another way.

use domain::event::Event;
use domain::notification::{Channel, Notification, NotificationStatus};
use plugin_api::{Delivery, Failure, MessageStatus, Plugin, Sent};
use store::notification::Tried;

use super::super::fail_over::Fallen;
use super::{Desk, Ended};
use crate::{Engine, Error};

impl Engine {
    /// Gives up what a delivery carries that nobody knows the end of. What is not done about it here its next delivery does, or staff do.
    pub(crate) async fn give_up_on_messages(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
        reason: &str,
    ) {
        let Some(channel) = plugin.messages() else {
            return;
        };
        let given_up = async {
            let desk = self.message_desk((plugin, channel), delivery, true).await?;
            for known in desk.carried().await? {
                let event = desk.event(&known).await?;
                desk.failed(&known, &event, Failure::retry(reason)).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = given_up.await {
            tracing::error!(%error, delivery = %delivery.id, "what broke off could not be given up");
        }
    }
}

impl Desk<'_> {
    pub(super) async fn record(
        &self,
        known: &Notification,
        event: &Event,
        sent: Sent,
    ) -> Result<Ended, Error> {
        use store::notification as stored;
        let (status, reason) = match sent.status {
            MessageStatus::Sent => (NotificationStatus::Sent, None),
            MessageStatus::Delivered => (NotificationStatus::Delivered, None),
            MessageStatus::Failed { reason } => (NotificationStatus::Failed, Some(reason)),
        };
        let business = self.caller.business;
        let conn = self.engine.0.database.conn().await?;
        if let Some(external_id) = &sent.external_id {
            stored::notification_name(&conn, business, known.id, external_id).await?;
        }
        if let Some(reason) = reason {
            drop(conn);
            let failure = Failure::give_up(reason);
            return self.failed(known, event, failure).await;
        }
        stored::notification_hear(&conn, business, known.id, status, None).await?;
        Ok(Ended::Sent)
    }

    /// Nothing was sent at this attempt.
    pub(super) async fn take_back(&self, known: &Notification, tried: &Tried) -> Result<(), Error> {
        let conn = self.engine.0.database.conn().await?;
        let business = self.caller.business;
        Ok(store::notification::notification_untry(&conn, business, known.id, tried).await?)
    }

    /// What becomes of a message that the channel did not take: for good it goes another way, if there is one.
    pub(super) async fn failed(
        &self,
        known: &Notification,
        event: &Event,
        failure: Failure,
    ) -> Result<Ended, Error> {
        let reason = failure.reason().to_owned();
        // Whoever is reached no other way waits for the settings.
        let waits_for_settings = matches!(failure, Failure::Misconfigured { .. })
            && !self.has_another_way(known, event).await?;
        let is_over = match &failure {
            Failure::GiveUp { .. } => true,
            Failure::NotYet { .. } => false,
            Failure::Misconfigured { .. } => self.is_last || !waits_for_settings,
            Failure::Retry { .. } => self.is_last,
        };
        if is_over {
            self.fall(known, NotificationStatus::Failed, &reason, Some(event))
                .await?;
            // Parked it is in either case; by other settings it is sent after all.
            let failure = if waits_for_settings {
                failure
            } else {
                Failure::GiveUp { reason }
            };
            return Ok(Ended::Failed(failure));
        }
        let conn = self.engine.0.database.conn().await?;
        let business = self.caller.business;
        store::notification::notification_note(&conn, business, known.id, &reason).await?;
        Ok(Ended::Failed(failure))
    }

    /// It is not sent; by another channel it may be, where it is known what it would tell.
    pub(super) async fn suppress(
        &self,
        known: &Notification,
        why: &str,
        event: Option<&Event>,
    ) -> Result<Ended, Error> {
        self.fall(known, NotificationStatus::Suppressed, why, event)
            .await?;
        Ok(Ended::Not(why.to_owned()))
    }

    /// The customer would rather have it by another channel.
    pub(super) async fn pass_on(
        &self,
        known: &Notification,
        channel: Channel,
        event: &Event,
    ) -> Result<Ended, Error> {
        let reason = format!("the customer prefers {}", channel.noun());
        let fallen = Fallen {
            known: known.clone(),
            status: NotificationStatus::Suppressed,
            reason: reason.clone(),
            event: Some(event.clone()),
            rather: Some(channel),
        };
        self.engine.fall(&self.caller, fallen).await?;
        Ok(Ended::Not(reason))
    }

    /// It can never be put into words.
    pub(super) async fn lose(&self, known: &Notification, why: String) -> Result<Ended, Error> {
        self.fall(known, NotificationStatus::Failed, &why, None)
            .await?;
        Ok(Ended::Failed(Failure::give_up(why)))
    }

    async fn fall(
        &self,
        known: &Notification,
        status: NotificationStatus,
        reason: &str,
        event: Option<&Event>,
    ) -> Result<(), Error> {
        let fallen = Fallen {
            known: known.clone(),
            status,
            reason: reason.to_owned(),
            event: event.cloned(),
            rather: None,
        };
        self.engine.fall(&self.caller, fallen).await
    }
}
