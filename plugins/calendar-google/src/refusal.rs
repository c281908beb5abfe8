//! What it means when Google's API says no, in words that staff understand.

use std::time::Duration;

use outbound::presentable;
use plugin_api::{CalendarError, Failure};
use secrecy::SecretString;

use crate::answer::ErrorBody;
use crate::client::Answer;

/// The API's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: u16,
    /// Google's word for it: `rateLimitExceeded`.
    pub reason: String,
    /// Google's sentence for it.
    pub message: String,
    /// How long it asks to be left alone.
    pub after: Option<Duration>,
}

impl Refusal {
    /// Reads an answer that is not a yes; none where it does not look like Google's. The access token is not repeated.
    pub fn read(answer: &Answer, token: &SecretString) -> Option<Self> {
        let error = answer.json::<ErrorBody>()?.error;
        let reason = error.errors.into_iter().next().and_then(|item| item.reason);
        Some(Self {
            status: answer.status,
            reason: reason.unwrap_or_default(),
            message: presentable(&error.message, &[token]),
            after: answer.after,
        })
    }

    /// Whether the access itself is turned down. An address that may not be called (of a channel) is answered by the same status.
    pub fn is_denied(&self) -> bool {
        self.status == 401 && !self.reason.starts_with("push.")
    }

    /// Whether the account has no right to do this in this calendar.
    pub fn is_of_rights(&self) -> bool {
        self.status == 403 && self.reason == "requiredAccessLevel"
    }

    /// Whether it is the token of an earlier page or reading that is not taken. Of one that it cannot even read Google says 400.
    pub fn is_of_token(&self, is_sync: bool) -> bool {
        let names_token = || self.message.to_ascii_lowercase().contains("token");
        self.status == 410 || self.status == 400 && (is_sync || names_token())
    }
}

impl From<Refusal> for CalendarError {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            status,
            reason,
            message,
            after,
        } = refusal;
        let failure = match (status, reason.as_str()) {
            (_, reason) if reason.starts_with("push.") => Failure::misconfigured(format!(
                "Google does not take the address that it is to call: {message}"
            )),
            (401, _) => {
                let reason = format!("Google does not accept the access, connect anew: {message}");
                return Self::Revoked { reason };
            }
            (403, "insufficientPermissions") => {
                let reason = format!(
                    "the consent leaves out calendars, connect anew and tick every box: {message}"
                );
                return Self::Revoked { reason };
            }
            (
                403 | 429,
                "rateLimitExceeded"
                | "userRateLimitExceeded"
                | "quotaExceeded"
                | "dailyLimitExceeded",
            ) => Failure::Retry {
                after,
                reason: format!("Google asks to be tried again later: {message}"),
            },
            (403, "accessNotConfigured") => Failure::misconfigured(format!(
                "the Google Calendar API is not switched on in the Google Cloud project of clientId or serviceAccount: {message}"
            )),
            (403, "requiredAccessLevel") => Failure::misconfigured(format!(
                "the account may not do this in this calendar, choose another: {message}"
            )),
            (404, _) => Failure::misconfigured(format!(
                "there is no such calendar, or the account does not see it, choose another: {message}"
            )),
            (409 | 412, _) => Failure::retry(format!(
                "the calendar was changed at the same time: {message}"
            )),
            _ => Failure::give_up(format!("Google answered {status}: {message}")),
        };
        Self::Failed(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, reason: &str) -> CalendarError {
        let refusal = Refusal {
            status,
            reason: reason.to_owned(),
            message: "Words.".to_owned(),
            after: Some(Duration::from_secs(7)),
        };
        refusal.into()
    }

    #[test]
    fn every_no_has_its_meaning() {
        let retry = |error: CalendarError| matches!(error, CalendarError::Failed(Failure::Retry { after, .. }) if after == Some(Duration::from_secs(7)));
        for reason in [
            "rateLimitExceeded",
            "userRateLimitExceeded",
            "quotaExceeded",
        ] {
            assert!(retry(meaning(403, reason)), "{reason}");
        }
        let revoked = |error| matches!(error, CalendarError::Revoked { .. });
        assert!(revoked(meaning(401, "authError")));
        assert!(revoked(meaning(403, "insufficientPermissions")));
        let misconfigured =
            |error| matches!(error, CalendarError::Failed(Failure::Misconfigured { .. }));
        for (status, reason) in [
            (400, "push.webhookUrlNotHttps"),
            (401, "push.webhookUrlUnauthorized"),
            (403, "accessNotConfigured"),
            (403, "requiredAccessLevel"),
            (404, "notFound"),
        ] {
            assert!(misconfigured(meaning(status, reason)), "{reason}");
        }
        let over = |error| matches!(error, CalendarError::Failed(Failure::GiveUp { .. }));
        assert!(over(meaning(403, "forbidden")));
        assert!(over(meaning(400, "timeRangeEmpty")));
        let again = |error| matches!(error, CalendarError::Failed(Failure::Retry { .. }));
        assert!(again(meaning(412, "conditionNotMet")));
    }
}
