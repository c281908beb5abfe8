//! What is paid back.

use fake_stripe::Call;
use plugin_api::{FailedRefund, Failure, PaymentKind, RefundStatus};
use serde_json::json;

use crate::{Shop, refund_of};

#[tokio::test]
async fn money_is_paid_back_in_parts_and_no_more_than_there_was() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let id = shop.paid().await;
        for (number, amount, refunded) in [(1, 1000, 1000), (2, 3500, 4500)] {
            let refund = shop.refund(&refund_of(&id, number, amount)).await.unwrap();
            assert_eq!(refund.status, RefundStatus::Succeeded);
            assert_eq!(shop.look_up(&id).await.unwrap().refunded, refunded);
        }
        let again = shop.refund(&refund_of(&id, 3, 1)).await.unwrap_err();
        assert!(
            matches!(&again, Failure::GiveUp { reason } if reason.contains("already been refunded")),
            "{again:?}"
        );
        let amounts: Vec<i64> = shop
            .stripe
            .refunds()
            .iter()
            .map(|refund| refund.amount)
            .collect();
        assert_eq!(amounts, [1000, 3500]);
        assert_eq!(
            shop.stripe.refunds()[0].metadata["reason"],
            "The chair broke"
        );
    }
}

#[tokio::test]
async fn more_than_is_left_is_refused() {
    let shop = Shop::open().await;
    let id = shop.paid().await;
    shop.stripe.refund_by_hand(&id, 4000).unwrap();
    let failure = shop.refund(&refund_of(&id, 1, 1000)).await.unwrap_err();
    assert!(
        matches!(&failure, Failure::GiveUp { reason } if reason.contains("greater than")),
        "{failure:?}"
    );
    assert_eq!(shop.look_up(&id).await.unwrap().refunded, 4000);
}

#[tokio::test]
async fn a_refund_is_made_once_even_when_stripe_has_forgotten_the_key() {
    let shop = Shop::open().await;
    let id = shop.paid().await;
    let request = refund_of(&id, 1, 1000);
    let first = shop.refund(&request).await.unwrap();
    for _ in 0..3 {
        shop.stripe.forget_keys();
        assert_eq!(shop.refund(&request).await, Ok(first.clone()));
    }
    assert_eq!(shop.stripe.refunds().len(), 1);
    assert_eq!(shop.stripe.count(Call::CreateRefund), 1);
}

#[tokio::test]
async fn a_refund_that_waits_for_the_bank_ends_as_the_bank_says() {
    for (settled, expected) in [
        (Ok(()), RefundStatus::Succeeded),
        (
            Err("expired_or_canceled_card"),
            RefundStatus::Failed {
                reason: "expired or canceled card".to_owned(),
            },
        ),
    ] {
        let shop = Shop::open().await;
        shop.stripe.let_refunds_wait(true);
        let id = shop.paid().await;
        let request = refund_of(&id, 1, 1000);
        let refund = shop.refund(&request).await.unwrap();
        assert_eq!(refund.status, RefundStatus::Pending);
        shop.stripe
            .settle_refund(&refund.external_id, settled)
            .unwrap();
        // To repeat it is to ask.
        assert_eq!(shop.refund(&request).await.unwrap().status, expected);
        assert_eq!(shop.stripe.refunds().len(), 1);
        let refunded = if settled.is_ok() { 1000 } else { 0 };
        assert_eq!(shop.look_up(&id).await.unwrap().refunded, refunded);
    }
}

#[tokio::test]
async fn a_refund_that_came_back_is_told_of_by_its_name() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let id = shop.paid().await;
        let ours = shop.refund(&refund_of(&id, 7, 1000)).await.unwrap();
        shop.stripe.refund_by_hand(&id, 500).unwrap();
        let by_hand = shop.stripe.refunds()[1].refund.clone();
        let before = shop.look_up(&id).await.unwrap();
        assert_eq!((before.refunded, before.failed_refunds), (1500, vec![]));
        for refund in [&ours.external_id, &by_hand] {
            let settled = shop
                .stripe
                .settle_refund(refund, Err("lost_or_stolen_card"));
            settled.unwrap();
        }
        let after = shop.look_up(&id).await.unwrap();
        let failed = |id, amount| FailedRefund {
            id,
            amount,
            reason: "lost or stolen card".to_owned(),
        };
        let ours = refund_of(&id, 7, 1000).id;
        assert_eq!(
            (after.taken, after.refunded, after.failed_refunds),
            (4500, 0, vec![failed(None, 500), failed(Some(ours), 1000)])
        );
    }
}

#[tokio::test]
async fn as_many_refunds_as_there_are_are_looked_through() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let id = shop.paid().await;
        let first = shop.refund(&refund_of(&id, 1, 10)).await.unwrap();
        for _ in 0..230 {
            shop.stripe.refund_by_hand(&id, 1).unwrap();
        }
        shop.stripe
            .settle_refund(&first.external_id, Err("declined"))
            .unwrap();
        let seen = shop.look_up(&id).await.unwrap();
        assert_eq!((seen.refunded, seen.failed_refunds.len()), (230, 1));
        // It is found, and not made anew.
        shop.stripe.forget_keys();
        let again = shop.refund(&refund_of(&id, 1, 10)).await.unwrap();
        assert_eq!(again.external_id, first.external_id);
    }
}

#[tokio::test]
async fn what_was_not_paid_is_not_paid_back() {
    let shop = Shop::open().await;
    let id = shop.begun(PaymentKind::Charge).await;
    assert!(matches!(
        shop.refund(&refund_of(&id, 1, 1000)).await,
        Err(Failure::GiveUp { .. })
    ));
    let card = shop.begun(PaymentKind::SaveCard).await;
    assert!(matches!(
        shop.refund(&refund_of(&card, 2, 1000)).await,
        Err(Failure::GiveUp { .. })
    ));
    let page = Shop::with_page().await;
    let id = page.begun(PaymentKind::Charge).await;
    assert!(matches!(
        page.refund(&refund_of(&id, 3, 1000)).await,
        Err(Failure::GiveUp { .. })
    ));
    assert!(shop.stripe.refunds().is_empty() && page.stripe.refunds().is_empty());
}

#[tokio::test]
async fn refunds_of_the_same_moment_are_one() {
    let shop = Shop::with(json!({})).await;
    let id = shop.paid().await;
    let request = refund_of(&id, 1, 1000);
    let (one, two, three) = tokio::join!(
        shop.refund(&request),
        shop.refund(&request),
        shop.refund(&request)
    );
    let names: Vec<String> = [one, two, three]
        .into_iter()
        .map(|refund| refund.unwrap().external_id)
        .collect();
    assert_eq!(names[0], names[1]);
    assert_eq!(names[1], names[2]);
    assert_eq!(shop.stripe.refunds().len(), 1);
}
