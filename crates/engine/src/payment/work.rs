//! What is done about payments at the other side, as deliveries to the plugin: at least once, and with one effect, because every call bears
//! an id of ours.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::id::{BusinessId, PaymentId, RefundId};
use domain::payment::PaymentStatus;
use plugin_api::{Delivery, Done, Failure, Plugin};
use store::changes::{Changes, DeliveryRow};

use super::desk::Desk;
use crate::event::Recorded;
use crate::{Caller, Engine, Result};

/// How long whoever books waits for the other side.
const PATIENCE: Duration = Duration::from_secs(8);

/// Begins the part of every delivery about a payment.
pub(crate) const PAYMENT: &str = "payment-";

/// Begins the part of a delivery that charges a fee.
pub(crate) const FEE: &str = "payment-fee";

/// Begins the part of a delivery that asks which payment something came of, by the other side's name for it: `payment-find:<name>`.
const FIND: &str = "payment-find:";

/// Begins the part of a delivery that pays back: `payment-refund:<refund>`.
const REFUND: &str = "payment-refund:";

/// What is to be done about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Begin it, if whoever booked did not.
    Begin,
    /// The time to pay is over: call it off, or learn that it was paid.
    Expire,
    /// The booking was cancelled: call it off, or learn that it was paid.
    CallOff,
    /// The other side called: see how it stands.
    LookUp,
    /// Nobody may call: look now and then whether it was paid.
    Watch,
    /// Take money that is reserved.
    Capture,
    /// Take a fee from a card that was saved.
    Fee,
}

impl Work {
    const ALL: [Self; 7] = [
        Self::Begin,
        Self::Expire,
        Self::CallOff,
        Self::LookUp,
        Self::Watch,
        Self::Capture,
        Self::Fee,
    ];

    fn verb(self) -> &'static str {
        match self {
            Self::Begin => "payment-begin",
            Self::Expire => "payment-expire",
            Self::CallOff => "payment-call-off",
            Self::LookUp => "payment-look-up",
            Self::Watch => "payment-watch",
            Self::Capture => "payment-capture",
            Self::Fee => FEE,
        }
    }

    /// The work and the payment that the part of a delivery names.
    pub(crate) fn of(part: &str) -> Option<(Self, PaymentId)> {
        let (verb, id) = part.split_once(':')?;
        let work = Self::ALL.into_iter().find(|work| work.verb() == verb)?;
        Some((work, id.parse().ok()?))
    }

    /// Adds it to the changes, as a delivery of what was recorded.
    pub(crate) fn write(
        self,
        changes: &mut Changes,
        recorded: &Recorded,
        plugin: &str,
        payment: PaymentId,
        due_at: DateTime<Utc>,
    ) {
        let part = format!("{}:{payment}", self.verb());
        changes.deliveries.push(DeliveryRow {
            due_at,
            ..recorded.delivery(plugin, part)
        });
    }
}

/// Adds to the changes that a refund is to be made, or put before staff that failed.
pub(super) fn write_refund(
    changes: &mut Changes,
    recorded: &Recorded,
    plugin: &str,
    refund: RefundId,
) {
    let part = format!("{REFUND}{refund}");
    changes.deliveries.push(recorded.delivery(plugin, part));
}

/// What is to be paid back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PayBack {
    /// This.
    Refund(RefundId),
    /// All that waits of a payment: deliveries named it before each refund had its own.
    AllOf(PaymentId),
}

impl PayBack {
    /// What the part of a delivery names.
    pub(crate) fn of(part: &str) -> Option<Self> {
        let named = part.strip_prefix(REFUND)?;
        let refund = named.parse().map(Self::Refund);
        refund.or_else(|_| named.parse().map(Self::AllOf)).ok()
    }
}

/// Adds to the changes that the payment is to be found and looked up which something came of.
pub(super) fn write_find(changes: &mut Changes, recorded: &Recorded, plugin: &str, name: &str) {
    let part = format!("{FIND}{name}");
    changes.deliveries.push(recorded.delivery(plugin, part));
}

/// What the payment is named by the other side that the part of a delivery asks to find.
pub(crate) fn found_by(part: &str) -> Option<&str> {
    part.strip_prefix(FIND)
}

impl Engine {
    /// Does what a delivery asks to be done about a payment; none: the plugin takes no payments.
    pub(crate) async fn work_on_payment(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
        (work, id): (Work, PaymentId),
        is_last: bool,
    ) -> Option<Result<Done, Failure>> {
        Some(self.desk(plugin, delivery)?.work(work, id, is_last).await)
    }

    /// Finds the payment that a delivery names as the other side does; none: the plugin takes no payments.
    pub(crate) async fn work_on_payment_to_find(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
        name: &str,
    ) -> Option<Result<Done, Failure>> {
        Some(self.desk(plugin, delivery)?.find(name).await)
    }

    /// Pays back what a delivery names; none: the plugin takes no payments.
    pub(crate) async fn work_on_refund(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
        what: PayBack,
    ) -> Option<Result<Done, Failure>> {
        Some(self.desk(plugin, delivery)?.pay_back(what).await)
    }

    fn desk<'a>(&'a self, plugin: &'a dyn Plugin, delivery: &'a Delivery) -> Option<Desk<'a>> {
        Some(Desk {
            engine: self,
            caller: Caller::system(delivery.business_id),
            plugin: plugin.name(),
            payments: plugin.payments()?,
            settings: &delivery.settings,
        })
    }

    /// Begins a payment that was just asked for, so that whoever books can pay at once. Where the other side does not answer, the jobs go on.
    pub(crate) async fn begin_payment(&self, business: BusinessId, id: PaymentId) -> Result<()> {
        let caller = Caller::system(business);
        let conn = self.0.database.conn().await?;
        let payment = self.payment_on(&conn, &caller, id).await?;
        if payment.status != PaymentStatus::Waiting {
            // Asked for again under its idempotency key, when it is over and done.
            return Ok(());
        }
        let plugin = self.plugin_named(&["plugin"], &payment.plugin)?;
        let catalogue = self.catalogue_on(&conn, business).await?;
        let settings = self.settings_of(&catalogue, plugin.name());
        drop(conn);
        let Ok(settings) = settings else {
            return Ok(());
        };
        let (engine, asked) = (self.clone(), plugin.clone());
        let work = async move {
            let Some(payments) = asked.payments() else {
                return Err(Failure::give_up("the plugin takes no payments any more"));
            };
            let desk = Desk {
                engine: &engine,
                caller,
                plugin: asked.name(),
                payments,
                settings: &settings,
            };
            desk.begin(&payment).await
        };
        let begun = self.ask_other_side(&plugin, business, PATIENCE, work).await;
        match begun.unwrap_or_else(|none| Err(none.into())) {
            // Nobody can mend it in the time to pay.
            Err(Failure::GiveUp { reason } | Failure::Misconfigured { reason }) => {
                tracing::warn!(payment = %id, reason, "a payment could not be begun");
                self.settle_failed_to_begin(&caller, id, &reason).await?;
                Ok(())
            }
            Err(Failure::Retry { reason, .. } | Failure::NotYet { reason, .. }) => {
                tracing::info!(payment = %id, reason, "a payment could not be begun yet");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }
}
