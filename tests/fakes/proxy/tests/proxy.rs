//! The proxy before a server that counts.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bad_proxy::BadProxy;

#[tokio::test]
async fn every_third_call_goes_wrong_each_in_another_way() {
    let count: Arc<AtomicUsize> = Arc::default();
    let hear = async |State(count): State<Arc<AtomicUsize>>, body: String| {
        count.fetch_add(1, Ordering::Relaxed);
        format!("heard {body}")
    };
    let router = Router::new()
        .route("/say", post(hear))
        .with_state(count.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    let proxy = BadProxy::start(&target, 3).await.unwrap();

    let http = reqwest::Client::builder().tls_certs_only([]);
    let http = http.build().unwrap();
    let mut seen = Vec::new();
    for turn in 1..=15 {
        let request = http.post(format!("{}/say", proxy.base()));
        let Ok(answer) = request.body(turn.to_string()).send().await else {
            seen.push((0, String::new()));
            continue;
        };
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        if turn % 3 == 0 {
            seen.push((status, text.chars().take(6).collect::<String>()));
        } else {
            assert_eq!((status, text), (200, format!("heard {turn}")));
        }
    }
    let page = "<!doct".to_owned();
    let expected = [
        (500, "it fai".to_owned()),
        (0, String::new()),
        (429, String::new()),
        (502, page.clone()),
        (200, page),
    ];
    assert_eq!(seen, expected);
    assert_eq!((proxy.faults(), count.load(Ordering::Relaxed)), (5, 12));
    proxy.one_in(0);
    for _ in 0..6 {
        let answer = http.post(format!("{}/say", proxy.base())).send().await;
        assert_eq!(answer.unwrap().status(), 200);
    }
}
