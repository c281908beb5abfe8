//! Setting up notifications: rules, and messages tried out before anybody gets them.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use engine::notification::{self as engine_notification, Sample, SetRule};

use crate::LIST_COST;
use crate::failure::{Failure, Result};
use crate::id::{list, optional, parsed};
use crate::notification::{NotificationAudience, NotificationChannel, NotificationRule};
use crate::problem::Problem;
use crate::request::Asked;
use crate::settle::{About, bare, settled};

/// A rule to set.
#[derive(InputObject)]
pub struct NotificationRuleInput {
    /// The rule to change. Left out: a new one.
    id: Option<ID>,
    /// An event, at once: `booking.confirmed`, `booking.rescheduled`, `booking.cancelled`, `booking.completed`, `booking.no_show`,
    /// `payment.refunded`, …; or `booking.start` or `booking.end` with an offset.
    event: String,
    /// So many minutes after it; before it where negative: -1440 of `booking.start` is a day before, 1440 of `booking.end` the day after. Of an
    /// event 0.
    #[graphql(default_with = "Some(0)")]
    offset_minutes: Option<i32>,
    /// To whom.
    audience: NotificationAudience,
    /// By which channels, in order of preference. To a customer the one that they prefer comes first, if it is among them.
    channels: Vec<NotificationChannel>,
    /// The name of a text that comes with the software (`confirmed`, `rescheduled`, `cancelled`, `reminder`, `follow-up`, `refunded`,
    /// `refund-failed`), in the
    /// recipient's language; or a text of your own, in Jinja2's language with the variables that `previewNotification` lists. Its first line is
    /// the subject where it begins with `Subject:`.
    template: String,
    /// Whether it counts.
    #[graphql(default_with = "Some(true)")]
    enabled: Option<bool>,
    /// For which services. Left out or empty: for all.
    service_ids: Option<Vec<ID>>,
    /// Of customers of which tiers (`Customer.tier`), each 1 to 40 characters, up to 50 of them; `vip` and `VIP` are the same. It is for all who
    /// are spoken to: a rule for providers, too, then tells of the bookings of those customers alone. What is said at an event goes by the tier at
    /// that time, a reminder by the tier when it is sent. Left out or empty: of all customers, also of those without a tier.
    customer_tiers: Option<Vec<String>>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What became of a mutation of a rule.
#[derive(SimpleObject)]
pub struct NotificationRulePayload {
    /// The rule as it is now, or as it was before it was deleted; null when nothing was done.
    rule: Option<NotificationRule>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

/// A message to try out. It tells of a booking that nobody made.
#[derive(InputObject)]
pub struct NotificationPreviewInput {
    /// The name of a text that comes with the software, or a text.
    template: String,
    /// At what it would be said.
    #[graphql(default_with = "\"booking.confirmed\".to_owned()")]
    event: String,
    /// To whom.
    #[graphql(default_with = "NotificationAudience::Customer")]
    audience: NotificationAudience,
    /// By which channel.
    #[graphql(default_with = "NotificationChannel::Email")]
    channel: NotificationChannel,
    /// In which language, a BCP 47 tag. Left out: the business's.
    language: Option<String>,
}

/// A message to send to an address of one's own. It tells of a booking that nobody made.
#[derive(InputObject)]
pub struct NotificationTestInput {
    /// To which address: an email address, a telephone number.
    to: String,
    /// The name of a text that comes with the software, or a text.
    template: String,
    /// At what it would be said.
    #[graphql(default_with = "\"booking.confirmed\".to_owned()")]
    event: String,
    /// To whom.
    #[graphql(default_with = "NotificationAudience::Customer")]
    audience: NotificationAudience,
    /// By which channel.
    #[graphql(default_with = "NotificationChannel::Email")]
    channel: NotificationChannel,
    /// In which language, a BCP 47 tag. Left out: the business's.
    language: Option<String>,
}

impl From<NotificationPreviewInput> for Sample {
    fn from(input: NotificationPreviewInput) -> Self {
        Self {
            template: input.template,
            event: input.event,
            audience: input.audience.into(),
            channel: input.channel.into(),
            language: input.language,
        }
    }
}

/// Something that is wrong with a template.
#[derive(SimpleObject)]
pub struct TemplateProblem {
    /// In which line, from 1; null where it is the whole.
    line: Option<i32>,
    /// What.
    message: String,
}

/// A variable that a template may show.
#[derive(SimpleObject)]
pub struct TemplateVariable {
    /// Its name: `{{ customer }}` shows `customer`.
    name: &'static str,
    /// What it holds.
    description: &'static str,
}

/// A message as it would be.
#[derive(SimpleObject)]
pub struct NotificationPreview {
    /// What it would be about; null on channels without a subject.
    subject: Option<String>,
    /// What it would say; null where the template is wrong.
    body: Option<String>,
    /// The same with its form, of mail.
    html: Option<String>,
    /// The language it is in.
    language: Option<String>,
    /// What a template may show.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    variables: Vec<TemplateVariable>,
    /// What is wrong with the template.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    problems: Vec<TemplateProblem>,
}

/// What became of a message that was tried out.
#[derive(SimpleObject)]
pub struct NotificationTestPayload {
    /// Whether the other side has taken it.
    ok: bool,
    /// What was found out, or what is wrong, in a sentence.
    message: String,
    /// What stood in the way of sending; empty when it was sent.
    problems: Vec<Problem>,
}

#[derive(Default)]
pub struct NotificationQuery;

#[Object]
impl NotificationQuery {
    /// The rules by which the business speaks to people, the oldest first. Owners and managers.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn notification_rules(&self, ctx: &Context<'_>) -> Result<Vec<NotificationRule>> {
        let asked = Asked::of(ctx)?;
        let rules = asked.engine.notification_rules(&asked.caller).await?;
        let catalogue = asked.catalogue().await?;
        let shown = rules.into_iter();
        Ok(shown
            .map(|rule| NotificationRule::new(&catalogue, rule))
            .collect())
    }

