//! Every call that every act makes goes wrong in every way: what is answered says whether to try again, no reason holds a secret, and the
//! repeat ends as if nothing had happened, with nothing there twice.

use std::time::Duration;

use fake_google::{Call, Fault};
use outbound::Outbound;
use plugin_api::{CalendarError, CalendarSync, ChannelRequest, Failure, WatchChannel};
use serde_json::Value;

use crate::{MARIA, Salon, all, event, later, plugin_by, way_out};

/// What the engine can ask for.
#[derive(Debug, Clone, Copy)]
enum Act {
    Account,
    Put,
    PutAgain,
    Delete,
    Pull,
    Watch,
    Unwatch,
}

const PATIENT: Duration = Duration::from_secs(30);
const CHANNEL: &str = "01934d3c-0000-7000-8000-000000000001";

impl Act {
    /// A calendar on which it can be done. The access token is a new one each time.
    async fn prepare(self, outbound: &Outbound, is_service: bool) -> Salon {
        let mut salon = Salon::by(outbound, is_service).await;
        match self {
            Self::PutAgain | Self::Delete | Self::Pull => {
                salon.put(&event(1)).await.unwrap();
            }
            Self::Unwatch => {
                Self::Watch.run(&salon, 0).await.unwrap();
            }
            Self::Account | Self::Put | Self::Watch => {}
        }
        salon.plugin = plugin_by(outbound, PATIENT);
        salon
    }

    /// Does it, and answers what it came to without names.
    async fn run(self, salon: &Salon, attempt: u32) -> Result<String, CalendarError> {
        let (plugin, access) = (&salon.plugin, &salon.access);
        let id = format!("{CHANNEL}-{attempt}");
        Ok(match self {
            Self::Account => format!("{:?}", plugin.account(access).await?),
            Self::Put => format!("{}", !salon.put(&event(1)).await?.etag.is_empty()),
            Self::PutAgain => format!(
                "{}",
                !salon.put(&later(&event(1), 1)).await?.etag.is_empty()
            ),
            Self::Delete => format!("{:?}", salon.delete(event(1).booking_id).await?),
            Self::Pull => format!("{:?}", salon.pull(&all()).await?.changes),
            Self::Watch => {
                let wanted = ChannelRequest {
                    id,
                    secret: "secret-of-the-channel".into(),
                    address: "http://127.0.0.1:1/hook".to_owned(),
                };
                plugin.watch(access, MARIA, &wanted).await?.resource_id
            }
            Self::Unwatch => {
                let open = WatchChannel {
                    id: format!("{CHANNEL}-0"),
                    resource_id: format!("resource-of-{MARIA}"),
                    expires_at: crate::noon(),
                };
                format!("{:?}", plugin.unwatch(access, &open).await?)
            }
        })
    }
}

/// What stands in the calendar, without names.
fn record(salon: &Salon) -> Vec<Value> {
    let events = salon.events().into_iter();
    events
        .map(|event| serde_json::json!([event["id"], event["start"], event["summary"]]))
        .collect()
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::ServerError,
        Fault::TooManyRequests(Some(7)),
        Fault::TooManyRequests(None),
        Fault::Quota("rateLimitExceeded", Some(7)),
        Fault::Quota("userRateLimitExceeded", None),
        Fault::Quota("quotaExceeded", None),
        Fault::Unauthorized,
        Fault::Forbidden,
        Fault::NotConfigured,
        Fault::Garbage,
        Fault::OtherJson,
        Fault::Html,
        Fault::NotFoundPage,
        Fault::Huge,
        Fault::Hang,
        Fault::Redirect("http://127.0.0.1:1/v1/".to_owned()),
        Fault::AnswerLost,
        Fault::AnswerCut,
        Fault::BadGateway,
    ]
}

/// An access token that is not taken once is replaced.
fn is_no_trouble(call: Call, fault: &Fault) -> bool {
    matches!(fault, Fault::Unauthorized) && call != Call::Token
}

