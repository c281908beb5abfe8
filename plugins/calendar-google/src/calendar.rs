//! The capability. Every act may be repeated: an event's id follows from its booking, and what is done already is seen and left alone.

use chrono::DateTime;
use domain::id::BookingId;
use outbound::Url;
use outbound::reqwest::Method;
use plugin_api::{
    BookingEvent, CalendarAccess, CalendarAccount, CalendarError, CalendarSync, ChannelRequest,
    Consent, ExternalMove, Failure, Page, PluginSettings, PullFrom, WatchChannel, Written,
    async_trait,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::CalendarGoogle;
use crate::access::{CallError, account};
use crate::answer::{CalendarList, Channel, Event, EventList, WrittenEvent};
use crate::client::{Answer, Body, Form, Request, below};
use crate::map;
use crate::settings::{Account, OAuthClient, POLL_DEFAULT, Settings};
use crate::token::{self, Grant};

/// How long a channel calls, in seconds: as long as Google lets one of events.
const CHANNEL_TTL: u32 = 7 * 24 * 60 * 60;
/// How many pages of calendars are read: an account that sees more than ten thousand is none.
const LIST_PAGES: u32 = 40;

#[async_trait]
impl CalendarSync for CalendarGoogle {
    fn on_external_move(&self, settings: &PluginSettings) -> ExternalMove {
        let wish = settings.read::<Settings>().ok();
        let wish = wish.and_then(|settings| settings.on_external_move);
        wish.map_or(ExternalMove::Restore, ExternalMove::from)
    }

    fn poll_seconds(&self, settings: &PluginSettings) -> u32 {
        let settings = settings.read::<Settings>();
        settings.map_or(POLL_DEFAULT, |settings| settings.poll())
    }

    fn has_own_access(&self, settings: &PluginSettings) -> bool {
        account(settings).is_ok_and(|account| account.service.is_some())
    }

    fn consent_url(&self, settings: &PluginSettings, consent: &Consent) -> Result<String, Failure> {
        let account = account(settings)?;
        let page = token::consent_url(&account, client_of(&account)?, consent);
        Ok(page.into())
    }

    async fn redeem(
        &self,
        settings: &PluginSettings,
        consent: &Consent,
        code: &str,
    ) -> Result<SecretString, CalendarError> {
        let account = account(settings)?;
        let code = SecretString::from(code);
        let grant = Grant::Code(client_of(&account)?, consent, &code);
        token::lasting(token::grant(&self.api.client, &account, &grant).await?)
    }

    async fn account(&self, access: &CalendarAccess) -> Result<CalendarAccount, CalendarError> {
        let place = account(&access.settings)?;
        let mut entries = Vec::new();
        let mut page: Option<String> = None;
        for _ in 0..LIST_PAGES {
            let mut query = vec![("maxResults", "250".to_owned())];
            query.extend(page.take().map(|token| ("pageToken", token)));
            let url = below(&place.base, &["users", "me", "calendarList"], &query)?;
            let answer = self.api.call(&place, access, &Request::get(url)).await?;
            let list: CalendarList = understood(&answer)?;
            entries.extend(list.items);
            page = list.next_page_token;
            if page.is_none() {
                break;
            }
        }
        // The main one first, the others in Google's order.
        entries.sort_by_key(|entry| !entry.primary);
        let main = entries.first().filter(|entry| entry.primary);
        let name = main.map(|entry| entry.id.clone());
        let service = || Some(place.service.as_ref()?.email.clone());
        let name = name.or_else(|| access.subject.clone()).or_else(service);
        Ok(CalendarAccount {
            name: name.unwrap_or_default(),
            calendars: entries.into_iter().map(map::calendar).collect(),
        })
    }

    async fn put(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        event: &BookingEvent,
    ) -> Result<Written, CalendarError> {
        let place = account(&access.settings)?;
        let all = events(&place, calendar, &Form::new())?;
        let insert = Request::json(Method::POST, all, map::body(event));
        match self.api.call(&place, access, &insert).await {
            Ok(answer) => written(&answer),
            // It was there before, be it deleted.
            Err(CallError::Refused(refusal)) if refusal.status == 409 => {
                self.update(&place, access, calendar, event).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        booking: BookingId,
    ) -> Result<(), CalendarError> {
        let place = account(&access.settings)?;
        let request = Request {
            method: Method::DELETE,
            url: one_event(&place, calendar, booking)?,
            body: Body::None,
        };
        match self.api.call(&place, access, &request).await {
            Ok(answer) if answer.is_empty() => Ok(()),
            Ok(_) => Err(unclear()),
            Err(CallError::Refused(refusal)) if is_gone(refusal.status) => Ok(()),
            Err(CallError::Refused(refusal)) if refusal.is_of_rights() => {
                // It stays: another calendar to write to would not change that.
                let reason = format!("the event may not be taken away: {}", refusal.message);
                Err(Failure::give_up(reason).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn pull(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        from: &PullFrom,
    ) -> Result<Page, CalendarError> {
        let place = account(&access.settings)?;
        let url = events(&place, calendar, &map::query(from))?;
        let answer = match self.api.call(&place, access, &Request::get(url)).await {
            Ok(answer) => answer,
            Err(CallError::Refused(refusal)) if refusal.is_of_token(from.sync_token.is_some()) => {
                return Err(CalendarError::TokenExpired);
            }
            Err(error) => return Err(error.into()),
        };
        let list: EventList = understood(&answer)?;
        Ok(map::page(list, &self.zones)?)
    }

    async fn watch(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        channel: &ChannelRequest,
    ) -> Result<WatchChannel, CalendarError> {
        let place = account(&access.settings)?;
        let names = ["calendars", calendar, "events", "watch"];
        let body = json!({
            "id": channel.id, "token": channel.secret.expose_secret(), "type": "web_hook", "address": channel.address,
            "params": { "ttl": CHANNEL_TTL.to_string() }
        });
        let request = Request::json(
            Method::POST,
            below(&place.base, &names, &Form::new())?,
            body,
        );
        let answer = self.api.call(&place, access, &request).await?;
        let opened: Channel = understood(&answer)?;
        let milliseconds = match &opened.expiration {
            serde_json::Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        };
        let expires_at = milliseconds.and_then(DateTime::from_timestamp_millis);
        Ok(WatchChannel {
            id: channel.id.clone(),
            resource_id: opened.resource_id,
            expires_at: expires_at.ok_or_else(unclear)?,
        })
    }

    async fn unwatch(
        &self,
        access: &CalendarAccess,
        channel: &WatchChannel,
    ) -> Result<(), CalendarError> {
        let place = account(&access.settings)?;
        let url = below(&place.base, &["channels", "stop"], &Form::new())?;
        let body = json!({ "id": channel.id, "resourceId": channel.resource_id });
        let request = Request::json(Method::POST, url, body);
        match self.api.call(&place, access, &request).await {
            Ok(answer) if answer.is_empty() => Ok(()),
            Ok(_) => Err(unclear()),
            Err(CallError::Refused(refusal)) if is_gone(refusal.status) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl CalendarGoogle {
    /// Writes an event that is there. As it stands already (the answer to writing it was lost) it is left alone, so that no change comes
    /// of it.
    async fn update(
        &self,
        place: &Account,
        access: &CalendarAccess,
        calendar: &str,
        event: &BookingEvent,
    ) -> Result<Written, CalendarError> {
        let url = one_event(place, calendar, event.booking_id)?;
        let look = Request::get(url.clone());
        let answer = self.api.call(place, access, &look).await;
        let there: Event = understood(&answer.map_err(in_between)?)?;
        if map::stands(&there, event) {
            return Ok(Written { etag: there.etag });
        }
        let body = map::body_over(&there, event);
        let request = Request::json(Method::PUT, url, body);
        let answer = self.api.call(place, access, &request).await;
        written(&answer.map_err(in_between)?)
    }
}

fn client_of(account: &Account) -> Result<&OAuthClient, Failure> {
    let missing = "clientId: is required, with clientSecret, for providers to give their consent";
    let client = account.client.as_ref();
    client.ok_or_else(|| Failure::misconfigured(missing))
}

fn events(place: &Account, calendar: &str, query: &Form) -> Result<Url, Failure> {
    below(&place.base, &["calendars", calendar, "events"], query)
}

fn one_event(place: &Account, calendar: &str, booking: BookingId) -> Result<Url, Failure> {
    let id = map::event_id(booking);
    let names = ["calendars", calendar, "events", &id];
    below(&place.base, &names, &Form::new())
}

fn is_gone(status: u16) -> bool {
    matches!(status, 404 | 410)
}

/// An event that was there a moment ago, or was of another sequence, has been changed meanwhile.
fn in_between(error: CallError) -> CalendarError {
    match error {
        CallError::Refused(refusal)
            if is_gone(refusal.status)
                || refusal.status == 400 && refusal.message.contains("sequence") =>
        {
            let reason = "the calendar was changed at the same time";
            CalendarError::Failed(Failure::retry(reason))
        }
        other => other.into(),
    }
}

fn written(answer: &Answer) -> Result<Written, CalendarError> {
    let event: WrittenEvent = understood(answer)?;
    Ok(Written { etag: event.etag })
}

fn understood<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, CalendarError> {
    answer.json().ok_or_else(unclear)
}

fn unclear() -> CalendarError {
    Failure::retry("Google's answer cannot be understood; is apiBase right?").into()
}
