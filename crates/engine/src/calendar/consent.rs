//! A provider consents on a page of the other side, which sends them back here with a code (OAuth 2.0 with PKCE).
//!
//! What the answer must bear is random, known by its hash, bound to business, provider and plugin, good for one answer and ten minutes. The
//! verifier is kept sealed beside it: the code alone is of no use to anybody. To come back is not yet the answer: the provider is told first
//! to whom they show their calendar, and the answer is taken, and the code redeemed, when they say yes.

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{Id, ProviderId};
use domain::problem::Problem;
use plugin_api::Consent;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Conn;
use store::calendar_consent::ConsentRow;
use store::changes::Changes;

use super::access::no_calendar;
use super::connect::{ConnectCalendar, may_connect};
use super::follow::in_words;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result, secret};

/// How long an answer is waited for.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(10);

/// What the other side sends a provider back with.
#[derive(Clone, Default)]
pub struct ConsentAnswer {
    /// What we had it bear.
    pub state: Option<String>,
    /// What is redeemed.
    pub code: Option<SecretString>,
    /// Why there is no code: `access_denied`.
    pub error: Option<String>,
}

/// Whom a consent is about, by the names that people know them by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentParties {
    /// The business that asked.
    pub business: String,
    /// Whose bookings are entered.
    pub provider: String,
    /// What is connected: the plugin's title.
    pub calendar: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentOutcome {
    /// It was asked for, and the provider has not said yet that it is meant.
    Asked(ConsentParties),
    /// The calendar is connected.
    Connected(ConsentParties),
    /// It is not, and why.
    Failed(String),
    /// The answer was not asked for, came too late, or has been taken.
    Over,
    /// Nobody here asks for consents.
    Nobody,
}

struct AskCase {
    engine: Engine,
    caller: Caller,
    row: ConsentRow,
}

impl UseCase for AskCase {
    type Plan = ();
    type Answer = ();

    async fn plan(&self, _: u32) -> Result<()> {
        Ok(())
    }

    async fn write_in_tx(&self, conn: &Conn, (): &()) -> Result<(Changes, ()), TxError> {
        let now = self.engine.clock().now();
        let business = self.caller.business;
        store::calendar_consent::consent_insert_in_tx(conn, business, &self.row, now).await?;
        Ok((Changes::default(), ()))
    }
}

struct TakeCase {
    engine: Engine,
    caller: Caller,
    plugin: &'static str,
    state_hash: Vec<u8>,
}

/// A consent that was asked for, taken for its one answer.
#[derive(Serialize, Deserialize)]
struct Taken {
    provider: ProviderId,
    redirect_url: String,
    sealed: Vec<u8>,
}

impl UseCase for TakeCase {
    type Plan = ();
    type Answer = Option<Taken>;

    async fn plan(&self, _: u32) -> Result<()> {
        Ok(())
    }

    async fn write_in_tx(&self, conn: &Conn, (): &()) -> Result<(Changes, Option<Taken>), TxError> {
        let (business, now) = (self.caller.business, self.engine.clock().now());
        let row =
            store::calendar_consent::consent_take_in_tx(conn, business, &self.state_hash).await?;
        let good = row.filter(|row| is_good(row, self.plugin, now));
        let taken = good.map(|row| Taken {
            provider: ProviderId::from_uuid(row.provider_id),
            redirect_url: row.redirect_url,
            sealed: row.sealed,
        });
        Ok((Changes::default(), taken))
    }
}

/// Whether an answer by this plugin is taken now.
fn is_good(row: &ConsentRow, plugin: &str, now: DateTime<Utc>) -> bool {
    row.plugin == plugin && row.expires_at > now
}

fn sealed_for(plugin: &str, provider: ProviderId) -> String {
    format!("{plugin}/{provider}/consent")
}

