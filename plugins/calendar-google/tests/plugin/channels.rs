use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::TimeDelta;
use plugin_api::{
    CalendarError, CalendarSync, ChannelRequest, Failure, Inbound, InboundAbout, InboundRefused,
    InboundRequest, InboundWebhook, PluginSettings, WatchChannel,
};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::{MARIA, Salon, event, noon, plugin};

const CHANNEL: &str = "01934d3c-0000-7000-8000-000000000001";
const SECRET: &str = "the secret of the channel";

type Heard = Arc<Mutex<Vec<HeaderMap>>>;

/// A server of ours that Google calls.
async fn listen() -> (String, Heard) {
    let heard = Heard::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let hear = async |State(heard): State<Heard>, headers: HeaderMap| {
        heard.lock().unwrap().push(headers);
        StatusCode::OK
    };
    let router = Router::new().fallback(hear).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, heard)
}

fn channel(address: &str) -> ChannelRequest {
    ChannelRequest {
        id: CHANNEL.to_owned(),
        secret: SECRET.into(),
        address: address.to_owned(),
    }
}

async fn watch(salon: &Salon, address: &str) -> Result<WatchChannel, CalendarError> {
    let wanted = channel(address);
    salon.plugin.watch(&salon.access, MARIA, &wanted).await
}

fn verify(headers: &[(&str, &str)]) -> Result<Inbound, InboundRefused> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let request = InboundRequest {
        url: "https://bookable.example/plugins/calendar-google/salon".to_owned(),
        headers: headers.iter().map(own).collect(),
        body: Vec::new(),
        at: noon(),
        business_name: "Salon".to_owned(),
    };
    plugin().verify(&PluginSettings::none(), &request)
}

fn heard_as(headers: &HeaderMap) -> Result<Inbound, InboundRefused> {
    let pairs: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    verify(&pairs)
}

fn about_the_channel() -> InboundAbout {
    InboundAbout::Calendar {
        channel_id: CHANNEL.to_owned(),
        secret_digest: Sha256::digest(SECRET).into(),
    }
}

#[tokio::test]
async fn google_tells_when_a_calendar_changes_until_it_is_told_not_to() {
    let salon = Salon::open().await;
    salon.google.set_now(noon());
    let (address, heard) = listen().await;
    let opened = watch(&salon, &address).await.unwrap();
    assert_eq!(opened.id, CHANNEL);
    assert_eq!(opened.expires_at, noon() + TimeDelta::days(7));
    salon.put(&event(1)).await.unwrap();
    salon.google.notified(2).await;
    let calls = heard.lock().unwrap().clone();
    let read: Vec<Inbound> = calls
        .iter()
        .map(|headers| heard_as(headers).unwrap())
        .collect();
    assert_eq!(
        read[0],
        Inbound::new(format!("{CHANNEL}:1"), InboundAbout::Nothing)
    );
    assert_eq!(
        read[1],
        Inbound::new(format!("{CHANNEL}:2"), about_the_channel())
    );

    for _ in 0..2 {
        let stopped = salon.plugin.unwatch(&salon.access, &opened).await;
        stopped.unwrap();
    }
    assert!(salon.google.channels().is_empty());
    salon.put(&event(2)).await.unwrap();
    assert_eq!(salon.google.notifications().len(), 2);
}

#[tokio::test]
async fn an_address_that_google_does_not_call_is_named() {
    let salon = Salon::open().await;
    let refused = watch(&salon, "http://bookable.example/hook").await;
    let Err(CalendarError::Failed(failure)) = refused else {
        panic!("{refused:?}");
    };
    assert!(failure.reason().contains("must be HTTPS"), "{failure:?}");
    assert!(
        matches!(failure, Failure::Misconfigured { .. }),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_channel_is_opened_once() {
    let salon = Salon::open().await;
    let (address, _) = listen().await;
    watch(&salon, &address).await.unwrap();
    let again = watch(&salon, &address).await;
    assert!(
        matches!(again, Err(CalendarError::Failed(Failure::GiveUp { .. }))),
        "{again:?}"
    );
}

#[test]
fn a_call_is_known_by_its_channel_and_token() {
    let right = [
        ("x-goog-channel-id", CHANNEL),
        ("x-goog-channel-token", SECRET),
        ("x-goog-message-number", "17"),
        ("x-goog-resource-state", "exists"),
    ];
    let inbound = verify(&right).unwrap();
    assert_eq!(
        inbound,
        Inbound::new(format!("{CHANNEL}:17"), about_the_channel())
    );
    let without = |name: &str| -> Result<Inbound, InboundRefused> {
        let rest = right.into_iter().filter(|(header, _)| *header != name);
        verify(&rest.collect::<Vec<_>>())
    };
    assert_eq!(without("x-goog-channel-id"), Err(InboundRefused::Signature));
    assert_eq!(
        without("x-goog-channel-token"),
        Err(InboundRefused::Signature)
    );
    assert!(matches!(
        without("x-goog-message-number"),
        Err(InboundRefused::Unreadable(_))
    ));
    let long = "x".repeat(300);
    for (name, value, expected) in [
        ("x-goog-channel-token", "", InboundRefused::Signature),
        (
            "x-goog-channel-token",
            long.as_str(),
            InboundRefused::Signature,
        ),
        (
            "x-goog-channel-id",
            long.as_str(),
            InboundRefused::Signature,
        ),
    ] {
        let changed = right.map(|(header, was)| (header, if header == name { value } else { was }));
        assert_eq!(verify(&changed), Err(expected));
    }
    let other = right.map(|(header, was)| {
        (
            header,
            if header == "x-goog-channel-token" {
                "guessed"
            } else {
                was
            },
        )
    });
    assert_ne!(verify(&other).unwrap().about, about_the_channel());
}
