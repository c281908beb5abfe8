//! Where the other side of a plugin sends a provider back to who has been asked for consent: `/plugins/<name>/<slug of the business>/oauth`. The
//! answer is a small page for people. Neither it nor the log holds the code or the state.

use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use engine::calendar::{ConsentAnswer, ConsentOutcome};
use serde::Deserialize;

use super::site::Site;

/// Of the page: it is nobody else's, shows nothing from elsewhere, and its address goes nowhere.
const HEADERS: [(HeaderName, &str); 3] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'"),
    (REFERRER_POLICY, "no-referrer"),
];

/// What the other side adds to the address.
#[derive(Deserialize)]
pub(super) struct Answer {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

pub(super) async fn take(
    State(site): State<Site>,
    Path((plugin, slug)): Path<(String, String)>,
    Query(answer): Query<Answer>,
) -> Response {
    let answer = ConsentAnswer {
        state: answer.state,
        code: answer.code.map(Into::into),
        error: answer.error,
    };
    match site.engine().take_consent(&slug, &plugin, answer).await {
        Ok(ConsentOutcome::Connected(provider)) => page(
            StatusCode::OK,
            "The calendar is connected",
            &format!(
                "The calendar of {provider} is kept in step from now on. You can close this page."
            ),
        ),
        Ok(ConsentOutcome::Failed(reason)) => page(
            StatusCode::BAD_REQUEST,
            "The calendar is not connected",
            &reason,
        ),
        Ok(ConsentOutcome::Nobody) => page(
            StatusCode::NOT_FOUND,
            "There is nothing here",
            "Nobody here asks for such a consent.",
        ),
        Err(error) => {
            tracing::warn!(%error, plugin, "a consent could not be taken");
            page(
                StatusCode::SERVICE_UNAVAILABLE,
                "The calendar is not connected",
                "Something went wrong in the server. Please begin again.",
            )
        }
    }
}

fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let (title, text) = (escaped(title), escaped(text));
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><h1>{title}</h1><p>{text}</p></html>"
    );
    (status, HEADERS, Html(html)).into_response()
}

/// A text in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_other_side_says_is_text_and_not_markup() {
        assert_eq!(
            escaped("<script>\"a\" & 'b'</script>"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;"
        );
    }
}
