//! Disputes, wherever the money was paid.

use fake_stripe::{Call, Fault};
use plugin_api::{DisputeStatus, Failure, Payments};

use crate::{Shop, refund_of};

impl Shop {
    /// Status, withdrawn and reinstated, dispute by dispute.
    async fn disputes(&self, id: &str) -> Vec<(DisputeStatus, i64, i64)> {
        let state = self.look_up(id).await.unwrap();
        assert_eq!(state.taken, 4500);
        let disputes = state.disputes.into_iter();
        disputes
            .map(|dispute| {
                assert!(dispute.amount == 4500 && dispute.respond_by.is_some());
                (dispute.status, dispute.withdrawn, dispute.reinstated)
            })
            .collect()
    }
}

#[tokio::test]
async fn a_look_sees_every_step_of_a_dispute_in_the_frontend_and_on_the_page() {
    for shop in [Shop::open().await, Shop::with_page().await] {
        let id = shop.paid().await;
        assert_eq!(shop.disputes(&id).await, []);
        assert_eq!(shop.stripe.count(Call::ListDisputes), 0, "nobody disputes");
        let dispute = shop.stripe.inquire(&id).unwrap();
        assert_eq!(shop.disputes(&id).await, [(DisputeStatus::Open, 0, 0)]);
        shop.stripe.escalate(&dispute).unwrap();
        assert_eq!(shop.disputes(&id).await, [(DisputeStatus::Open, 4500, 0)]);
        let refused = shop.refund(&refund_of(&id, 1, 500)).await;
        assert!(
            matches!(refused, Err(Failure::GiveUp { .. })),
            "{refused:?}"
        );
        shop.stripe.close_dispute(&dispute, true).unwrap();
        assert_eq!(shop.disputes(&id).await, [(DisputeStatus::Won, 4500, 4500)]);
        let again = shop.stripe.dispute(&id).unwrap();
        shop.stripe.close_dispute(&again, false).unwrap();
        let both = shop.disputes(&id).await;
        assert!(
            both.contains(&(DisputeStatus::Lost, 4500, 0)) && both.len() == 2,
            "{both:?}"
        );
    }
}

#[tokio::test]
async fn stripe_knows_which_page_made_a_payment() {
    let shop = Shop::with_page().await;
    let id = shop.paid().await;
    let payment = shop.stripe.charges()[0].payment_intent.clone();
    let found = shop.plugin.begun_as(&shop.settings, &payment).await;
    assert_eq!(found, Ok(Some(id.clone())));
    let itself = shop.plugin.begun_as(&shop.settings, &id).await;
    assert_eq!(itself, Ok(Some(id)));
    let elsewhere = shop.plugin.begun_as(&shop.settings, "pi_elsewhere").await;
    assert_eq!(elsewhere, Ok(None));
}

#[tokio::test]
async fn a_key_that_may_not_read_disputes_matters_only_where_there_is_one() {
    let shop = Shop::open().await;
    let id = shop.paid().await;
    shop.stripe.fault(Call::ListDisputes, Fault::Forbidden);
    assert!(shop.look_up(&id).await.is_ok());
    shop.stripe.dispute(&id).unwrap();
    let refused = shop.look_up(&id).await;
    assert!(
        matches!(refused, Err(Failure::Misconfigured { .. })),
        "{refused:?}"
    );
    assert_eq!(shop.disputes(&id).await.len(), 1);
}
