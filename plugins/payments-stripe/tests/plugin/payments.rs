//! Payments from their beginning to their end.

use fake_stripe::Call;
use plugin_api::{ExternalStatus, Failure, PaymentKind, PaymentRequest, PaymentState};
use serde_json::json;

use domain::money::{Currency, Money};

use crate::{Shop, request};

fn state(status: ExternalStatus) -> PaymentState {
    PaymentState {
        status,
        taken: 0,
        refunded: 0,
        failed_refunds: Vec::new(),
        fee: None,
        disputes: Vec::new(),
    }
}

fn paid(taken: i64, fee: i64) -> PaymentState {
    PaymentState {
        status: ExternalStatus::Paid,
        taken,
        refunded: 0,
        failed_refunds: Vec::new(),
        fee: Some(fee),
        disputes: Vec::new(),
    }
}

fn is_over(state: &PaymentState) -> bool {
    matches!(state.status, ExternalStatus::Over { .. }) && state.taken == 0
}

#[tokio::test]
async fn a_payment_in_the_frontend() {
    let shop = Shop::open().await;
    let begun = shop.begin(&request(PaymentKind::Charge)).await.unwrap();
    assert!(begun.external_id.starts_with("pi_"));
    assert!(
        begun
            .client_secret
            .is_some_and(|secret| secret.starts_with(&begun.external_id))
    );
    assert_eq!(begun.checkout_url, None);
    let object = shop.stripe.object(&begun.external_id);
    assert_eq!(object["amount"], json!(4500));
    assert_eq!(object["currency"], json!("eur"));
    assert_eq!(object["receipt_email"], json!("jo@customer.example"));
    assert_eq!(object["metadata"]["reference"], json!("K7MQ2P"));

    assert_eq!(
        shop.look_up(&begun.external_id).await,
        Ok(state(ExternalStatus::Waiting))
    );
    shop.stripe.fail_payment(&begun.external_id).unwrap();
    assert_eq!(
        shop.look_up(&begun.external_id).await,
        Ok(state(ExternalStatus::Waiting))
    );
    shop.stripe.begin_processing(&begun.external_id).unwrap();
    assert_eq!(
        shop.look_up(&begun.external_id).await,
        Ok(state(ExternalStatus::Waiting))
    );
    shop.stripe.pay(&begun.external_id).unwrap();
    assert_eq!(shop.look_up(&begun.external_id).await, Ok(paid(4500, 160)));
}

#[tokio::test]
async fn a_payment_on_stripes_page() {
    let shop = Shop::with_page().await;
    let begun = shop.begin(&request(PaymentKind::Charge)).await.unwrap();
    assert!(begun.external_id.starts_with("cs_"));
    assert_eq!(begun.client_secret, None);
    assert!(
        begun
            .checkout_url
            .is_some_and(|url| url.starts_with("https://"))
    );
    assert_eq!(shop.stripe.made("pi_"), 0, "there is one object to be paid");

    assert_eq!(
        shop.look_up(&begun.external_id).await,
        Ok(state(ExternalStatus::Waiting))
    );
    shop.stripe.fail_payment(&begun.external_id).unwrap();
    assert_eq!(
        shop.look_up(&begun.external_id).await,
        Ok(state(ExternalStatus::Waiting))
    );
    shop.stripe.pay(&begun.external_id).unwrap();
    assert_eq!(shop.look_up(&begun.external_id).await, Ok(paid(4500, 160)));
    assert_eq!(shop.stripe.charges().len(), 1);
}

#[tokio::test]
async fn a_payment_that_takes_days_is_paid_or_over_when_the_bank_says_so() {
    for is_paid in [true, false] {
        let shop = Shop::with_page().await;
        let id = shop.begun(PaymentKind::Charge).await;
        shop.stripe.begin_processing(&id).unwrap();
        assert_eq!(shop.look_up(&id).await, Ok(state(ExternalStatus::Waiting)));
        // It cannot be called off any more, and it is not paid either.
        assert_eq!(shop.cancel(&id).await, Ok(state(ExternalStatus::Waiting)));
        if is_paid {
            shop.stripe.pay(&id).unwrap();
            assert_eq!(shop.look_up(&id).await, Ok(paid(4500, 160)));
        } else {
            shop.stripe.fail_payment(&id).unwrap();
            let reason = "Your card was declined.".to_owned();
            assert_eq!(
                shop.look_up(&id).await,
                Ok(state(ExternalStatus::Over { reason }))
            );
        }
    }
}

