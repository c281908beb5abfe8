//! Book: a named provider or any, redeeming a hold or not, opening a session or joining one.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::booking::{Booking, BookingStatus};
use domain::customer::Customer;
use domain::event::EventKind;
use domain::id::{BookingId, CalendarId, HoldId, Id, PaymentId, ProviderId, ServiceId};
use domain::session::Session;
use domain::{reference, text};
use plugin_api::Proposal;
use serde::{Deserialize, Serialize};
use store::Conn;
use store::changes::{BookingRow, Changes, HoldEndingRow};
use uuid::Uuid;

use super::facts::Told;
use super::redeem::Redeemed;
use super::seating::{Seating, Wish};
use super::{BookingAndSession, History, override_reason};
use crate::availability::whole_minute;
use crate::catalogue::Catalogue;
use crate::customer::{CustomerInput, customer_row};
use crate::event::{Happening, Recorded};
use crate::idempotency::Key;
use crate::payment::{Due, PaymentView};
use crate::secret::{self, TokenKind};
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// A booking to make.
#[derive(Debug, Clone, Serialize)]
pub struct Book {
    /// Of what.
    pub service_id: ServiceId,
    /// When it begins; a whole minute.
    pub starts_at: DateTime<Utc>,
    /// With whom; anybody where none is said.
    pub provider_id: Option<ProviderId>,
    /// The hold that it redeems.
    pub hold_id: Option<HoldId>,
    /// For whom; may be left out by a signed-in customer.
    pub customer: Option<CustomerInput>,
    /// For how many.
    pub party_size: i32,
    /// What the customer has to say.
    pub note: Option<String>,
    /// Why it is booked against the rules, by staff who may.
    pub override_reason: Option<String>,
}

/// A booking that was made.
#[derive(Debug, Clone)]
pub struct Booked {
    /// The booking and its session.
    pub made: BookingAndSession,
    /// The secret with which a customer without an account manages it.
    pub manage_token: String,
    /// What it waits for, where it asks to be paid.
    pub payment: Option<PaymentView>,
}

/// What is answered, and kept under an idempotency key: the salt of the manage token, not the token.
#[derive(Serialize, Deserialize)]
struct Answer {
    made: BookingAndSession,
    salt: String,
    #[serde(default)]
    payment_id: Option<PaymentId>,
}

struct BookCase {
    engine: Engine,
    caller: Caller,
    input: Book,
    customer: Customer,
    note: Option<String>,
    reason: Option<String>,
    /// The key's text, from which the manage token is derived with the salt.
    key: Option<String>,
}

struct BookPlan {
    customer: Customer,
    is_new_customer: bool,
    catalogue: Arc<Catalogue>,
    /// What is to be paid before it stands.
    due: Option<Due>,
    seats: Seats,
}

/// From where the seats come.
enum Seats {
    Taken(Box<Seating>),
    Held(Box<Redeemed>),
}

impl Seats {
    fn starts_at(&self) -> DateTime<Utc> {
        match self {
            Self::Taken(seating) => seating.plan.span.start().instant(),
            Self::Held(held) => held.session.starts_at,
        }
    }
}

impl UseCase for BookCase {
    const CARRIES_CALENDARS: bool = true;
    type Plan = BookPlan;
    type Answer = Answer;

