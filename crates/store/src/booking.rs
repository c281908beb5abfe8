//! Bookings and their history.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::booking::{Booking, BookingStatus};
use domain::id::{BookingId, BusinessId, CustomerId, Id, ProviderId, ServiceId, SessionId};
use domain::money::{Currency, Money};
use uuid::Uuid;

use crate::schema::{booking, booking_change, session};
use crate::{Conn, Result, StoreError};

#[derive(Queryable, Selectable)]
#[diesel(table_name = booking)]
struct Row {
    id: Uuid,
    reference: String,
    status: String,
    version: i64,
    session_id: Uuid,
    customer_id: Uuid,
    party_size: i32,
    price_amount: i64,
    price_currency: String,
    policy: serde_json::Value,
    note: Option<String>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Booking {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self> {
        let fault = |what: &str| StoreError::Fault(format!("booking with {what}"));
        Ok(Self {
            id: BookingId::from_uuid(row.id),
            reference: row.reference,
            status: BookingStatus::from_name(&row.status).ok_or_else(|| fault(&row.status))?,
            version: row.version,
            session_id: SessionId::from_uuid(row.session_id),
            customer_id: CustomerId::from_uuid(row.customer_id),
            party_size: u32::try_from(row.party_size).unwrap_or(0),
            price: Money {
                amount: row.price_amount,
                currency: Currency::new(&row.price_currency)
                    .ok_or_else(|| fault(&row.price_currency))?,
            },
            policy: serde_json::from_value(row.policy)?,
            note: row.note,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    }
}

/// The booking with this id.
pub async fn booking_find(
    mut conn: &Conn,
    business: BusinessId,
    id: BookingId,
) -> Result<Option<Booking>> {
    let found = booking::table
        .find((business.uuid(), id.uuid()))
        .select(Row::as_select())
        .first(&mut conn)
        .await;
    found.optional()?.map(Booking::try_from).transpose()
}

/// The booking with this id, locked against other writers.
pub async fn booking_lock_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: BookingId,
) -> Result<Option<Booking>> {
    let found = booking::table
        .find((business.uuid(), id.uuid()))
        .select(Row::as_select())
        .for_no_key_update()
        .first(&mut conn)
        .await;
    found.optional()?.map(Booking::try_from).transpose()
}

/// The booking with this reference.
pub async fn booking_by_reference(
    mut conn: &Conn,
    business: BusinessId,
    reference: &str,
) -> Result<Option<Booking>> {
    let found = booking::table
        .filter(booking::business_id.eq(business.uuid()))
        .filter(booking::reference.eq(reference))
        .select(Row::as_select())
        .first(&mut conn)
        .await;
    found.optional()?.map(Booking::try_from).transpose()
}

/// The bookings in these sessions that keep their seats.
pub async fn booking_list_of_sessions(
    mut conn: &Conn,
    business: BusinessId,
    sessions: &[SessionId],
) -> Result<Vec<Booking>> {
    let sessions: Vec<Uuid> = sessions.iter().map(|id| id.uuid()).collect();
    let rows = booking::table
        .filter(booking::business_id.eq(business.uuid()))
        .filter(booking::session_id.eq_any(sessions))
        .filter(booking::status.ne_all(["cancelled", "expired"]))
        .order(booking::id)
        .select(Row::as_select())
        .load(&mut conn)
        .await?;
    rows.into_iter().map(Booking::try_from).collect()
}

/// These bookings.
pub async fn booking_list_by_id(
    mut conn: &Conn,
    business: BusinessId,
    ids: &[BookingId],
) -> Result<Vec<Booking>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = booking::table
        .filter(booking::business_id.eq(business.uuid()))
        .filter(booking::id.eq_any(ids))
        .select(Row::as_select())
        .load(&mut conn)
        .await?;
    rows.into_iter().map(Booking::try_from).collect()
}

/// Which bookings.
#[derive(Debug, Clone, Default)]
pub struct BookingFilter {
    /// Of one of these statuses; none given: any.
    pub statuses: Option<Vec<BookingStatus>>,
    /// That begin at or after.
    pub from: Option<DateTime<Utc>>,
    /// That begin before.
    pub to: Option<DateTime<Utc>>,
    /// With this provider.
    pub provider_id: Option<ProviderId>,
    /// Of this customer.
    pub customer_id: Option<CustomerId>,
    /// Of this service.
    pub service_id: Option<ServiceId>,
}

/// A place in the list of bookings: start and id.
pub type Position = (DateTime<Utc>, BookingId);

/// A stretch of the list, forward from its beginning or backward from its end.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Only what lies after.
    pub after: Option<Position>,
    /// Only what lies before.
    pub before: Option<Position>,
    /// How many at most.
    pub limit: i64,
    /// The last ones instead of the first.
    pub backward: bool,
}

