//! A fee that is taken from a card which was saved for the booking: asked for by staff, done by the jobs.

use domain::actor::Right;
use domain::booking::Booking;
use domain::event::{BookingFacts, EventKind};
use domain::id::{BookingId, Id, PaymentId};
use domain::money::Money;
use domain::payment::{Payment, PaymentKind, check_fee};
use domain::problem::Problem;
use domain::text;
use serde::Serialize;
use store::Conn;
use store::changes::{Changes, PaymentRow};
use uuid::Uuid;

use super::Work;
use super::asked::Asked;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// A fee to charge.
#[derive(Debug, Clone, Serialize)]
pub struct ChargeFee {
    /// For which booking.
    pub booking_id: BookingId,
    /// How much, in minor units.
    pub amount: i64,
    /// Why, as the customer reads it.
    pub reason: Option<String>,
}

struct FeeCase {
    engine: Engine,
    caller: Caller,
    input: ChargeFee,
}

impl UseCase for FeeCase {
    type Plan = Asked;
    type Answer = PaymentId;

    async fn plan(&self, _: u32) -> Result<Asked> {
        let (engine, caller, id) = (&self.engine, &self.caller, self.input.booking_id);
        engine
            .touchable(caller, id, &["input", "bookingId"])
            .await?;
        engine.asked_of_booking(caller, id).await
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        asked: &Asked,
    ) -> Result<(Changes, PaymentId), TxError> {
        let (engine, caller, facts) = (&self.engine, &self.caller, &asked.facts);
        // Whoever asks for another fee waits here, and then sees this one.
        let booking = engine.lock_as_told_in_tx(conn, caller, facts).await?;
        let found = store::payment::payment_list(conn, caller.business, &[booking.id]).await?;
        let payments: Vec<Payment> = found.into_iter().map(|found| found.payment).collect();
        let saved = payments.iter().rev().find(|payment| payment.has_card());
        let saved = saved
            .ok_or_else(|| Problem::conflict("no card is saved for this booking to charge"))?;
        let mut in_use = engine.plugins_in_use(&asked.catalogue);
        if !in_use.any(|plugin| plugin.name() == saved.plugin) {
            let message = "the business takes no payments at the moment".to_owned();
            return Err(Problem::PluginRefused { message }.into());
        }
        check_fee(self.input.amount, booking.price, &payments)?;
        let fee = Money {
            amount: self.input.amount,
            ..booking.price
        };
        engine.check_step(&saved.plugin, fee)?;
        let id = PaymentId::from_uuid(Uuid::now_v7());
        let mut changes = Changes::default();
        let recorded = asked.record(engine, EventKind::FeeRequested, id, &mut changes)?;
        let now = recorded.at;
        changes
            .payments
            .push(self.row(id, &booking, facts, saved, now));
        Work::Fee.write(&mut changes, &recorded, &saved.plugin, id, now);
        Ok((changes, id))
    }
}

impl FeeCase {
    fn row(
        &self,
        id: PaymentId,
        booking: &Booking,
        facts: &BookingFacts,
        saved: &Payment,
        now: chrono::DateTime<chrono::Utc>,
    ) -> PaymentRow {
        let what = format!("{} ({})", facts.service.name, booking.reference);
        PaymentRow {
            id: id.uuid(),
            booking_id: booking.id.uuid(),
            plugin: saved.plugin.clone(),
            kind: PaymentKind::Fee.name(),
            amount: self.input.amount,
            currency: booking.price.currency.code().to_owned(),
            reference: booking.reference.clone(),
            description: match &self.input.reason {
                Some(reason) => format!("{what}: {reason}"),
                None => what,
            },
            customer_name: facts.customer.name.clone(),
            customer_email: facts.customer.email.clone(),
            // Nobody but us pays it: it has no end.
            expires_at: now,
            created_at: now,
            saved_payment_id: Some(saved.id.uuid()),
        }
    }
}

impl Engine {
    /// Charges a fee to the card that was saved for a booking.
    pub async fn charge_fee(
        &self,
        caller: &Caller,
        input: ChargeFee,
        key: Option<&str>,
    ) -> Result<PaymentId> {
        if !caller.actor.may(Right::ManagePlugins) {
            return Err(Error::forbidden(caller, "charge a fee"));
        }
        let key = Key::of("chargeFee", key, &input)?;
        let reason = text::long(&["input", "reason"], input.reason.as_deref())?;
        let input = ChargeFee { reason, ..input };
        let (engine, caller) = (self.clone(), *caller);
        let case = FeeCase {
            engine: self.clone(),
            caller,
            input,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }
}
