//! Book: a named provider or any, redeeming a hold or not, opening a session or joining one.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::actor::{Actor, Right};
use domain::booking::{Booking, BookingStatus};
use domain::customer::Customer;
use domain::event::EventKind;
use domain::hold::Hold;
use domain::id::{BookingId, CalendarId, CustomerId, HoldId, Id, ProviderId, ServiceId};
use domain::money::Money;
use domain::problem::Problem;
use domain::session::Session;
use domain::{reference, text};
use plugin_api::Proposal;
use serde::{Deserialize, Serialize};
use store::Conn;
use store::changes::{BookingRow, Changes, CustomerRow, HoldEndingRow};
use uuid::Uuid;

use super::facts::Told;
use super::seating::{Seating, Wish};
use super::{BookingAndSession, History};
use crate::availability::whole_minute;
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::idempotency::Key;
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

/// A customer's particulars.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerInput {
    /// Their name.
    pub name: String,
    /// Where confirmations go.
    pub email: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
    /// The zone in which they read times.
    pub time_zone: Option<String>,
    /// Their language.
    pub locale: Option<String>,
}

/// A booking that was made.
#[derive(Debug, Clone)]
pub struct Booked {
    /// The booking and its session.
    pub made: BookingAndSession,
    /// The secret with which a customer without an account manages it.
    pub manage_token: String,
}

/// What is answered, and kept under an idempotency key: the salt of the manage token, not the token.
#[derive(Serialize, Deserialize)]
struct Answer {
    made: BookingAndSession,
    salt: String,
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
    seats: Seats,
}

/// From where the seats come.
enum Seats {
    Taken(Box<Seating>),
    Held(Box<Redeemed>),
}

struct Redeemed {
    hold: Hold,
    session: Session,
    catalogue: Arc<Catalogue>,
    calendars: Vec<CalendarId>,
}

impl UseCase for BookCase {
    const CARRIES_CALENDARS: bool = true;
    type Plan = BookPlan;
    type Answer = Answer;

