//! Every call that every act makes goes wrong in every way: what is answered says whether to try again, no reason holds the key, and the
//! repeat ends as if nothing had happened, with nothing done twice by Stripe's own records.

use std::time::Duration;

use fake_stripe::{Call, Decline, Fault};
use plugin_api::{Failure, PaymentKind, Payments};

use crate::{Shop, fee_of, plugin_with, refund_of, request};

/// What the engine can ask for.
#[derive(Debug, Clone, Copy)]
enum Act {
    Begin(PaymentKind),
    LookUp,
    Cancel(PaymentKind),
    LetGo,
    Capture,
    BeginFee,
    Charge(Option<Decline>),
    Refund,
}

impl Act {
    /// A Stripe on which it can be done, and to which payment.
    async fn prepare(self, is_page: bool) -> (Shop, String) {
        let shop = if is_page {
            Shop::with_page().await
        } else {
            Shop::open().await
        };
        let id = match self {
            Self::Begin(_) => String::new(),
            Self::Cancel(kind) => shop.begun(kind).await,
            Self::LookUp | Self::Refund => shop.paid().await,
            Self::BeginFee => shop.card().await,
            Self::Charge(decline) => {
                shop.stripe.decline_saved_cards(decline);
                shop.fee().await
            }
            Self::LetGo | Self::Capture => {
                let id = shop.begun(PaymentKind::Authorize).await;
                shop.stripe.pay(&id).unwrap();
                id
            }
        };
        (shop, id)
    }

    /// Does it, and answers what it came to without names.
    async fn run(self, shop: &Shop, id: &str) -> Result<String, Failure> {
        Ok(match self {
            Self::Begin(kind) => {
                let begun = shop.begin(&request(kind)).await?;
                let prefix = begun.external_id.split('_').next().map(str::to_owned);
                format!(
                    "{prefix:?} {} {}",
                    begun.client_secret.is_some(),
                    begun.checkout_url.is_some()
                )
            }
            Self::BeginFee => {
                let begun = shop.begin(&fee_of(id)).await?;
                assert_eq!((begun.client_secret, begun.checkout_url), (None, None));
                begun.external_id.starts_with("pi_").to_string()
            }
            Self::Charge(_) => format!("{:?}", shop.charge(id).await?),
            Self::LookUp => format!("{:?}", shop.look_up(id).await?),
            Self::Cancel(_) | Self::LetGo => format!("{:?}", shop.cancel(id).await?),
            Self::Capture => format!("{:?}", shop.capture(id, 3000).await?),
            Self::Refund => format!("{:?}", shop.refund(&refund_of(id, 1, 1000)).await?.status),
        })
    }
}

/// What Stripe has on record, without names.
fn record(shop: &Shop) -> Vec<String> {
    let made = ["pi_", "seti_", "cs_", "cus_"]
        .map(|prefix| format!("{prefix}{}", shop.stripe.made(prefix)));
    let charges = shop
        .stripe
        .charges()
        .into_iter()
        .map(|charge| format!("+{}", charge.amount));
    let refunds = shop
        .stripe
        .refunds()
        .into_iter()
        .map(|refund| format!("-{}", refund.amount));
    made.into_iter().chain(charges).chain(refunds).collect()
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::ServerError,
        Fault::TooManyRequests(Some(7)),
        Fault::TooManyRequests(None),
        Fault::KeyInUse,
        Fault::Unauthorized,
        Fault::Forbidden,
        Fault::Garbage,
        Fault::OtherJson,
        Fault::Html,
        Fault::NotFoundPage,
        Fault::Huge,
        Fault::Hang,
        Fault::Redirect("http://127.0.0.1:1/v1/".to_owned()),
        Fault::AnswerLost,
        Fault::AnswerCut,
        Fault::BadGateway,
    ]
}

fn is_right(fault: &Fault, failure: &Failure) -> bool {
    match (fault, failure) {
        (Fault::TooManyRequests(seconds), Failure::Retry { after, .. }) => {
            *after == seconds.map(Duration::from_secs)
        }
        (Fault::Unauthorized | Fault::Forbidden, Failure::Misconfigured { reason }) => {
            reason.starts_with("secretKey: ")
        }
        (Fault::Redirect(_), Failure::Misconfigured { reason }) => reason.starts_with("apiBase: "),
        (
            Fault::TooManyRequests(_) | Fault::Unauthorized | Fault::Forbidden | Fault::Redirect(_),
            _,
        ) => false,
        (_, failure) => matches!(failure, Failure::Retry { after: None, .. }),
    }
}

