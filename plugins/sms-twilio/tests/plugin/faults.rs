//! Every call that every act makes goes wrong in every way: what is answered says whether to try again, no reason holds the token, and the
//! repeat ends as if nothing had happened, with nothing sent twice by Twilio's own records.

use std::time::Duration;

use domain::id::{BusinessId, Id};
use fake_twilio::{AUTH_TOKEN, Call, Fault, SERVICE};
use plugin_api::{Failure, Plugin};
use serde_json::json;
use uuid::Uuid;

use crate::{Shop, message, plugin_with};

/// What the engine can ask for.
#[derive(Debug, Clone, Copy)]
enum Act {
    Send,
    /// An attempt after one of which nothing is known.
    Repeat,
    Check,
}

impl Act {
    fn calls(self) -> &'static [Call] {
        match self {
            Self::Send => &[Call::CreateMessage],
            Self::Repeat => &[Call::ListMessages, Call::CreateMessage],
            Self::Check => &[Call::FetchAccount, Call::ListNumbers, Call::FetchService],
        }
    }

    /// Does it, and answers what it came to without names.
    async fn run(self, shop: &Shop, attempt: u32) -> Result<String, Failure> {
        if let Self::Check = self {
            let business = BusinessId::from_uuid(Uuid::from_u128(9));
            let check = Plugin::check(&shop.plugin).unwrap();
            return check.check(business, &shop.settings).await;
        }
        let mut message = message(&shop.clock, 1, "Hello");
        message.since = crate::start();
        message.attempt = attempt;
        message.may_have_been_sent = attempt > 1 || matches!(self, Self::Repeat);
        let sent = shop.send(&message).await?;
        let first = shop.twilio.sent().first().map(|sent| sent.sid.clone());
        assert_eq!(sent.external_id, first);
        Ok(format!("{:?}", sent.status))
    }
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::ServerError,
        Fault::TooManyRequests(Some(7)),
        Fault::TooManyRequests(None),
        Fault::Refused(20429),
        Fault::Unauthorized,
        Fault::Garbage,
        Fault::OtherJson,
        Fault::Html,
        Fault::NotFoundPage,
        Fault::Huge,
        Fault::Hang,
        Fault::Redirect("http://127.0.0.1:1/2010-04-01/".to_owned()),
        Fault::AnswerLost,
        Fault::AnswerCut,
        Fault::BadGateway,
    ]
}

fn is_right(fault: &Fault, failure: &Failure) -> bool {
    match (fault, failure) {
        (Fault::TooManyRequests(seconds), Failure::Retry { after, .. }) => {
            *after == seconds.map(Duration::from_secs)
        }
        (Fault::Unauthorized, Failure::Misconfigured { reason }) => {
            reason.starts_with("authToken: ")
        }
        (Fault::Redirect(_), Failure::Misconfigured { reason }) => reason.starts_with("apiBase: "),
        (Fault::TooManyRequests(_) | Fault::Unauthorized | Fault::Redirect(_), _) => false,
        (_, failure) => matches!(failure, Failure::Retry { after: None, .. }),
    }
}

/// Goes through all faults of all calls of an act.
async fn goes_wrong(act: Act) {
    for call in act.calls() {
        for fault in faults() {
            let what = format!("{act:?}, {call:?}, {fault:?}");
            let mut shop = Shop::with(json!({ "messagingServiceSid": SERVICE })).await;
            shop.twilio.fault(*call, fault.clone());
            let patient = matches!(fault, Fault::Hang).then(|| {
                let hasty = plugin_with(&shop.clock, Duration::from_millis(300), true);
                std::mem::replace(&mut shop.plugin, hasty)
            });
            let failure = act.run(&shop, 1).await.unwrap_err();
            assert!(is_right(&fault, &failure), "{what}: {failure:?}");
            let said = format!("{failure} {failure:?}");
            assert!(!said.contains(AUTH_TOKEN), "{what}: {said}");
            if let Some(patient) = patient {
                shop.plugin = patient;
            }
            for attempt in 2..4 {
                shop.clock.pass(chrono::TimeDelta::seconds(30));
                let done = act.run(&shop, attempt).await;
                assert!(done.is_ok(), "{what}: {done:?}");
                let is_check = matches!(act, Act::Check);
                assert_eq!(shop.twilio.sent().len(), usize::from(!is_check), "{what}");
            }
            assert!(shop.twilio.count(*call) > 0, "{what}");
        }
    }
}

#[tokio::test]
async fn the_first_attempt() {
    goes_wrong(Act::Send).await;
}

#[tokio::test]
async fn a_repeat() {
    goes_wrong(Act::Repeat).await;
}

#[tokio::test]
async fn a_check() {
    goes_wrong(Act::Check).await;
}

#[tokio::test]
async fn answers_that_are_lost_again_and_again_send_once() {
    let shop = Shop::open().await;
    let mut message = message(&shop.clock, 1, "Hello");
    for fault in [Fault::BadGateway, Fault::AnswerCut] {
        shop.twilio.fault(Call::CreateMessage, fault);
    }
    for fault in [Fault::AnswerLost, Fault::ServerError, Fault::AnswerCut] {
        shop.twilio.fault(Call::ListMessages, fault);
    }
    assert!(shop.send(&message).await.is_err());
    for _ in 0..3 {
        let failure = shop.again(&mut message).await.unwrap_err();
        assert!(matches!(failure, Failure::Retry { .. }), "{failure:?}");
    }
    assert!(shop.again(&mut message).await.is_ok());
    assert_eq!(shop.twilio.sent().len(), 1);
    assert_eq!(shop.twilio.count(Call::CreateMessage), 1);
}