    async fn plan(&self, attempt: u32) -> Result<BookPlan> {
        let seats = match self.input.hold_id {
            Some(id) => Seats::Held(Box::new(self.redeem(id).await?)),
            None => Seats::Taken(Box::new(
                self.engine
                    .seat(&self.caller, &self.wish()?, attempt)
                    .await?,
            )),
        };
        let conn = self.engine.0.database.conn().await?;
        let same =
            store::customer::customer_same(&conn, self.caller.business, &self.customer).await?;
        let id = same.unwrap_or(self.customer.id);
        let customer = Customer {
            id,
            ..self.customer.clone()
        };
        let plan = BookPlan {
            customer,
            is_new_customer: same.is_none() && !self.is_signed_in(),
            catalogue: match &seats {
                Seats::Taken(seating) => seating.scope.catalogue.clone(),
                Seats::Held(redeemed) => redeemed.catalogue.clone(),
            },
            seats,
        };
        self.ask_guards(&plan)?;
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

    fn is_signed_in(&self) -> bool {
        self.input.customer.is_none()
    }

    async fn redeem(&self, id: HoldId) -> Result<Redeemed> {
        let (engine, caller) = (&self.engine, &self.caller);
        let (hold, session) = engine
            .hold_with_session(caller, id, &["input", "holdId"])
            .await?;
        if !hold.is_live(engine.clock().now()) {
            return Err(Problem::HoldExpired.into());
        }
        let input = &self.input;
        let differs = |path: &[&str], what: &str| {
            Problem::invalid(path, format!("the hold is for another {what}"))
        };
        if session.service_id != input.service_id {
            return Err(differs(&["input", "serviceId"], "service").into());
        }
        if session.starts_at != input.starts_at {
            return Err(differs(&["input", "startsAt"], "time").into());
        }
        if input
            .provider_id
            .is_some_and(|id| id != session.provider_id)
        {
            return Err(differs(&["input", "providerId"], "provider").into());
        }
        if u32::try_from(input.party_size) != Ok(hold.party_size) {
            return Err(differs(&["input", "partySize"], "party size").into());
        }
        let conn = engine.0.database.conn().await?;
        let catalogue = engine.catalogue_on(&conn, caller.business).await?;
        let calendars = engine
            .session_calendars(&conn, &catalogue, &session)
            .await?;
        Ok(Redeemed {
            hold,
            session,
            catalogue,
            calendars,
        })
    }

    fn ask_guards(&self, plan: &BookPlan) -> Result<()> {
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
        self.engine.ask_guards(&Proposal {
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
        })
    }

    fn add_booking(
        &self,
        plan: &BookPlan,
        session: Session,
        calendars: Vec<CalendarId>,
        changes: &mut Changes,
    ) -> Result<Answer, TxError> {
        let (engine, caller, now) = (&self.engine, &self.caller, self.engine.clock().now());
        let service = plan.catalogue.service(session.service_id);
        let service =
            service.ok_or_else(|| Error::Fault("a session without its service".to_owned()))?;
        let salt = secret::hex(&secret::random()?);
        let token = manage_token(caller, &salt, self.key.as_deref());
        let random = secret::random()?;
        let booking = Booking {
            id: BookingId::from_uuid(Uuid::now_v7()),
            reference: reference::from_random(
                random
                    .iter()
                    .take(8)
                    .fold(0, |sum, b| sum << 8 | u64::from(*b)),
            ),
            status: BookingStatus::Confirmed,
            version: 1,
            session_id: session.id,
            customer_id: plan.customer.id,
            party_size: u32::try_from(self.input.party_size).unwrap_or(1),
            price: Money {
                amount: service.price.amount * i64::from(self.input.party_size),
                ..service.price
            },
            policy: service.policy,
            note: self.note.clone(),
            created_at: now,
        };
        if plan.is_new_customer {
            changes.customers.push(customer_row(&plan.customer, now));
        }
        changes.bookings.push(booking_row(&booking, &token)?);
        let history = History {
            kind: EventKind::BookingConfirmed.name(),
            from: None,
            to: Some(booking.status.name().to_owned()),
            reason: self.reason.as_deref(),
        };
        changes.history.push(history.row(&booking, caller, now));
        let reason = self.reason.clone();
        let told = Told {
            catalogue: &plan.catalogue,
            booking: &booking,
            session: &session,
            customer: &plan.customer,
            previous: None,
            reason,
        };
        let kind = EventKind::BookingConfirmed;
        engine.record(
            changes,
            Happening {
                kind,
                at: now,
                calendars,
                booking: Some(told.facts()?),
                hold: None,
            },
        )?;
        Ok(Answer {
            made: BookingAndSession { booking, session },
            salt,
        })
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
            let Answer { made, salt } = engine.write(&caller, key.as_ref(), &case).await?;
            let manage_token = manage_token(&caller, &salt, case.key.as_deref());
            Ok(Booked { made, manage_token })
        })
        .await
    }

    /// Asks every plugin's guard; the first that refuses is heard.
    pub(crate) fn ask_guards(&self, proposal: &Proposal) -> Result<()> {
        for plugin in self.plugins() {
            let Some(guard) = plugin.guard() else {
                continue;
            };
            let asked =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| guard.check(proposal)));
            let message = match asked {
                Ok(Ok(())) => continue,
                Ok(Err(refused)) => refused.reason,
                Err(_) => {
                    tracing::error!(plugin = plugin.name(), "a guard panicked");
                    "this cannot be booked at the moment".to_owned()
                }
            };
            return Err(Problem::PluginRefused { message }.into());
        }
        Ok(())
    }

    async fn customer_of(
        &self,
        caller: &Caller,
        input: Option<&CustomerInput>,
    ) -> Result<Customer> {
        let Some(input) = input else {
            let Actor::Customer(id) = caller.actor else {
                return Err(Problem::invalid(&["input", "customer"], "is required").into());
            };
            let conn = self.0.database.conn().await?;
            let found = store::customer::customer_list(&conn, caller.business, &[id])
                .await?
                .pop();
            return Ok(found.ok_or_else(|| Problem::not_found(&["input", "customer"], "customer"))?);
        };
        let path = |field| ["input", "customer", field];
        let zone = self.zone(&path("timeZone"), input.time_zone.as_deref())?;
        Ok(Customer {
            id: CustomerId::from_uuid(Uuid::now_v7()),
            name: text::name(&path("name"), &input.name)?,
            email: text::email(&path("email"), input.email.as_deref())?,
            phone: text::phone(&path("phone"), input.phone.as_deref())?,
            time_zone: zone.map(|zone| zone.name().to_owned()),
            locale: text::locale(&path("locale"), input.locale.as_deref())?,
        })
    }
}

/// The reason for booking against the rules, from those who may.
pub(super) fn override_reason(
    caller: &Caller,
    reason: Option<&str>,
    provider: Option<ProviderId>,
) -> Result<Option<String>> {
    let Some(reason) = reason else {
        return Ok(None);
    };
    if !caller.actor.may(Right::Override(provider)) {
        return Err(Error::forbidden("book against the rules"));
    }
    let reason = text::long(&["input", "overrideReason"], Some(reason))?;
    Ok(Some(reason.ok_or_else(|| {
        Problem::invalid(&["input", "overrideReason"], "must not be empty")
    })?))
}

/// The token for this salt and key: whoever repeats the request gets it again, whoever reads the database does not.
fn manage_token(caller: &Caller, salt: &str, key: Option<&str>) -> String {
    let secret = secret::hash(format!("{salt}\n{}", key.unwrap_or_default()).as_bytes());
    secret::token(TokenKind::Manage, caller.business, &secret)
}

fn customer_row(customer: &Customer, now: DateTime<Utc>) -> CustomerRow {
    CustomerRow {
        id: customer.id.uuid(),
        name: customer.name.clone(),
        email: customer.email.clone(),
        phone: customer.phone.clone(),
        time_zone: customer.time_zone.clone(),
        locale: customer.locale.clone(),
        created_at: now,
    }
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
    })
}