/// What became of it, a refusal in words for people.
fn told(
    parties: Result<Option<ConsentParties>>,
    outcome: impl FnOnce(ConsentParties) -> ConsentOutcome,
) -> Result<ConsentOutcome> {
    match parties {
        Ok(parties) => Ok(parties.map_or(ConsentOutcome::Over, outcome)),
        Err(Error::Refused(problems)) => {
            let said: Vec<String> = problems.iter().map(in_words).collect();
            Ok(ConsentOutcome::Failed(said.join("; ")))
        }
        Err(error) => Err(error),
    }
}

impl Engine {
    /// The page on which a provider gives consent.
    pub async fn start_calendar_connection(
        &self,
        caller: &Caller,
        provider: ProviderId,
        plugin: &str,
    ) -> Result<String> {
        may_connect(caller, provider)?;
        let plugin = self.connectable(caller, &[], provider, plugin).await?;
        let catalogue = self.catalogue(caller).await?;
        let settings = self
            .settings_in_use(&catalogue, &*plugin)
            .map_err(|not| Problem::conflict(not.to_string()))?;
        let address = self.inbound_url(plugin.name(), &catalogue.business.slug);
        let address = address.ok_or_else(|| {
            Problem::conflict("the server does not know its public address, to which the answer comes: start it with --public-url")
        })?;
        let consent = Consent {
            redirect_url: format!("{address}/oauth"),
            state: secret::hex(&secret::random()?),
            code_verifier: secret::hex(&secret::random()?).into(),
        };
        let verifier = json!(consent.code_verifier.expose_secret());
        let name = sealed_for(plugin.name(), provider);
        let row = ConsentRow {
            state_hash: secret::hash(consent.state.as_bytes()),
            provider_id: provider.uuid(),
            plugin: plugin.name().to_owned(),
            redirect_url: consent.redirect_url.clone(),
            sealed: self.0.vault.seal(caller.business, &name, &verifier)?,
            expires_at: self.clock().now() + GOOD_FOR,
        };
        let asked = self.ask_plugin(&plugin, caller.business, move |plugin| {
            let calendar = plugin.calendar().ok_or_else(no_calendar)?;
            calendar.consent_url(&settings, &consent)
        });
        let url = asked.await?;
        let url = url.map_err(|failure| Problem::conflict(failure.reason()))?;
        let case = AskCase {
            engine: self.clone(),
            caller: *caller,
            row,
        };
        self.write(caller, None, &case).await?;
        Ok(url)
    }

    /// Hears what the other side of a plugin sends a provider back with, and says whom it is about. A no is taken at once; a yes changes
    /// nothing, and is taken by [`Self::take_consent`].
    pub async fn hear_consent(
        &self,
        slug: &str,
        plugin: &str,
        answer: ConsentAnswer,
    ) -> Result<ConsentOutcome> {
        if answer.error.is_some() || answer.code.is_none() {
            return self.take_consent(slug, plugin, answer).await;
        }
        let Some((caller, plugin)) = self.consent_to(slug, plugin).await? else {
            return Ok(ConsentOutcome::Nobody);
        };
        let asked = self.asked_consent(&caller, plugin, answer).await;
        told(asked, ConsentOutcome::Asked)
    }

    /// Takes what the other side of a plugin sent a provider back with, who has said that it is meant, and connects their calendar.
    pub async fn take_consent(
        &self,
        slug: &str,
        plugin: &str,
        answer: ConsentAnswer,
    ) -> Result<ConsentOutcome> {
        let Some((caller, plugin)) = self.consent_to(slug, plugin).await? else {
            return Ok(ConsentOutcome::Nobody);
        };
        let engine = self.clone();
        let taken = self.detached(async move { engine.consented(&caller, plugin, answer).await });
        told(taken.await, ConsentOutcome::Connected)
    }

