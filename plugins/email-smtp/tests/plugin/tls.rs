//! TLS with a business's server: for the host that was set, and with nothing kept of what was said before it.

use email_smtp::{EmailSmtp, Options};
use outbound::{Outbound, OutboundOptions};
use plugin_api::{Failure, MessageChannel, PluginSettings, Sent};
use rustls::pki_types::CertificateDer;
use serde_json::json;

use crate::facts::any_message;
use crate::fake_smtp::{FakeSmtp, Tls, Trouble};

fn plugin(roots: Vec<CertificateDer<'static>>) -> EmailSmtp {
    let outbound = Outbound::new(OutboundOptions {
        allow_private: true,
        roots,
    });
    EmailSmtp::new(Options {
        settings: None,
        outbox: "/nonexistent/outbox".into(),
        outbound: outbound.unwrap(),
    })
    .unwrap()
}

/// Sends a message by this server.
async fn send(
    plugin: &EmailSmtp,
    fake: &FakeSmtp,
    host: &str,
    security: &str,
) -> Result<Sent, Failure> {
    let settings = json!({
        "host": host, "port": fake.address.port(), "security": security,
        "username": "aurora", "password": "hunter2", "from": "bookings@aurora.example"
    });
    let settings = PluginSettings::new(1, settings);
    plugin.send(&settings, &any_message()).await
}

async fn server(security: &str) -> (FakeSmtp, CertificateDer<'static>) {
    let (tls, root) = Tls::of("localhost", security == "TLS");
    let fake = FakeSmtp::protected(Some(tls)).await;
    if security == "STARTTLS" {
        fake.offer(&["SIZE 1000", "StartTLS", "AUTH PLAIN"]);
    }
    (fake, root)
}

fn retry(result: Result<Sent, Failure>) -> String {
    match result {
        Err(Failure::Retry { reason, .. }) => reason,
        other => panic!("to be tried again, not {other:?}"),
    }
}

#[tokio::test]
async fn a_mail_goes_over_tls_to_the_host_that_was_set() {
    for security in ["TLS", "STARTTLS"] {
        let (fake, root) = server(security).await;
        let plugin = plugin(vec![root]);
        for _ in 0..2 {
            let sent = send(&plugin, &fake, "localhost", security).await;
            assert!(sent.is_ok(), "{security}");
        }
        assert_eq!(
            (fake.take_mails().len(), fake.connections()),
            (2, 1),
            "{security}"
        );
        assert_eq!(fake.logins().len(), 1);
    }
}

#[tokio::test]
async fn whoever_does_not_prove_to_be_the_host_gets_nothing() {
    for security in ["TLS", "STARTTLS"] {
        let (fake, root) = server(security).await;
        // The certificate is for localhost, and then for nobody that is trusted.
        let other_name = send(&plugin(vec![root]), &fake, "127.0.0.1", security).await;
        let stranger = send(&plugin(Vec::new()), &fake, "localhost", security).await;
        for result in [other_name, stranger] {
            let reason = retry(result);
            assert!(reason.contains("certificate"), "{security}: {reason}");
        }
        assert!(fake.logins().is_empty() && fake.take_mails().is_empty());
    }
}

#[tokio::test]
async fn what_is_said_in_the_clear_behind_the_go_ahead_is_not_believed() {
    let (fake, root) = server("STARTTLS").await;
    fake.trouble(
        "STARTTLS",
        Trouble::Say("220 go ahead\r\n250-evil\r\n250 AUTH PLAIN"),
    );
    let reason = retry(send(&plugin(vec![root]), &fake, "localhost", "STARTTLS").await);
    assert!(reason.contains("more than it was asked"), "{reason}");
    assert!(fake.logins().is_empty());
}

#[tokio::test]
async fn a_server_that_talks_without_end_costs_no_memory_under_tls_either() {
    for security in ["TLS", "STARTTLS"] {
        for step in ["CONNECT", "EHLO", "AUTH"] {
            let (fake, root) = server(security).await;
            fake.trouble(step, Trouble::Flood);
            let reason = retry(send(&plugin(vec![root]), &fake, "localhost", security).await);
            assert!(
                reason.contains("without end") || reason.contains("no answer of a mail server"),
                "{security} {step}: {reason}"
            );
        }
    }
}

#[tokio::test]
async fn before_tls_every_answer_is_looked_at() {
    for (step, said, reason) in [
        ("CONNECT", "554 go away", "554 go away"),
        ("CONNECT", "421-too\r\n421 busy", "421 too busy"),
        (
            "CONNECT",
            "HTTP/1.1 400 Bad Request",
            "no answer of a mail server",
        ),
        ("CONNECT", "220greetings", "no answer of a mail server"),
        ("CONNECT", "\u{fffd}", "no answer of a mail server"),
        ("EHLO", "199 what", "no answer of a mail server"),
        ("EHLO", "502 no such command", "502 no such command"),
        ("STARTTLS", "454 not now", "454 not now"),
    ] {
        let (fake, root) = server("STARTTLS").await;
        fake.trouble(step, Trouble::Say(said));
        let told = retry(send(&plugin(vec![root]), &fake, "localhost", "STARTTLS").await);
        assert!(told.contains(reason), "{step} {said:?}: {told}");
    }
}
