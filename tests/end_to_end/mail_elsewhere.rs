//! A booking's mails as software that is not ours reads them: sent over STARTTLS to aiosmtpd, read by Python's `email`, and the invitations by
//! `icalendar`.

use std::sync::Arc;
use std::time::Duration;

use domain::actor::Role;
use domain::zone::ZoneDatabase;
use email_smtp::{EmailSmtp, Options};
use engine::catalogue::service::ServiceInput;
use jobs::JobOptions;
use notifications::Notifications;
use outbound::{Outbound, OutboundOptions};
use python_tools::MailServer;
use serde_json::{Value, json};
use server::app::HttpOptions;
use test_support::{App, Client, Deliveries, World, WorldOptions};

const CONFIGURE: &str = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) { problems { message } } }";
const CHECK: &str = "mutation { checkPlugin(name: \"email-smtp\") { ok message } }";
const BOOK: &str =
    "mutation($input: BookInput!) { book(input: $input) { booking { id } problems { message } } }";
const MOVE: &str =
    "mutation($input: RescheduleInput!) { reschedule(input: $input) { problems { message } } }";
const CANCEL: &str =
    "mutation($input: CancelInput!) { cancel(input: $input) { problems { message } } }";
/// Mails that went out.
const MAILED: &str = "plugin = 'email-smtp' AND status = 'delivered'";

const CUSTOMER: &str = "Zoë „Zo“ Łukasiewicz, 山田";

async fn app(server: &MailServer) -> (App, Deliveries) {
    let outbound = Outbound::new(OutboundOptions {
        allow_private: true,
        roots: vec![server.root()],
    });
    let mail = EmailSmtp::new(Options {
        settings: None,
        outbox: "/nonexistent/outbox".into(),
        outbound: outbound.unwrap(),
    });
    let world = World::with(WorldOptions {
        plugins: vec![
            Arc::new(mail.unwrap()),
            Arc::new(Notifications::new(ZoneDatabase::bundled()).unwrap()),
        ],
        ..WorldOptions::default()
    })
    .await;
    let deliveries = Deliveries::watch(&world.url).await;
    let jobs = JobOptions {
        poll: Duration::from_millis(50),
        ..JobOptions::default()
    };
    let app = App::start_with(world, HttpOptions::default(), jobs).await;
    (app, deliveries)
}

