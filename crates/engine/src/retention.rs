//! What is kept for a time and no longer: answers under idempotency keys, deliveries that went well, calls of other sides. Events, bookings, money and
//! messages are kept, and so is what was parked: somebody has to look at it.

use chrono::TimeDelta;

use crate::{Engine, Result};

/// How long answers under idempotency keys are kept.
const ANSWERS: TimeDelta = TimeDelta::days(7);

/// How long deliveries that went well and calls of other sides are kept. A call that comes again after that is looked at once more, which changes
/// nothing.
const DELIVERIES: TimeDelta = TimeDelta::days(90);

/// How many deliveries are forgotten in one statement.
const BATCH: i64 = 1000;

/// How much was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Answers under idempotency keys.
    pub answers: usize,
    /// Deliveries that went well, with their attempts.
    pub deliveries: usize,
    /// Calls of other sides.
    pub calls: usize,
}

impl Engine {
    /// Forgets what was kept long enough, over all businesses.
    pub async fn forget_old(&self) -> Result<Forgotten> {
        let conn = self.0.database.conn().await?;
        let now = self.clock().now();
        let mut forgotten = Forgotten {
            answers: store::idempotency::idempotency_forget(&conn, now - ANSWERS).await?,
            deliveries: 0,
            calls: store::inbound_call::inbound_call_forget(&conn, now - DELIVERIES).await?,
        };
        loop {
            let gone = store::delivery::delivery_forget(&conn, now - DELIVERIES, BATCH).await?;
            forgotten.deliveries += gone;
            if gone == 0 {
                return Ok(forgotten);
            }
        }
    }
}
