//! What can be done with a booking: make it, move it, call it off, and the steps that staff take with it.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use engine::booking::{Book, BookingAndSession, Reschedule, Step};

use crate::booking::Booking;
use crate::customer::CustomerInput;
use crate::failure::Result;
use crate::id::{optional, parsed};
use crate::payment::Payment;
use crate::problem::Problem;
use crate::request::Asked;
use crate::scalar::DateTime;
use crate::settle::{About, bare, settled};

/// What became of a mutation of a booking.
#[derive(SimpleObject)]
pub struct BookingPayload {
    /// The booking as it is now; null when nothing was done.
    booking: Option<Booking>,
    /// The secret with which a customer without an account sees and changes this booking, sent as a bearer token. Only in the answer
    /// of `book`, and again when that is repeated under its idempotency key: keep it.
    manage_token: Option<String>,
    /// What it waits for, where it asks to be paid: then it is PENDING. Only in the answer of `book`.
    payment: Option<Payment>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

/// A booking to make.
#[derive(InputObject)]
pub struct BookInput {
    /// Of which service.
    service_id: ID,
    /// Its start; a whole minute.
    starts_at: DateTime,
    /// With whom. Default: with anybody who can, by the service's rule.
    provider_id: Option<ID>,
    /// The hold that it redeems, with the same service, start and party size. Without one the slot is taken directly.
    hold_id: Option<ID>,
    /// For whom. May be left out by a customer who is signed in.
    customer: Option<CustomerInput>,
    /// For how many; all sit in one session.
    #[graphql(default = 1)]
    party_size: Option<i32>,
    /// What the customer has to say, up to 4,000 characters.
    note: Option<String>,
    /// Staff: book against working hours, start times, notice, daily limits, and over what the provider has; this is why. It is recorded.
    override_reason: Option<String>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// A booking to move.
#[derive(InputObject)]
pub struct RescheduleInput {
    /// Which booking.
    booking_id: ID,
    /// Its new start; a whole minute.
    starts_at: DateTime,
    /// With whom. Default: with the same provider if they can, else with anybody who can.
    provider_id: Option<ID>,
    /// The version that you have seen: moved only if it is still that one.
    expected_version: Option<i32>,
    /// Why, up to 4,000 characters.
    reason: Option<String>,
    /// Staff: move it against the rules; this is why. It is recorded.
    override_reason: Option<String>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// A booking to call off.
#[derive(InputObject)]
pub struct CancelInput {
    /// Which booking.
    booking_id: ID,
    /// The version that you have seen: called off only if it is still that one.
    expected_version: Option<i32>,
    /// Why, up to 4,000 characters.
    reason: Option<String>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

#[derive(Default)]
pub struct BookingMutation;

#[Object]
impl BookingMutation {
    /// Makes a booking. Anybody may, for themself. If the slot cannot be had, the problem says why and which others can.
    async fn book(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The booking.")] input: BookInput,
    ) -> Result<BookingPayload> {
        let asked = Asked::of(ctx)?;
        let party_size = input.party_size.unwrap_or(1);
        let about = About::Service(input.service_id.clone(), party_size);
        let outcome = async {
            let book = Book {
                service_id: parsed(&["input", "serviceId"], &input.service_id)?,
                starts_at: input.starts_at.utc(),
                provider_id: optional(&["input", "providerId"], input.provider_id.as_ref())?,
                hold_id: optional(&["input", "holdId"], input.hold_id.as_ref())?,
                customer: input.customer.map(Into::into),
                party_size,
                note: input.note,
                override_reason: input.override_reason,
            };
            asked
                .engine
                .book(&asked.caller, book, input.idempotency_key.as_deref())
                .await
        };
        match settled(ctx, outcome.await, &about).await? {
            Ok(booked) => {
                let mut payload = payload(ctx, booked.made, Some(booked.manage_token)).await?;
                if let Some(view) = booked.payment {
                    let catalogue = asked.catalogue_now().await?;
                    payload.payment = Some(Payment::new(&catalogue, view));
                }
                Ok(payload)
            }
            Err(problems) => Ok(refused(problems)),
        }
    }