    async fn plan(&self, attempt: u32) -> Result<BookPlan> {
        let seats = match self.input.hold_id {
            Some(id) => {
                let redeemed = self.engine.redeem(&self.caller, id, &self.input).await?;
                Seats::Held(Box::new(redeemed))
            }
            None => Seats::Taken(Box::new(
                self.engine
                    .seat(&self.caller, &self.wish()?, attempt)
                    .await?,
            )),
        };
        let conn = self.engine.0.database.conn().await?;
        let same =
            store::customer::customer_same(&conn, self.caller.business, &self.customer).await?;
        drop(conn);
        let catalogue = match &seats {
            Seats::Taken(seating) => seating.scope.catalogue.clone(),
            Seats::Held(redeemed) => redeemed.catalogue.clone(),
        };
        let plan = BookPlan {
            is_new_customer: same.is_none() && !self.is_signed_in(),
            customer: same.unwrap_or_else(|| self.customer.clone()),
            due: self.due(&catalogue, seats.starts_at())?,
            catalogue,
            seats,
        };
        self.ask_guards(&plan).await?;
        Ok(plan)
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        plan: &BookPlan,
    ) -> Result<(Changes, Answer), TxError> {
        let (engine, caller) = (&self.engine, &self.caller);
        let mut changes = Changes::default();
        let (session, calendars) = match &plan.seats {
            Seats::Taken(seating) => {
                let seated = engine
                    .seat_in_tx(conn, caller, seating, &mut changes)
                    .await?;
                (seated.session, seated.calendars)
            }
            Seats::Held(redeemed) => {
                engine
                    .lock_and_raise_in_tx(conn, caller, &redeemed.calendars, &mut changes)
                    .await?;
                changes.hold_endings.push(HoldEndingRow {
                    id: redeemed.hold.id.uuid(),
                    status: "redeemed",
                });
                (redeemed.session.clone(), redeemed.calendars.clone())
            }
        };
        let answer = self.add_booking(plan, session, calendars, &mut changes)?;
        Ok((changes, answer))
    }
}

impl BookCase {
    fn wish(&self) -> Result<Wish> {
        Ok(Wish {
            service_id: self.input.service_id,
            starts: whole_minute(&["input", "startsAt"], self.input.starts_at)?,
            provider: self.input.provider_id,
            rather: None,
            party_size: self.input.party_size,
            moving: None,
            overriding: self.reason.is_some(),
        })
    }

    /// What is to be paid; of those who book against the rules nothing.
    fn due(&self, catalogue: &Catalogue, starts_at: DateTime<Utc>) -> Result<Option<Due>> {
        let service = catalogue.service(self.input.service_id);
        let party_size = u32::try_from(self.input.party_size).unwrap_or(1);
        match (service, &self.reason) {
            (Some(service), None) => self
                .engine
                .payment_due(catalogue, service, party_size, starts_at),
            _ => Ok(None),
        }
    }

    fn is_signed_in(&self) -> bool {
        self.input.customer.is_none()
    }

    async fn ask_guards(&self, plan: &BookPlan) -> Result<()> {
        let (provider_id, location_id, starts_at, ends_at) = match &plan.seats {
            Seats::Taken(seating) => {
                let Seating { plan, .. } = &**seating;
                (
                    plan.provider_id,
                    plan.location_id,
                    plan.span.start().instant(),
                    plan.span.end().instant(),
                )
            }
            Seats::Held(held) => {
                let session = &held.session;
                (
                    session.provider_id,
                    session.location_id,
                    session.starts_at,
                    session.ends_at,
                )
            }
        };
        let proposal = Proposal {
            business_id: self.caller.business,
            booking_id: None,
            service_id: self.input.service_id,
            provider_id,
            location_id,
            starts_at,
            ends_at,
            party_size: u32::try_from(self.input.party_size).unwrap_or(0),
            customer_id: (!plan.is_new_customer).then_some(plan.customer.id),
            customer_name: plan.customer.name.clone(),
            customer_email: plan.customer.email.clone(),
            customer_phone: plan.customer.phone.clone(),
            note: self.note.clone(),
            by: self.caller.actor,
        };
        self.engine.ask_guards(&plan.catalogue, proposal).await
    }

    fn add_booking(
        &self,
        plan: &BookPlan,
        session: Session,
        calendars: Vec<CalendarId>,
        changes: &mut Changes,
    ) -> Result<Answer, TxError> {
        let now = self.engine.clock().now();
        let booking = self.new_booking(plan, &session, now)?;
        let salt = secret::hex(&secret::random()?);
        let token = manage_token(&self.caller, &salt, self.key.as_deref());
        if plan.is_new_customer {
            changes.customers.push(customer_row(&plan.customer, now));
        }
        changes.bookings.push(booking_row(&booking, &token)?);
        let recorded = self.tell(plan, &booking, &session, calendars, changes)?;
        let due = plan.due.as_ref();
        let payment_id = due.map(|due| due.write(changes, &booking, &plan.customer, &recorded));
        Ok(Answer {
            made: BookingAndSession { booking, session },
            salt,
            payment_id,
        })
    }

