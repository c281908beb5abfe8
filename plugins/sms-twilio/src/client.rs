//! HTTP with Twilio, and nothing else: forms out, JSON in, of bounded size and within a time limit. It repeats nothing by itself. What goes
//! wrong becomes a [`Failure`] that says whether another attempt makes sense; none repeats the token.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use outbound::reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use outbound::reqwest::{Method, Response, StatusCode};
use outbound::{Outbound, OutboundError, SettingNames, Url, presentable, read_bounded, refusal};
use plugin_api::Failure;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::code;
use crate::settings::Account;

/// The most of an answer that is read.
const ANSWER_MAX: usize = 1 << 20;
const SETTINGS: SettingNames = SettingNames {
    address: "apiBase",
    credentials: "authToken",
};

/// A form: names and values, in order.
pub(crate) type Form = Vec<(String, String)>;

/// Calls Twilio.
pub(crate) struct Client {
    pub outbound: Outbound,
    pub timeout: Duration,
}

/// An answer, and what the clock over there showed.
pub(crate) struct Answered<T> {
    pub answer: T,
    pub theirs: Option<DateTime<Utc>>,
}

/// A call that did not work.
#[derive(Debug)]
pub(crate) enum CallError {
    /// It is not known what became of it, or it never had a chance.
    Failed(Failure),
    /// Twilio understood, and will not do it.
    Refused { code: i64, words: String },
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Failed(failure) => failure,
            CallError::Refused { code, words } => code::failure(code, &words),
        }
    }
}

impl From<OutboundError> for CallError {
    fn from(error: OutboundError) -> Self {
        Self::Failed(error.failure(SETTINGS))
    }
}

/// The body of Twilio's errors.
#[derive(Deserialize)]
struct ErrorBody {
    code: i64,
    #[serde(default)]
    message: String,
}

impl Client {
    /// Reads something of the account: `Messages.json`; of the account itself: nothing.
    pub async fn get<T: DeserializeOwned>(
        &self,
        account: &Account,
        path: &str,
        query: Option<&str>,
    ) -> Result<Answered<T>, CallError> {
        let mut url = account.url(path)?;
        url.set_query(query);
        self.call(account, Method::GET, url, String::new()).await
    }

    /// Reads a messaging service, which lives on a host of its own.
    pub async fn service<T: DeserializeOwned>(
        &self,
        account: &Account,
        sid: &str,
    ) -> Result<T, CallError> {
        let url = account.service_url(sid)?;
        let answered = self.call(account, Method::GET, url, String::new()).await?;
        Ok(answered.answer)
    }

    /// Acts.
    pub async fn post<T: DeserializeOwned>(
        &self,
        account: &Account,
        path: &str,
        form: &Form,
    ) -> Result<T, CallError> {
        let url = account.url(path)?;
        let answered = self.call(account, Method::POST, url, encoded(form)).await?;
        Ok(answered.answer)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        account: &Account,
        method: Method,
        url: Url,
        body: String,
    ) -> Result<Answered<T>, CallError> {
        let mut request = self.outbound.http().request(method.clone(), url);
        if method == Method::POST {
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            request = request.header(CONTENT_TYPE, kind).body(body);
        }
        let request = request
            .basic_auth(&account.sid, Some(account.token.expose_secret()))
            .timeout(self.timeout);
        let response = self.outbound.send(request).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(unsuccessful(account, status, response).await);
        }
        let theirs = date(response.headers());
        let body = read_bounded(response, ANSWER_MAX).await?;
        let answer = serde_json::from_slice(&body)
            .map_err(|_| retry("Twilio's answer cannot be understood; is apiBase right?"))?;
        Ok(Answered { answer, theirs })
    }
}

impl Account {
    fn url(&self, path: &str) -> Result<Url, CallError> {
        let separator = if path.is_empty() { "" } else { "/" };
        let account = &self.sid;
        let suffix = if path.is_empty() { ".json" } else { path };
        let url = self
            .base
            .join(&format!("2010-04-01/Accounts/{account}{separator}{suffix}"));
        url.map_err(|_| misconfigured("apiBase: is not an address"))
    }

    /// Where a messaging service is: `messaging.…` beside Twilio's own `api.…`, in every region; elsewhere in the same place.
    fn service_url(&self, sid: &str) -> Result<Url, CallError> {
        let wrong = || misconfigured("apiBase: is not an address");
        let mut url = self
            .base
            .join(&format!("v1/Services/{sid}"))
            .map_err(|_| wrong())?;
        let host = url.host_str().unwrap_or_default();
        if host.ends_with(".twilio.com")
            && let Some(rest) = host.strip_prefix("api.")
        {
            let host = format!("messaging.{rest}");
            url.set_host(Some(&host)).map_err(|_| wrong())?;
        }
        Ok(url)
    }
}

pub(crate) fn encoded(form: &Form) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}

fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let date: SystemTime = httpdate::parse_http_date(date).ok()?;
    Some(date.into())
}

fn retry(reason: impl Into<String>) -> CallError {
    CallError::Failed(Failure::retry(reason))
}

fn misconfigured(reason: impl Into<String>) -> CallError {
    CallError::Failed(Failure::misconfigured(reason))
}

async fn unsuccessful(account: &Account, status: StatusCode, response: Response) -> CallError {
    let is_denied = matches!(status.as_u16(), 401 | 403);
    let said: Option<ErrorBody> = match refusal(response, ANSWER_MAX).await {
        Ok(said) => said,
        Err(error) => return error.into(),
    };
    match said {
        Some(ErrorBody { code, message }) => {
            let words = presentable(&message, &[&account.token]);
            if is_denied && code::meaning(code).is_none() {
                return misconfigured(format!("authToken: Twilio does not accept it: {words}"));
            }
            CallError::Refused { code, words }
        }
        None if is_denied => misconfigured(format!("authToken: Twilio answered {status}")),
        None => retry(format!(
            "the other side answered {status}, and not as Twilio does; is apiBase right?"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::settings::Settings;

    #[test]
    fn messaging_services_are_beside_the_api() {
        let sid = "AC0123456789abcdef0123456789abcdef";
        for (base, expected) in [
            (None, "https://messaging.twilio.com/v1/Services/MG1"),
            (
                Some("https://api.dublin.ie1.twilio.com"),
                "https://messaging.dublin.ie1.twilio.com/v1/Services/MG1",
            ),
            (
                Some("http://localhost:4010/x"),
                "http://localhost:4010/x/v1/Services/MG1",
            ),
            (
                Some("https://api.example.com"),
                "https://api.example.com/v1/Services/MG1",
            ),
        ] {
            let settings =
                json!({ "accountSid": sid, "authToken": "t", "from": "Aurora", "apiBase": base });
            let settings = Settings::from_json(settings).unwrap();
            let account = settings.account().unwrap();
            assert_eq!(account.service_url("MG1").unwrap().as_str(), expected);
            let own = account.url("").unwrap();
            assert!(own.path().ends_with(&format!("/Accounts/{sid}.json")));
        }
    }
}
