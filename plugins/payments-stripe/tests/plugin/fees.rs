//! Fees from cards that were saved: taken once, without their owners, or not at all.

use fake_stripe::{Call, Decline};
use plugin_api::{ExternalStatus, Failure, PaymentKind, Payments};

use domain::money::{Currency, Money};

use crate::{Shop, fee_of, refund_of};

#[tokio::test]
async fn a_fee_is_made_first_and_taken_then_and_can_be_paid_back() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let fee = shop.fee().await;
        assert!(shop.stripe.charges().is_empty(), "nothing is taken yet");
        let state = shop.look_up(&fee).await.unwrap();
        assert_eq!((state.status, state.taken), (ExternalStatus::Waiting, 0));
        let object = shop.stripe.object(&fee);
        assert!(object["customer"].is_string() && object["payment_method"].is_string());
        let state = shop.charge(&fee).await.unwrap();
        assert_eq!(
            (state.status, state.taken, state.fee),
            (ExternalStatus::Paid, 4500, Some(160))
        );
        assert_eq!(shop.stripe.charges().len(), 1);
        shop.refund(&refund_of(&fee, 1, 4500)).await.unwrap();
        assert_eq!(shop.look_up(&fee).await.unwrap().refunded, 4500);
    }
}

#[tokio::test]
async fn a_fee_is_taken_once_also_when_stripe_has_forgotten_every_key() {
    let shop = Shop::open().await;
    let fee = shop.fee().await;
    let first = shop.charge(&fee).await;
    for _ in 0..3 {
        shop.stripe.forget_keys();
        assert_eq!(shop.charge(&fee).await, first);
    }
    assert_eq!(shop.stripe.charges().len(), 1);
    let calls = shop.stripe.calls();
    let mut confirmed = calls
        .iter()
        .filter(|called| called.call == Call::ConfirmPaymentIntent);
    assert!(confirmed.all(|called| called.key.is_none()));
}

#[tokio::test]
async fn attempts_of_the_same_moment_take_it_once() {
    let shop = Shop::open().await;
    let fee = shop.fee().await;
    let (one, two, three) = tokio::join!(shop.charge(&fee), shop.charge(&fee), shop.charge(&fee));
    assert_eq!(one, two);
    assert_eq!(two, three);
    assert_eq!(one.unwrap().taken, 4500);
    assert_eq!(shop.stripe.charges().len(), 1);
}

#[tokio::test]
async fn a_bank_that_says_no_is_told_in_stripes_words_and_not_asked_again() {
    for (decline, words) in [
        (Decline::CardDeclined, "Your card was declined."),
        (
            Decline::AuthenticationRequired,
            "Your card was declined. This transaction requires authentication.",
        ),
    ] {
        let shop = Shop::open().await;
        let fee = shop.fee().await;
        shop.stripe.decline_saved_cards(Some(decline));
        let reason = words.to_owned();
        let over = ExternalStatus::Over { reason };
        assert_eq!(shop.charge(&fee).await.unwrap().status, over);
        // The card would be good again; the fee is over all the same.
        shop.stripe.decline_saved_cards(None);
        assert_eq!(shop.charge(&fee).await.unwrap().status, over);
        assert!(shop.stripe.charges().is_empty());
    }
}

#[tokio::test]
async fn a_fee_that_the_bank_thinks_about_waits_and_ends_as_the_bank_says() {
    for is_paid in [true, false] {
        let shop = Shop::open().await;
        let fee = shop.fee().await;
        shop.stripe.begin_processing(&fee).unwrap();
        let state = shop.charge(&fee).await.unwrap();
        assert_eq!((state.status, state.taken), (ExternalStatus::Waiting, 0));
        if is_paid {
            shop.stripe.pay(&fee).unwrap();
            assert_eq!(shop.charge(&fee).await.unwrap().taken, 4500);
        } else {
            shop.stripe.fail_payment(&fee).unwrap();
            let state = shop.charge(&fee).await.unwrap();
            assert!(matches!(state.status, ExternalStatus::Over { .. }));
        }
    }
}

#[tokio::test]
async fn without_a_card_that_is_saved_there_is_no_fee() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let unsaved = shop.begun(PaymentKind::SaveCard).await;
        let mut request = fee_of(&unsaved);
        for saved in [Some(unsaved), Some("pi_1".to_owned()), None] {
            request.saved = saved;
            let failure = shop.begin(&request).await.unwrap_err();
            assert!(
                matches!(&failure, Failure::GiveUp { reason } if reason.contains("no card saved")),
                "{failure:?}"
            );
        }
        let failure = shop.charge("seti_1").await.unwrap_err();
        assert!(matches!(failure, Failure::GiveUp { .. }), "{failure:?}");
        assert_eq!(shop.stripe.made("pi_"), 0);
    }
}

#[tokio::test]
async fn fees_and_reservations_are_in_the_units_of_the_currency() {
    for (amount, part, code, at_stripe, part_at_stripe) in [
        (500, 300, "JPY", 500, 300),
        (5, 3, "ISK", 500, 300),
        (5120, 2560, "KWD", 5120, 2560),
    ] {
        let shop = Shop::open().await;
        let currency = Currency::new(code).unwrap();
        let money = |amount| Money { amount, currency };
        let mut request = fee_of(&shop.card().await);
        request.amount = money(amount);
        let fee = shop.begin(&request).await.unwrap().external_id;
        assert_eq!(shop.charge(&fee).await.unwrap().taken, amount, "{code}");
        let mut request = crate::request(PaymentKind::Authorize);
        request.amount = money(amount);
        let reserved = shop.begin(&request).await.unwrap().external_id;
        shop.stripe.pay(&reserved).unwrap();
        let (plugin, settings) = (&shop.plugin, &shop.settings);
        let captured = plugin.capture(settings, &reserved, money(part)).await;
        let taken = captured.unwrap().taken;
        assert_eq!(taken, part, "{code}");
        let mut charges: Vec<i64> = shop
            .stripe
            .charges()
            .iter()
            .map(|made| made.amount)
            .collect();
        charges.sort_unstable();
        assert_eq!(charges, [part_at_stripe, at_stripe], "{code}");
    }
    let shop = Shop::open().await;
    let reserved = shop.begun(PaymentKind::Authorize).await;
    let currency = Currency::new("KWD").unwrap();
    let odd = Money {
        amount: 5124,
        currency,
    };
    let refused = shop.plugin.capture(&shop.settings, &reserved, odd).await;
    assert!(matches!(refused, Err(Failure::GiveUp { .. })));
}

#[tokio::test]
async fn a_reservation_that_the_bank_lets_go_is_over() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let id = shop.begun(PaymentKind::Authorize).await;
        shop.stripe.pay(&id).unwrap();
        shop.stripe.let_lapse(&id).unwrap();
        for state in [shop.look_up(&id).await, shop.capture(&id, 3000).await] {
            let state = state.unwrap();
            assert!(matches!(state.status, ExternalStatus::Over { .. }));
            assert_eq!(state.taken, 0);
        }
        assert!(shop.stripe.charges().is_empty());
    }
}
