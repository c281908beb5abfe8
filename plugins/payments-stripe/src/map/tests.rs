use chrono::DateTime;
use domain::id::{BookingId, Id, PaymentId, RefundId};
use domain::money::Money;
use serde_json::{Value, json};

use super::*;

fn request(kind: PaymentKind) -> PaymentRequest {
    PaymentRequest {
        id: PaymentId::from_uuid(uuid::Uuid::from_u128(1)),
        booking_id: BookingId::from_uuid(uuid::Uuid::from_u128(2)),
        reference: "K7MQ2P".to_owned(),
        description: "Haircut".to_owned(),
        kind,
        amount: Money {
            amount: 4500,
            currency: Currency::new("EUR").unwrap(),
        },
        customer_email: Some("jo@customer.example".to_owned()),
        customer_name: "Jo".to_owned(),
        expires_at: DateTime::from_timestamp(1_803_898_800, 0).unwrap(),
        saved: None,
    }
}

fn get<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    let found = form.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.as_str())
}

fn no_name_twice(form: &Form) {
    for (index, (name, _)) in form.iter().enumerate() {
        assert!(
            form[..index].iter().all(|(before, _)| before != name),
            "{name}"
        );
    }
}

#[test]
fn a_payment_says_what_it_is_for_and_whose_it_is() {
    let form = payment_intent(&request(PaymentKind::Charge)).unwrap();
    no_name_twice(&form);
    for (name, value) in [
        ("amount", Some("4500")),
        ("currency", Some("eur")),
        ("description", Some("Haircut")),
        ("receipt_email", Some("jo@customer.example")),
        ("capture_method", None),
        (
            "metadata[payment_id]",
            Some("pay_00000000000000000000000001"),
        ),
        (
            "metadata[booking_id]",
            Some("bkg_00000000000000000000000002"),
        ),
        ("metadata[reference]", Some("K7MQ2P")),
    ] {
        assert_eq!(get(&form, name), value, "{name}");
    }
    let form = payment_intent(&request(PaymentKind::Authorize)).unwrap();
    assert_eq!(get(&form, "capture_method"), Some("manual"));
}

#[test]
fn a_page_is_one_line_with_the_way_back() {
    let pages = Pages {
        success: "https://salon.example/?s={CHECKOUT_SESSION_ID}".to_owned(),
        cancel: None,
    };
    let form = payment_session(&request(PaymentKind::Authorize), &pages).unwrap();
    no_name_twice(&form);
    for (name, value) in [
        ("mode", Some("payment")),
        (
            "success_url",
            Some("https://salon.example/?s={CHECKOUT_SESSION_ID}"),
        ),
        ("cancel_url", None),
        ("line_items[0][price_data][unit_amount]", Some("4500")),
        ("payment_intent_data[capture_method]", Some("manual")),
        ("payment_intent_data[metadata][page]", Some("checkout")),
        (
            "payment_intent_data[metadata][payment_id]",
            Some("pay_00000000000000000000000001"),
        ),
        ("expires_at", None),
    ] {
        assert_eq!(get(&form, name), value, "{name}");
    }
    let form = setup_session(&request(PaymentKind::SaveCard), &pages, "cus_1");
    no_name_twice(&form);
    assert_eq!(get(&form, "mode"), Some("setup"));
    assert_eq!(get(&form, "customer"), Some("cus_1"));
    assert_eq!(get(&form, "customer_email"), None);
}

#[test]
fn texts_are_as_long_as_stripe_takes_them_and_never_empty() {
    let mut request = request(PaymentKind::Charge);
    request.description = " ".to_owned();
    let form = payment_intent(&request).unwrap();
    assert_eq!(get(&form, "description"), Some("K7MQ2P"));
    request.description = "é".repeat(9999);
    let form = payment_intent(&request).unwrap();
    assert_eq!(get(&form, "description").unwrap().chars().count(), 250);
}

#[test]
fn a_refund_bears_its_id_and_its_reason() {
    let mut request = RefundRequest {
        id: RefundId::from_uuid(uuid::Uuid::from_u128(3)),
        external_id: "cs_1".to_owned(),
        amount: request(PaymentKind::Charge).amount,
        reason: Some("x".repeat(999)),
    };
    let form = refund(&request, "pi_1").unwrap();
    no_name_twice(&form);
    assert_eq!(get(&form, "payment_intent"), Some("pi_1"));
    assert_eq!(
        get(&form, "metadata[refund_id]"),
        Some("rfd_00000000000000000000000003")
    );
    assert_eq!(get(&form, "metadata[external_id]"), Some("cs_1"));
    assert_eq!(get(&form, "metadata[reason]").unwrap().len(), 500);
    request.reason = Some(String::new());
    assert_eq!(
        get(&refund(&request, "pi_1").unwrap(), "metadata[reason]"),
        None
    );
}

