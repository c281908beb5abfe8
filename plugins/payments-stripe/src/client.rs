//! HTTP with Stripe, and nothing else: forms out, JSON in, of bounded size and within a time limit. It repeats nothing by itself. What
//! goes wrong becomes a [`Failure`] that says whether another attempt makes sense; none repeats a secret.

use std::time::Duration;

use outbound::reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use outbound::reqwest::{Method, Response, StatusCode};
use outbound::{Outbound, OutboundError, SettingNames, Url, presentable, read_bounded, refusal};
use plugin_api::Failure;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::settings::Account;

/// The version of the API that the answers are read in, whichever one the account is set to.
const VERSION: &str = "2026-10-28.endive";
/// The most of an answer that is read.
const ANSWER_MAX: usize = 1 << 20;
const SETTINGS: SettingNames = SettingNames {
    address: "apiBase",
    credentials: "secretKey",
};

/// A form: names and values, in order.
pub(crate) type Form = Vec<(String, String)>;

/// Calls Stripe.
pub(crate) struct Client {
    pub outbound: Outbound,
    pub timeout: Duration,
}

/// A call that did not work.
#[derive(Debug)]
pub(crate) enum CallError {
    /// It is not known what became of it, or it never had a chance.
    Failed(Failure),
    /// Stripe understood, and will not do it.
    Refused(Refusal),
}

/// Stripe's no.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub code: Option<String>,
    pub message: String,
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Failed(failure) => failure,
            CallError::Refused(refusal) => refusal.into(),
        }
    }
}

impl CallError {
    /// A question that Stripe refuses to answer leaves open what became of what was asked for before: it is asked again.
    pub fn unclear(self) -> Failure {
        match self.into() {
            Failure::GiveUp { reason } => Failure::retry(reason),
            other => other,
        }
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<OutboundError> for CallError {
    fn from(error: OutboundError) -> Self {
        Self::Failed(error.failure(SETTINGS))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        // What Stripe once named it does not know any more: the key is another account's, or of the other mode.
        if refusal.code.as_deref() == Some("resource_missing") {
            return Self::misconfigured(format!("secretKey: Stripe answered: {}", refusal.message));
        }
        Self::give_up(format!("Stripe answered: {}", refusal.message))
    }
}

/// The body of Stripe's errors.
#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    code: Option<String>,
    message: Option<String>,
}

impl Client {
    /// Reads.
    pub async fn get<T: DeserializeOwned>(
        &self,
        account: &Account,
        path: &str,
        query: &Form,
    ) -> Result<T, CallError> {
        let mut url = url(account, path)?;
        if !query.is_empty() {
            url.set_query(Some(&encoded(query)));
        }
        self.call(account, Method::GET, url, HeaderMap::new(), String::new())
            .await
    }

    /// Acts. With a key, Stripe acts once and answers a repeat as it did the first time, for a day at least; also where that was an error of its own.
    pub async fn post<T: DeserializeOwned>(
        &self,
        account: &Account,
        path: &str,
        form: &Form,
        key: Option<&str>,
    ) -> Result<T, CallError> {
        let url = url(account, path)?;
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, kind);
        if let Some(key) = key {
            headers.insert("idempotency-key", header(key, false)?);
        }
        self.call(account, Method::POST, url, headers, encoded(form))
            .await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        account: &Account,
        method: Method,
        url: Url,
        mut headers: HeaderMap,
        body: String,
    ) -> Result<T, CallError> {
        let bearer = format!("Bearer {}", account.key.expose_secret());
        headers.insert(AUTHORIZATION, header(&bearer, true)?);
        headers.insert("stripe-version", HeaderValue::from_static(VERSION));
        let request = self.outbound.http().request(method, url);
        let request = request.headers(headers).body(body).timeout(self.timeout);
        let response = self.outbound.send(request).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(unsuccessful(account, status, response).await);
        }
        let body = read_bounded(response, ANSWER_MAX).await?;
        serde_json::from_slice(&body)
            .map_err(|_| retry("Stripe's answer cannot be understood; is apiBase right?"))
    }
}

fn url(account: &Account, path: &str) -> Result<Url, CallError> {
    let url = account.base.join(&format!("v1/{path}"));
    url.map_err(|_| misconfigured("apiBase: is not an address"))
}

fn encoded(form: &Form) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}

fn header(text: &str, is_secret: bool) -> Result<HeaderValue, CallError> {
    let value = HeaderValue::from_str(text);
    let mut value =
        value.map_err(|_| misconfigured("secretKey: holds characters that no key has"))?;
    value.set_sensitive(is_secret);
    Ok(value)
}

fn retry(reason: impl Into<String>) -> CallError {
    CallError::Failed(Failure::retry(reason))
}

fn misconfigured(reason: impl Into<String>) -> CallError {
    CallError::Failed(Failure::misconfigured(reason))
}

async fn unsuccessful(account: &Account, status: StatusCode, response: Response) -> CallError {
    let said: Option<ErrorBody> = match refusal(response, ANSWER_MAX).await {
        Ok(said) => said,
        Err(error) => return error.into(),
    };
    let message = said.as_ref().and_then(|body| body.error.message.as_deref());
    let message = match message {
        Some(words) => presentable(words, &[&account.key]),
        None => status.to_string(),
    };
    match (status.as_u16(), said) {
        (401, _) => misconfigured(format!("secretKey: Stripe does not accept it: {message}")),
        (403, _) => misconfigured(format!("secretKey: it may not do this: {message}")),
        // Another call with the same key is under way.
        (409, _) => retry(format!("Stripe answered: {message}")),
        (_, Some(body)) => CallError::Refused(Refusal {
            code: body.error.code,
            message,
        }),
        (_, None) => retry(format!(
            "the other side answered {status}, and not as Stripe does; is apiBase right?"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded_as_browsers_do() {
        let form = vec![("metadata[a b]".to_owned(), "Zoë & co".to_owned())];
        assert_eq!(encoded(&form), "metadata%5Ba+b%5D=Zo%C3%AB+%26+co");
    }
}