/// Bookings by start and id, one page of them in that order, each with its start.
pub async fn booking_list(
    mut conn: &Conn,
    business: BusinessId,
    filter: &BookingFilter,
    page: Page,
) -> Result<Vec<(DateTime<Utc>, Booking)>> {
    let query = paged(
        filtered(with_session().into_boxed(), business, filter),
        page,
    )
    .select((session::starts_at, Row::as_select()));
    let rows = query.load::<(DateTime<Utc>, Row)>(&mut conn).await?;
    let mut bookings = rows
        .into_iter()
        .map(|(at, row)| Ok((at, row.try_into()?)))
        .collect::<Result<Vec<_>>>()?;
    if page.backward {
        bookings.reverse();
    }
    Ok(bookings)
}

#[diesel::dsl::auto_type]
fn with_session() -> _ {
    booking::table.inner_join(
        session::table.on(session::business_id
            .eq(booking::business_id)
            .and(session::id.eq(booking::session_id))),
    )
}

type Listed<'f> = diesel::dsl::IntoBoxed<'f, with_session, diesel::pg::Pg>;

fn filtered<'f>(query: Listed<'f>, business: BusinessId, filter: &'f BookingFilter) -> Listed<'f> {
    let mut query = query
        .filter(booking::business_id.eq(business.uuid()))
        .filter(session::business_id.eq(business.uuid()));
    if let Some(statuses) = &filter.statuses {
        let names: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
        query = query.filter(booking::status.eq_any(names));
    }
    if let Some(from) = filter.from {
        query = query.filter(session::starts_at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(session::starts_at.lt(to));
    }
    if let Some(provider) = filter.provider_id {
        query = query.filter(session::provider_id.eq(provider.uuid()));
    }
    if let Some(customer) = filter.customer_id {
        query = query.filter(booking::customer_id.eq(customer.uuid()));
    }
    if let Some(service) = filter.service_id {
        query = query.filter(session::service_id.eq(service.uuid()));
    }
    query
}

/// The page's stretch, from the end that it begins at.
fn paged(mut query: Listed<'_>, page: Page) -> Listed<'_> {
    query = query.limit(page.limit);
    if let Some((at, id)) = page.after {
        let later = session::starts_at.eq(at).and(booking::id.gt(id.uuid()));
        // The first bound is the one that an index can use.
        let bounded = query.filter(session::starts_at.ge(at));
        query = bounded.filter(session::starts_at.gt(at).or(later));
    }
    if let Some((at, id)) = page.before {
        let earlier = session::starts_at.eq(at).and(booking::id.lt(id.uuid()));
        let bounded = query.filter(session::starts_at.le(at));
        query = bounded.filter(session::starts_at.lt(at).or(earlier));
    }
    if page.backward {
        query.order((session::starts_at.desc(), booking::id.desc()))
    } else {
        query.order((session::starts_at.asc(), booking::id.asc()))
    }
}

/// One line of a booking's history.
#[derive(Debug, Clone)]
pub struct BookingChange {
    /// The booking.
    pub booking_id: BookingId,
    /// When.
    pub at: DateTime<Utc>,
    /// What, as the event is called: `booking.rescheduled`.
    pub kind: String,
    /// Who: `customer`, `provider`, `manager`, `owner`, `system`, `calendar`.
    pub by: String,
    /// What it was before.
    pub from: Option<String>,
    /// What it is since.
    pub to: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

type ChangeColumns = (
    Uuid,
    DateTime<Utc>,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// The history of these bookings, the oldest change first.
pub async fn booking_change_list(
    mut conn: &Conn,
    business: BusinessId,
    ids: &[BookingId],
) -> Result<Vec<BookingChange>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = booking_change::table
        .filter(booking_change::business_id.eq(business.uuid()))
        .filter(booking_change::booking_id.eq_any(ids))
        .order((
            booking_change::booking_id,
            booking_change::at,
            booking_change::id,
        ))
        .select((
            booking_change::booking_id,
            booking_change::at,
            booking_change::kind,
            booking_change::by,
            booking_change::was,
            booking_change::becomes,
            booking_change::reason,
        ))
        .load::<ChangeColumns>(&mut conn)
        .await?;
    let row = |(id, at, kind, by, from, to, reason): ChangeColumns| BookingChange {
        booking_id: BookingId::from_uuid(id),
        at,
        kind,
        by,
        from,
        to,
        reason,
    };
    Ok(rows.into_iter().map(row).collect())
}
