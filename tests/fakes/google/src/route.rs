//! The way of a call: what goes wrong with it, who makes it, and what it does.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::fault::{self, Call, Fault, json_text, redirect};
use crate::world::{Called, Listed, Pairs, World};

const CALENDAR: &str = "https://www.googleapis.com/auth/calendar";

/// What a call does.
enum Answer {
    Json(Value),
    Nothing,
    NotModified,
    Redirect(String),
}

struct Asked {
    method: Method,
    path: String,
    parts: Vec<String>,
    query: Pairs,
    form: Pairs,
    body: Value,
    authorization: String,
    if_match: Option<String>,
    if_none_match: Option<String>,
}

pub(crate) async fn handle(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let asked = Asked::read(method, &uri, &headers, &body);
    let call = asked.call();
    let secret = asked.authorization.replace("Bearer ", "");
    let secret = match crate::oauth::get(&asked.form, "refresh_token") {
        Some(token) => token.to_owned(),
        None => secret,
    };
    let (fault, answer, held) = {
        let mut world = crate::lock(&world);
        let (fault, answer) = world.take(call, &asked);
        (fault, answer, world.holding.of(call))
    };
    if let Some(mut let_go) = held {
        // It fails only when the server has ended.
        drop(let_go.changed().await);
    }
    match (fault, answer) {
        (Some(fault), answer) => {
            let json = match &answer {
                Some(Ok(Answer::Json(json))) => Some(json),
                _ => None,
            };
            fault.response(call, &secret, json).await
        }
        (None, Some(Ok(answer))) => respond(answer),
        (None, Some(Err(error))) => fault::error(&error),
        (None, None) => json_text(500, String::new()),
    }
}

fn respond(answer: Answer) -> Response<Body> {
    match answer {
        Answer::Json(json) => json_text(200, json.to_string()),
        Answer::Nothing => fault::respond(204, "text/plain", Body::empty()),
        Answer::NotModified => fault::respond(304, "text/plain", Body::empty()),
        Answer::Redirect(to) => redirect(302, &to),
    }
}

impl Asked {
    fn read(method: Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let pairs = |text: &[u8]| form_urlencoded::parse(text).into_owned().collect();
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let is_form = header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let form: Pairs = if is_form { pairs(body) } else { Pairs::new() };
        let as_object = || {
            let fields = form.iter();
            let fields = fields.map(|(name, value)| (name.clone(), value.clone().into()));
            Value::Object(fields.collect::<Map<_, _>>())
        };
        Self {
            method,
            path: uri.path().to_owned(),
            parts: uri.path().split('/').skip(1).map(decoded).collect(),
            query: pairs(uri.query().unwrap_or_default().as_bytes()),
            body: if is_form {
                as_object()
            } else {
                serde_json::from_slice(body).unwrap_or_default()
            },
            form,
            authorization: header("authorization").unwrap_or_default(),
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
        }
    }

    fn call(&self) -> Call {
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        match (self.method.as_str(), parts.as_slice()) {
            ("GET", ["o", "oauth2", "v2", "auth"]) => Call::Consent,
            ("POST", ["token"]) => Call::Token,
            ("POST", ["revoke"]) => Call::Revoke,
            (method, ["calendar", "v3", rest @ ..]) => match (method, rest) {
                ("GET", ["users", "me", "calendarList"]) => Call::ListCalendars,
                ("GET", ["calendars", _, "events"]) => Call::ListEvents,
                ("POST", ["calendars", _, "events"]) => Call::InsertEvent,
                ("POST", ["calendars", _, "events", "watch"]) => Call::WatchEvents,
                ("GET", ["calendars", _, "events", _]) => Call::GetEvent,
                ("PUT", ["calendars", _, "events", _]) => Call::UpdateEvent,
                ("PATCH", ["calendars", _, "events", _]) => Call::PatchEvent,
                ("DELETE", ["calendars", _, "events", _]) => Call::DeleteEvent,
                ("POST", ["channels", "stop"]) => Call::StopChannel,
                _ => Call::Any,
            },
            _ => Call::Any,
        }
    }