    /// What a template would say, of a booking that nobody made, and what is wrong with it. Owners and managers.
    async fn preview_notification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to try out.")] input: NotificationPreviewInput,
    ) -> Result<NotificationPreview> {
        let asked = Asked::of(ctx)?;
        let sample = Sample::from(input);
        let shown = asked
            .engine
            .preview_notification(&asked.caller, &sample)
            .await?;
        let problem = |problem: engine_notification::TemplateProblem| TemplateProblem {
            line: problem.line.and_then(|line| i32::try_from(line).ok()),
            message: problem.message,
        };
        let variable = |variable: engine_notification::Variable| TemplateVariable {
            name: variable.name,
            description: variable.description,
        };
        let (mut subject, mut body, mut html, mut language) = (None, None, None, None);
        if let Some(composed) = shown.composed {
            subject = composed.subject;
            body = Some(composed.text);
            html = composed.html;
            language = Some(composed.language.to_owned());
        }
        Ok(NotificationPreview {
            subject,
            body,
            html,
            language,
            variables: shown.variables.into_iter().map(variable).collect(),
            problems: shown.problems.into_iter().map(problem).collect(),
        })
    }
}

#[derive(Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Sets a rule: when what is said to whom, by which channels. A template that cannot be filled in is INVALID, with the line. What was planned
    /// by the rule follows it. Owners and managers.
    async fn set_notification_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rule.")] input: NotificationRuleInput,
    ) -> Result<NotificationRulePayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let set = SetRule {
                id: optional(&["input", "id"], input.id.as_ref())?,
                event: input.event,
                offset_minutes: input.offset_minutes.unwrap_or(0),
                audience: input.audience.into(),
                channels: input.channels.into_iter().map(Into::into).collect(),
                template: input.template,
                enabled: input.enabled.unwrap_or(true),
                service_ids: list(&["input", "serviceIds"], input.service_ids.as_ref())?,
                customer_tiers: input.customer_tiers,
            };
            let key = input.idempotency_key.as_deref();
            asked
                .engine
                .set_notification_rule(&asked.caller, set, key)
                .await
        };
        Ok(match settled(ctx, outcome.await, &About::Other).await? {
            Ok(id) => {
                let rule = NotificationRule::find(&asked, id).await?;
                NotificationRulePayload {
                    rule: Some(rule.ok_or_else(|| Failure::fault("a rule has gone"))?),
                    problems: Vec::new(),
                }
            }
            Err(problems) => NotificationRulePayload {
                rule: None,
                problems,
            },
        })
    }

    /// Takes a rule away. What it has planned is not sent. Owners and managers.
    async fn delete_notification_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which rule.")] id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<NotificationRulePayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["id"], &id)?;
            let key = idempotency_key.as_deref();
            asked
                .engine
                .delete_notification_rule(&asked.caller, id, key)
                .await
        };
        let outcome = bare(outcome.await);
        Ok(match settled(ctx, outcome, &About::Other).await? {
            Ok(rule) => NotificationRulePayload {
                rule: Some(NotificationRule::new(&asked.catalogue_now().await?, rule)),
                problems: Vec::new(),
            },
            Err(problems) => NotificationRulePayload {
                rule: None,
                problems,
            },
        })
    }

    /// Sends what a template says, of a booking that nobody made, to an address. Owners and managers.
    async fn test_notification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to send, and where to.")] input: NotificationTestInput,
    ) -> Result<NotificationTestPayload> {
        let asked = Asked::of(ctx)?;
        let sample = Sample {
            template: input.template,
            event: input.event,
            audience: input.audience.into(),
            channel: input.channel.into(),
            language: input.language,
        };
        let outcome = asked
            .engine
            .test_notification(&asked.caller, &sample, &input.to)
            .await;
        Ok(match settled(ctx, outcome, &About::Other).await? {
            Ok(came_of_it) => NotificationTestPayload {
                ok: came_of_it.is_ok(),
                message: came_of_it.unwrap_or_else(|wrong| wrong),
                problems: Vec::new(),
            },
            Err(problems) => NotificationTestPayload {
                ok: false,
                message: "nothing was sent".to_owned(),
                problems,
            },
        })
    }
}
