//! The rules of a business: set and taken away by its owners and managers. They are part of its catalogue, so that a booking need not ask for them.

use std::sync::Arc;

use domain::actor::Right;
use domain::event::EventKind;
use domain::id::{CalendarId, Id, NotificationRuleId, ServiceId};
use domain::notification::{Audience, Channel, Moment, QuietHours, Rule};
use domain::problem::Problem;
use domain::text;
use plugin_api::Plugin;
use serde::Serialize;
use store::changes::Changes;
use store::{Conn, StoreError};
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::catalogue::put::{Put, PutRequest, Thing};
use crate::event::Happening;
use crate::idempotency::Key;
use crate::plugin::may_manage;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// A rule to set.
#[derive(Debug, Clone, Serialize)]
pub struct SetRule {
    /// The rule to change; none: a new one.
    pub id: Option<NotificationRuleId>,
    /// An event, or `booking.start` or `booking.end`.
    pub event: String,
    /// So many minutes after it; before it where negative.
    pub offset_minutes: i32,
    /// To whom.
    pub audience: Audience,
    /// By which channels, in order of preference.
    pub channels: Vec<Channel>,
    /// The name of a text, or a text.
    pub template: String,
    /// Whether it counts.
    pub enabled: bool,
    /// For which services; none or empty: for all.
    pub service_ids: Option<Vec<ServiceId>>,
    /// Of customers of which tiers; none or empty: of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_tiers: Option<Vec<String>>,
}

/// A rule in place of the one before it.
struct NewRule {
    rule: Rule,
    before: Option<Rule>,
    quiet_hours: Option<QuietHours>,
}

impl Thing for NewRule {
    type Id = NotificationRuleId;

    fn id(&self) -> NotificationRuleId {
        self.rule.id
    }

    fn calendars(&self) -> Vec<CalendarId> {
        Vec::new()
    }

    async fn put_in_tx(&self, conn: &Conn, context: &Put) -> Result<(), StoreError> {
        let (business, now) = (context.caller.business, context.engine.clock().now());
        let rule = &self.rule;
        store::notification_rule::notification_rule_put_in_tx(conn, business, rule, now).await?;
        let time = |rule: &Rule| (rule.moment, rule.offset_minutes);
        let before = self.before.iter();
        let mut moved = before.filter(|before| before.is_reminder() && time(before) != time(rule));
        if rule.is_reminder() && moved.next().is_some() {
            let (engine, quiet) = (&context.engine, self.quiet_hours.as_ref());
            engine
                .follow_rule_in_tx(conn, business, rule, quiet, now)
                .await?;
        }
        Ok(())
    }
}

struct DeleteCase {
    engine: Engine,
    caller: Caller,
    id: NotificationRuleId,
}

impl UseCase for DeleteCase {
    type Plan = (Arc<Catalogue>, Rule);
    type Answer = Rule;

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        let catalogue = self.engine.catalogue(&self.caller).await?;
        let found = catalogue.notification_rule(self.id).cloned();
        let missing = || Problem::not_found(&["id"], NotificationRuleId::NOUN);
        Ok((catalogue, found.ok_or_else(missing)?))
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        (catalogue, rule): &Self::Plan,
    ) -> Result<(Changes, Rule), TxError> {
        let (engine, business) = (&self.engine, self.caller.business);
        store::business::business_catalogue_raise_in_tx(conn, business).await?;
        let deleted =
            store::notification_rule::notification_rule_delete_in_tx(conn, business, self.id)
                .await?;
        if !deleted {
            return Err(TxError::race("the rule is gone"));
        }
        let mut changes = Changes::default();
        let happening = Happening {
            kind: EventKind::CatalogueChanged,
            at: engine.clock().now(),
            calendars: Vec::new(),
            booking: None,
            hold: None,
            payment: None,
        };
        engine.record(catalogue, &mut changes, happening)?;
        Ok((changes, rule.clone()))
    }
}

impl Engine {
    /// The rules of the caller's business, the oldest first. Owners and managers.
    pub async fn notification_rules(&self, caller: &Caller) -> Result<Vec<Rule>> {
        may_speak(caller)?;
        Ok(self.catalogue(caller).await?.notification_rules.clone())
    }

