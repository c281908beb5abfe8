//! What one request has at hand: who asks, the catalogue read once, and loaders that read what many fields want in one go.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use domain::booking::Booking;
use domain::customer::Customer;
use domain::id::{BookingId, CustomerId, DeliveryId, ProviderId, SessionId};
use domain::notification::Notification;
use domain::session::Session;
use engine::booking::BookingChange;
use engine::calendar::CalendarConnection;
use engine::catalogue::Catalogue;
use engine::delivery_list::DeliveryAttempt;
use engine::payment::PaymentView;
use engine::{Caller, Engine};
use tokio::sync::OnceCell;

use crate::failure::{Failure, Result};

/// Lives as long as the request (for a subscription, as long as it is open).
pub(crate) struct AtHand {
    catalogue: OnceCell<Arc<Catalogue>>,
    loader: DataLoader<Reader>,
}

impl AtHand {
    pub(crate) fn new(engine: Engine, caller: Caller) -> Self {
        let loader = DataLoader::new(Reader { engine, caller }, tokio::spawn);
        Self {
            catalogue: OnceCell::new(),
            loader,
        }
    }
}

/// Who asks whom.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) caller: Caller,
    at_hand: &'a AtHand,
}

impl<'a> Asked<'a> {
    /// Who asks whom in this request.
    pub(crate) fn of(ctx: &Context<'a>) -> Result<Self> {
        match (
            ctx.data_opt::<Engine>(),
            ctx.data_opt::<Caller>(),
            ctx.data_opt::<AtHand>(),
        ) {
            (Some(engine), Some(caller), Some(at_hand)) => Ok(Self {
                engine,
                caller: *caller,
                at_hand,
            }),
            _ => Err(Failure::fault("the request was run without its caller")),
        }
    }

    /// Whether a member of staff asks.
    pub(crate) fn is_staff(&self) -> bool {
        self.caller.actor.is_staff()
    }

    /// Whether archived things are listed too: for staff who ask for them.
    pub(crate) fn wants_archived(&self, include: Option<bool>) -> bool {
        include.unwrap_or(false) && self.is_staff()
    }

    /// The catalogue: read once for all fields of a query.
    pub(crate) async fn catalogue(&self) -> Result<Arc<Catalogue>> {
        let read = || self.engine.catalogue(&self.caller);
        Ok(self.at_hand.catalogue.get_or_try_init(read).await?.clone())
    }

    /// The catalogue as it is now: for what was written or read after the beginning of the request.
    pub(crate) async fn catalogue_now(&self) -> Result<Arc<Catalogue>> {
        Ok(self.engine.catalogue(&self.caller).await?)
    }

    /// What belongs to a key, read together with what other fields of the same list want.
    pub(crate) async fn load<Key>(&self, key: Key) -> Result<Option<<Reader as Loader<Key>>::Value>>
    where
        Key: Send + Sync + Hash + Eq + Clone + 'static,
        Reader: Loader<Key, Error = Failure>,
    {
        self.at_hand.loader.load_one(key).await
    }

    /// A session that something visible speaks of.
    pub(crate) async fn session(&self, id: SessionId) -> Result<Arc<Session>> {
        let found = self.at_hand.loader.load_one(id).await?;
        found.ok_or_else(|| Failure::fault("a booking has no session"))
    }

    /// A customer that something visible speaks of.
    pub(crate) async fn customer(&self, id: CustomerId) -> Result<Arc<Customer>> {
        let found = self.at_hand.loader.load_one(id).await?;
        found.ok_or_else(|| Failure::fault("a booking has no customer"))
    }

    /// A booking that a delivery is about.
    pub(crate) async fn delivered_booking(&self, id: BookingId) -> Result<Option<Booking>> {
        self.at_hand.loader.load_one(Itself(id)).await
    }

    /// The attempts at a delivery that is visible.
    pub(crate) async fn attempts(&self, id: DeliveryId) -> Result<Vec<DeliveryAttempt>> {
        Ok(self.at_hand.loader.load_one(id).await?.unwrap_or_default())
    }

    /// The payments for a booking that is visible.
    pub(crate) async fn payments(&self, id: BookingId) -> Result<Vec<PaymentView>> {
        Ok(self
            .at_hand
            .loader
            .load_one(PaymentsOf(id))
            .await?
            .unwrap_or_default())
    }

    /// The connection of a provider to calendars elsewhere, for those who may see it.
    pub(crate) async fn calendar_connection(
        &self,
        id: ProviderId,
    ) -> Result<Option<CalendarConnection>> {
        self.at_hand.loader.load_one(id).await
    }

    /// What was or will be said of a booking that is visible.
    pub(crate) async fn notifications(&self, id: BookingId) -> Result<Vec<Notification>> {
        let told = self.at_hand.loader.load_one(ToldOf(id)).await?;
        Ok(told.unwrap_or_default())
    }