    /// Moves a booking to another time or provider, in one step: it never loses its place without having the other. The customer
    /// while the policy allows, and staff.
    async fn reschedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The move.")] input: RescheduleInput,
    ) -> Result<BookingPayload> {
        let asked = Asked::of(ctx)?;
        let about = About::Booking(input.booking_id.clone());
        let outcome = async {
            let reschedule = Reschedule {
                booking_id: parsed(&["input", "bookingId"], &input.booking_id)?,
                starts_at: input.starts_at.utc(),
                provider_id: optional(&["input", "providerId"], input.provider_id.as_ref())?,
                expected_version: input.expected_version.map(i64::from),
                reason: input.reason,
                override_reason: input.override_reason,
            };
            asked
                .engine
                .reschedule(&asked.caller, reschedule, input.idempotency_key.as_deref())
                .await
        };
        done(ctx, outcome.await, &about).await
    }

    /// Calls a booking off: its places are free at once. The customer while the policy allows, and staff. Doing it twice is no error.
    async fn cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The booking and why.")] input: CancelInput,
    ) -> Result<BookingPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["input", "bookingId"], &input.booking_id)?;
            let (version, reason) = (
                input.expected_version.map(i64::from),
                input.reason.as_deref(),
            );
            asked
                .engine
                .cancel(
                    &asked.caller,
                    id,
                    version,
                    reason,
                    input.idempotency_key.as_deref(),
                )
                .await
        };
        done(ctx, outcome.await, &About::Other).await
    }

    /// The customer has arrived: from four hours before the start until the end. Staff.
    async fn check_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] id: ID,
        #[graphql(desc = "The version that you have seen: done only if it is still that one.")]
        expected_version: Option<i32>,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<BookingPayload> {
        advance(ctx, Step::CheckIn, &id, expected_version, idempotency_key).await
    }

    /// The service was delivered: after check-in, or once it has begun. Staff.
    async fn complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] id: ID,
        #[graphql(desc = "The version that you have seen: done only if it is still that one.")]
        expected_version: Option<i32>,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<BookingPayload> {
        advance(ctx, Step::Complete, &id, expected_version, idempotency_key).await
    }

    /// The customer did not come: once it has begun. Staff.
    async fn mark_no_show(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] id: ID,
        #[graphql(desc = "The version that you have seen: done only if it is still that one.")]
        expected_version: Option<i32>,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<BookingPayload> {
        advance(
            ctx,
            Step::MarkNoShow,
            &id,
            expected_version,
            idempotency_key,
        )
        .await
    }
}

async fn advance(
    ctx: &Context<'_>,
    step: Step,
    id: &ID,
    expected_version: Option<i32>,
    key: Option<String>,
) -> Result<BookingPayload> {
    let asked = Asked::of(ctx)?;
    let outcome = async {
        let id = parsed(&["id"], id)?;
        asked
            .engine
            .advance(
                &asked.caller,
                id,
                step,
                expected_version.map(i64::from),
                key.as_deref(),
            )
            .await
    };
    done(ctx, bare(outcome.await), &About::Other).await
}

async fn done(
    ctx: &Context<'_>,
    outcome: engine::Result<BookingAndSession>,
    about: &About,
) -> Result<BookingPayload> {
    match settled(ctx, outcome, about).await? {
        Ok(done) => payload(ctx, done, None).await,
        Err(problems) => Ok(refused(problems)),
    }
}

async fn payload(
    ctx: &Context<'_>,
    done: BookingAndSession,
    manage_token: Option<String>,
) -> Result<BookingPayload> {
    let catalogue = Asked::of(ctx)?.catalogue_now().await?;
    let booking = Some(Booking::new(&catalogue, done.booking, Some(done.session)));
    Ok(BookingPayload {
        booking,
        manage_token,
        payment: None,
        problems: Vec::new(),
    })
}

fn refused(problems: Vec<Problem>) -> BookingPayload {
    BookingPayload {
        booking: None,
        manage_token: None,
        payment: None,
        problems,
    }
}
