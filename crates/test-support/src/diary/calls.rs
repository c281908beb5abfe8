//! The calls that the diary takes, on good days and bad ones.

use std::future::pending;

use chrono::TimeDelta;
use domain::id::BookingId;
use plugin_api::{
    BookingEvent, CalendarAccess, CalendarAccount, CalendarError, CalendarSync, ChannelRequest,
    Consent, ExternalMove, ExternalState, Failure, Inbound, InboundAbout, InboundRefused,
    InboundRequest, InboundWebhook, Page, PluginSettings, PullFrom, WatchChannel, Written,
    async_trait,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::events::page;
use super::{BadCall, Channel, Diary, DiaryEvent, State, account_of, event_id, known, writable};

/// How long a channel tells.
const CHANNEL_DAYS: i64 = 7;

/// What the page is shown of a verifier (here in hexadecimal).
fn challenge(verifier: &SecretString) -> String {
    format!("{:x}", Sha256::digest(verifier.expose_secret().as_bytes()))
}

impl Diary {
    async fn call<T>(
        &self,
        method: &'static str,
        act: impl FnOnce(&mut State) -> Result<T, CalendarError>,
    ) -> Result<T, CalendarError> {
        let mut bad = {
            let mut state = self.state();
            *state.calls.entry(method).or_default() += 1;
            let mut all = state.bad_calls.iter();
            let next = all.position(|(only, _)| only.is_none_or(|only| only == method));
            next.and_then(|at| state.bad_calls.remove(at))
                .map(|(_, bad)| bad)
        };
        self.told.send_modify(|count| *count += 1);
        match bad {
            Some(BadCall::Refused(error)) => return Err(error),
            Some(BadCall::Hangs) => pending().await,
            Some(BadCall::Blocks) => {
                self.obstacle.block();
                bad = None;
            }
            Some(BadCall::Panics) => panic!("as it was told"),
            Some(BadCall::AnswerLost) | None => {}
        }
        let done = act(&mut self.state());
        self.told.send_modify(|count| *count += 1);
        match bad {
            Some(_) => Err(Failure::retry("the connection was closed").into()),
            None => done,
        }
    }
}

#[async_trait]
impl CalendarSync for Diary {
    fn on_external_move(&self, settings: &PluginSettings) -> ExternalMove {
        if settings.json()["onExternalMove"] == "FOLLOW" {
            ExternalMove::Follow
        } else {
            ExternalMove::Restore
        }
    }

    fn poll_seconds(&self, settings: &PluginSettings) -> u32 {
        let seconds = settings.json()["pollSeconds"].as_u64();
        seconds.map_or(60, |seconds| u32::try_from(seconds).unwrap())
    }

    fn has_own_access(&self, settings: &PluginSettings) -> bool {
        settings.json()["ownAccess"] == true
    }

    fn consent_url(&self, _: &PluginSettings, consent: &Consent) -> Result<String, Failure> {
        let verifier = consent.code_verifier.expose_secret();
        assert!((43..=128).contains(&verifier.len()), "RFC 7636, 4.1");
        let challenge = challenge(&consent.code_verifier);
        let Consent {
            redirect_url,
            state,
            ..
        } = consent;
        Ok(format!(
            "https://diary.example/consent?state={state}&challenge={challenge}&redirect={redirect_url}"
        ))
    }

    async fn redeem(
        &self,
        _: &PluginSettings,
        consent: &Consent,
        code: &str,
    ) -> Result<SecretString, CalendarError> {
        let challenge = challenge(&consent.code_verifier);
        self.call("redeem", |state| match state.codes.remove(code) {
            Some((asked, token)) if asked == challenge => Ok(token.into()),
            _ => Err(Failure::give_up("invalid_grant").into()),
        })
        .await
    }

    async fn account(&self, access: &CalendarAccess) -> Result<CalendarAccount, CalendarError> {
        self.call("account", |state| account_of(state, access).map(known))
            .await
    }

    async fn put(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        event: &BookingEvent,
    ) -> Result<Written, CalendarError> {
        self.call("put", |state| {
            let account = account_of(state, access)?;
            writable(account, calendar, Failure::misconfigured)?;
            state.seq += 1;
            let etag = format!("e{}", state.seq);
            let event_there = DiaryEvent {
                booking: Some(event.booking_id),
                etag: etag.clone(),
                state: ExternalState::Busy {
                    starts_at: event.starts_at,
                    ends_at: event.ends_at,
                },
                summary: event.summary.clone(),
                changed: state.seq,
            };
            let events = state.events.entry(calendar.to_owned()).or_default();
            events.insert(event_id(event.booking_id), event_there);
            Ok(Written { etag })
        })
        .await
    }

    async fn delete(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        booking: BookingId,
    ) -> Result<(), CalendarError> {
        self.call("delete", |state| {
            let account = account_of(state, access)?;
            writable(account, calendar, Failure::give_up)?;
            let seq = state.seq + 1;
            let events = state.events.entry(calendar.to_owned()).or_default();
            if let Some(event) = events.get_mut(&event_id(booking))
                && event.state != ExternalState::Gone
            {
                event.state = ExternalState::Gone;
                (event.etag, event.changed) = (format!("e{seq}"), seq);
                state.seq = seq;
            }
            Ok(())
        })
        .await
    }

    async fn pull(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        from: &PullFrom,
    ) -> Result<Page, CalendarError> {
        self.call("pull", |state| {
            account_of(state, access)?;
            page(state, calendar, from)
        })
        .await
    }

    async fn watch(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        channel: &ChannelRequest,
    ) -> Result<WatchChannel, CalendarError> {
        let now = self.now();
        self.call("watch", |state| {
            account_of(state, access)?;
            let id = channel.id.clone();
            let opened = WatchChannel {
                id: id.clone(),
                resource_id: format!("{calendar}/events"),
                expires_at: now + TimeDelta::days(CHANNEL_DAYS),
            };
            let channel = Channel {
                calendar: calendar.to_owned(),
                request: channel.clone(),
            };
            state.channels.insert(id, channel);
            Ok(opened)
        })
        .await
    }

    async fn unwatch(
        &self,
        access: &CalendarAccess,
        channel: &WatchChannel,
    ) -> Result<(), CalendarError> {
        self.call("unwatch", |state| {
            account_of(state, access)?;
            state.channels.remove(&channel.id);
            Ok(())
        })
        .await
    }
}

impl InboundWebhook for Diary {
    fn verify(
        &self,
        _: &PluginSettings,
        request: &InboundRequest,
    ) -> Result<Inbound, InboundRefused> {
        let header = |name: &str| {
            let missing = || InboundRefused::Unreadable(format!("{name} is missing"));
            request.header(name).ok_or_else(missing)
        };
        let channel_id = header("diary-channel")?.to_owned();
        let secret = request.header("diary-secret").unwrap_or_default();
        let id = format!("{channel_id}:{}", header("diary-number")?);
        let about = InboundAbout::Calendar {
            channel_id,
            secret_digest: Sha256::digest(secret.as_bytes()).into(),
        };
        Ok(Inbound::new(id, about))
    }
}
