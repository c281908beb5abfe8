//! Notifications: the rules by which a business speaks to people, and what was or will be said.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use domain::id::{NotificationId, NotificationRuleId};
use domain::notification as rules;
use engine::catalogue::Catalogue;

use crate::booking::Booking;
use crate::failure::Result;
use crate::id::shown;
use crate::request::Asked;
use crate::scalar::DateTime;

/// A way to reach people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::Channel")]
pub enum NotificationChannel {
    /// Mail.
    Email,
    /// Text messages.
    Sms,
    /// Messages to an app.
    Push,
}

/// For whom a rule speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::Audience")]
pub enum NotificationAudience {
    /// Whoever booked.
    Customer,
    /// The provider whose booking it is; of one that moved to another, that one too.
    Provider,
    /// The business itself, at `businessEmail` or `businessPhone` in the settings of the plugin `notifications`; nobody where they are not set.
    Business,
}

/// How a notification fares. It only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::NotificationStatus")]
pub enum NotificationStatus {
    /// It will be sent.
    Planned,
    /// The other side has it.
    Sent,
    /// It is known to have arrived.
    Delivered,
    /// It is known never to arrive.
    Failed,
    /// It is not sent: `error` says why.
    Suppressed,
}

pub struct NotificationRule {
    catalogue: Arc<Catalogue>,
    rule: rules::Rule,
}

impl NotificationRule {
    pub(crate) fn new(catalogue: &Arc<Catalogue>, rule: rules::Rule) -> Self {
        Self {
            catalogue: catalogue.clone(),
            rule,
        }
    }

    /// The rule with this id, for owners and managers.
    pub(crate) async fn find(asked: &Asked<'_>, id: NotificationRuleId) -> Result<Option<Self>> {
        let all = match asked.engine.notification_rules(&asked.caller).await {
            Err(engine::Error::Forbidden(_) | engine::Error::Unauthenticated(_)) => Vec::new(),
            all => all?,
        };
        let catalogue = asked.catalogue_now().await?;
        let found = all.into_iter().find(|rule| rule.id == id);
        Ok(found.map(|rule| Self::new(&catalogue, rule)))
    }
}

/// When what is said to whom, by which channels.
#[Object]
impl NotificationRule {
    /// Its id, `ntr_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.rule.id)
    }

    /// An event (`booking.confirmed`), or `booking.start` or `booking.end`.
    async fn event(&self) -> &str {
        self.rule.moment.name()
    }

    /// So many minutes after it; before it where negative.
    async fn offset_minutes(&self) -> i32 {
        self.rule.offset_minutes
    }

    /// To whom.
    async fn audience(&self) -> NotificationAudience {
        self.rule.audience.into()
    }

    /// By which channels, in order of preference: the next where the one before cannot reach them, or fails for good. To a customer the one that
    /// they prefer comes first, if it is among them.
    async fn channels(&self) -> Vec<NotificationChannel> {
        self.rule.channels.iter().copied().map(Into::into).collect()
    }

    /// The name of a text that comes with the software, or a text.
    async fn template(&self) -> &str {
        &self.rule.template
    }

    /// Whether it counts.
    async fn enabled(&self) -> bool {
        self.rule.enabled
    }

    /// For which services; empty: for all.
    async fn services(&self) -> Vec<crate::service::Service> {
        let ids = self.rule.service_ids.iter();
        ids.filter_map(|id| crate::service::Service::find(&self.catalogue, *id))
            .collect()
    }

    /// Of customers of which tiers it speaks, to whomever; empty: of all.
    async fn customer_tiers(&self) -> &[String] {
        &self.rule.customer_tiers
    }
}

pub struct Notification {
    catalogue: Arc<Catalogue>,
    told: rules::Notification,
}

impl Notification {
    pub(crate) fn new(catalogue: &Arc<Catalogue>, told: rules::Notification) -> Self {
        Self {
            catalogue: catalogue.clone(),
            told,
        }
    }

    /// The notification with this id, for staff who may see its booking.
    pub(crate) async fn find(asked: &Asked<'_>, id: NotificationId) -> Result<Option<Self>> {
        let found = asked.engine.notification(&asked.caller, id).await?;
        let catalogue = asked.catalogue_now().await?;
        Ok(found.map(|told| Self::new(&catalogue, told)))
    }
}

/// What was or will be said to one recipient by one channel.
#[Object]
impl Notification {
    /// Its id, `ntf_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.told.id)
    }

    /// About which booking.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Option<Booking>> {
        Booking::find(&Asked::of(ctx)?, self.told.booking_id).await
    }

    /// To whom.
    async fn audience(&self) -> NotificationAudience {
        match self.told.recipient {
            rules::Recipient::Customer => NotificationAudience::Customer,
            rules::Recipient::Provider | rules::Recipient::PreviousProvider => {
                NotificationAudience::Provider
            }
            rules::Recipient::Business => NotificationAudience::Business,
        }
    }

    /// By which channel.
    async fn channel(&self) -> NotificationChannel {
        self.told.channel.into()
    }

    /// To which address; empty where there is none.
    async fn to(&self) -> &str {
        &self.told.to
    }

    /// When it is or was due, in the business's time zone.
    async fn due_at(&self) -> DateTime {
        DateTime::new(self.told.due_at, &self.catalogue.zone)
    }

    /// How it fares.
    async fn status(&self) -> NotificationStatus {
        self.told.status.into()
    }

    /// What it is about, once it was put into words; null on channels without a subject.
    async fn subject(&self) -> Option<&str> {
        self.told.subject.as_deref()
    }

    /// What it says, once it was put into words.
    async fn body(&self) -> Option<&str> {
        self.told.body.as_deref()
    }

    /// Why it is not sent or did not arrive, or what went wrong last.
    async fn error(&self) -> Option<&str> {
        self.told.error.as_deref()
    }
}
