//! Money that goes back: who is told, and whether the booking stands.

use domain::deposit::{CaptureMethod, Deposit};
use engine::catalogue::service::ServiceInput;
use plugin_api::Message;
use serde_json::{Value, json};
use test_support::{App, Client, Courier, Deliveries, Till, World, WorldOptions};

use super::stage::{composer, jobs};

const BOOK: &str = "mutation($input: BookInput!) { book(input: $input) { manageToken booking { id }
    payment { id clientSecret } problems { code } } }";

struct Stage {
    app: App,
    owner: Client,
    mail: std::sync::Arc<Courier>,
    till: std::sync::Arc<Till>,
    deliveries: Deliveries,
    booked: Value,
}

impl Stage {
    /// A booking that waits for its money.
    async fn new() -> Self {
        let (mail, till) = (Courier::of_mail(), Till::new());
        let world = World::with(WorldOptions {
            plugins: vec![composer(), mail.clone(), till.clone()],
            ..WorldOptions::default()
        });
        let world = world.await;
        let location = world.location("UTC").await;
        let anna = world.provider("Anna", &[location]).await;
        let input = ServiceInput {
            price: Some(9000),
            deposit: Some(Deposit::Full),
            capture: Some(CaptureMethod::Automatic),
            ..ServiceInput::default()
        };
        let service = world.service(60, &[anna], input).await;
        let desk = engine::plugin::ConfigurePlugin {
            name: "notifications".to_owned(),
            settings: json!({ "businessEmail": "desk@aurora.example" }),
            enabled: Some(true),
        };
        let set = world.engine.configure_plugin(&world.owner, desk, None);
        set.await.unwrap();
        let deliveries = Deliveries::watch(&world.url).await;
        let app = App::start_with(world, server::app::HttpOptions::default(), jobs()).await;
        let token = app.world.token(domain::actor::Role::Owner, None).await;
        let input = json!({ "serviceId": service.to_string(), "startsAt": "2027-03-02T10:00:00Z",
            "customer": { "name": "Eve", "email": "eve@example.com" } });
        let booked = app.client().data(BOOK, json!({ "input": input })).await;
        Self {
            owner: app.client_with(&token),
            app,
            mail,
            till,
            deliveries,
            booked: booked["book"].clone(),
        }
    }

    fn pay(&self) {
        let secret = self.booked["payment"]["clientSecret"].as_str().unwrap();
        assert!(self.till.pay(secret.trim_end_matches("_secret")));
    }

    async fn done(&mut self) {
        let now = self.app.world.clock.now().to_rfc3339();
        let due = format!("status = 'waiting' AND next_attempt_at <= '{now}'");
        self.deliveries.until(0, &due).await;
    }

    /// The mails that tell of money that went back, by whom they are to.
    fn told(&self) -> Vec<Message> {
        let mut told = self.mail.carried();
        told.retain(|one| one.letter.about == "refunded");
        told.sort_by(|one, other| one.to.cmp(&other.to));
        told
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_paid_too_late_is_told_that_the_booking_does_not_stand_and_so_is_the_business() {
    let mut stage = Stage::new().await;
    let guest = stage.booked["manageToken"].as_str().unwrap();
    let guest = stage.app.client_with(guest);
    stage.pay();
    let cancel = "mutation($input: CancelInput!) { cancel(input: $input) { problems { code } } }";
    let input = json!({ "bookingId": stage.booked["booking"]["id"] });
    let cancelled = guest.data(cancel, json!({ "input": input })).await;
    assert_eq!(cancelled["cancel"]["problems"], json!([]));
    stage.done().await;
    let [desk, customer] = stage.told().try_into().unwrap();
    assert_eq!(
        (desk.to.as_str(), customer.to.as_str()),
        ("desk@aurora.example", "eve@example.com")
    );
    assert!(
        customer.text.contains("your booking does not stand"),
        "{}",
        customer.text
    );
    assert!(
        desk.text.contains("the booking of Eve does not stand"),
        "{}",
        desk.text
    );
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_paid_back_of_a_booking_that_stands_says_that_it_stands() {
    let mut stage = Stage::new().await;
    stage.pay();
    stage
        .app
        .world
        .clock
        .advance(chrono::TimeDelta::minutes(31));
    stage.done().await;
    let refund = "mutation($input: RefundInput!) { refund(input: $input) { problems { code } } }";
    let input = json!({ "paymentId": stage.booked["payment"]["id"], "amount": 2000 });
    let refunded = stage.owner.data(refund, json!({ "input": input })).await;
    assert_eq!(refunded["refund"]["problems"], json!([]));
    stage.done().await;
    let told = stage.told();
    let customer = told.iter().find(|one| one.to == "eve@example.com").unwrap();
    assert!(
        customer.text.contains("Your booking stands."),
        "{}",
        customer.text
    );
    stage.app.stop().await;
}