    /// The history of a booking that is visible.
    pub(crate) async fn history(&self, id: BookingId) -> Result<Vec<BookingChange>> {
        Ok(self.at_hand.loader.load_one(id).await?.unwrap_or_default())
    }
}

/// The key of the payments for a booking.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct PaymentsOf(BookingId);

/// The key of what is said of a booking.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct ToldOf(BookingId);

/// The key of a booking itself; its id alone is that of its history.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Itself(BookingId);

/// Reads for many at once.
pub(crate) struct Reader {
    pub(crate) engine: Engine,
    pub(crate) caller: Caller,
}

impl Loader<ProviderId> for Reader {
    type Value = CalendarConnection;
    type Error = Failure;

    async fn load(&self, ids: &[ProviderId]) -> Result<HashMap<ProviderId, CalendarConnection>> {
        let found = self.engine.calendar_connections(&self.caller, ids).await?;
        Ok(found
            .into_iter()
            .map(|row| (row.provider_id, row))
            .collect())
    }
}

impl Loader<SessionId> for Reader {
    type Value = Arc<Session>;
    type Error = Failure;

    async fn load(&self, ids: &[SessionId]) -> Result<HashMap<SessionId, Arc<Session>>> {
        let sessions = self.engine.sessions(&self.caller, ids).await?;
        Ok(sessions
            .into_iter()
            .map(|session| (session.id, Arc::new(session)))
            .collect())
    }
}

impl Loader<CustomerId> for Reader {
    type Value = Arc<Customer>;
    type Error = Failure;

    async fn load(&self, ids: &[CustomerId]) -> Result<HashMap<CustomerId, Arc<Customer>>> {
        let customers = self.engine.customers(&self.caller, ids).await?;
        Ok(customers
            .into_iter()
            .map(|customer| (customer.id, Arc::new(customer)))
            .collect())
    }
}

impl Loader<PaymentsOf> for Reader {
    type Value = Vec<PaymentView>;
    type Error = Failure;

    async fn load(&self, ids: &[PaymentsOf]) -> Result<HashMap<PaymentsOf, Vec<PaymentView>>> {
        let ids: Vec<BookingId> = ids.iter().map(|id| id.0).collect();
        let mut payments: HashMap<PaymentsOf, Vec<PaymentView>> = HashMap::new();
        for view in self.engine.payments_of(&self.caller, &ids).await? {
            let booking = PaymentsOf(view.payment.booking_id);
            payments.entry(booking).or_default().push(view);
        }
        Ok(payments)
    }
}

impl Loader<ToldOf> for Reader {
    type Value = Vec<Notification>;
    type Error = Failure;

    async fn load(&self, ids: &[ToldOf]) -> Result<HashMap<ToldOf, Vec<Notification>>> {
        let ids: Vec<BookingId> = ids.iter().map(|id| id.0).collect();
        let mut told: HashMap<ToldOf, Vec<Notification>> = HashMap::new();
        for one in self.engine.notifications_of(&self.caller, &ids).await? {
            told.entry(ToldOf(one.booking_id)).or_default().push(one);
        }
        Ok(told)
    }
}

impl Loader<Itself> for Reader {
    type Value = Booking;
    type Error = Failure;

    async fn load(&self, ids: &[Itself]) -> Result<HashMap<Itself, Booking>> {
        let ids: Vec<BookingId> = ids.iter().map(|id| id.0).collect();
        let bookings = self.engine.delivery_bookings(&self.caller, &ids).await?;
        Ok(bookings
            .into_iter()
            .map(|booking| (Itself(booking.id), booking))
            .collect())
    }
}

impl Loader<DeliveryId> for Reader {
    type Value = Vec<DeliveryAttempt>;
    type Error = Failure;

    async fn load(&self, ids: &[DeliveryId]) -> Result<HashMap<DeliveryId, Vec<DeliveryAttempt>>> {
        let mut attempts: HashMap<DeliveryId, Vec<DeliveryAttempt>> = HashMap::new();
        for attempt in self.engine.delivery_attempts(&self.caller, ids).await? {
            attempts
                .entry(attempt.delivery_id)
                .or_default()
                .push(attempt);
        }
        Ok(attempts)
    }
}

impl Loader<BookingId> for Reader {
    type Value = Vec<BookingChange>;
    type Error = Failure;

    async fn load(&self, ids: &[BookingId]) -> Result<HashMap<BookingId, Vec<BookingChange>>> {
        let mut histories: HashMap<BookingId, Vec<BookingChange>> = HashMap::new();
        for change in self.engine.booking_history(&self.caller, ids).await? {
            histories.entry(change.booking_id).or_default().push(change);
        }
        Ok(histories)
    }
}
