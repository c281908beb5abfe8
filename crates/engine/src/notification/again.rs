//! Again: what failed is said again where staff send its delivery on its way again, or mend the settings that it failed at. That is written when
//! they do, so whoever works on the delivery then, and at whichever attempt, sees it, and nobody says again what nobody asked for.

use chrono::{DateTime, Utc};
use domain::id::{BusinessId, DeliveryId, NotificationId};
use domain::notification::{Notification, NotificationStatus};
use store::Conn;

use super::MESSAGE;
use super::send::is_later;
use crate::delivery_list::again_in_tx;
use crate::tx::TxError;

/// Locks the booking that a delivery speaks of, where something failed that it was to say; answers what of that is to be said again.
pub(crate) async fn to_say_again_in_tx(
    conn: &Conn,
    business: BusinessId,
    delivery: DeliveryId,
) -> Result<Vec<NotificationId>, TxError> {
    use store::notification as stored;
    let carried = stored::notification_list_of_delivery(conn, business, delivery).await?;
    let Some(booking) = carried.iter().find(|known| has_failed(known)) else {
        return Ok(Vec::new());
    };
    let booking = booking.booking_id;
    // Whoever has the next channel say it is done, or waits.
    store::booking::booking_lock_in_tx(conn, business, booking).await?;
    let all = stored::notification_list(conn, business, &[booking]).await?;
    let of_delivery = |known: &&Notification| known.delivery_id == Some(delivery);
    let failed = all.iter().filter(of_delivery).filter(|one| has_failed(one));
    // What a later message has told since would be wrong by now.
    let is_past = |known: &Notification, other: &Notification| {
        goes_another_way(known, other) || !known.is_reminder() && is_later(known, other)
    };
    let again = failed.filter(|known| !all.iter().any(|other| is_past(known, other)));
    Ok(again.map(|known| known.id).collect())
}

/// Has a channel say now, by the settings that it was given, what it could not by those before: what still waits, and what nobody tried any more.
/// What is over by now is left to staff.
pub(crate) async fn send_what_waited_in_tx(
    conn: &Conn,
    business: BusinessId,
    plugin: &str,
    now: DateTime<Utc>,
) -> Result<(), TxError> {
    use store::delivery_list::delivery_list_misconfigured;
    let waited = delivery_list_misconfigured(conn, business, plugin, MESSAGE, now).await?;
    for id in waited {
        // One that was delivered meanwhile, or is in hand, stays as it is.
        let _: Result<(), &str> = again_in_tx(conn, business, id, now).await?;
    }
    Ok(())
}

/// Whether it failed, and the other side never had it: what it has had it would not take again.
fn has_failed(known: &Notification) -> bool {
    known.status == NotificationStatus::Failed && known.external_id.is_none()
}

/// Whether the same is said by another channel.
fn goes_another_way(known: &Notification, other: &Notification) -> bool {
    let key = |one: &Notification| (one.rule_id, one.occasion_id, one.recipient);
    let is_later = known.id < other.id && other.status != NotificationStatus::Suppressed;
    let is_said = matches!(
        other.status,
        NotificationStatus::Planned | NotificationStatus::Sent | NotificationStatus::Delivered
    );
    key(known) == key(other) && known.id != other.id && (is_later || is_said)
}
