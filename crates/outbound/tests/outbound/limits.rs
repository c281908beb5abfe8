use outbound::{OutboundError, read_bounded};
use tokio::time::Instant;

use crate::server::{Answer, Server};
use crate::{anywhere, get};

const FIFTY_MEGABYTES: usize = 50 * 1024 * 1024;

/// The most memory that this process ever had, in bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kilobytes.unwrap_or_default() * 1024
}

#[tokio::test]
async fn a_body_is_read_to_the_limit_and_not_beyond() {
    for (body, limit, fits) in [
        ("", 0, true),
        ("hello", 5, true),
        ("hello", 4, false),
        ("hello", 0, false),
    ] {
        let server = Server::answering("200 OK", "", body).await;
        let answer = get(&anywhere(), &server.url()).await.unwrap();
        let read = read_bounded(answer, limit).await;
        let host = "127.0.0.1".to_owned();
        let expected = if fits {
            Ok(body.as_bytes().to_vec())
        } else {
            Err(OutboundError::TooLong {
                host,
                max_bytes: limit,
            })
        };
        assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn a_body_without_end_costs_no_memory() {
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {FIFTY_MEGABYTES}\r\n\r\n");
    let until_the_end = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_owned();
    let before = peak_memory();
    for head in [announced, until_the_end] {
        let server = Server::start(Answer::Endless(head)).await;
        let answer = get(&anywhere(), &server.url()).await.unwrap();
        let read = read_bounded(answer, 64 * 1024).await;
        assert!(
            matches!(
                read,
                Err(OutboundError::TooLong {
                    max_bytes: 65_536,
                    ..
                })
            ),
            "{read:?}"
        );
    }
    let grown = peak_memory() - before;
    assert!(grown < FIFTY_MEGABYTES / 2, "{grown} bytes");
}

#[tokio::test]
async fn a_head_without_end_is_cut_off() {
    let server = Server::start(Answer::Endless("HTTP/1.1 200 OK\r\nX-Long: ".to_owned())).await;
    let error = get(&anywhere(), &server.url()).await.unwrap_err();
    assert!(matches!(error, OutboundError::Garbled { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_without_end() {
    for (said, in_body) in [
        ("", false),
        ("HTTP/1.1 200 OK\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", true),
    ] {
        let server = Server::start(Answer::Stall(said.to_owned())).await;
        let started = Instant::now();
        let asked = get(&anywhere(), &server.url()).await;
        let result = match asked {
            Ok(answer) if in_body => read_bounded(answer, 1024).await.map(drop),
            other => other.map(drop),
        };
        let host = "127.0.0.1".to_owned();
        assert_eq!(result, Err(OutboundError::Silent { host }), "{said:?}");
        assert!(
            started.elapsed().as_secs() <= 31,
            "{said:?}: {:?}",
            started.elapsed()
        );
    }
}
