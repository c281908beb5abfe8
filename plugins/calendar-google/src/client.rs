//! HTTP with Google, and nothing else: JSON and forms out, answers in, of bounded size and within a time limit. It repeats nothing by
//! itself. What no answer came of becomes a [`Failure`]; what Google said is for the caller to understand.

use std::time::Duration;

use outbound::reqwest::Method;
use outbound::reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use outbound::{Outbound, OutboundError, SettingNames, Url, judged, read_bounded, retry_after};
use plugin_api::Failure;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The most of an answer that is read: 250 events of a few hundred bytes each, several times over.
const ANSWER_MAX: usize = 4 << 20;

/// A form or a query: names and values, in order.
pub(crate) type Form = Vec<(&'static str, String)>;

/// Calls Google.
pub(crate) struct Client {
    pub outbound: Outbound,
    pub timeout: Duration,
}

/// A call.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub method: Method,
    pub url: Url,
    pub body: Body,
}

/// What a call bears.
#[derive(Clone)]
pub(crate) enum Body {
    None,
    Form(Form),
    Json(Value),
}

impl std::fmt::Debug for Body {
    // Forms hold secrets, events hold what people wrote.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Form(_) => "Form(..)",
            Self::Json(_) => "Json(..)",
        })
    }
}

/// What Google said, be it yes or no.
pub(crate) struct Answer {
    pub status: u16,
    /// How long it asks to be left alone.
    pub after: Option<Duration>,
    body: Vec<u8>,
}

impl Answer {
    /// Whether it is a yes.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it has no body: of acts that Google answers nothing to, anything else is somebody else's answer.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// The answer as JSON of this shape; none where it has another.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl Request {
    /// Reads.
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            body: Body::None,
        }
    }

    /// Sends JSON.
    pub fn json(method: Method, url: Url, body: Value) -> Self {
        let body = Body::Json(body);
        Self { method, url, body }
    }
}

impl Client {
    /// Makes a call to an address that comes from this setting.
    ///
    /// # Errors
    /// [`Failure`] where no answer came, or one whose status says all: too much asked, a redirect, a fault of the other side.
    pub async fn send(
        &self,
        request: &Request,
        bearer: Option<&SecretString>,
        setting: &'static str,
    ) -> Result<Answer, Failure> {
        let failed = |error: OutboundError| error.failure(SettingNames::one(setting));
        let (body, kind) = encoded(&request.body);
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if let Some(bearer) = bearer {
            let (name, value) = authorization(bearer)?;
            headers.insert(name, value);
        }
        let http = self.outbound.http();
        let made = http.request(request.method.clone(), request.url.clone());
        let made = made.headers(headers).body(body).timeout(self.timeout);
        let response = self.outbound.send(made).await.map_err(failed)?;
        let status = response.status().as_u16();
        let after = retry_after(response.headers());
        // Of a call that is not allowed Google says why; of its other troubles the status says all.
        let response = if matches!(status, 401 | 403) {
            response
        } else {
            judged(response).map_err(failed)?
        };
        let body = read_bounded(response, ANSWER_MAX).await.map_err(failed)?;
        Ok(Answer {
            status,
            after,
            body,
        })
    }
}

/// The address under a base with these names behind it, each one whole whatever characters it has.
///
/// # Errors
/// [`Failure::Misconfigured`] where nothing can stand behind the base.
pub(crate) fn below(base: &Url, names: &[&str], query: &Form) -> Result<Url, Failure> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| Failure::misconfigured("apiBase: is not an address"))?
        .pop_if_empty()
        .extend(names);
    if !query.is_empty() {
        url.set_query(Some(&form(query)));
    }
    Ok(url)
}

/// A form as it is sent.
pub(crate) fn form(pairs: &Form) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn encoded(body: &Body) -> (String, Option<&'static str>) {
    match body {
        Body::None => (String::new(), None),
        Body::Form(pairs) => (form(pairs), Some("application/x-www-form-urlencoded")),
        Body::Json(json) => (json.to_string(), Some("application/json")),
    }
}

fn authorization(bearer: &SecretString) -> Result<(HeaderName, HeaderValue), Failure> {
    let text = format!("Bearer {}", bearer.expose_secret());
    let value = HeaderValue::from_str(&text);
    let mut value =
        value.map_err(|_| Failure::retry("Google's access token cannot be sent in a header"))?;
    value.set_sensitive(true);
    Ok((AUTHORIZATION, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_whole_in_addresses() {
        let base: Url = "http://127.0.0.1:1/calendar/v3".parse().unwrap();
        let names = ["calendars", "en.uk#holiday@group.v/é?", "events"];
        let query = vec![("pageToken", "a b&c".to_owned())];
        assert_eq!(
            below(&base, &names, &query).unwrap().as_str(),
            "http://127.0.0.1:1/calendar/v3/calendars/en.uk%23holiday@group.v%2F%C3%A9%3F/events?pageToken=a+b%26c"
        );
    }

    #[test]
    fn bodies_do_not_show() {
        let url: Url = "http://127.0.0.1:1/token".parse().unwrap();
        let request = Request {
            method: Method::POST,
            url,
            body: Body::Form(vec![("client_secret", "hunter2".to_owned())]),
        };
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
