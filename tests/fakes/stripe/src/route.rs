//! The way of a call: is it allowed, what goes wrong with it, was it made before, and what does it do.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Response, Uri};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::error::Error;
use crate::fault::{Call, Fault, UNKNOWN, json_text};
use crate::form::Form;
use crate::world::{Called, Kept, SECRET_KEY, World};

/// What a call answers.
struct Answer {
    status: u16,
    body: Value,
    is_replayed: bool,
}

pub(crate) async fn handle(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_post = method == Method::POST;
    let form = if is_post {
        Form::parse(&body)
    } else {
        Form::parse(uri.query().unwrap_or_default().as_bytes())
    };
    let asked = Asked {
        path: uri.path().to_owned(),
        form,
        key: header("idempotency-key")
            .filter(|_| is_post)
            .map(str::to_owned),
        authorization: header("authorization").unwrap_or_default().to_owned(),
        is_versioned: header("stripe-version").is_some(),
    };
    let authorization = asked.authorization.clone();
    let (fault, answer) = crate::lock(&world).take(is_post, asked);
    match (fault, answer) {
        (Some(fault), answer) => {
            let body = answer.map_or(Value::Null, |answer| answer.body);
            fault.response(&authorization, &body).await
        }
        (None, Some(answer)) => respond(&answer),
        (None, None) => json_text(500, String::new()),
    }
}

