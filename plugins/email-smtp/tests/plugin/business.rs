//! Businesses with servers of their own.

use domain::id::BusinessId;
use email_smtp::{EmailSmtp, Options};
use outbound::Outbound;
use plugin_api::{Check, Failure, Message, MessageChannel, Plugin, PluginSettings};
use serde_json::{Value, json};

use crate::facts::{any_message, id};
use crate::fake_smtp::{FakeSmtp, Trouble};
use crate::outbound;

/// `\0aurora\0hunter2`.
const LOGIN: &str = "AUTH PLAIN AGF1cm9yYQBodW50ZXIy";

fn plugin(outbox: &std::path::Path, outbound: Outbound) -> EmailSmtp {
    EmailSmtp::new(Options {
        settings: None,
        outbox: outbox.to_owned(),
        outbound,
    })
    .unwrap()
}

/// One that takes nobody's server but that of a business.
fn plain() -> EmailSmtp {
    plugin("/nonexistent/outbox".as_ref(), outbound(true))
}

fn json_for(fake: &FakeSmtp, host: &str) -> Value {
    json!({
        "host": host, "port": fake.address.port(), "security": "NONE",
        "username": "aurora", "password": "hunter2", "from": "bookings@aurora.example"
    })
}

fn settings(version: i64, fake: &FakeSmtp) -> PluginSettings {
    PluginSettings::new(version, json_for(fake, "127.0.0.1"))
}

fn message(business: u128) -> Message {
    Message {
        business_id: id(business),
        ..any_message()
    }
}

fn reason(result: Result<impl std::fmt::Debug, Failure>) -> String {
    match result {
        Err(Failure::Misconfigured { reason }) => reason,
        other => panic!("misconfigured, not {other:?}"),
    }
}

#[tokio::test]
async fn each_business_sends_by_its_own_server_and_the_others_to_files() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = plugin(directory.path(), outbound(true));
    let (first, second) = (FakeSmtp::start().await, FakeSmtp::start().await);
    for _ in 0..2 {
        for (business, settings) in [
            (1, settings(1, &first)),
            (2, settings(1, &second)),
            (3, PluginSettings::none()),
        ] {
            assert!(plugin.send(&settings, &message(business)).await.is_ok());
        }
    }
    for fake in [first, second] {
        assert_eq!((fake.take_mails().len(), fake.connections()), (2, 1));
        assert_eq!(fake.logins(), [LOGIN]);
    }
    // The same message twice is the same file.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn settings_that_change_count_at_once() {
    let (before, after) = (FakeSmtp::start().await, FakeSmtp::start().await);
    let plugin = plain();
    for (version, fake) in [(1, &before), (2, &after), (2, &after)] {
        let settings = settings(version, fake);
        assert!(plugin.send(&settings, &message(1)).await.is_ok());
    }
    assert_eq!(
        (before.take_mails().len(), after.take_mails().len()),
        (1, 2)
    );
    assert_eq!(after.connections(), 1);
}

#[tokio::test]
async fn a_business_reaches_no_private_host() {
    let fake = FakeSmtp::start().await;
    let plugin = plugin("/nonexistent/outbox".as_ref(), outbound(false));
    for (host, version) in [
        "127.0.0.1",
        "localhost",
        "::1",
        "2130706433",
        "169.254.169.254",
    ]
    .into_iter()
    .zip(1..)
    {
        let settings = PluginSettings::new(version, json_for(&fake, host));
        let told = reason(plugin.send(&settings, &message(1)).await);
        assert!(
            told.starts_with(&format!("host: {host} is a private address")),
            "{told}"
        );
        let business: BusinessId = id(1);
        assert_eq!(
            reason(Check::check(&plugin, business, &settings).await),
            told
        );
    }
    assert_eq!(fake.connections(), 0);
}

#[tokio::test]
async fn the_operator_may_use_this_machine() {
    let fake = FakeSmtp::start().await;
    let plugin = crate::to_server(json_for(&fake, "localhost"));
    assert!(
        plugin
            .send(&PluginSettings::none(), &any_message())
            .await
            .is_ok()
    );
    let told = Check::check(&plugin, id(1), &PluginSettings::none()).await;
    assert_eq!(
        told,
        Ok("localhost takes mail from bookings@aurora.example".to_owned())
    );
}

#[tokio::test]
async fn a_check_goes_as_far_as_the_sender_and_sends_nothing() {
    let fake = FakeSmtp::start().await;
    fake.accept(LOGIN);
    let plugin = plain();
    let check = async |settings| Check::check(&plugin, id(1), &settings).await;
    let told = check(settings(1, &fake)).await;
    assert_eq!(
        told,
        Ok("127.0.0.1 takes mail from bookings@aurora.example".to_owned())
    );
    assert_eq!(fake.verbs(), ["EHLO", "AUTH", "MAIL", "RSET", "QUIT"]);
    assert!(fake.take_mails().is_empty());

    let mut wrong = json_for(&fake, "127.0.0.1");
    wrong["password"] = json!("hunter3");
    let told = reason(check(PluginSettings::new(2, wrong)).await);
    assert!(told.starts_with("username or password: "), "{told}");
    fake.trouble("MAIL", Trouble::Say("553 5.7.1 not yours"));
    let told = reason(check(settings(1, &fake)).await);
    assert!(
        told.starts_with("from: ") && told.ends_with("553 5.7.1 not yours"),
        "{told}"
    );
    for step in ["RSET", "QUIT"] {
        fake.trouble(step, Trouble::HangUp);
        assert!(
            check(settings(1, &fake)).await.is_ok(),
            "{step} changes nothing"
        );
    }
    let mut beyond = json_for(&fake, "127.0.0.1");
    beyond["from"] = json!("jö@aurora.example");
    let told = check(PluginSettings::new(3, beyond)).await;
    assert!(
        matches!(&told, Err(Failure::GiveUp { reason }) if reason.contains("SMTPUTF8")),
        "{told:?}"
    );
}

#[tokio::test]
async fn without_a_server_a_check_says_where_mail_goes() {
    let told = Check::check(&plain(), id(1), &PluginSettings::none()).await;
    assert_eq!(
        told,
        Ok("no mail server is set: mails go to files on the server".to_owned())
    );
    assert!(Plugin::check(&plain()).is_some());
}

#[tokio::test]
async fn settings_that_can_no_longer_be_read_are_named() {
    let settings = PluginSettings::new(1, json!({ "host": "smtp.example.com", "from": "nobody" }));
    let told = reason(plain().send(&settings, &message(1)).await);
    assert!(told.starts_with("from: must be an address"), "{told}");
}
