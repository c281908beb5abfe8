use domain::event::EventKind::BookingConfirmed;
use email_smtp::EmailSmtp;
use plugin_api::{
    Failure, Message, MessageChannel, MessageStatus, PluginSettings, Recipient, Sent, contract,
};
use serde_json::{Value, json};

use crate::facts::{any_message, confirmed, message};
use crate::fake_smtp::{FakeSmtp, Trouble};
use crate::to_server;

fn settings(fake: &FakeSmtp) -> Value {
    json!({
        "host": fake.address.ip().to_string(), "port": fake.address.port(), "security": "NONE",
        "username": "aurora", "password": "hunter2", "from": "bookings@aurora.example", "replyTo": "desk@aurora.example"
    })
}

fn plugin(fake: &FakeSmtp) -> EmailSmtp {
    to_server(settings(fake))
}

/// Sends it as a business does that has no server of its own.
async fn send(plugin: &EmailSmtp, message: &Message) -> Result<Sent, Failure> {
    plugin.send(&PluginSettings::none(), message).await
}

const SENT: Result<Sent, Failure> = Ok(Sent {
    external_id: None,
    status: MessageStatus::Sent,
});

async fn outcome(step: &'static str, trouble: Trouble) -> Result<Sent, Failure> {
    let fake = FakeSmtp::start().await;
    fake.trouble(step, trouble);
    send(&plugin(&fake), &any_message()).await
}

fn retry(result: &Result<Sent, Failure>) -> &str {
    match result {
        Err(Failure::Retry {
            after: None,
            reason,
        }) => reason,
        other => panic!("to be tried again, not {other:?}"),
    }
}

fn give_up(result: &Result<Sent, Failure>) -> &str {
    match result {
        Err(Failure::GiveUp { reason }) => reason,
        other => panic!("to be given up, not {other:?}"),
    }
}

fn misconfigured(result: &Result<Sent, Failure>) -> &str {
    match result {
        Err(Failure::Misconfigured { reason }) => reason,
        other => panic!("misconfigured, not {other:?}"),
    }
}

#[tokio::test]
async fn a_mail_arrives_whole_and_a_repeat_is_the_same() {
    let fake = FakeSmtp::start().await;
    let plugin = plugin(&fake);
    contract::message_repeats(&plugin, &PluginSettings::none(), &any_message(), || {
        let mails = fake.take_mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].from, "MAIL FROM:<bookings@aurora.example>");
        assert_eq!(mails[0].to, "RCPT TO:<jo@customer.example>");
        assert!(
            mails[0]
                .data
                .contains("\r\nReply-To: desk@aurora.example\r\n")
        );
        assert!(
            mails[0]
                .data
                .ends_with("--=_mixed_ntf_01jd6kr000e008000000000035--\r\n\r\n"),
            "{}",
            mails[0].data
        );
        mails
    })
    .await;
    assert_eq!(fake.connections(), 1, "the connection is used again");
    // AUTH PLAIN with \0aurora\0hunter2.
    assert_eq!(fake.logins(), ["AUTH PLAIN AGF1cm9yYQBodW50ZXIy"]);
}

#[tokio::test]
async fn a_line_with_only_a_dot_does_not_end_the_mail() {
    let fake = FakeSmtp::start().await;
    let mut facts = confirmed();
    facts.note = Some(".\r\n.\r\nQUIT".to_owned());
    let told = message(BookingConfirmed, Recipient::Provider, facts);
    assert_eq!(send(&plugin(&fake), &told).await, SENT);
    assert!(fake.take_mails()[0].data.contains("QUIT"));
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for (step, trouble, reason) in [
        ("CONNECT", Trouble::Say("421 too busy"), "connecting failed"),
        ("CONNECT", Trouble::Say("554 go away"), "554 go away"),
        ("CONNECT", Trouble::HangUp, "connecting failed"),
        (
            "CONNECT",
            Trouble::Say("HTTP/1.1 400 Bad Request"),
            "connecting failed",
        ),
        (
            "EHLO",
            Trouble::Say("250 \u{fffd}\u{fffd}garbage\r\n999 what"),
            "",
        ),
        ("EHLO", Trouble::Flood, "talks without end"),
        (
            "AUTH",
            Trouble::Say("454 temporary authentication failure"),
            "signing in failed",
        ),
        ("MAIL", Trouble::Say("451 later"), "451 later"),
        ("RCPT", Trouble::Say("450 mailbox busy"), "450 mailbox busy"),
        (
            "RCPT",
            Trouble::Say("garbage"),
            "naming the recipient failed",
        ),
        (
            "DATA",
            Trouble::Say("250 out of step"),
            "250 instead of 354",
        ),
        (".", Trouble::Say("452 no space"), "452 no space"),
        (".", Trouble::Say("354 again?"), "354 instead of 250"),
        (".", Trouble::HangUp, "handing the mail over failed"),
    ] {
        let result = outcome(step, trouble.clone()).await;
        if step == "EHLO" && matches!(trouble, Trouble::Say(_)) {
            // It greets properly and then talks nonsense: whatever comes of it, it is not a success.
            assert!(result.is_err(), "{result:?}");
            continue;
        }
        let said = retry(&result);
        assert!(said.contains(reason), "{step} {trouble:?}: {said}");
    }
}

#[tokio::test]
async fn what_will_never_pass_is_given_up() {
    let result = outcome("RCPT", Trouble::Say("550 5.1.1 no such user")).await;
    assert!(
        give_up(&result).ends_with("answered 550 5.1.1 no such user"),
        "{result:?}"
    );
    assert!(
        give_up(&outcome("RCPT", Trouble::Say("553-5.1.3 no\r\n553 such address")).await)
            .contains("recipient")
    );
    assert!(
        give_up(&outcome(".", Trouble::Say("554 5.6.0 spam")).await).contains("554 5.6.0 spam")
    );
}

