//! What a booking asks to be paid, and the payment that is written with it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::{Booking, BookingStatus};
use domain::customer::Customer;
use domain::id::{BookingId, Id, PaymentId};
use domain::money::Money;
use domain::payment::{PaymentKind, PaymentStatus};
use domain::problem::Problem;
use domain::service::Service;
use store::Conn;
use store::changes::{Changes, PaymentRow};
use uuid::Uuid;

use super::step::payable;
use super::{PaymentView, Work};
use crate::catalogue::Catalogue;
use crate::event::Recorded;
use crate::{Caller, Engine, Error, Result};

/// How long whoever books has to begin the payment before the jobs do.
const HEAD_START: TimeDelta = TimeDelta::seconds(20);

/// How long after the booking the first look is taken whether it was paid, for where nobody calls.
const FIRST_LOOK: TimeDelta = TimeDelta::minutes(1);

/// What is to be paid for a booking.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    plugin: String,
    /// The name of what is paid for.
    service: String,
    kind: PaymentKind,
    amount: Money,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

impl Engine {
    /// What is to be paid for so many places of a service at this time before they stand; none: nothing.
    pub(crate) fn payment_due(
        &self,
        catalogue: &Catalogue,
        service: &Service,
        party_size: u32,
        starts_at: DateTime<Utc>,
    ) -> Result<Option<Due>> {
        let Some((kind, amount)) = service.payment_due(party_size) else {
            return Ok(None);
        };
        let refuse = || Problem::PluginRefused {
            message: "this has to be paid online, and the business takes no payments at the moment"
                .to_owned(),
        };
        let found = self
            .plugins_in_use(catalogue)
            .find_map(|plugin| Some((plugin.name(), plugin.payments()?)));
        let (plugin, payments) = found.ok_or_else(refuse)?;
        let settings = self.settings_of(catalogue, plugin).map_err(|_| refuse())?;
        let amount = payable(payments, amount, service.price_for(party_size))?;
        let minutes = payments.window_minutes(&settings);
        let now = self.clock().now();
        let expires_at = now + TimeDelta::minutes(minutes.into());
        Ok(Some(Due {
            plugin: plugin.to_owned(),
            service: service.name.clone(),
            kind,
            amount,
            // Nobody pays for what has begun without them; who comes with a hold when it has, pays still.
            expires_at: if starts_at > now {
                expires_at.min(starts_at)
            } else {
                expires_at
            },
        }))
    }
}

impl Engine {
    /// A payment that was asked for, begun at the other side if it answers. A payment that cannot be begun takes the booking with it.
    pub(crate) async fn payment_to_make(
        &self,
        caller: &Caller,
        id: PaymentId,
    ) -> Result<PaymentView> {
        self.begin_payment(caller.business, id).await?;
        let conn = self.0.database.conn().await?;
        let found = store::payment::payment_find(&conn, caller.business, id).await?;
        let found = found.ok_or_else(|| Error::Fault(format!("there is no payment {id}")))?;
        if found.payment.status == PaymentStatus::Failed
            && found.payment.external_id.is_none()
            && self
                .has_come_to_nothing(&conn, caller, found.payment.booking_id)
                .await?
        {
            let message = "the payment could not be begun: nothing was booked".to_owned();
            return Err(Problem::PaymentFailed { message }.into());
        }
        Ok(self.view(caller, found))
    }

    async fn has_come_to_nothing(
        &self,
        conn: &Conn,
        caller: &Caller,
        id: BookingId,
    ) -> Result<bool> {
        let booking = store::booking::booking_find(conn, caller.business, id).await?;
        Ok(booking.is_some_and(|booking| booking.status == BookingStatus::Expired))
    }
}

impl Due {
    /// Adds the payment to the changes that make the booking, and what is to be done about it: begun, watched, and called off when
    /// nobody pays.
    pub(crate) fn write(
        &self,
        changes: &mut Changes,
        booking: &Booking,
        customer: &Customer,
        recorded: &Recorded,
    ) -> PaymentId {
        let (id, now) = (PaymentId::from_uuid(Uuid::now_v7()), booking.created_at);
        changes.payments.push(PaymentRow {
            id: id.uuid(),
            booking_id: booking.id.uuid(),
            plugin: self.plugin.clone(),
            kind: self.kind.name(),
            amount: self.amount.amount,
            currency: self.amount.currency.code().to_owned(),
            reference: booking.reference.clone(),
            description: format!("{} ({})", self.service, booking.reference),
            customer_name: customer.name.clone(),
            customer_email: customer.email.clone(),
            expires_at: self.expires_at,
            created_at: now,
            saved_payment_id: None,
        });
        Work::Begin.write(changes, recorded, &self.plugin, id, now + HEAD_START);
        Work::Watch.write(changes, recorded, &self.plugin, id, now + FIRST_LOOK);
        Work::Expire.write(changes, recorded, &self.plugin, id, self.expires_at);
        id
    }
}
