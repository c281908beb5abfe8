//! A check of settings, as far as Google can be asked without a provider.

use domain::id::BusinessId;
use plugin_api::{CalendarError, Check, Failure, PluginSettings, async_trait};
use secrecy::SecretString;

use crate::CalendarGoogle;
use crate::access::account;
use crate::client::{Request, below};
use crate::refusal::Refusal;
use crate::settings::{Account, OAuthClient};
use crate::token::{self, Grant};

/// A refresh token that nobody has.
const NOBODY: &str = "1//bookable-asks-whether-the-client-is-right";

#[async_trait]
impl Check for CalendarGoogle {
    /// A service account gets a token of its own and lists its own calendars; whether it may stand in for people shows with the first of
    /// them. Of a client Google says whether it knows it before it looks at the refresh token, which is made up.
    async fn check(&self, _: BusinessId, settings: &PluginSettings) -> Result<String, Failure> {
        let account = account(settings)?;
        let mut found = Vec::new();
        if let Some(client) = &account.client {
            found.push(self.check_client(&account, client).await?);
        }
        if account.service.is_some() {
            found.push(self.check_service(&account).await?);
        }
        Ok(found.join("; "))
    }
}

impl CalendarGoogle {
    async fn check_client(
        &self,
        account: &Account,
        client: &OAuthClient,
    ) -> Result<String, Failure> {
        let nobody = SecretString::from(NOBODY);
        let grant = Grant::Refresh(client, &nobody);
        match token::grant(&self.api.client, account, &grant).await {
            Ok(_) | Err(CalendarError::Revoked { .. }) => Ok(
                "Google accepts the client; whether it may see calendars shows with the first provider who connects"
                    .to_owned(),
            ),
            Err(error) => Err(failure(error)),
        }
    }

    async fn check_service(&self, account: &Account) -> Result<String, Failure> {
        let Some(service) = &account.service else {
            return Ok(String::new());
        };
        let client = &self.api.client;
        let granted = token::grant(client, account, &Grant::Service(service, None)).await;
        let token = granted.map_err(failure)?.access_token;
        let query = vec![("maxResults", "1".to_owned())];
        let url = below(&account.base, &["users", "me", "calendarList"], &query)?;
        let request = Request::get(url);
        let answer = client.send(&request, Some(&token), "apiBase").await?;
        if answer.is_success() && answer.json::<crate::answer::CalendarList>().is_some() {
            let email = &service.email;
            return Ok(format!(
                "Google accepts the key of {email}; whether it may stand in for people (domain-wide delegation) shows with the first provider"
            ));
        }
        Err(match Refusal::read(&answer, &token) {
            Some(refusal) => failure(refusal.into()),
            None => Failure::retry("the answer cannot be understood; is apiBase right?"),
        })
    }
}

/// What a check can say of an error that is about somebody's access.
fn failure(error: CalendarError) -> Failure {
    match error {
        CalendarError::Failed(failure) => failure,
        other @ (CalendarError::Revoked { .. } | CalendarError::TokenExpired) => {
            Failure::misconfigured(format!("serviceAccount: {other}"))
        }
    }
}
