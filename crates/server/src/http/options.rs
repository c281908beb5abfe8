//! How the API is served. The defaults are right for a server on its own; a test changes what it is about.

use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::uri::Uri;

use crate::http::rate::Rate;

/// How the API is served.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Whose pages may call the API from a browser.
    pub cors: Cors,
    /// The most bytes of one request, and of one message on a WebSocket.
    pub body_limit: usize,
    /// How long one request may take, its body included.
    pub request_timeout: Duration,
    /// How long a WebSocket may take to say who asks.
    pub init_timeout: Duration,
    /// How often a WebSocket is pinged. One that says nothing for twice that long is dead.
    pub keepalive: Duration,
    /// How long one write to a WebSocket may take before its reader counts as too slow.
    pub write_timeout: Duration,
    /// How many operations one WebSocket may have open at once.
    pub operations: usize,
    /// How long requests may take to end once the server was told to stop.
    pub drain: Duration,
    /// How much one request may ask for.
    pub limits: graphql::Limits,
    /// How many requests one client may send; none: any number.
    pub rate: Option<Rate>,
    /// How many proxies in front say in `X-Forwarded-For` whom they speak for; 0: the header is a claim like any other.
    pub trust_forwarded: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            cors: Cors::Any,
            body_limit: 256 * 1024,
            request_timeout: Duration::from_secs(30),
            init_timeout: Duration::from_secs(10),
            keepalive: Duration::from_secs(20),
            write_timeout: Duration::from_secs(10),
            operations: 100,
            drain: Duration::from_secs(10),
            limits: graphql::Limits::default(),
            rate: None,
            trust_forwarded: 0,
        }
    }
}

/// Whose pages may call the API from a browser.
///
/// Any, unless set: booking widgets stand on pages anywhere, and there is nothing to protect from them. The server sets no cookies
/// and takes no other credentials that a browser adds by itself, so a foreign page can do what any program can, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// Pages of any origin.
    Any,
    /// Pages of these origins, and those of the server itself.
    Only(Vec<HeaderValue>),
}

/// The text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an origin such as https://www.example.com, without a path, or * for any")]
pub struct OriginError;

impl Cors {
    /// The origins of a list of texts; `*` among them means any, and so does an empty list.
    pub fn from_origins<'a>(
        origins: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, OriginError> {
        let mut list = Vec::new();
        for text in origins
            .into_iter()
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            if text == "*" {
                return Ok(Self::Any);
            }
            list.push(origin(text).ok_or(OriginError)?);
        }
        Ok(if list.is_empty() {
            Self::Any
        } else {
            Self::Only(list)
        })
    }

    /// Whether a page of this origin may open a WebSocket to this host. Browsers leave that check to the server.
    pub(crate) fn admits(&self, origin: Option<&HeaderValue>, host: Option<&HeaderValue>) -> bool {
        // Programs send no origin.
        let (Self::Only(list), Some(origin)) = (self, origin) else {
            return true;
        };
        let own = || {
            let page = origin.to_str().ok()?.split_once("://")?.1;
            Some(page.eq_ignore_ascii_case(host?.to_str().ok()?))
        };
        list.contains(origin) || own().unwrap_or(false)
    }
}

/// An origin as browsers send it: lower case, no slash at the end.
fn origin(text: &str) -> Option<HeaderValue> {
    let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    let uri: Uri = text.parse().ok()?;
    let whole = format!("{}://{}", uri.scheme_str()?, uri.authority()?);
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    (known && whole == text && !text.contains('@')).then(|| HeaderValue::from_str(&text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_scheme_and_host() {
        let only = |list: &[&str]| {
            Cors::Only(
                list.iter()
                    .map(|text| HeaderValue::from_str(text).unwrap())
                    .collect(),
            )
        };
        assert_eq!(Cors::from_origins([]), Ok(Cors::Any));
        assert_eq!(
            Cors::from_origins(["https://a.example", "*"]),
            Ok(Cors::Any)
        );
        assert_eq!(
            Cors::from_origins(["https://A.example/", "http://localhost:3000"]),
            Ok(only(&["https://a.example", "http://localhost:3000"]))
        );
        for wrong in [
            "a.example",
            "ftp://a.example",
            "https://a.example/page",
            "https://u:p@a.example",
            "https://",
        ] {
            assert_eq!(Cors::from_origins([wrong]), Err(OriginError), "{wrong}");
        }
    }

    #[test]
    fn a_socket_is_for_listed_pages_own_pages_and_programs() {
        let cors = Cors::from_origins(["https://a.example"]).unwrap();
        let header = HeaderValue::from_static;
        let admits = |origin: Option<&'static str>| {
            cors.admits(
                origin.map(header).as_ref(),
                Some(&header("book.example:8080")),
            )
        };
        assert!(admits(None));
        assert!(admits(Some("https://a.example")));
        assert!(admits(Some("http://book.example:8080")));
        assert!(!admits(Some("https://b.example")));
        assert!(!admits(Some("null")));
    }
}
