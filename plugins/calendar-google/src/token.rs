//! The token endpoint: what is asked of it, and what its answers mean (RFC 6749; PKCE, RFC 7636; assertions, RFC 7523).

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use outbound::reqwest::Method;
use outbound::{Url, presentable};
use plugin_api::{CalendarError, Consent, Failure};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::answer::{Granted, TokenError};
use crate::client::{self, Body, Client, Form, Request};
use crate::key::ServiceKey;
use crate::settings::{Account, OAuthClient};

/// Events are read, written and watched.
const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
/// Calendars are listed, and not one of their settings is changed. Whose they are the main one says by its id: no scope for that.
const CALENDARS: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";

/// Whom an assertion is for: always this, says Google, wherever it is sent to; its own libraries do so too.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";

/// What access is asked for.
#[derive(Debug)]
pub(crate) enum Grant<'a> {
    /// By the code that a consent brought.
    Code(&'a OAuthClient, &'a Consent, &'a SecretString),
    /// By the refresh token of a provider.
    Refresh(&'a OAuthClient, &'a SecretString),
    /// By the service account, in the name of somebody.
    Service(&'a ServiceKey, Option<&'a str>),
}

/// The page on which a provider gives consent.
pub(crate) fn consent_url(account: &Account, client: &OAuthClient, consent: &Consent) -> Url {
    let query: Form = vec![
        ("client_id", client.id.clone()),
        ("redirect_uri", consent.redirect_url.clone()),
        ("response_type", "code".to_owned()),
        ("scope", scopes()),
        ("state", consent.state.clone()),
        ("code_challenge", challenge(&consent.code_verifier)),
        ("code_challenge_method", "S256".to_owned()),
        // A refresh token; without being asked anew, somebody who consented before gets none.
        ("access_type", "offline".to_owned()),
        ("prompt", "consent".to_owned()),
    ];
    let mut page = account.consent_page.clone();
    page.set_query(Some(&client::form(&query)));
    page
}

/// Asks for access.
pub(crate) async fn grant(
    client: &Client,
    account: &Account,
    grant: &Grant<'_>,
) -> Result<Granted, CalendarError> {
    let request = Request {
        method: Method::POST,
        url: account.token_url.clone(),
        body: Body::Form(grant.form()?),
    };
    let answer = client.send(&request, None, "tokenUrl").await?;
    if answer.is_success() {
        let granted = answer.json::<Granted>();
        let granted = granted.filter(|granted| !granted.access_token.expose_secret().is_empty());
        return granted.ok_or_else(|| {
            Failure::retry("Google's answer cannot be understood; is tokenUrl right?").into()
        });
    }
    match answer.json::<TokenError>() {
        Some(said) => Err(grant.refused(&said)),
        None => Err(Failure::retry(format!(
            "the other side answered {}, and not as Google does; is tokenUrl right?",
            answer.status
        ))
        .into()),
    }
}

/// The lasting access in what a consent brought.
///
/// # Errors
/// [`CalendarError`] where it is not lasting, or does not cover calendars.
pub(crate) fn lasting(granted: Granted) -> Result<SecretString, CalendarError> {
    if let Some(scope) = &granted.scope {
        let is_given = |wanted: &str| scope.split_whitespace().any(|given| given == wanted);
        if !(is_given(EVENTS) && is_given(CALENDARS)) {
            return Err(CalendarError::Revoked {
                reason: "the consent leaves out calendars: connect anew and tick every box"
                    .to_owned(),
            });
        }
    }
    let refresh = granted.refresh_token;
    refresh.ok_or_else(|| {
        Failure::give_up(
            "Google gave no lasting access: remove this app at myaccount.google.com/permissions and connect anew",
        )
        .into()
    })
}

fn scopes() -> String {
    format!("{EVENTS} {CALENDARS}")
}

/// PKCE's S256.
fn challenge(verifier: &SecretString) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(verifier.expose_secret().as_bytes()))
}

