//! From our words to Stripe's and back, as pure functions.

use domain::money::Currency;
use plugin_api::{
    ExternalStatus, FailedRefund, Failure, PaymentKind, PaymentRequest, PaymentState,
    RefundRequest, RefundState, RefundStatus,
};

use crate::amount;
use crate::answer::{Charge, Expandable, PaymentIntent, Refund, Session, SetupIntent};
use crate::client::Form;
use crate::settings::Pages;

/// The metadata by which our own refunds are known again.
pub(crate) const REFUND_ID: &str = "refund_id";
pub(crate) const EXTERNAL_ID: &str = "external_id";

/// The status of a payment that has a card, and that nobody has tried to take.
pub(crate) const UNCONFIRMED: &str = "requires_confirmation";

/// The most that Stripe keeps of a value of metadata, in characters.
const METADATA_MAX: usize = 500;
/// The most that is said of what is paid for, in characters: Stripe's pages show it as the name of a product.
const DESCRIPTION_MAX: usize = 250;

/// What kind of thing a payment is at Stripe. Its prefix tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum External<'a> {
    /// Paid in the frontend.
    PaymentIntent(&'a str),
    /// A card saved in the frontend.
    SetupIntent(&'a str),
    /// Either, on Stripe's page.
    Session(&'a str),
}

impl<'a> External<'a> {
    /// Reads an id of Stripe's, which becomes a part of an address.
    pub fn read(id: &'a str) -> Result<Self, Failure> {
        let is_plain = id.len() <= 255 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match id.split_once('_') {
            Some(("pi", _)) if is_plain => Ok(Self::PaymentIntent(id)),
            Some(("seti", _)) if is_plain => Ok(Self::SetupIntent(id)),
            Some(("cs", _)) if is_plain => Ok(Self::Session(id)),
            _ => Err(Failure::give_up("this is not a payment that Stripe knows")),
        }
    }
}

/// A form of these names and values.
pub(crate) fn form<const N: usize>(pairs: [(&str, &str); N]) -> Form {
    let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    owned.into_iter().collect()
}

/// What to answer in full about a payment, under this prefix: the charge, what Stripe keeps of it, and what was paid back.
pub(crate) fn expanded(prefix: &str) -> Form {
    let path = |field: &str| format!("{prefix}latest_charge.{field}");
    let (kept, refunds) = (path("balance_transaction"), path("refunds"));
    form([("expand[]", &kept), ("expand[]", &refunds)])
}

/// A payment in the frontend.
pub(crate) fn payment_intent(request: &PaymentRequest) -> Result<Form, Failure> {
    let mut form = form([
        ("amount", &amount::to_stripe(request.amount)?.to_string()),
        ("currency", &amount::code(request.amount.currency)),
        ("automatic_payment_methods[enabled]", "true"),
        ("description", &described(request)),
    ]);
    if let Some(email) = address(request) {
        form.push(pair("receipt_email", email));
    }
    if request.kind == PaymentKind::Authorize {
        form.push(pair("capture_method", "manual"));
    }
    form.extend(metadata("metadata", request));
    Ok(form)
}

/// A payment on Stripe's page. It has no `expires_at`: Stripe wants that to be 30 minutes ahead of its own clock, and the payment is
/// called off when its time has come.
pub(crate) fn payment_session(request: &PaymentRequest, pages: &Pages) -> Result<Form, Failure> {
    let mut form = session("payment", request, pages);
    form.extend(self::form([
        ("submit_type", "book"),
        ("line_items[0][quantity]", "1"),
        (
            "line_items[0][price_data][unit_amount]",
            &amount::to_stripe(request.amount)?.to_string(),
        ),
        (
            "line_items[0][price_data][currency]",
            &amount::code(request.amount.currency),
        ),
        (
            "line_items[0][price_data][product_data][name]",
            &described(request),
        ),
        ("payment_intent_data[description]", &described(request)),
        ("payment_intent_data[metadata][page]", "checkout"),
    ]));
    if let Some(email) = address(request) {
        form.push(pair("customer_email", email));
        form.push(pair("payment_intent_data[receipt_email]", email));
    }
    if request.kind == PaymentKind::Authorize {
        form.push(pair("payment_intent_data[capture_method]", "manual"));
    }
    form.extend(metadata("payment_intent_data[metadata]", request));
    Ok(form)
}

/// Whose card is saved: without a customer Stripe lets nobody charge it later.
pub(crate) fn customer(request: &PaymentRequest) -> Form {
    let mut form = form([("name", &cut(&request.customer_name, DESCRIPTION_MAX))]);
    if let Some(email) = address(request) {
        form.push(pair("email", email));
    }
    form.extend(metadata("metadata", request));
    form
}

/// A card to save in the frontend.
pub(crate) fn setup_intent(request: &PaymentRequest, customer: &str) -> Form {
    let mut form = form([
        ("customer", customer),
        ("usage", "off_session"),
        ("automatic_payment_methods[enabled]", "true"),
        ("description", &described(request)),
    ]);
    form.extend(metadata("metadata", request));
    form
}

/// A card to save on Stripe's page.
pub(crate) fn setup_session(request: &PaymentRequest, pages: &Pages, customer: &str) -> Form {
    let mut form = session("setup", request, pages);
    form.extend(self::form([
        ("customer", customer),
        ("currency", &amount::code(request.amount.currency)),
        ("setup_intent_data[description]", &described(request)),
        ("setup_intent_data[metadata][page]", "checkout"),
    ]));
    form.extend(metadata("setup_intent_data[metadata]", request));
    form
}

/// A fee from a card that was saved, not taken yet. Nobody is there to be sent elsewhere, so no way of paying is taken that would.
pub(crate) fn fee(
    request: &PaymentRequest,
    customer: &str,
    payment_method: &str,
) -> Result<Form, Failure> {
    let mut form = payment_intent(request)?;
    form.extend(self::form([
        ("automatic_payment_methods[allow_redirects]", "never"),
        ("customer", customer),
        ("payment_method", payment_method),
    ]));
    Ok(form)
}

/// A refund of this payment. The reason goes into the metadata: Stripe's own field takes three words only.
pub(crate) fn refund(request: &RefundRequest, payment_intent: &str) -> Result<Form, Failure> {
    let mut form = form([
        ("payment_intent", payment_intent),
        ("amount", &amount::to_stripe(request.amount)?.to_string()),
        (&format!("metadata[{REFUND_ID}]"), &request.id.to_string()),
        (&format!("metadata[{EXTERNAL_ID}]"), &request.external_id),
    ]);
    if let Some(reason) = request
        .reason
        .as_deref()
        .filter(|reason| !reason.is_empty())
    {
        form.push(pair("metadata[reason]", &cut(reason, METADATA_MAX)));
    }
    Ok(form)
}

fn session(mode: &str, request: &PaymentRequest, pages: &Pages) -> Form {
    let mut form = form([
        ("mode", mode),
        ("success_url", &pages.success),
        ("client_reference_id", &request.id.to_string()),
    ]);
    if let Some(cancel) = &pages.cancel {
        form.push(pair("cancel_url", cancel));
    }
    form.extend(metadata("metadata", request));
    form
}

fn metadata(prefix: &str, request: &PaymentRequest) -> Form {
    form([
        (&format!("{prefix}[payment_id]"), &request.id.to_string()),
        (
            &format!("{prefix}[booking_id]"),
            &request.booking_id.to_string(),
        ),
        (
            &format!("{prefix}[reference]"),
            &cut(&request.reference, METADATA_MAX),
        ),
    ])
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Whom to send the receipt, where Stripe takes the address: one that it refuses must not keep anybody from paying.
fn address(request: &PaymentRequest) -> Option<&str> {
    let email = request.customer_email.as_deref()?;
    let (_, host) = email.rsplit_once('@')?;
    (email.is_ascii() && host.contains('.')).then_some(email)
}

/// What is paid for: Stripe takes no empty text.
fn described(request: &PaymentRequest) -> String {
    let described = cut(request.description.trim(), DESCRIPTION_MAX);
    if described.is_empty() {
        return cut(&request.reference, DESCRIPTION_MAX);
    }
    described
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// How a payment stands. A status that is not known is one that waits.
pub(crate) fn payment_state(payment: &PaymentIntent) -> Result<PaymentState, Failure> {
    let currency = Currency::new(&payment.currency.to_ascii_uppercase());
    let currency = currency.ok_or_else(not_understood)?;
    let ours = |amount| amount::from_stripe(amount, currency).ok_or_else(not_understood);
    let charge = payment.latest_charge.as_ref().and_then(Expandable::whole);
    let balance = charge.and_then(|charge| charge.balance_transaction.as_ref()?.whole());
    let status = match payment.status.as_str() {
        "succeeded" => ExternalStatus::Paid,
        "requires_capture" => ExternalStatus::Authorized,
        "canceled" => over(payment.cancellation_reason.as_deref()),
        "requires_action" => ExternalStatus::Unpaid,
        _ => ExternalStatus::Waiting,
    };
    let is_paid = status == ExternalStatus::Paid;
    let refunded = charge.map_or(0, paid_back);
    let failed = charge.filter(|_| is_paid).map(failed_refunds);
    let failed = failed.unwrap_or_default().into_iter().map(|refund| {
        Ok(FailedRefund {
            amount: ours(refund.amount)?,
            ..refund
        })
    });
    Ok(PaymentState {
        status,
        taken: ours(payment.amount_received)?,
        refunded: if is_paid { ours(refunded)? } else { 0 },
        failed_refunds: failed.collect::<Result<_, Failure>>()?,
        // What Stripe keeps is in the currency that it pays out in.
        fee: balance
            .filter(|balance| balance.currency.eq_ignore_ascii_case(currency.code()))
            .and_then(|balance| amount::from_stripe(balance.fee, currency)),
        disputes: Vec::new(),
    })
}

/// What was paid back of what was taken. Stripe counts the release of what was reserved and not taken as paid back, too; where nothing was
/// released, the refunds themselves tell.
fn paid_back(charge: &Charge) -> i64 {
    if let Some(refunds) = &charge.refunds
        && charge.amount == charge.amount_captured
    {
        let standing = refunds
            .data
            .iter()
            .filter(|refund| why_failed(refund).is_none());
        return standing.map(|refund| refund.amount).sum();
    }
    let released = (charge.amount - charge.amount_captured).max(0);
    let all = charge.amount_refunded;
    if all < released { all } else { all - released }
}

/// The refunds of a payment that came to nothing, in Stripe's amounts.
fn failed_refunds(charge: &Charge) -> Vec<FailedRefund> {
    let all = charge.refunds.iter().flat_map(|refunds| &refunds.data);
    all.filter_map(|refund| {
        Some(FailedRefund {
            reason: why_failed(refund)?,
            id: refund
                .metadata
                .get(REFUND_ID)
                .and_then(|id| id.parse().ok()),
            amount: refund.amount,
        })
    })
    .collect()
}

/// Why a refund came to nothing, if it did.
fn why_failed(refund: &Refund) -> Option<String> {
    match refund.status.as_deref()? {
        "failed" => Some(match refund.failure_reason.as_deref() {
            Some(reason) => reason.replace('_', " "),
            None => "Stripe does not say why".to_owned(),
        }),
        "canceled" => Some("it was canceled".to_owned()),
        _ => None,
    }
}

/// How a fee stands after an attempt to take it: what the customer would have to mend, nobody mends.
pub(crate) fn fee_state(payment: &PaymentIntent) -> Result<PaymentState, Failure> {
    let mut state = payment_state(payment)?;
    let is_declined = ["requires_payment_method", "requires_action"];
    if is_declined.contains(&payment.status.as_str()) {
        let error = payment.last_payment_error.as_ref();
        let words = error.and_then(|error| error.message.as_deref());
        state.status = over(words.or(Some("Stripe does not say why")));
    }
    Ok(state)
}

/// How the saving of a card stands.
pub(crate) fn setup_state(setup: &SetupIntent) -> PaymentState {
    nothing_taken(match setup.status.as_str() {
        "succeeded" => ExternalStatus::Authorized,
        "canceled" => over(setup.cancellation_reason.as_deref()),
        "requires_action" => ExternalStatus::Unpaid,
        _ => ExternalStatus::Waiting,
    })
}

/// How a visit to Stripe's page stands: as the payment that came of it, and where none did, as the visit itself.
pub(crate) fn session_state(session: &Session) -> Result<PaymentState, Failure> {
    let visit = session.status.as_deref();
    let payment = session.payment_intent.as_ref().and_then(Expandable::whole);
    let setup = session.setup_intent.as_ref().and_then(Expandable::whole);
    let mut state = match (payment, setup) {
        (Some(payment), _) => payment_state(payment)?,
        (None, Some(setup)) => setup_state(setup),
        (None, None) => nothing_taken(ExternalStatus::Waiting),
    };
    let is_open = [ExternalStatus::Waiting, ExternalStatus::Unpaid].contains(&state.status);
    if is_open {
        let needs_another = payment.filter(|payment| payment.status == "requires_payment_method");
        match (visit, needs_another) {
            (Some("expired"), _) => state.status = over(Some("expired")),
            // The page is closed, and what was to be paid later was not.
            (Some("complete"), Some(payment)) => {
                let error = payment.last_payment_error.as_ref();
                state.status = over(error.and_then(|error| error.message.as_deref()));
            }
            _ => {}
        }
    }
    Ok(state)
}

/// How a refund stands. A status that is not known is one on its way.
pub(crate) fn refund_state(refund: Refund) -> RefundState {
    let status = match (refund.status.as_deref(), why_failed(&refund)) {
        (Some("succeeded"), _) => RefundStatus::Succeeded,
        (_, Some(reason)) => RefundStatus::Failed { reason },
        _ => RefundStatus::Pending,
    };
    RefundState {
        external_id: refund.id,
        status,
    }
}

/// An answer that makes no sense here: it may make sense later.
pub(crate) fn not_understood() -> Failure {
    Failure::retry("Stripe's answer cannot be understood")
}

fn over(reason: Option<&str>) -> ExternalStatus {
    ExternalStatus::Over {
        reason: reason.unwrap_or("canceled").to_owned(),
    }
}

fn nothing_taken(status: ExternalStatus) -> PaymentState {
    PaymentState {
        status,
        taken: 0,
        refunded: 0,
        failed_refunds: Vec::new(),
        fee: None,
        disputes: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