#[tokio::test]
async fn money_is_reserved_and_then_taken_in_part() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let id = shop.begun(PaymentKind::Authorize).await;
        shop.stripe.pay(&id).unwrap();
        assert_eq!(
            shop.look_up(&id).await,
            Ok(state(ExternalStatus::Authorized))
        );
        assert!(shop.stripe.charges().is_empty());
        assert!(matches!(
            shop.capture(&id, 4501).await,
            Err(Failure::GiveUp { .. })
        ));
        assert_eq!(shop.capture(&id, 3000).await, Ok(paid(3000, 117)));
        // A repeat takes nothing more, and says how it stands.
        assert_eq!(shop.capture(&id, 3000).await, Ok(paid(3000, 117)));
        let charges = shop.stripe.charges();
        assert_eq!(
            charges
                .iter()
                .map(|charge| charge.amount)
                .collect::<Vec<_>>(),
            [3000]
        );
    }
}

#[tokio::test]
async fn what_is_not_reserved_cannot_be_taken() {
    let shop = Shop::open().await;
    let id = shop.begun(PaymentKind::Authorize).await;
    assert!(matches!(
        shop.capture(&id, 4500).await,
        Err(Failure::GiveUp { .. })
    ));
    let page = Shop::with_page().await;
    let on_page = page.begun(PaymentKind::Authorize).await;
    assert!(matches!(
        page.capture(&on_page, 4500).await,
        Err(Failure::GiveUp { .. })
    ));
    shop.stripe.pay(&id).unwrap();
    assert!(is_over(&shop.cancel(&id).await.unwrap()));
    assert!(is_over(&shop.capture(&id, 4500).await.unwrap()));
    let card = shop.begun(PaymentKind::SaveCard).await;
    assert!(matches!(
        shop.capture(&card, 4500).await,
        Err(Failure::GiveUp { .. })
    ));
    assert!(shop.stripe.charges().is_empty());
}

#[tokio::test]
async fn a_card_is_saved_for_a_customer() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let request = request(PaymentKind::SaveCard);
        let begun = shop.begin(&request).await.unwrap();
        assert_eq!(
            shop.look_up(&begun.external_id).await,
            Ok(state(ExternalStatus::Waiting))
        );
        shop.stripe.pay(&begun.external_id).unwrap();
        assert_eq!(
            shop.look_up(&begun.external_id).await,
            Ok(state(ExternalStatus::Authorized))
        );
        assert!(shop.stripe.object(&begun.external_id)["customer"].is_string());
        assert_eq!(
            shop.begin(&request).await.map(|begun| begun.external_id),
            Ok(begun.external_id.clone())
        );
        assert_eq!(
            (shop.stripe.made("cus_"), shop.stripe.made("seti_")),
            (1, 1)
        );
        // It stays saved: nothing is called off that somebody has completed.
        assert_eq!(
            shop.cancel(&begun.external_id).await,
            Ok(state(ExternalStatus::Authorized))
        );
    }
}

#[tokio::test]
async fn a_payment_that_is_called_off_cannot_be_paid() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        for kind in [
            PaymentKind::Charge,
            PaymentKind::Authorize,
            PaymentKind::SaveCard,
        ] {
            let id = shop.begun(kind).await;
            for _ in 0..2 {
                assert!(is_over(&shop.cancel(&id).await.unwrap()), "{kind:?}");
            }
            assert!(is_over(&shop.look_up(&id).await.unwrap()));
            assert!(shop.stripe.pay(&id).is_err());
            shop.stripe.forget_keys();
        }
        assert!(shop.stripe.charges().is_empty());
    }
}

#[tokio::test]
async fn a_payment_that_was_paid_a_moment_before_stays_paid() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let id = shop.paid().await;
        assert_eq!(shop.cancel(&id).await, Ok(paid(4500, 160)));
        assert_eq!(shop.stripe.charges().len(), 1);
    }
}

#[tokio::test]
async fn a_reservation_is_let_go() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let id = shop.begun(PaymentKind::Authorize).await;
        shop.stripe.pay(&id).unwrap();
        assert!(is_over(&shop.cancel(&id).await.unwrap()));
        assert!(is_over(&shop.look_up(&id).await.unwrap()));
    }
}

#[tokio::test]
async fn the_same_payment_with_another_amount_is_refused() {
    let shop = Shop::open().await;
    let mut request = request(PaymentKind::Charge);
    shop.begin(&request).await.unwrap();
    request.amount.amount = 9900;
    let failure = shop.begin(&request).await.unwrap_err();
    assert!(
        matches!(&failure, Failure::GiveUp { reason } if reason.contains("idempotent")),
        "{failure:?}"
    );
    assert_eq!(shop.stripe.made("pi_"), 1);
}

