use super::*;

/// Signed by the `stripe` package for Node.js, version 23.1.0, with `whsec_vector` at 1 803 898 800.
const BODY: &str = r#"{"id":"evt_vector","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_vector","object":"payment_intent","description":"Coupe à Genève ✂"}}}"#;
const HEADER: &str =
    "t=1803898800,v1=410a116479fd25342aa85fcb1699e0a5304130b89e3360c28b5d9e4a098f8521";
const SECRET: &str = "whsec_vector";
const SIGNED_AT: i64 = 1_803_898_800;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn is_right(header: &str) -> bool {
    is_signed(SECRET, header, BODY.as_bytes(), at(SIGNED_AT))
}

#[test]
fn signatures_are_those_of_the_official_library() {
    assert!(is_right(HEADER));
    assert!(!is_signed(
        "whsec_other",
        HEADER,
        BODY.as_bytes(),
        at(SIGNED_AT)
    ));
    let other = BODY.replace("pi_vector", "pi_victor");
    assert!(!is_signed(SECRET, HEADER, other.as_bytes(), at(SIGNED_AT)));
}

#[test]
fn one_right_signature_among_several_is_enough() {
    let (time, right) = HEADER.split_once(',').unwrap();
    let wrong = format!("v1={}", "ab".repeat(32));
    assert!(is_right(&format!("{time},{wrong},{right}")));
    assert!(is_right(&format!("{time}, {right}, {wrong}, v0=zz")));
    assert!(!is_right(&format!("{time},{wrong}")));
    assert!(!is_right(&format!(
        "{time},{}",
        right.replace("v1=", "v0=")
    )));
}

#[test]
fn a_signature_is_good_for_five_minutes() {
    for (later, is_good) in [
        (0, true),
        (300, true),
        (301, false),
        (-300, true),
        (-301, false),
    ] {
        let now = at(SIGNED_AT + later);
        assert_eq!(
            is_signed(SECRET, HEADER, BODY.as_bytes(), now),
            is_good,
            "{later}"
        );
    }
}

#[test]
fn headers_that_make_no_sense_are_not_believed() {
    let (time, right) = HEADER.split_once(',').unwrap();
    for header in [
        "",
        ",",
        "t=",
        "t=1803898800",
        right,
        "t=99999999999999999999,v1=ab",
        "t=-9223372036854775808,v1=ab",
        &format!("t=01803898800,{right}"),
        &format!("t=1,{time},{right}"),
        &format!("{time},v1="),
        &format!("{time},{}", &right[..right.len() - 2]),
        &format!("{time},{right}00"),
        &format!("{time},v1={}", "é".repeat(64)),
    ] {
        assert!(!is_right(header), "{header}");
    }
}

fn about(kind: &str, object: &str) -> Option<String> {
    let body = format!(r#"{{"id":"evt_1","type":"{kind}","data":{{"object":{object}}}}}"#);
    let inbound = read(body.as_bytes()).unwrap();
    assert_eq!(inbound.external_id, "evt_1");
    match inbound.about {
        InboundAbout::Payment { external_id } => Some(external_id),
        InboundAbout::OurPayment { id } => Some(id.to_string()),
        InboundAbout::PaymentBehind { name } => Some(format!("behind {name}")),
        _ => None,
    }
}

#[test]
fn events_are_about_the_payment_that_we_know() {
    for (kind, object, external_id) in [
        ("payment_intent.succeeded", r#"{"id":"pi_1"}"#, "pi_1"),
        (
            "payment_intent.new",
            r#"{"id":"pi_1","amount":"many"}"#,
            "pi_1",
        ),
        (
            "setup_intent.succeeded",
            r#"{"id":"seti_1","metadata":null}"#,
            "seti_1",
        ),
        (
            "charge.refunded",
            r#"{"id":"ch_1","payment_intent":"pi_1","metadata":{"page":"checkout","payment_id":"pay_01jd6y7t3hfb8vqx6p0n2c4m5k"}}"#,
            "pay_01jd6y7t3hfb8vqx6p0n2c4m5k",
        ),
        (
            "checkout.session.completed",
            r#"{"id":"cs_1","payment_intent":"pi_1"}"#,
            "cs_1",
        ),
        (
            "charge.succeeded",
            r#"{"id":"ch_1","payment_intent":"pi_1"}"#,
            "pi_1",
        ),
        (
            "charge.refunded",
            r#"{"id":"ch_1","payment_intent":{"id":"pi_1"}}"#,
            "pi_1",
        ),
        (
            "charge.dispute.created",
            r#"{"id":"du_1","charge":"ch_1","payment_intent":"pi_1","metadata":{}}"#,
            "behind pi_1",
        ),
        (
            "charge.dispute.funds_withdrawn",
            r#"{"id":"du_1","payment_intent":{"id":"pi_1"}}"#,
            "behind pi_1",
        ),
        (
            "charge.refund.updated",
            r#"{"id":"re_1","payment_intent":"pi_1","metadata":{}}"#,
            "behind pi_1",
        ),
        (
            "refund.updated",
            r#"{"id":"re_1","payment_intent":"pi_1","metadata":{"external_id":"cs_1"}}"#,
            "cs_1",
        ),
    ] {
        let found = about(kind, object);
        assert_eq!(found.as_deref(), Some(external_id), "{kind} {object}");
    }
}

#[test]
fn other_events_are_about_nothing() {
    for (kind, object) in [
        ("charge.succeeded", r#"{"id":"ch_1","payment_intent":null}"#),
        ("charge.succeeded", r#"{"id":"ch_1"}"#),
        (
            "charge.dispute.created",
            r#"{"id":"du_1","payment_intent":null}"#,
        ),
        (
            "charge.dispute.created",
            r#"{"id":"du_1","payment_intent":"../x"}"#,
        ),
        ("payment_intent.succeeded", r#"{"id":"pi_1/../x"}"#),
        ("payment_intent.succeeded", r#"{"id":7}"#),
        ("payment_intent.succeeded", "[]"),
        ("payment_intent.succeeded", "null"),
        ("payment_intents.succeeded", r#"{"id":"pi_1"}"#),
        ("customer.created", r#"{"id":"cus_1"}"#),
        ("v2.core.event", "{}"),
    ] {
        assert_eq!(about(kind, object), None, "{kind} {object}");
    }
}

#[test]
fn what_is_signed_and_no_event_is_unreadable() {
    for body in [
        "",
        "[]",
        "{}",
        r#"{"id":"evt_1"}"#,
        r#"{"id":"","type":"charge.succeeded"}"#,
        "\u{0}",
    ] {
        let read = read(body.as_bytes());
        assert!(
            matches!(read, Err(InboundRefused::Unreadable(_))),
            "{body}: {read:?}"
        );
    }
    let thin =
        r#"{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter","related_object":{}}"#;
    assert_eq!(read(thin.as_bytes()).unwrap().about, InboundAbout::Nothing);
}