fn over(reason: &str) -> ExternalStatus {
    super::over(Some(reason))
}

fn state(json: Value) -> PaymentState {
    payment_state(&serde_json::from_value(json).unwrap()).unwrap()
}

#[test]
fn only_what_stripe_calls_succeeded_is_paid() {
    for (status, expected) in [
        ("requires_payment_method", ExternalStatus::Waiting),
        ("requires_confirmation", ExternalStatus::Waiting),
        ("requires_action", ExternalStatus::Unpaid),
        ("processing", ExternalStatus::Waiting),
        ("paid", ExternalStatus::Waiting),
        ("", ExternalStatus::Waiting),
        ("requires_capture", ExternalStatus::Authorized),
        ("succeeded", ExternalStatus::Paid),
        ("canceled", over("abandoned")),
    ] {
        let json = json!({ "id": "pi_1", "status": status, "currency": "eur", "cancellation_reason": "abandoned" });
        assert_eq!(state(json).status, expected, "{status}");
        let setup = json!({ "id": "seti_1", "status": status, "cancellation_reason": "abandoned" });
        let expected = match expected {
            ExternalStatus::Paid => ExternalStatus::Authorized,
            ExternalStatus::Authorized => ExternalStatus::Waiting,
            other => other,
        };
        let setup = setup_state(&serde_json::from_value(setup).unwrap());
        assert_eq!(setup, nothing_taken(expected), "{status}");
    }
}

#[test]
fn money_is_counted_in_our_units() {
    let paid = |currency: &str, fee_in: &str| {
        state(json!({
            "id": "pi_1", "status": "succeeded", "currency": currency, "amount_received": 4500, "latest_charge": {
                "amount_refunded": 500, "balance_transaction": { "fee": 300, "currency": fee_in }
            }
        }))
    };
    let counted = |state: PaymentState| (state.taken, state.refunded, state.fee);
    assert_eq!(counted(paid("eur", "eur")), (4500, 500, Some(300)));
    assert_eq!(counted(paid("eur", "usd")), (4500, 500, None));
    assert_eq!(counted(paid("isk", "isk")), (45, 5, Some(3)));
    assert_eq!(counted(paid("mga", "mga")), (450_000, 50_000, Some(30_000)));
    let brief = json!({ "id": "pi_1", "status": "succeeded", "currency": "eur", "amount_received": 7, "latest_charge": "ch_1" });
    assert_eq!(counted(state(brief)), (7, 0, None));
    let released = json!({
        "id": "pi_1", "status": "canceled", "currency": "eur", "latest_charge": { "amount_refunded": 4500, "balance_transaction": null }
    });
    assert_eq!(counted(state(released)), (0, 0, None));
}

#[test]
fn what_was_reserved_and_let_go_was_not_paid_back() {
    let refunded = |captured: i64, refunded: i64| {
        let state = state(json!({
            "id": "pi_1", "status": "succeeded", "currency": "eur", "amount_received": captured, "latest_charge": {
                "amount": 4500, "amount_captured": captured, "amount_refunded": refunded, "balance_transaction": null
            }
        }));
        (state.taken, state.refunded)
    };
    assert_eq!(refunded(3000, 1500), (3000, 0), "the rest was let go");
    assert_eq!(refunded(3000, 2500), (3000, 1000));
    assert_eq!(refunded(3000, 4500), (3000, 3000));
    assert_eq!(refunded(4500, 700), (4500, 700), "all was taken");
    assert_eq!(
        refunded(3000, 0),
        (3000, 0),
        "where the rest is not counted"
    );
}

#[test]
fn money_that_cannot_be_counted_is_no_answer() {
    for (currency, received) in [("iqd", 1000), ("isk", 150), ("", 1), ("euro", 1)] {
        let json = json!({ "id": "pi_1", "status": "succeeded", "currency": currency, "amount_received": received });
        let state = payment_state(&serde_json::from_value(json).unwrap());
        assert!(
            matches!(state, Err(Failure::Retry { .. })),
            "{currency}: {state:?}"
        );
    }
}

