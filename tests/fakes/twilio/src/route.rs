//! The way of a call: is it allowed, what goes wrong with it, and what does it do.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer::{Answer, done, error, missing};
use crate::fault::{Call, Fault, json};
use crate::world::{ACCOUNT, AUTH_TOKEN, Called, FROM, SERVICE, World};

pub(crate) async fn handle(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let is_post = method == Method::POST;
    let pairs = if is_post {
        form_urlencoded::parse(&body)
    } else {
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
    };
    let form = pairs.into_owned().collect();
    let authorization = headers.get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    let authorization = authorization.unwrap_or_default().to_owned();
    let (fault, answer, now) = {
        let mut world = crate::lock(&world);
        let now = world.now();
        let (fault, answer) = world.take(is_post, uri.path(), form, &authorization);
        (fault, answer, now)
    };
    let mut response = match (fault, answer) {
        (Some(fault), answer) => {
            let body = answer.map_or(Value::Null, |answer| answer.body);
            fault.response(&authorization, &body).await
        }
        (None, Some(answer)) => json(&answer),
        (None, None) => json(&error(500, 20500, "")),
    };
    let now = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(now) = now.parse() {
        response.headers_mut().insert(header::DATE, now);
    }
    response
}

/// A call and the name in its address.
fn routed(is_post: bool, path: &str) -> Option<(Call, &str)> {
    if let Some(sid) = path.strip_prefix("/v1/Services/") {
        return (!is_post).then_some((Call::FetchService, sid));
    }
    let path = path.strip_prefix("/2010-04-01/Accounts/")?;
    let path = path.strip_suffix(".json")?.strip_prefix(ACCOUNT)?;
    Some(match (is_post, path) {
        (false, "") => (Call::FetchAccount, ""),
        (true, "/Messages") => (Call::CreateMessage, ""),
        (false, "/Messages") => (Call::ListMessages, ""),
        (false, "/IncomingPhoneNumbers") => (Call::ListNumbers, ""),
        (false, path) => (Call::FetchMessage, path.strip_prefix("/Messages/")?),
        _ => return None,
    })
}

impl World {
    /// Takes a call: what goes wrong with it, and the answer if it is carried out.
    fn take(
        &mut self,
        is_post: bool,
        path: &str,
        form: Vec<(String, String)>,
        authorization: &str,
    ) -> (Option<Fault>, Option<Answer>) {
        let routed = routed(is_post, path);
        let call = routed.map_or(Call::Any, |(call, _)| call);
        let asked = Called { call, form };
        self.calls.push(asked.clone());
        let fault = self.take_fault(call);
        if fault.as_ref().is_some_and(|fault| !fault.acts()) {
            return (fault, None);
        }
        let credentials = STANDARD.encode(format!("{ACCOUNT}:{AUTH_TOKEN}"));
        let answer = if authorization == format!("Basic {credentials}") {
            self.act(routed, path, &asked)
        } else {
            error(401, 20003, "Authenticate")
        };
        (fault, Some(answer))
    }

    fn take_fault(&mut self, call: Call) -> Option<Fault> {
        let meant = |(named, _): &(Call, Fault)| [call, Call::Any].contains(named);
        let index = self.faults.iter().position(meant)?;
        self.faults.remove(index).map(|(_, fault)| fault)
    }

    fn act(&mut self, routed: Option<(Call, &str)>, path: &str, asked: &Called) -> Answer {
        let Some((call, sid)) = routed else {
            return missing(path);
        };
        match call {
            Call::CreateMessage if self.account_status != "active" => {
                error(403, 20005, "Account not active")
            }
            Call::CreateMessage => self.create(asked),
            Call::ListMessages => self.list(asked),
            Call::FetchMessage => self
                .message(sid)
                .map_or_else(|| missing(path), |message| done(200, message.json())),
            Call::FetchAccount => done(
                200,
                json!({
                    "sid": ACCOUNT, "friendly_name": "Fake", "status": self.account_status, "type": "Full", "auth_token": AUTH_TOKEN,
                    "owner_account_sid": ACCOUNT
                }),
            ),
            Call::ListNumbers => numbers(asked),
            Call::FetchService if sid == SERVICE => done(
                200,
                json!({ "sid": SERVICE, "account_sid": ACCOUNT, "friendly_name": "Fake" }),
            ),
            Call::FetchService | Call::Any => missing(path),
        }
    }
}

fn numbers(asked: &Called) -> Answer {
    let number = json!({
        "sid": "PNfa4e0000000000000000000000000001", "account_sid": ACCOUNT, "phone_number": FROM,
        "capabilities": { "voice": true, "sms": true, "mms": false, "fax": false }
    });
    let is_asked = asked
        .get("PhoneNumber")
        .is_none_or(|number| FROM.contains(number));
    let numbers: Vec<Value> = is_asked.then_some(number).into_iter().collect();
    done(
        200,
        json!({ "incoming_phone_numbers": numbers, "next_page_uri": null, "page": 0, "page_size": 50 }),
    )
}
