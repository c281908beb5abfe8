//! Payments, their ledger, and the money that is to go back ([`refund`]).

mod refund;

pub use refund::{refund_end, refund_fail_in_tx, refund_find, refund_insert_in_tx, refund_list};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BookingId, BusinessId, Id, PaymentId};
use domain::money::{Currency, Money};
use domain::payment::{Entry, Payment, PaymentKind, PaymentStatus};
use uuid::Uuid;

use crate::schema::{payment, payment_entry};
use crate::{Conn, Result, StoreError};

#[derive(Queryable, Selectable)]
#[diesel(table_name = payment)]
struct Row {
    id: Uuid,
    booking_id: Uuid,
    plugin: String,
    kind: String,
    status: String,
    amount: i64,
    currency: String,
    reference: String,
    description: String,
    customer_name: String,
    customer_email: Option<String>,
    taken: i64,
    refunded: i64,
    refund_failed: i64,
    fee: i64,
    external_id: Option<String>,
    sealed: Option<Vec<u8>>,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    capture_amount: Option<i64>,
    saved_payment_id: Option<Uuid>,
    disputes: serde_json::Value,
    failure: Option<String>,
}

/// What the other side is told of a payment, as it was when the money was asked for.
#[derive(Debug, Clone)]
pub struct Told {
    /// The booking's reference.
    pub reference: String,
    /// What is paid for, as the customer reads it.
    pub description: String,
    /// Who pays.
    pub customer_name: String,
    /// Whom to send the receipt.
    pub customer_email: Option<String>,
}

/// A payment, and what the customer needs to pay it, sealed.
#[derive(Debug, Clone)]
pub struct SealedPayment {
    /// The payment.
    pub payment: Payment,
    /// What the other side is told of it.
    pub told: Told,
    /// Once it has begun at the other side.
    pub sealed: Option<Vec<u8>>,
}

impl TryFrom<Row> for SealedPayment {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let odd = |what: &str| StoreError::Fault(format!("{what} of payment {}", row.id));
        let payment = Payment {
            id: PaymentId::from_uuid(row.id),
            booking_id: BookingId::from_uuid(row.booking_id),
            kind: PaymentKind::from_name(&row.kind).ok_or_else(|| odd("kind"))?,
            status: PaymentStatus::from_name(&row.status).ok_or_else(|| odd("status"))?,
            amount: Money {
                amount: row.amount,
                currency: Currency::new(&row.currency).ok_or_else(|| odd("currency"))?,
            },
            plugin: row.plugin,
            taken: row.taken,
            refunded: row.refunded,
            refund_failed: row.refund_failed,
            fee: row.fee,
            external_id: row.external_id,
            expires_at: row.expires_at,
            created_at: row.created_at,
            capture_amount: row.capture_amount,
            saved_payment_id: row.saved_payment_id.map(PaymentId::from_uuid),
            disputes: serde_json::from_value(row.disputes).map_err(|_| odd("disputes"))?,
            failure: row.failure,
        };
        Ok(Self {
            payment,
            told: Told {
                reference: row.reference,
                description: row.description,
                customer_name: row.customer_name,
                customer_email: row.customer_email,
            },
            sealed: row.sealed,
        })
    }
}

/// The payment with this id.
pub async fn payment_find(
    mut conn: &Conn,
    business: BusinessId,
    id: PaymentId,
) -> Result<Option<SealedPayment>> {
    let found = payment::table
        .find((business.uuid(), id.uuid()))
        .select(Row::as_select())
        .first(&mut conn)
        .await;
    found.optional()?.map(SealedPayment::try_from).transpose()
}

/// The same, locked against other writers.
pub async fn payment_lock_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: PaymentId,
) -> Result<Option<SealedPayment>> {
    let found = payment::table
        .find((business.uuid(), id.uuid()))
        .select(Row::as_select())
        .for_no_key_update()
        .first(&mut conn)
        .await;
    found.optional()?.map(SealedPayment::try_from).transpose()
}

/// The payments for these bookings, in the order in which they were asked for.
pub async fn payment_list(
    mut conn: &Conn,
    business: BusinessId,
    bookings: &[BookingId],
) -> Result<Vec<SealedPayment>> {
    let bookings: Vec<Uuid> = bookings.iter().map(|id| id.uuid()).collect();
    let rows = payment::table
        .filter(payment::business_id.eq(business.uuid()))
        .filter(payment::booking_id.eq_any(bookings))
        .order(payment::id)
        .select(Row::as_select())
        .load(&mut conn)
        .await?;
    rows.into_iter().map(SealedPayment::try_from).collect()
}

/// The payment that the other side of a plugin calls so.
pub async fn payment_by_external_id(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    external_id: &str,
) -> Result<Option<SealedPayment>> {
    let found = payment::table
        .filter(payment::business_id.eq(business.uuid()))
        .filter(payment::plugin.eq(plugin))
        .filter(payment::external_id.eq(external_id))
        .select(Row::as_select())
        .first(&mut conn)
        .await;
    found.optional()?.map(SealedPayment::try_from).transpose()
}

/// Records that a payment has begun at the other side, if it still waits for that; answers whether it did.
pub async fn payment_begun(
    mut conn: &Conn,
    business: BusinessId,
    id: PaymentId,
    external_id: &str,
    sealed: &[u8],
) -> Result<bool> {
    let own = payment::table
        .find((business.uuid(), id.uuid()))
        .filter(payment::external_id.is_null())
        .filter(payment::status.eq(PaymentStatus::Waiting.name()));
    let written = diesel::update(own)
        .set((
            payment::external_id.eq(external_id),
            payment::sealed.eq(sealed),
        ))
        .execute(&mut conn)
        .await?;
    Ok(written == 1)
}

/// Writes how much of a reservation, which the caller has locked, is to be taken.
pub async fn payment_capture_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: PaymentId,
    amount: i64,
) -> Result<()> {
    diesel::update(payment::table.find((business.uuid(), id.uuid())))
        .set(payment::capture_amount.eq(amount))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Forgets that a reservation is to be taken, of which nothing was.
pub async fn payment_capture_forget(
    mut conn: &Conn,
    business: BusinessId,
    id: PaymentId,
) -> Result<()> {
    let own = payment::table
        .find((business.uuid(), id.uuid()))
        .filter(payment::taken.eq(0));
    diesel::update(own)
        .set(payment::capture_amount.eq(None::<i64>))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Writes how a payment stands, which the caller has locked, and the movements that led there.
pub async fn payment_settle_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    after: &Payment,
    entries: &[Entry],
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::update(payment::table.find((business.uuid(), after.id.uuid())))
        .set((
            payment::status.eq(after.status.name()),
            payment::taken.eq(after.taken),
            payment::refunded.eq(after.refunded),
            payment::refund_failed.eq(after.refund_failed),
            payment::fee.eq(after.fee),
            payment::disputes.eq(serde_json::to_value(&after.disputes)?),
            payment::failure.eq(&after.failure),
        ))
        .execute(&mut conn)
        .await?;
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                payment_entry::business_id.eq(business.uuid()),
                payment_entry::id.eq(Uuid::now_v7()),
                payment_entry::payment_id.eq(after.id.uuid()),
                payment_entry::kind.eq(entry.kind.name()),
                payment_entry::amount.eq(entry.amount),
                payment_entry::currency.eq(after.amount.currency.code()),
                payment_entry::at.eq(at),
            )
        })
        .collect();
    diesel::insert_into(payment_entry::table)
        .values(rows)
        .execute(&mut conn)
        .await?;
    Ok(())
}
