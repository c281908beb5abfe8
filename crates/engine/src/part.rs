//! The part of a delivery: most are parts that the plugin plays itself; the others ask for work of the engine by a capability of the plugin, as
//! `<what>:<id of what it is about>` or by a name of their own. Each capability's module says how its parts are written.

use domain::id::{PaymentId, WebhookEndpointId};

use crate::notification::{NOTICE, PLAN, is_message};
use crate::{calendar, payment, webhook};

/// What a delivery asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// Something is done about a payment.
    Payment(payment::Work, PaymentId),
    /// Money goes back.
    PayBack(payment::PayBack),
    /// A payment is found by its name at the other side, and looked up.
    PaymentToFind(&'a str),
    /// The event is posted to an endpoint.
    Webhook(WebhookEndpointId),
    /// Something is done in a calendar elsewhere.
    Calendar(calendar::Work),
    /// Somebody is told of what does not work any more.
    Notice,
    /// What is said of the event is planned.
    Plan,
    /// Messages are sent.
    Message,
    /// The plugin's own reaction.
    Reaction,
}

impl<'a> Part<'a> {
    pub(crate) fn of(part: &'a str) -> Self {
        match part {
            NOTICE => return Self::Notice,
            PLAN => return Self::Plan,
            part if is_message(part) => return Self::Message,
            _ => {}
        }
        let payment = payment::Work::of(part).map(|(work, id)| Self::Payment(work, id));
        payment
            .or_else(|| payment::PayBack::of(part).map(Self::PayBack))
            .or_else(|| payment::found_by(part).map(Self::PaymentToFind))
            .or_else(|| webhook::of_part(part).map(Self::Webhook))
            .or_else(|| calendar::Work::of(part).map(Self::Calendar))
            .unwrap_or(Self::Reaction)
    }

    /// Whether it is brought to its end also where the plugin was switched off meanwhile: what was begun about money is, and what was left
    /// behind in calendars is cleared up; of a message it is told that it is not sent, or it goes another way.
    pub(crate) fn outlives_use(self) -> bool {
        match self {
            Self::Payment(..)
            | Self::PayBack(_)
            | Self::PaymentToFind(_)
            | Self::Calendar(_)
            | Self::Message => true,
            Self::Webhook(_) | Self::Notice | Self::Plan | Self::Reaction => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::id::{Id, ProviderId, RefundId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_part_is_known_by_its_text_and_any_other_is_the_plugin_s_own() {
        let uuid = Uuid::now_v7();
        let payment = PaymentId::from_uuid(uuid);
        let refund = RefundId::from_uuid(uuid);
        let endpoint = WebhookEndpointId::from_uuid(uuid);
        let keep = calendar::Work::Keep(ProviderId::from_uuid(uuid));
        let tidy = calendar::Work::Tidy(uuid);
        for (text, part, outlives) in [
            (
                format!("payment-capture:{payment}"),
                Part::Payment(payment::Work::Capture, payment),
                true,
            ),
            (
                format!("payment-refund:{refund}"),
                Part::PayBack(payment::PayBack::Refund(refund)),
                true,
            ),
            (
                format!("payment-refund:{payment}"),
                Part::PayBack(payment::PayBack::AllOf(payment)),
                true,
            ),
            (
                "payment-find:pi_1".to_owned(),
                Part::PaymentToFind("pi_1"),
                true,
            ),
            (
                format!("webhook:{endpoint}"),
                Part::Webhook(endpoint),
                false,
            ),
            (keep.part(), Part::Calendar(keep), true),
            (tidy.part(), Part::Calendar(tidy), true),
            ("notice".to_owned(), Part::Notice, false),
            ("plan".to_owned(), Part::Plan, false),
            ("notification:customer".to_owned(), Part::Message, true),
            ("customer".to_owned(), Part::Reaction, false),
            (format!("payment-gone:{payment}"), Part::Reaction, false),
            ("payment-refund:1".to_owned(), Part::Reaction, false),
            ("webhook:".to_owned(), Part::Reaction, false),
            ("calendar:elsewhere".to_owned(), Part::Reaction, false),
            (String::new(), Part::Reaction, false),
        ] {
            assert_eq!(Part::of(&text), part, "{text}");
            assert_eq!(part.outlives_use(), outlives, "{text}");
        }
    }
}
