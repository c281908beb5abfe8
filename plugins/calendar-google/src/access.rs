//! Access to the API: tokens are kept in memory until shortly before they run out, and one that is not taken is replaced once.

use std::time::{Duration, Instant};

use domain::id::{BusinessId, ProviderId};
use moka::Expiry;
use moka::future::Cache;
use plugin_api::{CalendarAccess, CalendarError, Failure};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::client::{Answer, Client, Request};
use crate::refusal::Refusal;
use crate::settings::{Account, Settings};
use crate::token::{self, Grant};

/// How many tokens are kept: one for each provider that is worked on within the hour.
const KEPT: u64 = 10_000;
/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(60);

/// Whose token it is. Settings that were changed and providers who connected anew have another at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Holder {
    business: BusinessId,
    provider: ProviderId,
    version: i64,
    /// Of the refresh token or the subject, whichever counts.
    digest: [u8; 32],
}

#[derive(Clone)]
struct Kept {
    token: SecretString,
    good_for: Duration,
}

struct UntilItEnds;

impl Expiry<Holder, Kept> for UntilItEnds {
    fn expire_after_create(&self, _: &Holder, kept: &Kept, _: Instant) -> Option<Duration> {
        Some(kept.good_for)
    }
}

/// A call that did not work.
#[derive(Debug)]
pub(crate) enum CallError {
    /// It is known already what that means.
    Failed(CalendarError),
    /// Google understood, and will not do it.
    Refused(Refusal),
}

impl From<CallError> for CalendarError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Failed(error) => error,
            CallError::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<CalendarError> for CallError {
    fn from(error: CalendarError) -> Self {
        Self::Failed(error)
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

/// The way to the API.
pub(crate) struct Api {
    pub client: Client,
    kept: Cache<Holder, Kept>,
}

impl Api {
    pub fn new(client: Client) -> Self {
        let kept = Cache::builder()
            .max_capacity(KEPT)
            .expire_after(UntilItEnds)
            .build();
        Self { client, kept }
    }

    /// Makes a call in somebody's name.
    ///
    /// # Errors
    /// [`CallError`], also for an answer that is not Google's.
    pub async fn call(
        &self,
        account: &Account,
        access: &CalendarAccess,
        request: &Request,
    ) -> Result<Answer, CallError> {
        let holder = holder(access);
        let mut token = self.token(account, access, &holder).await?;
        let mut answer = self.client.send(request, Some(&token), "apiBase").await?;
        let is_denied = |answer: &Answer, token: &SecretString| {
            answer.status == 401
                && Refusal::read(answer, token).is_some_and(|refusal| refusal.is_denied())
        };
        if is_denied(&answer, &token) {
            self.forget(&holder, &token).await;
            token = self.token(account, access, &holder).await?;
            answer = self.client.send(request, Some(&token), "apiBase").await?;
        }
        if answer.is_success() {
            return Ok(answer);
        }
        Err(match Refusal::read(&answer, &token) {
            Some(refusal) => {
                if refusal.is_denied() {
                    self.forget(&holder, &token).await;
                }
                CallError::Refused(refusal)
            }
            None => Failure::retry(format!(
                "the other side answered {}, and not as Google does; is apiBase right?",
                answer.status
            ))
            .into(),
        })
    }

    async fn token(
        &self,
        account: &Account,
        access: &CalendarAccess,
        holder: &Holder,
    ) -> Result<SecretString, CalendarError> {
        let fresh = async {
            let granted = token::grant(&self.client, account, &grant_of(account, access)?).await?;
            let good_for = Duration::from_secs(granted.expires_in).saturating_sub(MARGIN);
            let token = granted.access_token;
            Ok::<_, CalendarError>(Kept { token, good_for })
        };
        // Whoever wants the same token meanwhile waits for this one.
        let kept = self.kept.try_get_with(holder.clone(), fresh).await;
        kept.map(|kept| kept.token)
            .map_err(|error| CalendarError::clone(&error))
    }

    /// Lets go of a token that was not taken, unless another has taken its place.
    async fn forget(&self, holder: &Holder, token: &SecretString) {
        let kept = self.kept.get(holder).await;
        if kept.is_some_and(|kept| kept.token.expose_secret() == token.expose_secret()) {
            self.kept.invalidate(holder).await;
        }
    }
}

/// The account that the access's settings describe.
///
/// # Errors
/// [`Failure::Misconfigured`], naming the setting.
pub(crate) fn account(settings: &plugin_api::PluginSettings) -> Result<Account, Failure> {
    Ok(settings.read::<Settings>()?.account()?)
}

fn grant_of<'a>(
    account: &'a Account,
    access: &'a CalendarAccess,
) -> Result<Grant<'a>, CalendarError> {
    if let Some(token) = &access.refresh_token {
        let missing = "clientId: is required for providers who gave their consent";
        let client = account.client.as_ref();
        let client = client.ok_or_else(|| Failure::misconfigured(missing))?;
        return Ok(Grant::Refresh(client, token));
    }
    let service = account
        .service
        .as_ref()
        .ok_or_else(|| CalendarError::Revoked {
            reason: "the provider has not given consent, and there is no serviceAccount".to_owned(),
        })?;
    Ok(Grant::Service(service, access.subject.as_deref()))
}

fn holder(access: &CalendarAccess) -> Holder {
    let mut digest = Sha256::new();
    if let Some(token) = &access.refresh_token {
        digest.update(b"token ");
        digest.update(token.expose_secret());
    } else {
        digest.update(b"subject ");
        digest.update(access.subject.as_deref().unwrap_or_default());
    }
    Holder {
        business: access.business_id,
        provider: access.provider_id,
        version: access.settings.version(),
        digest: digest.finalize().into(),
    }
}