/// A mutation that meets no problem.
async fn done(owner: &Client, mutation: &str, input: Value) -> Value {
    let data = owner.data(mutation, json!({ "input": input })).await;
    let answer = data.as_object().unwrap().values().next().unwrap();
    assert_eq!(answer["problems"], json!([]));
    answer.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn others_read_our_mails_and_invitations_as_they_are_meant() {
    let Some(python) = python_tools::python("aiosmtpd", "mails of a booking at aiosmtpd") else {
        return;
    };
    let login = ("desk", "hunter2");
    let server = MailServer::start(&python, "STARTTLS", login, "America/New_York").await;
    let server = server.unwrap();
    let (app, mut deliveries) = app(&server).await;
    let location = app.world.location("Europe/London").await;
    let provider = app.world.provider("Jürgen", &[location]).await;
    let service = ServiceInput {
        name: Some("Färben & Schnitt".to_owned()),
        ..ServiceInput::default()
    };
    let service = app.world.service(60, &[provider], service).await;
    let owner = app.client_with(&app.world.token(Role::Owner, None).await);
    let settings = json!({
        "host": "localhost", "port": server.port(), "security": "STARTTLS", "username": "desk", "password": "hunter2",
        "from": "Salön Aurora <bookings@aurora.example>"
    });
    let input = json!({ "name": "email-smtp", "settings": settings });
    done(&owner, CONFIGURE, input).await;
    let told = owner.data(CHECK, json!({})).await["checkPlugin"].clone();
    assert_eq!(told["ok"], true, "{told}");

    let customer =
        json!({ "name": CUSTOMER, "email": "zoe@kunde.example", "timeZone": "America/New_York" });
    let input = json!({
        "serviceId": service.to_string(), "startsAt": "2027-03-12T15:00:00Z", "customer": customer
    });
    let booked = done(&owner, BOOK, input).await["booking"]["id"].clone();
    deliveries.until(2, MAILED).await;
    // Summer time begins in New York between the two, and not yet in London.
    let input = json!({ "bookingId": booked, "startsAt": "2027-03-15T15:00:00Z" });
    done(&owner, MOVE, input).await;
    deliveries.until(4, MAILED).await;
    done(&owner, CANCEL, json!({ "bookingId": booked })).await;
    deliveries.until(6, MAILED).await;
    app.stop().await;
    is_meant(&server.stop().await.unwrap());
}

/// What became of the mails: each was taken once, and is read as it is meant.
fn is_meant(mails: &[Value]) {
    let steps = [
        ("REQUEST", "CONFIRMED", "2027-03-12T15:00:00+00:00"),
        ("REQUEST", "CONFIRMED", "2027-03-15T15:00:00+00:00"),
        ("CANCEL", "CANCELLED", "2027-03-15T15:00:00+00:00"),
    ];
    let sides = [
        ("zoe@kunde.example", CUSTOMER),
        ("jürgen@example.com", "Jürgen"),
    ];
    assert_eq!(mails.len(), 6, "{mails:#?}");
    let mut identities: Vec<&str> = mails.iter().map(|mail| text(mail, "messageId")).collect();
    identities.sort_unstable();
    identities.dedup();
    assert_eq!(identities.len(), 6);
    for (email, name) in sides {
        let own: Vec<&Value> = mails
            .iter()
            .filter(|mail| mail["envelope"]["to"] == json!([email]))
            .collect();
        assert_eq!(own.len(), 3, "{email}");
        for (number, (mail, (method, status, starts_at))) in own.iter().zip(steps).enumerate() {
            assert_eq!(mail["defects"], json!([]));
            let from = json!([{ "name": "Salön Aurora", "email": "bookings@aurora.example" }]);
            assert_eq!(mail["from"], from);
            assert_eq!(mail["to"], json!([{ "name": name, "email": email }]));
            assert!(text(mail, "subject").contains("Färben & Schnitt"), "{mail}");
            assert_eq!(mail["methods"], json!([method]));
            let invitation = &mail["invitations"][0];
            let attached = json!([{ "name": "invite.ics", "invitation": invitation }]);
            assert_eq!(mail["attached"], attached);
            assert_eq!(invitation["errors"], json!([]));
            assert_eq!(invitation["method"], method);
            assert_eq!(invitation["status"], status);
            assert_eq!(invitation["startsAt"], starts_at);
            assert_eq!(invitation["sequence"], number);
            assert_eq!(
                invitation["uid"], mails[0]["invitations"][0]["uid"],
                "the booking is one"
            );
            let organizer = json!({ "name": "Test & Sons", "uri": "mailto:bookings@aurora.example", "status": null });
            assert_eq!(invitation["organizer"], organizer);
            // Quotes would end a parameter, and cannot be escaped in one.
            let attendee =
                json!({ "name": name, "uri": format!("mailto:{email}"), "status": "ACCEPTED" });
            assert_eq!(invitation["attendees"], json!([attendee]));
        }
    }
    times_are_the_customers(mails);
}

/// By Python's own reading of the zone: the words say what the invitation does.
fn times_are_the_customers(mails: &[Value]) {
    let own = mails
        .iter()
        .filter(|mail| mail["envelope"]["to"] == json!(["zoe@kunde.example"]));
    let expected = [
        ("2027-03-12 10:00", "12 March 2027, 10:00"),
        ("2027-03-15 11:00", "15 March 2027, 11:00"),
        ("2027-03-15 11:00", "15 March 2027, 11:00"),
    ];
    for (mail, (wall, words)) in own.zip(expected) {
        assert_eq!(mail["invitations"][0]["wall"], wall);
        for body in ["text", "html"] {
            let body = text(mail, body);
            assert!(body.contains(words) && body.contains("New_York"), "{body}");
        }
    }
}

fn text<'a>(mail: &'a Value, name: &str) -> &'a str {
    mail[name].as_str().unwrap()
}
