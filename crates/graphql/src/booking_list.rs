//! The list of bookings, as a Relay connection: by start, then id; in pages of at most 100, counted from either end.
//!
//! Guaranteed: a cursor stays right whatever is booked or cancelled around it, and both halves of `pageInfo` are true in both
//! directions; what `first` or `last` alone cannot tell is looked up, if it is asked for.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::DateTime as Instant;
use domain::id::{BookingId, Id};
use domain::problem::Problem;
use engine::booking::{self, Page, Position};
use uuid::Uuid;

use crate::booking::{Booking, BookingStatus};
use crate::connection::{PageInfo, estimated, size};
use crate::failure::Result;
use crate::id::optional;
use crate::request::Asked;
use crate::scalar::DateTime;

/// Which bookings: those of which everything holds that is given.
#[derive(InputObject, Default)]
pub struct BookingFilter {
    /// Of one of these statuses.
    statuses: Option<Vec<BookingStatus>>,
    /// That begin then or later.
    from: Option<DateTime>,
    /// That begin before then.
    to: Option<DateTime>,
    /// With this provider.
    provider_id: Option<ID>,
    /// Of this customer.
    customer_id: Option<ID>,
    /// Of this service.
    service_id: Option<ID>,
}

impl BookingFilter {
    pub(crate) fn parsed(self) -> Result<booking::BookingFilter, Problem> {
        Ok(booking::BookingFilter {
            statuses: self
                .statuses
                .map(|statuses| statuses.into_iter().map(Into::into).collect()),
            from: self.from.map(DateTime::utc),
            to: self.to.map(DateTime::utc),
            provider_id: optional(&["filter", "providerId"], self.provider_id.as_ref())?,
            customer_id: optional(&["filter", "customerId"], self.customer_id.as_ref())?,
            service_id: optional(&["filter", "serviceId"], self.service_id.as_ref())?,
        })
    }
}

pub struct BookingConnection {
    bookings: Vec<(Position, Booking)>,
    around: Arc<Around>,
}

/// One page of a list of bookings.
#[Object]
impl BookingConnection {
    /// The bookings of the page, each with its cursor.
    async fn edges(&self) -> Vec<BookingEdge> {
        let edge = |(at, node): &(Position, Booking)| BookingEdge {
            cursor: cursor(*at),
            node: node.clone(),
        };
        self.bookings.iter().map(edge).collect()
    }

    /// The bookings of the page.
    async fn nodes(&self) -> Vec<Booking> {
        self.bookings
            .iter()
            .map(|(_, booking)| booking.clone())
            .collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::Moving(self.around.clone())
    }
}

/// A booking in a list.
#[derive(SimpleObject)]
pub struct BookingEdge {
    /// Its place in the list, for `after` and `before`.
    cursor: String,
    /// The booking.
    node: Booking,
}

/// What is known of the list around a page.
pub struct Around {
    filter: booking::BookingFilter,
    page: Page,
    has_more: bool,
    first: Option<Position>,
    last: Option<Position>,
}

impl Around {
    /// Whether anything lies in the stretch.
    async fn any(
        &self,
        ctx: &Context<'_>,
        after: Option<Position>,
        before: Option<Position>,
    ) -> Result<bool> {
        let asked = Asked::of(ctx)?;
        let stretch = Page {
            after,
            before,
            limit: 0,
            backward: false,
        };
        Ok(asked
            .engine
            .bookings(&asked.caller, &self.filter, stretch)
            .await?
            .has_more)
    }

    pub(crate) async fn has_next(&self, ctx: &Context<'_>) -> Result<bool> {
        let page = &self.page;
        match page.before {
            None => Ok(!page.backward && self.has_more),
            Some(_) if !page.backward && self.has_more => Ok(true),
            Some(before) => {
                let from = self.last.or(page.after).or(Some(just_before(before)));
                self.any(ctx, from, None).await
            }
        }
    }

    pub(crate) async fn has_previous(&self, ctx: &Context<'_>) -> Result<bool> {
        let page = &self.page;
        match page.after {
            None => Ok(page.backward && self.has_more),
            Some(_) if page.backward && self.has_more => Ok(true),
            Some(after) => {
                let to = self.first.or(page.before).or(Some(just_after(after)));
                self.any(ctx, None, to).await
            }
        }
    }

    pub(crate) fn start(&self) -> Option<String> {
        self.first.map(cursor)
    }

    pub(crate) fn end(&self) -> Option<String> {
        self.last.map(cursor)
    }
}

#[derive(Default)]
pub struct BookingListQuery;