#[test]
fn a_visit_stands_as_the_payment_that_came_of_it() {
    let payment = |status: &str| {
        json!({
            "id": "pi_1", "status": status, "currency": "eur", "last_payment_error": { "message": "Your card was declined." }
        })
    };
    for (visit, payment, expected) in [
        ("open", Value::Null, ExternalStatus::Waiting),
        (
            "open",
            payment("requires_payment_method"),
            ExternalStatus::Waiting,
        ),
        ("open", payment("requires_action"), ExternalStatus::Unpaid),
        (
            "complete",
            payment("requires_action"),
            ExternalStatus::Unpaid,
        ),
        ("expired", payment("requires_action"), over("expired")),
        ("complete", payment("succeeded"), ExternalStatus::Paid),
        (
            "complete",
            payment("requires_capture"),
            ExternalStatus::Authorized,
        ),
        ("complete", payment("processing"), ExternalStatus::Waiting),
        (
            "complete",
            payment("requires_payment_method"),
            over("Your card was declined."),
        ),
        ("complete", payment("canceled"), over("canceled")),
        ("complete", Value::Null, ExternalStatus::Waiting),
        ("complete", json!("pi_1"), ExternalStatus::Waiting),
        ("expired", Value::Null, over("expired")),
        (
            "expired",
            payment("requires_payment_method"),
            over("expired"),
        ),
        ("expired", payment("succeeded"), ExternalStatus::Paid),
        ("of_the_future", Value::Null, ExternalStatus::Waiting),
    ] {
        let json = json!({ "id": "cs_1", "status": visit, "payment_intent": payment });
        let session: Session = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(session_state(&session).unwrap().status, expected, "{json}");
    }
    let saved = json!({ "id": "cs_1", "status": "complete", "setup_intent": { "id": "seti_1", "status": "succeeded" } });
    let session: Session = serde_json::from_value(saved).unwrap();
    assert_eq!(
        session_state(&session).unwrap().status,
        ExternalStatus::Authorized
    );
}

#[test]
fn a_refund_is_done_when_stripe_says_so() {
    let failed = |reason: &str| RefundStatus::Failed {
        reason: reason.to_owned(),
    };
    for (status, expected) in [
        (json!("succeeded"), RefundStatus::Succeeded),
        (json!("pending"), RefundStatus::Pending),
        (json!("requires_action"), RefundStatus::Pending),
        (json!("of_the_future"), RefundStatus::Pending),
        (Value::Null, RefundStatus::Pending),
        (json!("failed"), failed("lost or stolen card")),
        (json!("canceled"), failed("it was canceled")),
    ] {
        let json =
            json!({ "id": "re_1", "status": status, "failure_reason": "lost_or_stolen_card" });
        let refund = refund_state(serde_json::from_value(json).unwrap());
        assert_eq!(refund.status, expected, "{status}");
    }
}

#[test]
fn an_id_becomes_no_other_address() {
    assert_eq!(External::read("pi_1"), Ok(External::PaymentIntent("pi_1")));
    assert_eq!(
        External::read("seti_1"),
        Ok(External::SetupIntent("seti_1"))
    );
    assert_eq!(
        External::read("cs_test_1"),
        Ok(External::Session("cs_test_1"))
    );
    let long = format!("pi_{}", "1".repeat(255));
    for wrong in [
        "",
        "pi",
        "ch_1",
        "pi_1/cancel",
        "pi_..",
        "pi_1?x",
        "pi_é",
        "cs_1#",
        &long,
    ] {
        assert!(External::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_fee_is_for_nobody_to_pay_but_us() {
    let form = fee(&request(PaymentKind::Fee), "cus_1", "pm_1").unwrap();
    no_name_twice(&form);
    for (name, value) in [
        ("amount", Some("4500")),
        ("customer", Some("cus_1")),
        ("payment_method", Some("pm_1")),
        ("automatic_payment_methods[allow_redirects]", Some("never")),
        ("capture_method", None),
        ("confirm", None),
        (
            "metadata[payment_id]",
            Some("pay_00000000000000000000000001"),
        ),
    ] {
        assert_eq!(get(&form, name), value, "{name}");
    }
}

#[test]
fn what_the_customer_would_have_to_mend_is_over_of_a_fee() {
    for (status, message, expected) in [
        ("requires_confirmation", None, ExternalStatus::Waiting),
        ("processing", None, ExternalStatus::Waiting),
        ("of_another_version", None, ExternalStatus::Waiting),
        (
            "requires_payment_method",
            Some("No money."),
            over("No money."),
        ),
        (
            "requires_payment_method",
            None,
            over("Stripe does not say why"),
        ),
        ("requires_action", None, over("Stripe does not say why")),
        ("canceled", None, over("canceled")),
    ] {
        let error = message.map(|message| json!({ "message": message }));
        let payment = json!({ "id": "pi_1", "status": status, "currency": "eur", "last_payment_error": error });
        let payment = serde_json::from_value(payment).unwrap();
        assert_eq!(fee_state(&payment).unwrap().status, expected, "{status}");
    }
}