fn is_right(call: Call, fault: &Fault, error: &CalendarError) -> bool {
    let is_token = call == Call::Token;
    let CalendarError::Failed(failure) = error else {
        return false;
    };
    let misconfigured = |beginning: &str| matches!(failure, Failure::Misconfigured { reason } if reason.starts_with(beginning));
    let retry = |seconds: Option<u64>| matches!(failure, Failure::Retry { after, .. } if *after == seconds.map(Duration::from_secs));
    match fault {
        Fault::TooManyRequests(seconds) => retry(*seconds),
        Fault::Quota(_, seconds) if !is_token => retry(*seconds),
        Fault::Unauthorized => misconfigured("clientSecret: ") || misconfigured("serviceAccount: "),
        Fault::Forbidden if is_token => {
            misconfigured("clientId: ") || misconfigured("serviceAccount: ")
        }
        Fault::Forbidden => matches!(failure, Failure::GiveUp { .. }),
        Fault::NotConfigured if !is_token => misconfigured("the Google Calendar API is not"),
        Fault::Redirect(_) if is_token => misconfigured("tokenUrl: "),
        Fault::Redirect(_) => misconfigured("apiBase: "),
        _ => retry(None),
    }
}

/// Goes through all faults of all calls of an act.
async fn goes_wrong(act: Act, is_service: bool) {
    let outbound = &way_out(true);
    let salon = act.prepare(outbound, is_service).await;
    let before = salon.google.calls().len();
    let expected = act.run(&salon, 1).await.unwrap();
    let expected_record = record(&salon);
    let calls = salon.google.calls().into_iter().skip(before);
    let calls: Vec<Call> = calls.map(|called| called.call).collect();
    assert!(calls.contains(&Call::Token) && !calls.contains(&Call::Any));

    for call in calls {
        for fault in faults() {
            let what = format!("{act:?}, by service account: {is_service}, {call:?}, {fault:?}");
            let mut salon = act.prepare(outbound, is_service).await;
            salon.google.fault(call, fault.clone());
            if matches!(fault, Fault::Hang) {
                salon.plugin = plugin_by(outbound, Duration::from_millis(300));
            }
            let result = act.run(&salon, 1).await;
            if is_no_trouble(call, &fault) {
                assert!(result.is_ok(), "{what}: {result:?}");
            } else {
                let error = result.unwrap_err();
                assert!(is_right(call, &fault, &error), "{what}: {error:?}");
                shows_no_secret(&salon, &what, &error);
            }
            salon.plugin = plugin_by(outbound, PATIENT);
            for attempt in 2..=3 {
                assert_eq!(
                    act.run(&salon, attempt).await.as_ref(),
                    Ok(&expected),
                    "{what}"
                );
                assert_eq!(record(&salon), expected_record, "{what}");
            }
        }
    }
}

fn shows_no_secret(salon: &Salon, what: &str, error: &CalendarError) {
    let said = format!("{error} {error:?}");
    let secrets = [salon.google.client_secret(), "ya29.", "1//0", "PRIVATE KEY"];
    for secret in secrets {
        assert!(!said.contains(secret), "{what}: {said}");
    }
}

#[tokio::test]
async fn account() {
    goes_wrong(Act::Account, false).await;
    goes_wrong(Act::Account, true).await;
}

#[tokio::test]
async fn put() {
    goes_wrong(Act::Put, false).await;
}

#[tokio::test]
async fn put_again() {
    goes_wrong(Act::PutAgain, false).await;
}

#[tokio::test]
async fn delete() {
    goes_wrong(Act::Delete, false).await;
}

#[tokio::test]
async fn pull() {
    goes_wrong(Act::Pull, false).await;
    goes_wrong(Act::Pull, true).await;
}

#[tokio::test]
async fn watch() {
    goes_wrong(Act::Watch, false).await;
}

#[tokio::test]
async fn unwatch() {
    goes_wrong(Act::Unwatch, false).await;
}