impl Grant<'_> {
    fn form(&self) -> Result<Form, Failure> {
        let mut form: Form = match self {
            Self::Code(_, consent, code) => vec![
                ("grant_type", "authorization_code".to_owned()),
                ("code", code.expose_secret().to_owned()),
                ("redirect_uri", consent.redirect_url.clone()),
                (
                    "code_verifier",
                    consent.code_verifier.expose_secret().to_owned(),
                ),
            ],
            Self::Refresh(_, token) => vec![
                ("grant_type", "refresh_token".to_owned()),
                ("refresh_token", token.expose_secret().to_owned()),
            ],
            Self::Service(key, subject) => {
                let assertion = key.assertion(AUDIENCE, &scopes(), *subject, world_time());
                let assertion = assertion
                    .map_err(|error| Failure::misconfigured(format!("serviceAccount: {error}")))?;
                let kind = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                vec![
                    ("grant_type", kind.to_owned()),
                    ("assertion", assertion.expose_secret().to_owned()),
                ]
            }
        };
        if let Self::Code(client, ..) | Self::Refresh(client, _) = self {
            form.push(("client_id", client.id.clone()));
            form.push(("client_secret", client.secret.expose_secret().to_owned()));
        }
        Ok(form)
    }

    /// What a no means.
    fn refused(&self, said: &TokenError) -> CalendarError {
        let words = self.words(said);
        let misconfigured =
            |setting: &str| Failure::misconfigured(format!("{setting}: Google answered: {words}"));
        let failure = match (said.error.as_str(), self) {
            ("invalid_grant", Self::Refresh(..)) => {
                let reason = format!(
                    "the access was taken back or has run out, the provider must connect anew: {words}"
                );
                return CalendarError::Revoked { reason };
            }
            ("invalid_grant", Self::Code(..)) => {
                let reason = format!("the consent cannot be used, connect anew: {words}");
                return CalendarError::Revoked { reason };
            }
            // Not the key, the person: somebody who is not, or not any more, of the organization.
            ("invalid_grant", Self::Service(_, Some(subject)))
                if said.error_description.contains("User ID") =>
            {
                let reason = format!("Google knows no account {subject}: {words}");
                return CalendarError::Revoked { reason };
            }
            ("unauthorized_client" | "invalid_scope", Self::Service(_, Some(subject))) => {
                Failure::misconfigured(format!(
                    "serviceAccount: it may not stand in for {subject}; its client id needs domain-wide delegation for {}: {words}",
                    scopes()
                ))
            }
            (_, Self::Service(..)) => misconfigured("serviceAccount"),
            (
                "temporarily_unavailable"
                | "server_error"
                | "internal_failure"
                | "rate_limit_exceeded"
                | "slow_down",
                _,
            ) => Failure::retry(format!("Google answered: {words}")),
            ("invalid_client", _) if !said.error_description.contains("not found") => {
                misconfigured("clientSecret")
            }
            _ => misconfigured("clientId"),
        };
        failure.into()
    }

    /// Google's words without what was sent.
    fn words(&self, said: &TokenError) -> String {
        let words = if said.error_description.is_empty() {
            said.error.clone()
        } else {
            format!("{} ({})", said.error_description, said.error)
        };
        match self {
            Self::Code(client, consent, code) => {
                presentable(&words, &[&client.secret, &consent.code_verifier, code])
            }
            Self::Refresh(client, token) => presentable(&words, &[&client.secret, token]),
            Self::Service(..) => presentable(&words, &[]),
        }
    }
}

/// Google holds an assertion against its own clock: the world's, whatever time tests and `--clock` make it here.
#[expect(
    clippy::disallowed_methods,
    reason = "what is compared with the clock of another is by the clock that both share"
)]
fn world_time() -> DateTime<Utc> {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_one_of_the_rfc() {
        let verifier = SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let expected = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge(&verifier), expected);
    }

    #[test]
    fn what_was_left_out_of_a_consent_is_missed_at_once() {
        let granted = |scope: Option<&str>, refresh: Option<&str>| Granted {
            access_token: "a".into(),
            expires_in: 3599,
            refresh_token: refresh.map(SecretString::from),
            scope: scope.map(str::to_owned),
        };
        let all = format!("{CALENDARS} openid {EVENTS}");
        let lasted = lasting(granted(Some(&all), Some("r"))).unwrap();
        assert_eq!(lasted.expose_secret(), "r");
        assert!(lasting(granted(None, Some("r"))).is_ok());
        let partly = lasting(granted(Some(CALENDARS), Some("r"))).unwrap_err();
        assert!(matches!(partly, CalendarError::Revoked { .. }));
        let brief = lasting(granted(Some(&all), None)).unwrap_err();
        assert!(matches!(
            brief,
            CalendarError::Failed(Failure::GiveUp { .. })
        ));
    }
}
