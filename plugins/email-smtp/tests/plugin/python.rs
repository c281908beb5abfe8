//! Against a mail server that is not ours: aiosmtpd, by every way there is to reach one.

use domain::id::BusinessId;
use email_smtp::{EmailSmtp, Options};
use outbound::{Outbound, OutboundOptions};
use plugin_api::{Check, Failure, Message, MessageChannel, PluginSettings};
use python_tools::MailServer;
use serde_json::{Value, json};

use crate::facts::{any_message, id};

fn settings(server: &MailServer, security: &str, password: &str) -> PluginSettings {
    let settings = json!({
        "host": "localhost", "port": server.port(), "security": security, "username": "aurora", "password": password,
        "from": "bookings@aurora.example"
    });
    PluginSettings::new(if password == "hunter2" { 2 } else { 1 }, settings)
}

#[tokio::test]
async fn a_mail_server_that_is_not_ours_takes_our_mail() {
    for security in ["NONE", "STARTTLS", "TLS"] {
        let Some(python) = python_tools::python("aiosmtpd", "mail to aiosmtpd") else {
            return;
        };
        let login = ("aurora", "hunter2");
        let server = MailServer::start(&python, security, login, "Europe/London").await;
        let server = server.unwrap();
        let outbound = Outbound::new(OutboundOptions {
            allow_private: true,
            roots: vec![server.root()],
        });
        let plugin = EmailSmtp::new(Options {
            settings: None,
            outbox: "/nonexistent/outbox".into(),
            outbound: outbound.unwrap(),
        });
        let plugin = plugin.unwrap();
        let business: BusinessId = id(1);

        let wrong = settings(&server, security, "hunter3");
        for refused in [
            Check::check(&plugin, business, &wrong).await.unwrap_err(),
            plugin.send(&wrong, &any_message()).await.unwrap_err(),
        ] {
            assert!(
                matches!(&refused, Failure::Misconfigured { reason }
                    if reason.starts_with("username or password: ") && reason.contains("535")),
                "{security}: {refused:?}"
            );
        }
        let right = settings(&server, security, "hunter2");
        let told = Check::check(&plugin, business, &right).await;
        let takes = "localhost takes mail from bookings@aurora.example";
        assert_eq!(told.as_deref(), Ok(takes), "{security}");
        let beyond = Message {
            to: "jörg@kunde.example".to_owned(),
            to_name: "Jörg „Yogi“ Müller, Łódź (山田)".to_owned(),
            ..any_message()
        };
        for message in [any_message(), beyond] {
            let sent = plugin.send(&right, &message).await;
            assert!(sent.is_ok(), "{security}: {sent:?}");
        }
        is_understood(&server.stop().await.unwrap());
    }
}

/// What it read of the two mails.
fn is_understood(mails: &[Value]) {
    assert_eq!(mails.len(), 2);
    let message = any_message();
    for mail in mails {
        assert_eq!(mail["defects"], json!([]), "{mail}");
        assert_eq!(mail["subject"], message.subject.as_deref().unwrap());
        assert_eq!(mail["envelope"]["from"], "bookings@aurora.example");
    }
    assert_eq!(mails[0]["envelope"]["utf8"], false);
    assert_eq!(mails[1]["envelope"]["utf8"], true);
    assert_eq!(mails[1]["envelope"]["to"], json!(["jörg@kunde.example"]));
    let to = json!([{ "name": "Jörg „Yogi“ Müller, Łódź (山田)", "email": "jörg@kunde.example" }]);
    assert_eq!(mails[1]["to"], to);
}
