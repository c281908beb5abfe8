//! Twilio set up as a business would, and its calls over HTTP: believed by their signature on the address that the outside sees, answered in
//! the words that Twilio reads.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use domain::actor::Role;
use engine::Clock;
use engine::catalogue::service::ServiceInput;
use fake_twilio::{ACCOUNT, AUTH_TOKEN, Call, Callback, FROM, FakeTwilio, Fault};
use jobs::JobOptions;
use outbound::{Outbound, OutboundOptions};
use plugin_api::Plugin;
use serde_json::{Value, json};
use server::app::HttpOptions;
use sms_twilio::{Options, SmsTwilio};
use test_support::{App, Client, Deliveries, World, WorldOptions};

const TO: &str = "+447400123456";

struct Stage {
    app: App,
    owner: Client,
    twilio: FakeTwilio,
}

impl Stage {
    /// An app whose businesses can use Twilio; none does yet.
    async fn new() -> Self {
        Self::with(Vec::new()).await
    }

    /// The same, with other plugins besides.
    async fn with(mut plugins: Vec<Arc<dyn Plugin>>) -> Self {
        let options = OutboundOptions {
            allow_private: true,
            ..OutboundOptions::default()
        };
        // The world makes its clock itself, and the plugin is part of the world.
        let clock: Arc<OnceLock<Clock>> = Arc::default();
        let told = clock.clone();
        let plugin = SmsTwilio::new(Options {
            outbound: Outbound::new(options).unwrap(),
            timeout: Duration::from_secs(2),
            now: Arc::new(move || told.get().unwrap().now()),
        });
        plugins.push(Arc::new(plugin));
        let world = World::with(WorldOptions {
            plugins,
            ..WorldOptions::default()
        });
        let world = world.await;
        clock.get_or_init(|| world.clock.clone());
        let clock = world.clock.clone();
        let twilio = FakeTwilio::start_with(move || clock.now()).await.unwrap();
        let app = App::start_with(world, HttpOptions::default(), JobOptions::default()).await;
        let token = app.world.token(Role::Owner, None).await;
        Self {
            owner: app.client_with(&token),
            app,
            twilio,
        }
    }

    async fn configure(&self, settings: Value) -> Value {
        let query = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) {
            plugin { enabled inboundUrl settings } problems { code path } } }";
        let input = json!({ "name": "sms-twilio", "settings": settings });
        let done = self.owner.data(query, json!({ "input": input })).await;
        done["configurePlugin"].clone()
    }

    fn settings(&self) -> Value {
        json!({ "accountSid": ACCOUNT, "authToken": AUTH_TOKEN, "from": FROM, "apiBase": self.twilio.base() })
    }

    /// Where Twilio calls.
    fn url(&self) -> String {
        format!("http://{}/plugins/sms-twilio/test", self.app.address)
    }

    async fn status_of(&self, callback: &Callback) -> u16 {
        self.twilio.post(callback).await.unwrap().0
    }
}

#[tokio::test]
async fn it_is_set_up_by_the_names_of_the_contract() {
    let stage = Stage::new().await;
    let refused = stage.configure(json!({ "accountSid": ACCOUNT })).await;
    assert_eq!(refused["plugin"], json!(null));
    assert_eq!(refused["problems"][0]["code"], json!("INVALID"));

    let done = stage.configure(stage.settings()).await;
    assert_eq!(done["problems"], json!([]));
    let plugin = &done["plugin"];
    assert_eq!(plugin["enabled"], json!(true));
    assert_eq!(plugin["inboundUrl"], json!("/plugins/sms-twilio/test"));
    assert_eq!(plugin["settings"]["authToken"], json!("***"));
    assert_eq!(plugin["settings"]["from"], json!(FROM));

    let query = "{ plugins { name capabilities } }";
    let plugins = stage.owner.data(query, json!({})).await["plugins"].clone();
    let expected = json!([{ "name": "sms-twilio", "capabilities": ["MESSAGES", "INBOUND"] }]);
    assert_eq!(plugins, expected);

    let check = "mutation { checkPlugin(name: \"sms-twilio\") { ok message } }";
    let checked = async || stage.owner.data(check, json!({})).await["checkPlugin"].clone();
    let message =
        "Twilio accepts the token of the account \"Fake\"; messages come from +15005550006";
    assert_eq!(checked().await, json!({ "ok": true, "message": message }));
    stage.configure(json!({ "from": "+442071838750" })).await;
    let told = checked().await;
    assert_eq!(told["ok"], json!(false));
    assert!(
        told["message"].as_str().unwrap().starts_with("from: "),
        "{told}"
    );
    stage.app.stop().await;
}

