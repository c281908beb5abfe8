use std::time::Duration;

use outbound::{OutboundError, judged, read_bounded};
use plugin_api::Failure;
use tokio::net::TcpListener;

use crate::server::{Answer, Server};
use crate::{NAMES, anywhere, get};

async fn failure(status: &str, headers: &str) -> Failure {
    let server = Server::answering(status, headers, "{}").await;
    let answer = get(&anywhere(), &server.url()).await.unwrap();
    judged(answer).unwrap_err().failure(NAMES)
}

#[tokio::test]
async fn a_status_says_whether_another_attempt_makes_sense() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let Failure::Misconfigured { reason } = failure(status, "").await else {
            panic!("{status}")
        };
        assert!(
            reason.starts_with("secretKey: 127.0.0.1 answered 40"),
            "{reason}"
        );
    }
    for (status, headers, after) in [
        ("429 Too Many", "Retry-After: 7\r\n", Some(7)),
        (
            "503 Unavailable",
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n",
            Some(60),
        ),
        ("429 Too Many", "", None),
        ("503 Unavailable", "Retry-After: whenever\r\n", None),
        ("500 Internal", "Retry-After: 7\r\n", None),
        ("502 Bad Gateway", "", None),
        ("599 Strange", "", None),
    ] {
        let Failure::Retry {
            after: asked,
            reason,
        } = failure(status, headers).await
        else {
            panic!("{status}")
        };
        assert_eq!(asked, after.map(Duration::from_secs), "{status}");
        assert!(reason.contains(&status[..3]), "{reason}");
    }
    for status in [
        "200 OK",
        "204 None",
        "400 Bad",
        "404 Not Found",
        "409 Conflict",
        "410 Gone",
        "422 Unprocessable",
    ] {
        let server = Server::answering(status, "", "").await;
        let answer = get(&anywhere(), &server.url()).await.unwrap();
        assert!(
            judged(answer).is_ok(),
            "{status} is for the plugin to understand"
        );
    }
}

#[tokio::test]
async fn a_connection_that_is_refused_is_tried_again() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/path?token=hunter2", free.local_addr().unwrap());
    drop(free);
    let error = get(&anywhere(), &url).await.unwrap_err();
    let Failure::Retry {
        after: None,
        reason,
    } = error.failure(NAMES)
    else {
        panic!("{error:?}")
    };
    assert!(
        reason.starts_with("127.0.0.1 cannot be reached: ") && reason.contains("refused"),
        "{reason}"
    );
    assert!(!reason.contains("hunter2"), "{reason}");
}

#[tokio::test]
async fn garbage_is_no_answer() {
    for said in [
        "",
        "\r\n\r\n",
        "220 mail.example ESMTP\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "\u{0}\u{1}\u{2}",
        "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx",
        "<html>no</html>",
    ] {
        let server = Server::start(Answer::Say(said.to_owned())).await;
        let error = get(&anywhere(), &server.url()).await.unwrap_err();
        assert!(
            matches!(error, OutboundError::Garbled { .. }),
            "{said:?}: {error:?}"
        );
        assert!(matches!(
            error.failure(NAMES),
            Failure::Retry { after: None, .. }
        ));
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    for cut in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ] {
        let server = Server::start(Answer::Say(cut.to_owned())).await;
        let answer = get(&anywhere(), &server.url()).await.unwrap();
        let read = read_bounded(answer, 1024).await;
        assert!(
            matches!(read, Err(OutboundError::Garbled { .. })),
            "{cut:?}: {read:?}"
        );
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_written_is_given_up() {
    for url in ["", "nonsense", "http://", "http://[1/", "https://a b/"] {
        let error = get(&anywhere(), url).await.unwrap_err();
        assert!(
            matches!(error.failure(NAMES), Failure::GiveUp { .. }),
            "{url:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn requests_say_where_they_come_from_and_nothing_else() {
    let mut server = Server::answering("200 OK", "", "").await;
    get(&anywhere(), &server.url()).await.unwrap();
    let request = server.request().await.to_lowercase();
    assert!(
        request.starts_with("get /path?token=hunter2 http/1.1\r\n"),
        "{request}"
    );
    let agent = concat!("user-agent: bookable/", env!("CARGO_PKG_VERSION"), "\r\n");
    assert!(request.contains(agent), "{request}");
    assert!(
        !request.contains("accept-encoding") && !request.contains("referer"),
        "{request}"
    );
}