fn respond(answer: &Answer) -> Response<Body> {
    let mut response = json_text(answer.status, answer.body.to_string());
    let headers = response.headers_mut();
    headers.insert("request-id", HeaderValue::from_static("req_fake"));
    if answer.is_replayed {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

/// A call and the id in its address.
struct Routed {
    call: Call,
    id: String,
}

impl Routed {
    fn of(is_post: bool, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
        let (call, id) = match (is_post, parts.as_slice()) {
            (true, ["payment_intents"]) => (Call::CreatePaymentIntent, ""),
            (false, ["payment_intents", id]) => (Call::GetPaymentIntent, *id),
            (true, ["payment_intents", id, "confirm"]) => (Call::ConfirmPaymentIntent, *id),
            (true, ["payment_intents", id, "cancel"]) => (Call::CancelPaymentIntent, *id),
            (true, ["payment_intents", id, "capture"]) => (Call::CapturePaymentIntent, *id),
            (true, ["setup_intents"]) => (Call::CreateSetupIntent, ""),
            (false, ["setup_intents", id]) => (Call::GetSetupIntent, *id),
            (true, ["setup_intents", id, "cancel"]) => (Call::CancelSetupIntent, *id),
            (true, ["checkout", "sessions"]) => (Call::CreateSession, ""),
            (false, ["checkout", "sessions"]) => (Call::ListSessions, ""),
            (false, ["checkout", "sessions", id]) => (Call::GetSession, *id),
            (true, ["checkout", "sessions", id, "expire"]) => (Call::ExpireSession, *id),
            (true, ["customers"]) => (Call::CreateCustomer, ""),
            (true, ["refunds"]) => (Call::CreateRefund, ""),
            (false, ["refunds"]) => (Call::ListRefunds, ""),
            (false, ["disputes"]) => (Call::ListDisputes, ""),
            (false, ["balance"]) => (Call::GetBalance, ""),
            _ => return None,
        };
        let id = id.to_owned();
        Some(Self { call, id })
    }
}

struct Asked {
    path: String,
    form: Form,
    key: Option<String>,
    authorization: String,
    is_versioned: bool,
}

impl World {
    /// Takes a call: what goes wrong with it, and the answer if it is carried out.
    fn take(&mut self, is_post: bool, asked: Asked) -> (Option<Fault>, Option<Answer>) {
        let routed = Routed::of(is_post, &asked.path);
        let call = routed.as_ref().map_or(Call::Any, |routed| routed.call);
        self.calls.push(Called {
            call,
            key: asked.key.clone(),
            form: asked.form.0.clone(),
        });
        let fault = self.take_fault(call);
        if fault.as_ref().is_some_and(|fault| !fault.acts()) {
            return (fault, None);
        }
        let breaks_down = fault == Some(Fault::BreakDown);
        let answer = self.answer(routed, asked, breaks_down);
        (fault, Some(answer))
    }

    fn take_fault(&mut self, call: Call) -> Option<Fault> {
        let meant = |(named, _): &(Call, Fault)| [call, Call::Any].contains(named);
        let index = self.faults.iter().position(meant)?;
        self.faults.remove(index).map(|(_, fault)| fault)
    }

    fn answer(&mut self, routed: Option<Routed>, asked: Asked, breaks_down: bool) -> Answer {
        if let Err(error) = allowed(&asked) {
            return failed(error);
        }
        let Some(routed) = routed else {
            let message = format!("Unrecognized request URL ({}).", asked.path);
            return failed(Error::other(404, "invalid_request_error", None, &message));
        };
        let Some(key) = asked.key else {
            return self
                .acted(&routed, &asked.form, breaks_down)
                .map_or_else(failed, done);
        };
        let before = (asked.path, asked.form);
        let kept = self.kept.get(&key);
        if let Some(kept) = kept.filter(|kept| self.passed < kept.until) {
            return replayed(kept, &key, &before);
        }
        let answered = self.acted(&routed, &before.1, breaks_down);
        let is_early = answered.as_ref().is_err_and(|error| error.is_early);
        let answer = answered.map_or_else(failed, done);
        if !is_early {
            let kept = Kept {
                asked: before,
                status: answer.status,
                body: answer.body.clone(),
                until: self.passed + TimeDelta::hours(24),
            };
            self.kept.insert(key, kept);
        }
        answer
    }

    fn acted(&mut self, routed: &Routed, form: &Form, breaks_down: bool) -> Result<Value, Error> {
        if breaks_down {
            return Err(Error::under_way(500, "api_error", UNKNOWN));
        }
        self.act(routed, form)
    }

    fn act(&mut self, routed: &Routed, form: &Form) -> Result<Value, Error> {
        let id = routed.id.as_str();
        match routed.call {
            Call::CreatePaymentIntent => self.create_payment(form),
            Call::GetPaymentIntent => self.get_payment(id, form),
            Call::ConfirmPaymentIntent => self.confirm_payment(id, form),
            Call::CancelPaymentIntent => self.cancel_payment(id, form),
            Call::CapturePaymentIntent => self.capture_payment(id, form),
            Call::CreateSetupIntent => self.create_setup(form),
            Call::GetSetupIntent => self.get_setup(id, form),
            Call::CancelSetupIntent => self.cancel_setup(id, form),
            Call::CreateSession => self.create_session(form),
            Call::GetSession => self.get_session(id, form),
            Call::ListSessions => self.list_sessions(form),
            Call::ExpireSession => self.expire_session(id, form),
            Call::CreateCustomer => self.create_customer(form),
            Call::CreateRefund => self.create_refund(form),
            Call::ListRefunds => self.list_refunds(form),
            Call::ListDisputes => self.list_disputes(form),
            Call::GetBalance | Call::Any => Ok(json!({
                "object": "balance", "livemode": false, "available": [{ "amount": 0, "currency": "eur" }], "pending": []
            })),
        }
    }
}

fn allowed(asked: &Asked) -> Result<(), Error> {
    if asked.authorization != format!("Bearer {SECRET_KEY}") {
        let message = "Invalid API Key provided.";
        return Err(Error::other(401, "invalid_request_error", None, message));
    }
    // Stripe would take the account's own version: a client that does not say which one it reads is broken one day.
    if !asked.is_versioned {
        let message = "This server wants a Stripe-Version.";
        return Err(Error::other(400, "invalid_request_error", None, message));
    }
    Ok(())
}

fn replayed(kept: &Kept, key: &str, asked: &(String, Form)) -> Answer {
    if &kept.asked != asked {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other \
             than '{key}' if you meant to execute a different request."
        );
        return failed(Error::other(400, "idempotency_error", None, &message));
    }
    Answer {
        status: kept.status,
        body: kept.body.clone(),
        is_replayed: true,
    }
}

fn done(body: Value) -> Answer {
    Answer {
        status: 200,
        body,
        is_replayed: false,
    }
}

fn failed(error: Error) -> Answer {
    Answer {
        status: error.status,
        body: error.body,
        is_replayed: false,
    }
}
