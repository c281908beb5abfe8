//! Notices: what is said by mail of something that was set up and does not work any more. They are about no booking and follow no rule: a
//! provider is told of their calendar, the business (`businessEmail` in the settings of the composing plugin) of everything.

use domain::event::{Event, EventKind};
use domain::id::{Id, NotificationId, ProviderId};
use domain::notification::{Channel, Recipient};
use plugin_api::{Delivery, Done, Failure, Letter, Message, Plugin};

use super::{away, region, system};
use crate::Engine;
use crate::catalogue::Catalogue;

/// The part of the delivery.
pub(crate) const NOTICE: &str = "notice";

/// What is said, and to whom.
struct Notice {
    to: Option<String>,
    to_name: String,
    subject: String,
    text: String,
}

impl Engine {
    /// The plugin that carries a notice of events of this kind, if there is anything to say of them.
    pub(crate) fn carries_notice(&self, catalogue: &Catalogue, kind: EventKind) -> Option<&str> {
        matches!(kind, EventKind::WebhookPaused | EventKind::CalendarBroken)
            .then(|| self.channel_of(catalogue, Channel::Email))
            .flatten()
            .map(Plugin::name)
    }

    /// Sends the notice that a delivery asks for; none: the plugin carries no messages.
    pub(crate) async fn work_on_notice(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
    ) -> Option<Result<Done, Failure>> {
        let messages = plugin.messages()?;
        let caller = system(delivery.business_id);
        let catalogue = match self.catalogue(&caller).await {
            Ok(catalogue) => catalogue,
            Err(error) => return Some(Err(away(&error))),
        };
        let Some(notice) = self.notice(&catalogue, &delivery.event) else {
            return Some(Ok(Done::skipped("what it was about is gone")));
        };
        // Parked, so that whoever looks after plugins sees what to set, and can send it then.
        let Some(given) = &notice.to else {
            let composer = self.any_composer().map_or("", |plugin| plugin.name());
            let reason = format!("nobody is told: set `businessEmail` of the plugin `{composer}`");
            return Some(Err(Failure::give_up(reason)));
        };
        let locale = &catalogue.business.locale;
        let to = match messages.address(given, region(locale)) {
            Ok(to) => to,
            Err(none) => return Some(Err(Failure::give_up(none.reason))),
        };
        let message = Message {
            // One event, one notice: a repeat is known for one.
            id: NotificationId::from_uuid(delivery.event.id.uuid()),
            business_id: delivery.business_id,
            attempt: delivery.attempt,
            // Of a notice nothing is noted.
            may_have_been_sent: true,
            since: delivery.event.at,
            others: Vec::new(),
            to,
            to_name: notice.to_name,
            subject: Some(notice.subject),
            text: notice.text,
            language: "en".to_owned(),
            event: delivery.event.clone(),
            callback_url: None,
            letter: Letter {
                from_name: catalogue.business.name.clone(),
                recipient: Recipient::Business,
                about: NOTICE.to_owned(),
                ..Letter::default()
            },
        };
        let sent = messages.send(&delivery.settings, &message).await;
        Some(sent.map(|_| Done::Delivered))
    }

    fn notice(&self, catalogue: &Catalogue, event: &Event) -> Option<Notice> {
        let desk = self
            .words(catalogue)
            .and_then(|words| words.house.business_email);
        let business = catalogue.business.name.clone();
        if let Some(id) = event.webhook_endpoint_id {
            let mut endpoints = catalogue.webhooks.iter();
            let url = endpoints.find(|endpoint| endpoint.id == id)?.url.clone();
            return Some(Notice {
                to: desk,
                subject: format!("{business}: a webhook endpoint is switched off"),
                text: format!(
                    "For days nothing that was posted to\n\n  {url}\n\nwas taken, so the endpoint {id} is switched off.\n\n\
                     Once it works again, switch it on by setWebhookEndpoint, and post what it missed by replayWebhooks.\n"
                ),
                to_name: business,
            });
        }
        let calendar = event.calendar_ids.first()?;
        let provider = catalogue.provider(ProviderId::from_uuid(calendar.uuid()))?;
        let name = provider.name.clone();
        Some(Notice {
            to: provider.email.clone().or(desk),
            subject: format!("{business}: the calendar of {name} is disconnected"),
            text: format!(
                "The access to the calendar of {name} was taken back. Bookings are not entered there any more, and what is busy there is as \
                 it was last seen.\n\nPlease connect the calendar again: what was missed is entered then.\n"
            ),
            to_name: name,
        })
    }
}