    /// Sets a rule.
    pub async fn set_notification_rule(
        &self,
        caller: &Caller,
        input: SetRule,
        key: Option<&str>,
    ) -> Result<NotificationRuleId> {
        may_speak(caller)?;
        self.check_template(caller, &input.template).await?;
        let new_id = NotificationRuleId::from_uuid(Uuid::now_v7());
        let (engine, given) = (self.clone(), input.clone());
        let build = move |catalogue: &Catalogue| engine.built(catalogue, &given, new_id);
        let request = PutRequest {
            operation: "setNotificationRule",
            key,
            input: &input,
            is_new: input.id.is_none(),
        };
        self.put(caller, request, build).await
    }

    /// Takes a rule away; what it has planned is not sent. Answers the rule as it was.
    pub async fn delete_notification_rule(
        &self,
        caller: &Caller,
        id: NotificationRuleId,
        key: Option<&str>,
    ) -> Result<Rule> {
        may_speak(caller)?;
        let key = Key::of("deleteNotificationRule", key, &id)?;
        let (engine, caller) = (self.clone(), *caller);
        let case = DeleteCase {
            engine: self.clone(),
            caller,
            id,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }

    fn built(
        &self,
        catalogue: &Catalogue,
        input: &SetRule,
        new_id: NotificationRuleId,
    ) -> Result<NewRule> {
        let before = match input.id {
            None => None,
            Some(id) => {
                let missing = || Problem::not_found(&["input", "id"], NotificationRuleId::NOUN);
                Some(
                    catalogue
                        .notification_rule(id)
                        .cloned()
                        .ok_or_else(missing)?,
                )
            }
        };
        let service_ids = input.service_ids.clone().unwrap_or_default();
        if service_ids
            .iter()
            .any(|id| catalogue.service(*id).is_none())
        {
            return Err(Problem::not_found(&["input", "serviceIds"], "service").into());
        }
        let tiers = input.customer_tiers.iter().flatten();
        let tiers = tiers.map(|tier| text::tier(&["input", "customerTiers"], tier));
        let customer_tiers = tiers.collect::<Result<Vec<_>, _>>()?;
        let moment = Moment::from_name(&input.event).ok_or_else(|| {
            let message = format!("must be one of {}", Moment::names());
            Problem::invalid(&["input", "event"], message)
        })?;
        let template = input.template.trim().to_owned();
        let rule = Rule {
            id: input.id.unwrap_or(new_id),
            moment,
            offset_minutes: input.offset_minutes,
            audience: input.audience,
            channels: input.channels.clone(),
            template,
            enabled: input.enabled,
            service_ids,
            customer_tiers,
        };
        rule.check()?;
        let words = self.words(catalogue);
        Ok(NewRule {
            rule,
            before,
            quiet_hours: words.and_then(|words| words.house.quiet_hours),
        })
    }

    /// Refuses a template that cannot be filled in, with the places.
    async fn check_template(&self, caller: &Caller, template: &str) -> Result<()> {
        let template = template.trim().to_owned();
        let problems = self.ask_plugin(self.any_composer()?, caller.business, move |plugin| {
            let composer = plugin.composer();
            composer.map_or_else(Vec::new, |composer| composer.problems(&template))
        });
        let problems = problems.await?;
        if problems.is_empty() {
            return Ok(());
        }
        let refused = problems.into_iter().map(|problem| {
            let place = problem
                .line
                .map_or_else(String::new, |line| format!("line {line}: "));
            Problem::invalid(
                &["input", "template"],
                format!("{place}{}", problem.message),
            )
        });
        Err(Error::Refused(refused.collect()))
    }

    /// The plugin of this server that puts messages into words, whether or not the business uses it.
    pub(super) fn any_composer(&self) -> Result<&Arc<dyn Plugin>> {
        let mut all = self.plugins().iter();
        let found = all.find(|plugin| plugin.composer().is_some());
        found.ok_or_else(no_composer)
    }
}

pub(super) fn no_composer() -> Error {
    Problem::conflict("this server has nothing that composes messages").into()
}

/// Owners and managers say what is said.
pub(super) fn may_speak(caller: &Caller) -> Result<()> {
    if caller.actor.may(Right::ManageCatalogue) {
        return may_manage(caller);
    }
    Err(Error::forbidden(caller, "set up notifications"))
}
