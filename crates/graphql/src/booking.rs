//! Bookings: a customer's places in a session, and their history.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use domain::booking;
use domain::id::BookingId;
use domain::payment::PaymentKind;
use domain::session;
use engine::catalogue::Catalogue;

use crate::LIST_COST;
use crate::customer::Customer;
use crate::failure::Result;
use crate::id::shown;
use crate::money::Money;
use crate::notification::Notification;
use crate::payment::Payment;
use crate::request::Asked;
use crate::scalar::DateTime;
use crate::session::Session;

#[derive(Clone)]
pub struct Booking {
    catalogue: Arc<Catalogue>,
    state: Arc<booking::Booking>,
    /// Where it is at hand already.
    session: Option<Arc<session::Session>>,
}

impl Booking {
    /// The booking, which the caller may see.
    pub(crate) fn new(
        catalogue: &Arc<Catalogue>,
        booking: booking::Booking,
        session: Option<session::Session>,
    ) -> Self {
        Self {
            catalogue: catalogue.clone(),
            state: Arc::new(booking),
            session: session.map(Arc::new),
        }
    }

    /// The booking with this id, for those who may change it.
    pub(crate) async fn find(asked: &Asked<'_>, id: BookingId) -> Result<Option<Self>> {
        Self::found(asked, asked.engine.booking(&asked.caller, id).await?).await
    }

    async fn found(
        asked: &Asked<'_>,
        found: Option<(booking::Booking, session::Session)>,
    ) -> Result<Option<Self>> {
        let Some((booking, session)) = found else {
            return Ok(None);
        };
        Ok(Some(Self::new(
            &asked.catalogue_now().await?,
            booking,
            Some(session),
        )))
    }
}

/// A customer's places in a session.
#[Object]
impl Booking {
    /// Its id, `bkg_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.state.id)
    }

    /// Short and readable aloud, unique in the business: `K7QF-3MXR`.
    async fn reference(&self) -> &str {
        &self.state.reference
    }

    /// Where it is in its life.
    async fn status(&self) -> BookingStatus {
        self.state.status.into()
    }

    /// Rises by one with every change. Send it as `expectedVersion` to change only what you have seen.
    async fn version(&self) -> i32 {
        i32::try_from(self.state.version).unwrap_or(i32::MAX)
    }

    /// The session that it is in: what, when, where, with whom.
    async fn session(&self, ctx: &Context<'_>) -> Result<Session> {
        let session = match &self.session {
            Some(session) => session.clone(),
            None => Asked::of(ctx)?.session(self.state.session_id).await?,
        };
        Ok(Session::new(&self.catalogue, session))
    }

    /// Whose it is.
    async fn customer(&self, ctx: &Context<'_>) -> Result<Customer> {
        Ok(Customer(
            Asked::of(ctx)?.customer(self.state.customer_id).await?,
        ))
    }

    /// How many places it has.
    async fn party_size(&self) -> u32 {
        self.state.party_size
    }

    /// What it costs, all places together, by the price at which it was made.
    async fn price(&self) -> Money {
        self.state.price.into()
    }

    /// Until when it waits for its payment; null when it does not.
    async fn expires_at(&self) -> Option<DateTime> {
        let at = self.state.expires_at?;
        Some(DateTime::new(at, &self.catalogue.zone))
    }

    /// What was asked for it, the oldest first.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Payment>> {
        let views = Asked::of(ctx)?.payments(self.state.id).await?.into_iter();
        Ok(views
            .map(|view| Payment::new(&self.catalogue, view))
            .collect())
    }

    /// What was or will be said of it to people, and why not, in the order in which it was planned. To staff; to others it is empty.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn notifications(&self, ctx: &Context<'_>) -> Result<Vec<Notification>> {
        let told = Asked::of(ctx)?.notifications(self.state.id).await?;
        let shown = told.into_iter();
        Ok(shown
            .map(|told| Notification::new(&self.catalogue, told))
            .collect())
    }

    /// What is still to be paid: the price without what was paid and not paid back. Fees are beside it.
    async fn balance(&self, ctx: &Context<'_>) -> Result<Money> {
        let views = Asked::of(ctx)?.payments(self.state.id).await?;
        let paid = views.iter().map(|view| &view.payment);
        let paid = paid.filter(|payment| payment.kind != PaymentKind::Fee);
        let paid: i64 = paid.map(domain::payment::Payment::left).sum();
        let price = self.state.price;
        let amount = price.amount - paid;
        Ok(domain::money::Money { amount, ..price }.into())
    }

    /// What the customer had to say.
    async fn note(&self) -> Option<&str> {
        self.state.note.as_deref()
    }

    /// When it was made, in the business's time zone.
    async fn created_at(&self) -> DateTime {
        DateTime::new(self.state.created_at, &self.catalogue.zone)
    }

    /// Everything that happened to it, the oldest first.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn history(&self, ctx: &Context<'_>) -> Result<Vec<BookingChange>> {
        let changes = Asked::of(ctx)?.history(self.state.id).await?;
        let shown = changes.into_iter().map(|change| BookingChange {
            at: DateTime::new(change.at, &self.catalogue.zone),
            kind: change.kind,
            by: change.by,
            from: change.from,
            to: change.to,
            reason: change.reason,
        });
        Ok(shown.collect())
    }
}

/// Where a booking is in its life.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "booking::BookingStatus")]
pub enum BookingStatus {
    /// It waits for something, a payment for instance, and keeps its places meanwhile.
    Pending,
    /// It stands.
    Confirmed,
    /// The customer has arrived.
    CheckedIn,
    /// The service was delivered.
    Completed,
    /// The customer did not come.
    NoShow,
    /// It was called off; its places are free again.
    Cancelled,
    /// It waited too long; its places are free again.
    Expired,
}

/// One thing that happened to a booking.
#[derive(SimpleObject)]
pub struct BookingChange {
    /// When, in the business's time zone.
    at: DateTime,
    /// What, as the event is called: `booking.confirmed`, `booking.rescheduled`, `booking.cancelled`, …
    kind: String,
    /// Who: `customer`, `provider`, `manager`, `owner`, `system`, or `calendar` where it follows its event in the provider's calendar.
    by: String,
    /// What it was before: a status, or for a move the start in UTC.
    from: Option<String>,
    /// What it is since: a status, or for a move the start in UTC.
    to: Option<String>,
    /// Why, where a reason was given.
    reason: Option<String>,
}

#[derive(Default)]
pub struct BookingQuery;

#[Object]
impl BookingQuery {
    /// The booking with this id; null if there is none that you may see. The bearer of its manage token may, and staff.
    async fn booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking, `bkg_…`.")] id: ID,
    ) -> Result<Option<Booking>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Booking::find(&Asked::of(ctx)?, id).await
    }

    /// The booking with this reference; null if there is none that you may see.
    async fn booking_by_reference(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Its reference, in capitals or not, with its hyphen or without: `k7qf3mxr`."
        )]
        reference: String,
    ) -> Result<Option<Booking>> {
        let asked = Asked::of(ctx)?;
        let found = asked
            .engine
            .booking_by_reference(&asked.caller, &reference)
            .await?;
        Booking::found(&asked, found).await
    }
}
