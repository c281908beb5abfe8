//! Where the other side of a plugin sends a provider back to who has been asked for consent: `/plugins/<name>/<slug of the business>/oauth`. The
//! answers are small pages for people. Neither they nor the log hold the code or the state.
//!
//! To come back connects nothing yet: the page names the business and the provider, and asks. So nobody who was sent the address of
//! somebody else's consent shows them their calendar without having read whom (RFC 9700, 4.7: the answer need not be in the browser in
//! which the consent was asked for, since staff may send the address to the provider).

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use engine::calendar::{ConsentAnswer, ConsentOutcome, ConsentParties};
use serde::Deserialize;

use super::page::Page;
use super::site::Site;

const NOT_CONNECTED: &str = "The calendar is not connected";
const AGAIN: &str = "Nothing has changed. To try again, ask for a new link where you got this one.";

/// What the other side adds to the address.
#[derive(Deserialize)]
pub(super) struct Answer {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

impl From<Answer> for ConsentAnswer {
    fn from(answer: Answer) -> Self {
        Self {
            state: answer.state,
            code: answer.code.map(Into::into),
            error: answer.error,
        }
    }
}

/// The provider comes back.
pub(super) async fn ask(
    State(site): State<Site>,
    Path((plugin, slug)): Path<(String, String)>,
    Query(answer): Query<Answer>,
) -> Response {
    let outcome = site.engine().hear_consent(&slug, &plugin, answer.into());
    shown(&plugin, outcome.await)
}

/// The provider has read whom they show their calendar, and says yes.
pub(super) async fn take(
    State(site): State<Site>,
    Path((plugin, slug)): Path<(String, String)>,
    Query(answer): Query<Answer>,
) -> Response {
    let outcome = site.engine().take_consent(&slug, &plugin, answer.into());
    shown(&plugin, outcome.await)
}

fn shown(plugin: &str, outcome: engine::Result<ConsentOutcome>) -> Response {
    match outcome {
        Ok(ConsentOutcome::Asked(parties)) => question(&parties),
        Ok(ConsentOutcome::Connected(parties)) => connected(&parties),
        Ok(ConsentOutcome::Failed(reason)) => {
            failed(StatusCode::BAD_REQUEST, &[&sentence(&reason), AGAIN])
        }
        // It may be the second click of two.
        Ok(ConsentOutcome::Over) => Page {
            title: "This link can no longer be used",
            paragraphs: &[
                "It has been used, came too late, or was not given out here: it is good once, for ten minutes.",
                "If you have just connected your calendar, all is well and you can close this page.",
                "Otherwise ask for a new link where you got this one.",
            ],
            button: None,
        }
        .answer(StatusCode::BAD_REQUEST),
        Ok(ConsentOutcome::Nobody) => Page {
            title: "There is nothing here",
            paragraphs: &["Nobody here asks for such a consent."],
            button: None,
        }
        .answer(StatusCode::NOT_FOUND),
        Err(error) => {
            tracing::warn!(%error, plugin, "a consent could not be taken");
            let reason = "Something went wrong in the server.";
            failed(StatusCode::SERVICE_UNAVAILABLE, &[reason, AGAIN])
        }
    }
}

fn question(parties: &ConsentParties) -> Response {
    let ConsentParties {
        business,
        provider,
        calendar,
    } = parties;
    Page {
        title: &format!("Connect your calendar with {business}?"),
        paragraphs: &[
            &format!("{business} will enter the bookings of {provider} in your {calendar}, and see there when you are busy, so that nobody books those times."),
            &format!("Go on only if you are {provider}, and know {business}."),
            "If you did not ask for this, close this page: nothing is connected.",
        ],
        button: Some("Connect"),
    }
    .answer(StatusCode::OK)
}

fn connected(parties: &ConsentParties) -> Response {
    let ConsentParties {
        business,
        provider,
        calendar,
    } = parties;
    Page {
        title: "The calendar is connected",
        paragraphs: &[
            &format!("The bookings of {provider} at {business} are kept in step with your {calendar} from now on."),
            "You can close this page.",
        ],
        button: None,
    }
    .answer(StatusCode::OK)
}

fn failed(status: StatusCode, paragraphs: &[&str]) -> Response {
    Page {
        title: NOT_CONNECTED,
        paragraphs,
        button: None,
    }
    .answer(status)
}

/// A reason as a sentence.
fn sentence(reason: &str) -> String {
    let mut rest = reason.trim().chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    let text: String = first.chain(rest).collect();
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_shown_as_a_sentence() {
        assert_eq!(sentence("it came too late"), "It came too late.");
        assert_eq!(sentence(" Ärger! "), "Ärger!");
    }
}