    /// The business with this slug and the plugin of this name, where there are both.
    async fn consent_to(&self, slug: &str, plugin: &str) -> Result<Option<(Caller, &'static str)>> {
        let business = match self.business_id(slug).await {
            Ok(business) => business,
            Err(Error::NoBusiness(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut all = self.plugins().iter();
        let known = all.find(|known| known.name() == plugin && known.calendar().is_some());
        Ok(known.map(|plugin| (Caller::system(business), plugin.name())))
    }

    /// Whom an answer is about; none: there is nothing to take.
    async fn asked_consent(
        &self,
        caller: &Caller,
        plugin: &'static str,
        answer: ConsentAnswer,
    ) -> Result<Option<ConsentParties>> {
        let state_hash = secret::hash(answer.state.unwrap_or_default().as_bytes());
        let conn = self.0.database.conn().await?;
        let row = store::calendar_consent::consent_get(&conn, caller.business, &state_hash).await?;
        drop(conn);
        let now = self.clock().now();
        let Some(row) = row.filter(|row| is_good(row, plugin, now)) else {
            return Ok(None);
        };
        let provider = ProviderId::from_uuid(row.provider_id);
        let parties = self.consent_parties(caller, plugin, provider).await?;
        Ok(Some(parties))
    }

    async fn consent_parties(
        &self,
        caller: &Caller,
        plugin: &str,
        provider: ProviderId,
    ) -> Result<ConsentParties> {
        let plugin = self.connectable(caller, &[], provider, plugin).await?;
        let catalogue = self.catalogue(caller).await?;
        let provider = catalogue.provider(provider);
        Ok(ConsentParties {
            business: catalogue.business.name.clone(),
            provider: provider.map_or_else(String::new, |provider| provider.name.clone()),
            calendar: plugin.title().to_owned(),
        })
    }

    /// Takes an answer; none: there is nothing to take.
    async fn consented(
        &self,
        caller: &Caller,
        plugin: &'static str,
        answer: ConsentAnswer,
    ) -> Result<Option<ConsentParties>> {
        let case = TakeCase {
            engine: self.clone(),
            caller: *caller,
            plugin,
            state_hash: secret::hash(answer.state.unwrap_or_default().as_bytes()),
        };
        let Some(taken) = self.write(caller, None, &case).await? else {
            return Ok(None);
        };
        let code = answer.code.filter(|_| answer.error.is_none());
        let code = code.ok_or_else(|| Problem::conflict("the consent was not given"))?;
        let (refresh_token, settings) = self.redeem_consent(caller, plugin, &taken, &code).await?;
        let input = ConnectCalendar {
            provider_id: taken.provider,
            plugin: plugin.to_owned(),
            refresh_token: Some(refresh_token),
            read_from: None,
            write_to: None,
        };
        let parties = self.consent_parties(caller, plugin, taken.provider).await?;
        self.connect_calendar_by(caller, input, None, settings.into())
            .await?;
        Ok(Some(parties))
    }

    /// What the code was redeemed for, and by which version of the settings.
    async fn redeem_consent(
        &self,
        caller: &Caller,
        plugin: &str,
        taken: &Taken,
        code: &SecretString,
    ) -> Result<(SecretString, i64)> {
        let plugin = self
            .connectable(caller, &[], taken.provider, plugin)
            .await?;
        let catalogue = self.catalogue(caller).await?;
        let settings = self
            .settings_in_use(&catalogue, &*plugin)
            .map_err(|not| Problem::conflict(not.to_string()))?;
        let name = sealed_for(plugin.name(), taken.provider);
        let opened = self.0.vault.open(caller.business, &name, &taken.sealed);
        let version = settings.version();
        let verifier = opened.as_ref().and_then(|opened| opened.as_str());
        let verifier = verifier.ok_or_else(|| {
            Problem::conflict("the consent was asked for with another secret key: begin again")
        })?;
        let consent = Consent {
            redirect_url: taken.redirect_url.clone(),
            state: String::new(),
            code_verifier: verifier.to_owned().into(),
        };
        let (asked, code) = (plugin.clone(), code.clone());
        let work = async move {
            let calendar = asked.calendar().ok_or_else(no_calendar)?;
            let code = code.expose_secret();
            calendar.redeem(&settings, &consent, code).await
        };
        let redeemed = self.ask_calendar(&plugin, caller.business, work).await;
        let refresh_token = redeemed.map_err(|error| {
            Problem::conflict(format!("the consent could not be redeemed: {error}"))
        })?;
        Ok((refresh_token, version))
    }
}