#[tokio::test]
async fn what_stripe_refuses_is_given_up_in_its_words() {
    let shop = Shop::open().await;
    let money = |amount, code: &str| Money {
        amount,
        currency: Currency::new(code).unwrap(),
    };
    for (amount, words) in [
        (money(10, "EUR"), "at least 50 cents"),
        (money(4500, "XXX"), "Invalid currency"),
        (money(1_000_000_000, "EUR"), "no more than"),
        (money(5124, "KWD"), "5.124 KWD"),
        (money(5000, "IQD"), "5.000 IQD"),
        (money(0, "EUR"), "0.00 EUR"),
    ] {
        let mut request = request(PaymentKind::Charge);
        request.amount = amount;
        let failure = shop.begin(&request).await.unwrap_err();
        assert!(
            matches!(&failure, Failure::GiveUp { reason } if reason.contains(words)),
            "{failure:?}"
        );
    }
    assert_eq!(shop.stripe.made("pi_"), 0);
}

#[tokio::test]
async fn amounts_are_those_of_the_currency() {
    for (amount, code, at_stripe, fee) in [
        (500, "JPY", 500, 44),
        (5, "ISK", 500, 0),
        (5120, "KWD", 5120, 178),
        (50_000, "MGA", 500, 4400),
    ] {
        let shop = Shop::open().await;
        let mut request = request(PaymentKind::Charge);
        let currency = Currency::new(code).unwrap();
        request.amount = Money { amount, currency };
        let id = shop.begin(&request).await.unwrap().external_id;
        shop.stripe.pay(&id).unwrap();
        assert_eq!(shop.stripe.charges()[0].amount, at_stripe, "{code}");
        // 44 hundredths of a króna are no whole number of them.
        let fee = (fee > 0).then_some(fee);
        let state = shop.look_up(&id).await.unwrap();
        assert_eq!((state.taken, state.fee), (amount, fee), "{code}");
    }
}

#[tokio::test]
async fn a_fee_in_another_currency_is_not_ours_to_count() {
    let shop = Shop::open().await;
    shop.stripe.settle_in("chf");
    let id = shop.paid().await;
    assert_eq!(shop.look_up(&id).await.unwrap().fee, None);
}

#[tokio::test]
async fn a_payment_of_another_account_is_a_matter_of_settings() {
    let shop = Shop::open().await;
    for id in ["pi_unknown", "seti_unknown", "cs_unknown"] {
        for result in [shop.look_up(id).await, shop.cancel(id).await] {
            assert!(
                matches!(&result, Err(Failure::Misconfigured { reason }) if reason.contains("No such")),
                "{result:?}"
            );
        }
    }
    let calls = shop.stripe.calls().len();
    assert!(matches!(
        shop.look_up("pi_1/cancel").await,
        Err(Failure::GiveUp { .. })
    ));
    assert!(matches!(
        shop.cancel("re_1").await,
        Err(Failure::GiveUp { .. })
    ));
    assert_eq!(shop.stripe.calls().len(), calls, "nobody was asked");
}

#[tokio::test]
async fn what_makes_something_bears_a_key_and_what_changes_something_does_not() {
    let shop = Shop::open().await;
    let id = shop.begun(PaymentKind::Charge).await;
    shop.cancel(&id).await.unwrap();
    let calls = shop.stripe.calls();
    let key_of = |call| {
        calls
            .iter()
            .find(|called| called.call == call)
            .unwrap()
            .key
            .clone()
    };
    let key = "pay_00000000000000000000000001:payment-intent".to_owned();
    assert_eq!(key_of(Call::CreatePaymentIntent), Some(key));
    assert_eq!(key_of(Call::CancelPaymentIntent), None);
}

#[tokio::test]
async fn an_address_that_stripe_refuses_keeps_nobody_from_paying() {
    for (email, is_told) in [
        ("jo@customer.example", true),
        ("jo@localhost", false),
        ("jö@customer.example", false),
        ("jo@münchen.example", false),
    ] {
        for kind in [PaymentKind::Charge, PaymentKind::SaveCard] {
            for shop in [Shop::open().await, Shop::with_page().await] {
                let request = PaymentRequest {
                    customer_email: Some(email.to_owned()),
                    ..request(kind)
                };
                let begun = shop.begin(&request).await.unwrap();
                let calls = shop.stripe.calls();
                let mut told = calls.iter().flat_map(|called| &called.form);
                assert_eq!(told.any(|(_, value)| value == email), is_told, "{email}");
                assert_eq!(shop.begin(&request).await.unwrap(), begun);
            }
        }
    }
}