    fn new_booking(
        &self,
        plan: &BookPlan,
        session: &Session,
        now: DateTime<Utc>,
    ) -> Result<Booking> {
        let service = plan.catalogue.service(session.service_id);
        let service =
            service.ok_or_else(|| Error::Fault("a session without its service".to_owned()))?;
        let random = secret::random()?;
        let random = random.iter().take(8);
        let party_size = u32::try_from(self.input.party_size).unwrap_or(1);
        Ok(Booking {
            id: BookingId::from_uuid(Uuid::now_v7()),
            reference: reference::from_random(
                random.fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
            ),
            status: match &plan.due {
                Some(_) => BookingStatus::Pending,
                None => BookingStatus::Confirmed,
            },
            version: 1,
            session_id: session.id,
            customer_id: plan.customer.id,
            party_size,
            price: service.price_for(party_size),
            policy: service.policy,
            note: self.note.clone(),
            created_at: now,
            expires_at: plan.due.as_ref().map(|due| due.expires_at),
        })
    }

    /// The line of history, and the event.
    fn tell(
        &self,
        plan: &BookPlan,
        booking: &Booking,
        session: &Session,
        calendars: Vec<CalendarId>,
        changes: &mut Changes,
    ) -> Result<Recorded> {
        let kind = match &plan.due {
            Some(_) => EventKind::BookingPending,
            None => EventKind::BookingConfirmed,
        };
        let history = History {
            kind: kind.name(),
            from: None,
            to: Some(booking.status.name().to_owned()),
            reason: self.reason.as_deref(),
        };
        let at = booking.created_at;
        changes.history.push(history.row(booking, &self.caller, at));
        let told = Told {
            catalogue: &plan.catalogue,
            booking,
            session,
            customer: &plan.customer,
            previous: None,
            reason: self.reason.clone(),
        };
        let happening = Happening {
            kind,
            at,
            calendars,
            booking: Some(told.facts()?),
            hold: None,
            payment: None,
        };
        self.engine.record(&plan.catalogue, changes, happening)
    }
}

impl Engine {
    /// Makes a booking.
    pub async fn book(&self, caller: &Caller, input: Book, key: Option<&str>) -> Result<Booked> {
        let key = Key::of("book", key, &input)?;
        let reason = override_reason(caller, input.override_reason.as_deref(), input.provider_id)?;
        let case = BookCase {
            engine: self.clone(),
            caller: *caller,
            customer: self.customer_of(caller, input.customer.as_ref()).await?,
            note: text::long(&["input", "note"], input.note.as_deref())?,
            reason,
            key: key.as_ref().map(|key| key.text().to_owned()),
            input,
        };
        let (engine, caller) = (self.clone(), *caller);
        self.detached(async move {
            let answer: Answer = engine.write(&caller, key.as_ref(), &case).await?;
            let payment = match answer.payment_id {
                Some(id) => Some(engine.payment_to_make(&caller, id).await?),
                None => None,
            };
            let manage_token = manage_token(&caller, &answer.salt, case.key.as_deref());
            Ok(Booked {
                made: answer.made,
                manage_token,
                payment,
            })
        })
        .await
    }
}

/// The token for this salt and key: whoever repeats the request gets it again, whoever reads the database does not.
fn manage_token(caller: &Caller, salt: &str, key: Option<&str>) -> String {
    let secret = secret::hash(format!("{salt}\n{}", key.unwrap_or_default()).as_bytes());
    secret::token(TokenKind::Manage, caller.business, &secret)
}

fn booking_row(booking: &Booking, manage_token: &str) -> Result<BookingRow> {
    Ok(BookingRow {
        id: booking.id.uuid(),
        reference: booking.reference.clone(),
        status: booking.status.name(),
        session_id: booking.session_id.uuid(),
        customer_id: booking.customer_id.uuid(),
        party_size: booking.party_size,
        price_amount: booking.price.amount,
        price_currency: booking.price.currency.code().to_owned(),
        policy: serde_json::to_value(booking.policy)
            .map_err(|error| Error::Fault(error.to_string()))?,
        note: booking.note.clone(),
        manage_hash: secret::hex(&secret::hash(manage_token.as_bytes())),
        created_at: booking.created_at,
        expires_at: booking.expires_at,
    })
}
