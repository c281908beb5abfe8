//! Allocations: the intervals that sessions take of units of calendars.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Int4, Jsonb, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, SessionId};
use uuid::Uuid;

use crate::changes::AllocationRow;
use crate::prepared::Prepared;
use crate::{Conn, Result, StoreError};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    calendar_id: Uuid,
    #[diesel(sql_type = Int4)]
    unit: i32,
    #[diesel(sql_type = Timestamptz)]
    kept_from: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    kept_to: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    overlap: bool,
}

/// What a session takes, sorted by calendar and unit.
pub async fn allocation_list_of_session(
    mut conn: &Conn,
    business: BusinessId,
    session: SessionId,
) -> Result<Vec<AllocationRow>> {
    let rows: Vec<Row> = Prepared(
        diesel::sql_query(
            "SELECT calendar_id, unit, lower(during) AS kept_from, upper(during) AS kept_to, overlap \
             FROM allocation WHERE business_id = $1 AND session_id = $2 ORDER BY calendar_id, unit",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(session.uuid()),
    )
    .load(&mut conn)
    .await?;
    let row = |row: Row| {
        Ok(AllocationRow {
            calendar_id: row.calendar_id,
            unit: u32::try_from(row.unit)
                .map_err(|_| StoreError::Fault(format!("unit {}", row.unit)))?,
            session_id: session.uuid(),
            kept_from: row.kept_from,
            kept_to: row.kept_to,
            overlap: row.overlap,
        })
    };
    rows.into_iter().map(row).collect()
}

/// Whether any of these intervals is taken by another session than the one that it is for.
pub async fn allocation_is_taken(
    mut conn: &Conn,
    business: BusinessId,
    wanted: &[AllocationRow],
) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    let answer: Answer = Prepared(
        diesel::sql_query(
            "SELECT EXISTS (SELECT FROM jsonb_to_recordset($2) AS x (calendar_id uuid, unit int, session_id uuid, \
                              kept_from timestamptz, kept_to timestamptz, overlap boolean) \
                            JOIN allocation a ON a.calendar_id = x.calendar_id AND a.unit = x.unit \
                              AND a.session_id <> x.session_id AND a.during && tstzrange(x.kept_from, x.kept_to) \
                            WHERE a.business_id = $1 AND NOT a.overlap AND NOT x.overlap) AS taken",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Jsonb, _>(serde_json::to_value(wanted)?),
    )
    .get_result(&mut conn)
    .await?;
    Ok(answer.taken)
}