    /// The name at this place of the path, below `/calendar/v3/calendars`.
    fn part(&self, index: usize) -> &str {
        self.parts.get(3 + index).map_or("", String::as_str)
    }

    fn token(&self) -> Option<&str> {
        self.authorization.strip_prefix("Bearer ")
    }
}

impl World {
    /// Takes a call: what goes wrong with it, and the answer if it is carried out.
    fn take(
        &mut self,
        call: Call,
        asked: &Asked,
    ) -> (Option<Fault>, Option<Result<Answer, Error>>) {
        let granted = asked
            .token()
            .and_then(|token| self.access_tokens.get(token));
        let account = granted.map(|granted| granted.account.clone());
        self.calls.push(Called {
            call,
            path: asked.path.clone(),
            query: asked.query.clone(),
            body: asked.body.clone(),
            account,
        });
        let fault = self.take_fault(call);
        if fault.as_ref().is_some_and(|fault| !fault.acts()) {
            return (fault, None);
        }
        let answer = self.act(call, asked);
        (fault, Some(answer))
    }

    fn act(&mut self, call: Call, asked: &Asked) -> Result<Answer, Error> {
        match call {
            Call::Consent => self.consent(&asked.query).map(Answer::Redirect),
            Call::Token => self
                .token(&asked.form, &asked.authorization)
                .map(Answer::Json),
            Call::Revoke => {
                let token = crate::oauth::get(&asked.form, "token");
                let token = token.or_else(|| crate::oauth::get(&asked.query, "token"));
                self.revoke_token(token).map(Answer::Json)
            }
            Call::ListCalendars => {
                let scopes = ["calendar.calendarlist", "calendar.calendarlist.readonly"];
                let account = self.allowed(asked, &scopes)?;
                self.list_calendars(&account, &asked.query)
                    .map(Answer::Json)
            }
            Call::StopChannel => {
                let account = self.allowed(asked, &["calendar.events"])?;
                self.stop(&account, &asked.body).map(|()| Answer::Nothing)
            }
            Call::Any => Err(Error::not_found()),
            _ => {
                let account = self.allowed(asked, &["calendar.events"])?;
                let listed = self.listed(&account, asked.part(0))?;
                self.act_on_events(call, asked, &account, &listed)
            }
        }
    }

    fn act_on_events(
        &mut self,
        call: Call,
        asked: &Asked,
        account: &str,
        listed: &Listed,
    ) -> Result<Answer, Error> {
        let id = asked.part(2);
        let if_match = asked.if_match.as_deref();
        match call {
            Call::InsertEvent => self.insert(listed, &asked.body),
            Call::GetEvent => {
                let event = self.get(listed, id)?;
                if event["etag"].as_str() == asked.if_none_match.as_deref() {
                    return Ok(Answer::NotModified);
                }
                Ok(event)
            }
            Call::UpdateEvent => self.update(listed, id, &asked.body, if_match),
            Call::PatchEvent => self.patch(listed, id, &asked.body, if_match),
            Call::DeleteEvent => {
                self.delete(listed, id, if_match)?;
                return Ok(Answer::Nothing);
            }
            Call::WatchEvents => self.watch(listed, account, &asked.body),
            _ => self.list_events(listed, &asked.query),
        }
        .map(Answer::Json)
    }

    /// Whose token it is, where it is one for this.
    fn allowed(&self, asked: &Asked, scopes: &[&str]) -> Result<String, Error> {
        let granted = asked
            .token()
            .and_then(|token| self.access_tokens.get(token));
        let granted = granted.ok_or_else(Error::denied)?;
        let given = granted.scope.split_whitespace();
        let fits = |given: &str| {
            given == CALENDAR
                || scopes
                    .iter()
                    .any(|scope| given == format!("https://www.googleapis.com/auth/{scope}"))
        };
        if !given.into_iter().any(fits) {
            let message = "Request had insufficient authentication scopes.";
            return Err(Error::api(
                403,
                "global",
                "insufficientPermissions",
                message,
            ));
        }
        Ok(granted.account.clone())
    }
}