#[tokio::test]
async fn its_calls_are_believed_by_their_signature_alone() {
    let stage = Stage::new().await;
    let url = stage.url();
    let stop = stage.twilio.receive(TO, "STOP", &url);
    assert_eq!(stage.status_of(&stop).await, 404, "nobody uses it yet");

    stage.configure(stage.settings()).await;
    let (status, body) = stage.twilio.post(&stop).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        body,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>"
    );
    assert_eq!(stage.status_of(&stop).await, 200, "a repeat is kept once");
    let help = stage.twilio.receive(TO, "HELP", &url);
    let (status, body) = stage.twilio.post(&help).await.unwrap();
    assert_eq!(status, 200);
    assert!(body.contains("<Message>Test &amp; Sons: "), "{body}");
    let asked = format!("{url}?message=ntf_00000000000000000000000001");
    let fields = [("MessageSid", "SM1"), ("MessageStatus", "delivered")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let fared = Callback::new(&asked, fields.into());
    assert_eq!(stage.twilio.post(&fared).await, Ok((200, String::new())));

    let mut wrong = stop.clone();
    wrong.body.extend_from_slice(b"&Body=START");
    assert_eq!(stage.status_of(&wrong).await, 400);
    let mut elsewhere = stop;
    elsewhere
        .url
        .push_str("?message=ntf_00000000000000000000000001");
    assert_eq!(stage.status_of(&elsewhere).await, 400);
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message_whose_answer_was_lost_is_sent_once_also_where_staff_send_it_again() {
    let stage = Stage::with(vec![crate::notifications::composer()]).await;
    stage.configure(stage.settings()).await;
    let world = &stage.app.world;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let mut input = world.booking(service, "2027-03-05T10:00:00Z", "Eve");
    input.customer.as_mut().unwrap().phone = Some(TO.to_owned());
    let mut deliveries = Deliveries::watch(&world.url).await;
    stage.twilio.fault(Call::CreateMessage, Fault::AnswerLost);
    world.engine.book(&world.owner, input, None).await.unwrap();
    let failed = "plugin = 'sms-twilio' AND status = 'waiting' AND last_error IS NOT NULL AND lease_id IS NULL";
    deliveries.until(1, failed).await;
    assert_eq!(stage.twilio.sent().len(), 1);

    let query = "{ deliveries(filter: { plugin: \"sms-twilio\" }, first: 5) { nodes { id attempts { ok } } } }";
    let all = stage.owner.data(query, json!({})).await["deliveries"]["nodes"].clone();
    let mut all = all.as_array().unwrap().iter();
    let tried = all.find(|one| one["attempts"] != json!([])).unwrap();
    let retry = "mutation($id: ID!) { retryDelivery(id: $id) { problems { code } } }";
    // As long as Twilio wants between two messages to one number, and not as long as until the next attempt by itself.
    world.clock.advance(chrono::TimeDelta::seconds(5));
    let again = stage.owner.data(retry, json!({ "id": tried["id"] })).await;
    assert_eq!(again["retryDelivery"]["problems"], json!([]));
    let sent = "plugin = 'sms-twilio' AND status = 'delivered'";
    deliveries.until(1, sent).await;
    assert_eq!(stage.twilio.sent().len(), 1, "it is known for a repeat");
    assert_eq!(stage.twilio.count(Call::CreateMessage), 1);
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_messages_of_the_same_words_to_one_number_are_both_sent() {
    let stage = Stage::with(vec![crate::notifications::composer()]).await;
    stage.configure(stage.settings()).await;
    let world = &stage.app.world;
    let database = test_support::connect(&world.url).await;
    for statement in [
        "UPDATE notification_rule SET template = 'See you soon'",
        "UPDATE business SET catalogue_version = catalogue_version + 1",
    ] {
        database.execute(statement, &[]).await.unwrap();
    }
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let mut deliveries = Deliveries::watch(&world.url).await;
    for starts_at in ["2027-03-05T10:00:00Z", "2027-03-05T12:00:00Z"] {
        let mut input = world.booking(service, starts_at, "Eve");
        input.customer.as_mut().unwrap().phone = Some(TO.to_owned());
        world.engine.book(&world.owner, input, None).await.unwrap();
    }
    let held_back = "plugin = 'sms-twilio' AND status = 'waiting' AND last_error LIKE '%one message a second%' AND lease_id IS NULL";
    deliveries.until(1, held_back).await;
    assert_eq!(stage.twilio.sent().len(), 1);
    let now = world.clock.now().to_rfc3339();
    let noted = format!(
        "SELECT count(*) FROM notification WHERE channel = 'sms' AND status = 'planned' AND due_at <= '{now}' AND tried_at IS NOT NULL"
    );
    let noted: i64 = database.query_one(&noted, &[]).await.unwrap().get(0);
    assert_eq!(noted, 0, "it cannot have been sent");
    world.clock.advance(chrono::TimeDelta::seconds(10));
    deliveries
        .until(2, "plugin = 'sms-twilio' AND status = 'delivered'")
        .await;
    assert_eq!(stage.twilio.sent().len(), 2);
    stage.app.stop().await;
}
