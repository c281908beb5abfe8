//! Money that is to go back.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, PaymentId, RefundId};
use domain::payment::{Refund, RefundOutcome};
use uuid::Uuid;

use crate::schema::refund;
use crate::{Conn, Result, StoreError};

#[derive(Queryable, Selectable)]
#[diesel(table_name = refund)]
struct Row {
    id: Uuid,
    payment_id: Uuid,
    amount: i64,
    reason: Option<String>,
    status: String,
    created_at: DateTime<Utc>,
    failure: Option<String>,
    failed_at: Option<DateTime<Utc>>,
}

const WAITING: &str = "waiting";
const SUCCEEDED: &str = "succeeded";
const FAILED: &str = "failed";

impl TryFrom<Row> for Refund {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let outcome = match row.status.as_str() {
            WAITING => None,
            SUCCEEDED => Some(RefundOutcome::Succeeded),
            // Why and when was not always kept.
            FAILED => Some(RefundOutcome::Failed {
                reason: row.failure.unwrap_or_else(|| "unknown".to_owned()),
                at: row.failed_at.unwrap_or(row.created_at),
            }),
            _ => {
                let odd = format!("status of refund {}", row.id);
                return Err(StoreError::Fault(odd));
            }
        };
        Ok(Self {
            id: RefundId::from_uuid(row.id),
            payment_id: PaymentId::from_uuid(row.payment_id),
            amount: row.amount,
            reason: row.reason,
            created_at: row.created_at,
            outcome,
        })
    }
}

/// The refunds of a payment, made and to be made.
pub async fn refund_list(
    mut conn: &Conn,
    business: BusinessId,
    payment: PaymentId,
) -> Result<Vec<Refund>> {
    let rows = refund::table
        .filter(refund::business_id.eq(business.uuid()))
        .filter(refund::payment_id.eq(payment.uuid()))
        .order(refund::id)
        .select(Row::as_select())
        .load(&mut conn)
        .await?;
    rows.into_iter().map(Refund::try_from).collect()
}

/// The refund with this id.
pub async fn refund_find(
    mut conn: &Conn,
    business: BusinessId,
    id: RefundId,
) -> Result<Option<Refund>> {
    let found = refund::table
        .find((business.uuid(), id.uuid()))
        .select(Row::as_select())
        .first(&mut conn)
        .await;
    found.optional()?.map(Refund::try_from).transpose()
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
            refund::id.eq(new.id.uuid()),
            refund::payment_id.eq(new.payment_id.uuid()),
            refund::amount.eq(new.amount),
            refund::reason.eq(&new.reason),
            refund::status.eq(WAITING),
            refund::created_at.eq(new.created_at),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Records what became of a refund, if it still waited.
pub async fn refund_end(
    mut conn: &Conn,
    business: BusinessId,
    id: RefundId,
    outcome: &RefundOutcome,
) -> Result<()> {
    let own = refund::table
        .find((business.uuid(), id.uuid()))
        .filter(refund::status.eq(WAITING));
    let (status, failure, failed_at) = match outcome {
        RefundOutcome::Succeeded => (SUCCEEDED, None, None),
        RefundOutcome::Failed { reason, at } => (FAILED, Some(reason), Some(*at)),
    };
    diesel::update(own)
        .set((
            refund::status.eq(status),
            refund::failure.eq(failure),
            refund::failed_at.eq(failed_at),
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
    for status in [WAITING, SUCCEEDED] {
        let own = refund::table
            .find((business.uuid(), id.uuid()))
            .filter(refund::status.eq(status));
        let failed = diesel::update(own)
            .set((
                refund::status.eq(FAILED),
                refund::failure.eq(failure),
                refund::failed_at.eq(at),
            ))
            .execute(&mut conn)
            .await?;
        seemed_done = status == SUCCEEDED && failed == 1;
    }
    Ok(seemed_done)
}