/// Goes through all faults of all calls of an act.
async fn goes_wrong(act: Act, is_page: bool) {
    let (shop, id) = act.prepare(is_page).await;
    let before = shop.stripe.calls().len();
    let expected = act.run(&shop, &id).await.unwrap();
    let expected_record = record(&shop);
    let calls: Vec<Call> = shop
        .stripe
        .calls()
        .into_iter()
        .skip(before)
        .map(|called| called.call)
        .collect();
    assert!(!calls.is_empty() && !calls.contains(&Call::Any));

    for call in calls {
        for fault in faults() {
            let what = format!("{act:?}, on a page: {is_page}, {call:?}, {fault:?}");
            let (mut shop, id) = act.prepare(is_page).await;
            shop.stripe.fault(call, fault.clone());
            let patient = matches!(fault, Fault::Hang).then(|| {
                let hasty = plugin_with(Duration::from_millis(300), true);
                std::mem::replace(&mut shop.plugin, hasty)
            });
            let failure = act.run(&shop, &id).await.unwrap_err();
            assert!(is_right(&fault, &failure), "{what}: {failure:?}");
            let said = format!("{failure} {failure:?}");
            assert!(!said.contains(shop.stripe.secret_key()), "{what}: {said}");
            if let Some(patient) = patient {
                shop.plugin = patient;
            }
            for _ in 0..2 {
                assert_eq!(act.run(&shop, &id).await.as_ref(), Ok(&expected), "{what}");
                assert_eq!(record(&shop), expected_record, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn begin_in_the_frontend() {
    for kind in [
        PaymentKind::Charge,
        PaymentKind::Authorize,
        PaymentKind::SaveCard,
    ] {
        goes_wrong(Act::Begin(kind), false).await;
    }
}

#[tokio::test]
async fn begin_on_a_page() {
    for kind in [
        PaymentKind::Charge,
        PaymentKind::Authorize,
        PaymentKind::SaveCard,
    ] {
        goes_wrong(Act::Begin(kind), true).await;
    }
}

#[tokio::test]
async fn look_up() {
    goes_wrong(Act::LookUp, false).await;
    goes_wrong(Act::LookUp, true).await;
}

#[tokio::test]
async fn cancel() {
    for kind in [PaymentKind::Charge, PaymentKind::SaveCard] {
        goes_wrong(Act::Cancel(kind), false).await;
        goes_wrong(Act::Cancel(kind), true).await;
    }
}

#[tokio::test]
async fn let_go() {
    goes_wrong(Act::LetGo, false).await;
    goes_wrong(Act::LetGo, true).await;
}

#[tokio::test]
async fn capture() {
    goes_wrong(Act::Capture, false).await;
    goes_wrong(Act::Capture, true).await;
}

#[tokio::test]
async fn begin_a_fee() {
    goes_wrong(Act::BeginFee, false).await;
    goes_wrong(Act::BeginFee, true).await;
}

#[tokio::test]
async fn charge_a_fee() {
    goes_wrong(Act::Charge(None), false).await;
    goes_wrong(Act::Charge(None), true).await;
}

#[tokio::test]
async fn charge_a_fee_that_is_declined() {
    goes_wrong(Act::Charge(Some(Decline::CardDeclined)), false).await;
    goes_wrong(Act::Charge(Some(Decline::AuthenticationRequired)), false).await;
}

#[tokio::test]
async fn refund() {
    goes_wrong(Act::Refund, false).await;
    goes_wrong(Act::Refund, true).await;
}

/// Lost again and again, it is still done once.
#[tokio::test]
async fn answers_that_are_always_lost() {
    let (shop, id) = Act::Refund.prepare(false).await;
    for _ in 0..5 {
        shop.stripe.fault(Call::CreateRefund, Fault::AnswerLost);
        // Where the refund is seen first, none is asked for.
        let _ = Act::Refund.run(&shop, &id).await;
    }
    assert_eq!(shop.stripe.refunds().len(), 1);
    let state = shop.plugin.look_up(&shop.settings, &id).await.unwrap();
    assert_eq!(state.refunded, 1000);
}
