//! What an answer says by its status, and its body in bounded memory.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use crate::error::{OutboundError, host_of};

/// The answer, unless its status already says all: credentials that are not taken, too much asked, a redirect, a fault of the other side.
/// What else is not a success (400, 404, 409, 422, …) is for the plugin to understand.
///
/// # Errors
/// [`OutboundError`] by the status.
pub fn judged(response: Response) -> Result<Response, OutboundError> {
    let host = host_of(response.url());
    let status = response.status().as_u16();
    Err(match response.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => OutboundError::Denied { host, status },
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE => {
            let after = retry_after(response.headers());
            OutboundError::Busy {
                host,
                status,
                after,
            }
        }
        other if other.is_redirection() => OutboundError::Elsewhere { host, status },
        other if other.is_server_error() => OutboundError::Faulty { host, status },
        _ => return Ok(response),
    })
}

/// The body, if it has no more bytes than that; more are not read, whatever the other side announced.
///
/// # Errors
/// [`OutboundError::TooLong`], or what went wrong on the way.
pub async fn read_bounded(
    mut response: Response,
    max_bytes: usize,
) -> Result<Vec<u8>, OutboundError> {
    let host = host_of(response.url());
    let mut body = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(body),
            Err(error) => return Err(OutboundError::of(host, &error)),
        };
        if chunk.len() > max_bytes - body.len() {
            return Err(OutboundError::TooLong { host, max_bytes });
        }
        body.extend_from_slice(&chunk);
    }
}

/// How long the other side asks to be left alone: seconds, or a date by its own clock.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if !asked.is_empty() && asked.bytes().all(|digit| digit.is_ascii_digit()) {
        // A number beyond all measure is still a number.
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)));
    }
    // Without its own clock beside it, a date says nothing about how long.
    let now = httpdate::parse_http_date(text(DATE)?).ok()?;
    let until = httpdate::parse_http_date(asked).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(asked: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, asked.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_understood_and_nothing_else() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(after("120", None), Some(120));
        assert_eq!(after(" 0 ", None), Some(0));
        assert_eq!(after("99999999999999999999999", None), Some(u64::MAX));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:37 GMT", date), Some(60));
        assert_eq!(after("Sunday, 06-Nov-94 08:50:37 GMT", date), Some(60));
        assert_eq!(after("Sun, 06 Nov 1994 08:00:00 GMT", date), Some(0));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:37 GMT", None), None);
        assert_eq!(
            after("Sun, 06 Nov 1994 08:50:37 GMT", Some("garbage")),
            None
        );
        for garbage in [
            "",
            "soon",
            "-5",
            "1.5",
            "+5",
            "12 s",
            "Sun, 99 Nov 1994 08:50:37 GMT",
        ] {
            assert_eq!(after(garbage, date), None, "{garbage}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
