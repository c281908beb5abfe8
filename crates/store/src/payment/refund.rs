//! Money that is to go back.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, PaymentId, RefundId};
use uuid::Uuid;

use crate::schema::refund;
use crate::{Conn, Result};

/// Money that is to go back.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = refund)]
pub struct Refund {
    /// Its id.
    pub id: Uuid,
    /// Of which payment.
    pub payment_id: Uuid,
    /// How much, in minor units.
    pub amount: i64,
    /// Why.
    pub reason: Option<String>,
    /// `waiting`, `succeeded` or `failed`.
    pub status: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// Why it failed.
    pub failure: Option<String>,
    /// When that was known.
    pub failed_at: Option<DateTime<Utc>>,
}

/// The refunds of a payment, made and to be made.
pub async fn refund_list(
    mut conn: &Conn,
    business: BusinessId,
    payment: PaymentId,
) -> Result<Vec<Refund>> {
    Ok(refund::table
        .filter(refund::business_id.eq(business.uuid()))
        .filter(refund::payment_id.eq(payment.uuid()))
        .order(refund::id)
        .select(Refund::as_select())
        .load(&mut conn)
        .await?)
}

/// The refund with this id.
pub async fn refund_find(
    mut conn: &Conn,
    business: BusinessId,
    id: RefundId,
) -> Result<Option<Refund>> {
    let found = refund::table
        .find((business.uuid(), id.uuid()))
        .select(Refund::as_select())
        .first(&mut conn)
        .await;
    Ok(found.optional()?)
}

/// Adds a refund that is to be made.
pub async fn refund_insert_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    new: &Refund,
) -> Result<()> {
    diesel::insert_into(refund::table)
        .values((
            refund::business_id.eq(business.uuid()),
            refund::id.eq(new.id),
            refund::payment_id.eq(new.payment_id),
            refund::amount.eq(new.amount),
            refund::reason.eq(&new.reason),
            refund::status.eq(&new.status),
            refund::created_at.eq(new.created_at),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Records what became of a refund that waited: it failed, if there is a reason why.
pub async fn refund_end(
    mut conn: &Conn,
    business: BusinessId,
    id: RefundId,
    failure: Option<&str>,
    at: DateTime<Utc>,
) -> Result<()> {
    let own = refund::table
        .find((business.uuid(), id.uuid()))
        .filter(refund::status.eq("waiting"));
    let status = match failure {
        Some(_) => "failed",
        None => "succeeded",
    };
    diesel::update(own)
        .set((
            refund::status.eq(status),
            refund::failure.eq(failure),
            refund::failed_at.eq(failure.map(|_| at)),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Records that a refund failed; answers whether it seemed to have succeeded.
pub async fn refund_fail_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: RefundId,
    failure: &str,
    at: DateTime<Utc>,
) -> Result<bool> {
    // In the order in which it moves on: whoever writes meanwhile that it succeeded is seen.
    let mut seemed_done = false;
    for status in ["waiting", "succeeded"] {
        let own = refund::table
            .find((business.uuid(), id.uuid()))
            .filter(refund::status.eq(status));
        let failed = diesel::update(own)
            .set((
                refund::status.eq("failed"),
                refund::failure.eq(failure),
                refund::failed_at.eq(at),
            ))
            .execute(&mut conn)
            .await?;
        seemed_done = status == "succeeded" && failed == 1;
    }
    Ok(seemed_done)
}
