//! When the rules of time zones change, what is booked keeps its wall-clock time, so its instant moves ([`super::zone_shift`]).
//!
//! Guaranteed: a business that is done is not looked at again until the rules change once more, and one that was interrupted begins
//! anew. Older rules than those that a business follows move nothing.

use chrono::TimeDelta;
use domain::id::{BusinessId, Id};
use store::session::WallRow;
use uuid::Uuid;

use super::zone_shift::{Displaced, Outcome};
use crate::{Caller, Engine, Result};

/// Sessions and businesses that are read in one go.
const PAGE: i64 = 500;
/// No zone's clocks were ever moved further at once: what began longer ago than this lies behind by any rules.
const FURTHEST: TimeDelta = TimeDelta::days(1);

/// What following the rules came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ZoneShift {
    /// Sessions that moved.
    pub moved: usize,
    /// Sessions that should have and did not: their time is taken.
    pub left: usize,
}

impl Engine {
    /// Moves what is booked ahead, in every business, to where its wall-clock time is by the rules of this engine, if they are newer
    /// than those it follows. One business that cannot be moved stands in no other's way; the last such failure is answered.
    pub async fn follow_zones(&self) -> Result<ZoneShift> {
        let (mut total, mut last) = (ZoneShift::default(), BusinessId::from_uuid(Uuid::nil()));
        let mut failed = None;
        loop {
            let conn = self.0.database.conn().await?;
            // Rules without a version may have changed under the same name.
            let done = Some(self.zones().version()).filter(|version| *version != "unknown");
            let page =
                store::business::business_list_of_other_zones(&conn, done, last, PAGE).await?;
            drop(conn);
            let Some((end, _)) = page.last() else {
                return failed.map_or(Ok(total), Err);
            };
            last = *end;
            for (business, follows) in page {
                match self.follow_zones_of(business, follows.as_deref()).await {
                    Ok(shift) => {
                        total.moved += shift.moved;
                        total.left += shift.left;
                    }
                    Err(error) => {
                        tracing::error!(%business, %error, "what a business has booked cannot follow the rules of time zones");
                        failed = Some(error);
                    }
                }
            }
        }
    }

    async fn follow_zones_of(
        &self,
        business: BusinessId,
        follows: Option<&str>,
    ) -> Result<ZoneShift> {
        let version = self.zones().version();
        if let Some(newer) = follows.filter(|follows| self.zones().is_older_than(follows)) {
            tracing::warn!(%business, version, newer, "this process has older rules of time zones than what is booked follows");
            return Ok(ZoneShift::default());
        }
        let caller = Caller::system(business);
        let displaced = self.displaced(&caller).await?;
        let shift = self.shift_all(&caller, displaced).await?;
        let conn = self.0.database.conn().await?;
        store::business::business_zone_version_put(&conn, business, version).await?;
        if shift != ZoneShift::default() {
            tracing::info!(%business, version, moved = shift.moved, left = shift.left, "followed new rules of time zones");
        }
        Ok(shift)
    }

    /// What lies ahead and is not where its wall-clock time is.
    async fn displaced(&self, caller: &Caller) -> Result<Vec<Displaced>> {
        let now = self.clock().now();
        let (mut displaced, mut after) = (Vec::new(), (now - FURTHEST, Uuid::nil()));
        loop {
            let conn = self.0.database.conn().await?;
            let page =
                store::session::session_list_walls(&conn, caller.business, after, PAGE).await?;
            let Some(end) = page.last() else {
                return Ok(displaced);
            };
            after = (end.starts_at, end.id.uuid());
            displaced.extend(
                page.into_iter()
                    .filter_map(|row| self.displaced_one(row))
                    .filter(|one| one.from.max(one.to) > now),
            );
        }
    }

    fn displaced_one(&self, row: WallRow) -> Option<Displaced> {
        let Some(zone) = self.zones().get(&row.time_zone) else {
            tracing::warn!(session = %row.id, zone = row.time_zone, "the zone of a session is not in the zone data");
            return None;
        };
        let to = zone.displaced(row.starts_at, row.wall_start)?;
        Some(Displaced {
            session: row.id,
            zone: row.time_zone,
            from: row.starts_at,
            to,
        })
    }

    /// Moves them as long as any can be moved: one may have to make room for the next.
    async fn shift_all(&self, caller: &Caller, mut displaced: Vec<Displaced>) -> Result<ZoneShift> {
        let mut shift = ZoneShift::default();
        // Whoever moves later goes from the last to the first, and the other way round: then neighbours make room in one pass.
        displaced.sort_by_key(|one| {
            let place = one.from.timestamp();
            if one.to > one.from { -place } else { place }
        });
        loop {
            let before = displaced.len();
            let mut taken = Vec::new();
            for one in displaced {
                match self.shift(caller, &one, false).await? {
                    Outcome::Moved => shift.moved += 1,
                    Outcome::Taken => taken.push(one),
                    Outcome::Settled => {}
                }
            }
            displaced = taken;
            if displaced.is_empty() || displaced.len() == before {
                break;
            }
        }
        for one in displaced {
            match self.shift(caller, &one, true).await? {
                Outcome::Moved => shift.moved += 1,
                Outcome::Taken => {
                    tracing::warn!(
                        business = %caller.business, session = %one.session, from = %one.from, to = %one.to,
                        "a session cannot keep its wall-clock time, for it is taken"
                    );
                    shift.left += 1;
                }
                Outcome::Settled => {}
            }
        }
        Ok(shift)
    }
}