#[tokio::test]
async fn what_settings_can_mend_names_the_setting() {
    let result = outcome("AUTH", Trouble::Say("535 5.7.8 wrong password hunter2")).await;
    assert!(
        misconfigured(&result).starts_with("username or password: "),
        "{result:?}"
    );
    assert!(
        misconfigured(&result).ends_with("wrong password ***"),
        "{result:?}"
    );
    assert!(
        misconfigured(&outcome("MAIL", Trouble::Say("530 5.7.0 sign in first")).await)
            .contains("password")
    );
    assert!(
        misconfigured(&outcome("MAIL", Trouble::Say("550 not your address")).await)
            .starts_with("from: ")
    );

    let fake = FakeSmtp::start().await;
    fake.offer(&[]);
    let result = send(&plugin(&fake), &any_message()).await;
    assert!(
        misconfigured(&result).contains("does not offer AUTH"),
        "{result:?}"
    );

    let mut encrypted = settings(&fake);
    encrypted["security"] = json!("STARTTLS");
    let result = send(&to_server(encrypted), &any_message()).await;
    assert!(
        misconfigured(&result).starts_with("security: "),
        "{result:?}"
    );
    assert!(fake.logins().is_empty(), "no password without encryption");
}

#[tokio::test]
async fn an_answer_lost_after_the_mail_was_taken_means_the_same_mail_again() {
    let fake = FakeSmtp::start().await;
    fake.trouble(".", Trouble::HangUp);
    let plugin = plugin(&fake);
    retry(&send(&plugin, &any_message()).await);
    let again = Message {
        attempt: 2,
        may_have_been_sent: true,
        ..any_message()
    };
    assert_eq!(send(&plugin, &again).await, SENT);
    let mails = fake.take_mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0], mails[1]);
}

#[tokio::test]
async fn a_connection_with_an_open_question_is_not_used_again() {
    let fake = FakeSmtp::start().await;
    let plugin = plugin(&fake);
    assert_eq!(send(&plugin, &any_message()).await, SENT);
    fake.trouble("RCPT", Trouble::Say("450 later"));
    retry(&send(&plugin, &any_message()).await);
    assert_eq!(send(&plugin, &any_message()).await, SENT);
    assert_eq!(fake.connections(), 2);

    // The server closed the one that was kept.
    fake.trouble("NOOP", Trouble::HangUp);
    assert_eq!(send(&plugin, &any_message()).await, SENT);
    assert_eq!(fake.connections(), 3);
}

#[tokio::test]
async fn a_delivery_that_is_cut_off_leaves_no_connection_behind() {
    let fake = FakeSmtp::start().await;
    let plugin = plugin(&fake);
    assert_eq!(send(&plugin, &any_message()).await, SENT);
    fake.trouble("DATA", Trouble::Silence);
    let told = any_message();
    let begun = async {
        while fake.verbs().iter().filter(|verb| *verb == "DATA").count() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        sent = send(&plugin, &told) => panic!("nothing was answered: {sent:?}"),
        () = begun => {}
    }
    assert_eq!(send(&plugin, &any_message()).await, SENT);
    assert_eq!(fake.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_left_alone_in_time() {
    for step in ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."] {
        let started = tokio::time::Instant::now();
        let result = outcome(step, Trouble::Silence).await;
        assert!(
            retry(&result).contains("did not answer in time"),
            "{step}: {result:?}"
        );
        let limit = if step == "." { 10 * 60 } else { 15 };
        assert!(
            started.elapsed().as_secs() <= limit + 5,
            "{step}: {:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn a_server_that_looks_at_a_mail_for_long_before_it_takes_it_gets_it_once() {
    let fake = FakeSmtp::start().await;
    fake.trouble(".", Trouble::Think(9 * 60));
    assert_eq!(send(&plugin(&fake), &any_message()).await, SENT);
    assert_eq!(fake.take_mails().len(), 1);
}

#[tokio::test]
async fn nobody_listening_is_tried_again() {
    let fake = FakeSmtp::start().await;
    let mut settings = settings(&fake);
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    settings["port"] = json!(free.local_addr().unwrap().port());
    drop(free);
    let result = send(&to_server(settings), &any_message()).await;
    assert!(retry(&result).contains("refused"), "{result:?}");
}

#[tokio::test]
async fn tls_that_fails_is_tried_again_without_a_word_of_the_mail() {
    let fake = FakeSmtp::start().await;
    fake.offer(&["STARTTLS", "AUTH PLAIN"]);
    for security in ["TLS", "STARTTLS"] {
        let mut settings = settings(&fake);
        settings["security"] = json!(security);
        let result = send(&to_server(settings), &any_message()).await;
        assert!(
            retry(&result).contains("connecting failed"),
            "{security}: {result:?}"
        );
    }
    assert!(fake.logins().is_empty() && fake.take_mails().is_empty());
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let fake = FakeSmtp::start().await;
    let mut facts = confirmed();
    facts.customer.email = Some("jö@customer.example".to_owned());
    let told = message(BookingConfirmed, Recipient::Customer, facts);
    let result = send(&plugin(&fake), &told).await;
    assert!(give_up(&result).contains("SMTPUTF8"), "{result:?}");

    fake.offer(&["SMTPUTF8", "8BITMIME", "AUTH PLAIN"]);
    assert_eq!(send(&plugin(&fake), &told).await, SENT);
    assert_eq!(fake.take_mails()[0].to, "RCPT TO:<jö@customer.example>");
}
