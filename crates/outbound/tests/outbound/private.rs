use outbound::{OutboundError, Refused};
use plugin_api::Failure;

use crate::server::Server;
use crate::{NAMES, anywhere, get, public_only};

fn private<T: std::fmt::Debug>(result: Result<T, OutboundError>) -> OutboundError {
    match result {
        Err(error @ OutboundError::Refused(Refused::Private { .. })) => error,
        other => panic!("refused as private, not {other:?}"),
    }
}

#[tokio::test]
async fn a_private_address_is_talked_to_only_when_that_is_allowed() {
    let server = Server::answering("200 OK", "", "hello").await;
    let port = server.address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "2130706433",
        "[::ffff:127.0.0.1]",
    ] {
        let url = format!("http://{host}:{port}/");
        private(get(&public_only(), &url).await);
    }
    assert_eq!(server.connections(), 0, "not even a connection");

    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{port}/");
        let answer = get(&anywhere(), &url).await.unwrap();
        assert_eq!(outbound::read_bounded(answer, 5).await.unwrap(), b"hello");
    }
    let operator = public_only().for_operator();
    assert!(get(&operator, &server.url()).await.is_ok());
}

#[tokio::test]
async fn a_client_that_is_used_directly_refuses_too() {
    let server = Server::answering("200 OK", "", "hello").await;
    let (port, http) = (server.address.port(), public_only().http());
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://[::ffff:7f00:1]:{port}/"),
        format!("http://localhost:{port}/"),
        format!("https://localhost:{port}/"),
    ] {
        let error = http.get(&url).send().await.unwrap_err();
        assert!(error.is_connect(), "{url}: {error:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_is_refused_names_the_setting_and_the_host_and_no_more() {
    let error = private(
        get(
            &public_only(),
            "http://user:hunter2@127.0.0.1/path?token=hunter2",
        )
        .await,
    );
    let Failure::Misconfigured { reason } = error.failure(NAMES) else {
        panic!("{error:?}")
    };
    assert_eq!(
        reason,
        "apiBase: 127.0.0.1 is a private address: this server talks to those only when run with --allow-private-hosts"
    );
    let scheme = get(&anywhere(), "ftp://example.com/hunter2")
        .await
        .unwrap_err();
    assert_eq!(scheme, OutboundError::Refused(Refused::Scheme));
    assert!(
        matches!(scheme.failure(NAMES), Failure::Misconfigured { reason } if reason.starts_with("apiBase: "))
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_wherever_it_leads() {
    let inside = Server::answering("200 OK", "", "the secrets of the machine next door").await;
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let location = format!("Location: {}\r\n", inside.url());
        let server = Server::answering(status, &location, "").await;
        let answer = get(&anywhere(), &server.url()).await.unwrap();
        let error = outbound::judged(answer).unwrap_err();
        let code: u16 = status[..3].parse().unwrap();
        assert_eq!(
            error,
            OutboundError::Elsewhere {
                host: "127.0.0.1".to_owned(),
                status: code
            }
        );
        assert!(matches!(
            error.failure(NAMES),
            Failure::Misconfigured { .. }
        ));
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn other_protocols_are_given_addresses_that_were_looked_at() {
    for host in [
        "localhost",
        "127.0.0.1",
        "::1",
        "[::1]",
        "127.1",
        "0x7f000001",
        "169.254.169.254",
        "private-address.invalid",
    ] {
        let refused = public_only().addresses(host, 25).await;
        assert_eq!(
            refused,
            Err(Refused::Private {
                host: host.to_owned()
            })
        );
    }
    let found = anywhere().addresses("localhost", 2525).await.unwrap();
    assert!(
        found
            .iter()
            .all(|address| address.ip().is_loopback() && address.port() == 2525)
    );
    let literal = public_only()
        .addresses("[2606:4700:4700::1111]", 465)
        .await
        .unwrap();
    assert_eq!(literal, ["[2606:4700:4700::1111]:465".parse().unwrap()]);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_tried_again() {
    let refused = public_only()
        .addresses("no-such-host.invalid", 25)
        .await
        .unwrap_err();
    assert!(matches!(refused, Refused::Unknown { .. }), "{refused:?}");
    let error = get(&public_only(), "https://no-such-host.invalid/")
        .await
        .unwrap_err();
    let Failure::Retry {
        after: None,
        reason,
    } = error.failure(NAMES)
    else {
        panic!("{error:?}")
    };
    assert!(
        reason.starts_with("apiBase: no address of no-such-host.invalid could be found: "),
        "{reason}"
    );
}
