//! A channel in trouble: one whose code breaks.

use plugin_api::Failure;

use super::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_panics_or_is_cut_off_for_the_last_time_leaves_it_to_the_next() {
    for (trouble, reason) in [
        ("panic", "the plugin panicked"),
        ("hang", "the plugin took too long"),
    ] {
        let mut stage = Stage::of_one_attempt().await;
        let mut input = stage.input("2027-03-05T10:00:00Z");
        input.customer.as_mut().unwrap().phone = Some("+442079460000".to_owned());
        let id = stage.book(input).await;
        stage.done().await;
        stage.texts.next(Err(Failure::give_up(trouble)));
        stage.at("2027-03-04T10:00:00Z").await;
        let told = stage.shown(id).await;
        assert!(
            told.contains(&format!("SMS +442079460000 FAILED {reason}"))
                && told.contains("2027-03-04T10:00:00+00:00 EMAIL eve@example.com SENT"),
            "{told}"
        );
        stage.end().await;
    }
}