#[Object]
impl BookingListQuery {
    /// Bookings by start, in pages of 20 where nothing else is said and 100 at most. Staff see those their role allows, a provider
    /// their own.
    #[graphql(complexity = "1 + estimated(first, last) * child_complexity")]
    async fn bookings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which bookings. Default: all.")] filter: Option<BookingFilter>,
        #[graphql(desc = "The first so many, at most 100. Not together with `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only what lies after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100. Not together with `first`.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what lies before this cursor.")] before: Option<String>,
    ) -> Result<BookingConnection> {
        let asked = Asked::of(ctx)?;
        let page = page(first, after.as_deref(), last, before.as_deref())?;
        let filter = filter.unwrap_or_default().parsed()?;
        let found = asked.engine.bookings(&asked.caller, &filter, page).await?;
        let catalogue = asked.catalogue_now().await?;
        let booking = |(at, booking)| (at, Booking::new(&catalogue, booking, None));
        let bookings: Vec<(Position, Booking)> = found.bookings.into_iter().map(booking).collect();
        let around = Around {
            filter,
            page,
            has_more: found.has_more,
            first: bookings.first().map(|(at, _)| *at),
            last: bookings.last().map(|(at, _)| *at),
        };
        Ok(BookingConnection {
            bookings,
            around: Arc::new(around),
        })
    }
}

fn page(
    first: Option<i32>,
    after: Option<&str>,
    last: Option<i32>,
    before: Option<&str>,
) -> Result<Page, Problem> {
    let (limit, backward) = size(first, last)?;
    Ok(Page {
        after: after.map(|text| position("after", text)).transpose()?,
        before: before.map(|text| position("before", text)).transpose()?,
        limit,
        backward,
    })
}

/// A place in the list as an opaque text: microseconds since 1970 and the id, in hexadecimal.
fn cursor((at, id): Position) -> String {
    format!("{:016x}{:032x}", at.timestamp_micros(), id.uuid().as_u128())
}

fn position(argument: &str, text: &str) -> Result<Position, Problem> {
    let read = || {
        let plain = text.len() == 48 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (at, id) = text.split_at_checked(16).filter(|_| plain)?;
        let at = Instant::from_timestamp_micros(i64::from_str_radix(at, 16).ok()?)?;
        Some((
            at,
            BookingId::from_uuid(Uuid::from_u128(u128::from_str_radix(id, 16).ok()?)),
        ))
    };
    read().ok_or_else(|| Problem::invalid(&[argument], "is not a cursor of this list"))
}

/// The place right before one: what lies after it begins with that one.
fn just_before((at, id): Position) -> Position {
    (
        at,
        BookingId::from_uuid(Uuid::from_u128(id.uuid().as_u128().saturating_sub(1))),
    )
}

/// The place right after one: what lies before it ends with that one.
fn just_after((at, id): Position) -> Position {
    (
        at,
        BookingId::from_uuid(Uuid::from_u128(id.uuid().as_u128().saturating_add(1))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Position {
        let at = Instant::from_timestamp_micros(1_805_031_000_000_001).unwrap();
        (
            at,
            BookingId::from_uuid(Uuid::from_u128(0x0193_4d3c_0000_7000_8000_0000_0000_0001)),
        )
    }

    fn refused_at(page: Result<Page, Problem>) -> String {
        match page {
            Err(Problem::Invalid { path, .. }) => path.join("."),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_cursor_reads_back_what_it_wrote() {
        assert_eq!(position("after", &cursor(place())), Ok(place()));
    }

    #[test]
    fn what_is_no_cursor_is_invalid_where_it_stands() {
        let right = cursor(place());
        for wrong in [
            "",
            "MjA=",
            &right[1..],
            &right.replace('0', "+"),
            &"ä".repeat(24),
            &format!("f{}", &right[1..]),
        ] {
            assert_eq!(
                refused_at(page(None, Some(wrong), None, None)),
                "after",
                "{wrong}"
            );
            assert_eq!(
                refused_at(page(None, None, Some(5), Some(wrong))),
                "before",
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_page_has_its_bounds() {
        assert_eq!(page(None, None, None, None).unwrap().limit, 20);
        assert!(page(None, None, Some(100), None).unwrap().backward);
        assert_eq!(refused_at(page(Some(101), None, None, None)), "first");
        assert_eq!(refused_at(page(Some(-1), None, None, None)), "first");
        assert_eq!(refused_at(page(None, None, Some(101), None)), "last");
        assert_eq!(refused_at(page(Some(1), None, Some(1), None)), "last");
    }
}
