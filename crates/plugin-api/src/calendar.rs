//! Calendars elsewhere: bookings are written there, and what is busy there is read. The engine keeps what was read and decides what follows;
//! the plugin speaks the other side's protocol. No booking ever waits for it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{BookingId, BusinessId, ProviderId};
use secrecy::SecretString;

use crate::delivery::Failure;
use crate::settings::PluginSettings;

/// Keeps calendars elsewhere in step.
#[async_trait]
pub trait CalendarSync: Send + Sync {
    /// What becomes of a booking whose event was moved or deleted there.
    fn on_external_move(&self, settings: &PluginSettings) -> ExternalMove;

    /// How often calendars are asked for changes of which nobody tells, in seconds.
    fn poll_seconds(&self, settings: &PluginSettings) -> u32;

    /// Whether a provider needs no consent of their own, because the business has access for all (a service account).
    fn has_own_access(&self, settings: &PluginSettings) -> bool;

    /// The page on which a provider gives consent (OAuth 2.0, RFC 6749, with PKCE, RFC 7636).
    ///
    /// # Errors
    /// [`Failure::Misconfigured`] where the settings lack what it takes.
    fn consent_url(&self, settings: &PluginSettings, consent: &Consent) -> Result<String, Failure>;

    /// Turns the code that the consent brought into lasting access.
    ///
    /// # Errors
    /// [`CalendarError`]: there is none; a code is good for one attempt.
    async fn redeem(
        &self,
        settings: &PluginSettings,
        consent: &Consent,
        code: &str,
    ) -> Result<SecretString, CalendarError>;

    /// Whose calendars these are, and which there are: shows that the access works.
    ///
    /// # Errors
    /// [`CalendarError`].
    async fn account(&self, access: &CalendarAccess) -> Result<CalendarAccount, CalendarError>;

    /// Writes a booking's event, whether or not it is there; one and the same however often it is written.
    ///
    /// # Errors
    /// [`CalendarError`]: it may or may not be written; writing it again finds out.
    async fn put(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        event: &BookingEvent,
    ) -> Result<Written, CalendarError>;

    /// Takes a booking's event away; one that is not there is taken away already.
    ///
    /// # Errors
    /// [`CalendarError`]: it may or may not be gone. [`Failure::GiveUp`] where it may not be taken away (the calendar can only be read): then
    /// it stays, and what else is to be done is done.
    async fn delete(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        booking: BookingId,
    ) -> Result<(), CalendarError>;

    /// One page of what changed since the token, or of all that lies ahead where there is none. Recurring events come as single ones.
    /// What was deleted is told of as [`ExternalState::Gone`], by a reading of all too: an event of ours that is only missing there counts as
    /// lost and is put back, whatever becomes of one that was deleted.
    ///
    /// # Errors
    /// [`CalendarError::TokenExpired`]: read all anew, without a token.
    async fn pull(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        from: &PullFrom,
    ) -> Result<Page, CalendarError>;

    /// Has the other side tell this address when a calendar changes.
    ///
    /// # Errors
    /// [`CalendarError`]: it may or may not tell.
    async fn watch(
        &self,
        access: &CalendarAccess,
        calendar: &str,
        channel: &ChannelRequest,
    ) -> Result<WatchChannel, CalendarError>;

    /// Has it tell no more. A channel that is not there tells no more already.
    ///
    /// # Errors
    /// [`CalendarError`].
    async fn unwatch(
        &self,
        access: &CalendarAccess,
        channel: &WatchChannel,
    ) -> Result<(), CalendarError>;
}

/// What becomes of a booking whose event was moved or deleted elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalMove {
    /// The event is put back.
    Restore,
    /// The booking follows, where its new time is free and its policy allows; else the event is put back.
    Follow,
}

/// A consent that is asked for.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Where the answer comes.
    pub redirect_url: String,
    /// What the answer bears, so that it is known for an answer to this.
    pub state: String,
    /// The secret of PKCE, 43 to 128 characters; the page is only shown its S256 challenge.
    pub code_verifier: SecretString,
}

/// By what a provider's calendars are reached.
#[derive(Debug, Clone)]
pub struct CalendarAccess {
    /// The business.
    pub business_id: BusinessId,
    /// The provider.
    pub provider_id: ProviderId,
    /// What the business has set.
    pub settings: PluginSettings,
    /// The provider's refresh token; none: by the business's own access.
    pub refresh_token: Option<SecretString>,
    /// The account that the business's own access stands in for: the provider's email address.
    pub subject: Option<String>,
}

/// An account elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarAccount {
    /// Its name, as its owner knows it: an email address.
    pub name: String,
    /// Its calendars; the main one first.
    pub calendars: Vec<ExternalCalendar>,
}

/// A calendar elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalCalendar {
    /// The other side's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether events can be written to it.
    pub writable: bool,
}

/// A booking as it is to stand in a calendar elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookingEvent {
    /// The booking: the event's id follows from it, so a repeat never doubles.
    pub booking_id: BookingId,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// The zone in which it is shown.
    pub time_zone: String,
    /// The title.
    pub summary: String,
    /// More, as plain text.
    pub description: String,
    /// Where.
    pub location: String,
}

/// An event as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The other side's name for this state of it: what comes back bearing it is our own echo.
    pub etag: String,
}

/// From where on to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullFrom {
    /// What the last page of the last reading left; none: read all.
    pub sync_token: Option<String>,
    /// What the page before left, where this is not the first of a reading.
    pub page_token: Option<String>,
    /// Of a reading of all: only what ends after this,
    pub after: DateTime<Utc>,
    /// and begins before this.
    pub before: DateTime<Utc>,
}

/// One page of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What is there, or is there no more.
    pub changes: Vec<ExternalChange>,
    /// How to go on.
    pub next: Next,
}

/// How to go on after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// With the next page.
    Page(String),
    /// With the next reading, some time.
    Done {
        /// What it goes on from.
        sync_token: String,
    },
}

/// An event elsewhere, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalChange {
    /// The other side's id of it.
    pub id: String,
    /// The booking that it was written for, where it is one of ours.
    pub booking_id: Option<BookingId>,
    /// The booking that it is the invitation to ([`Invitation::booking_of`](crate::Invitation::booking_of)), as a mail of ours brought it there.
    pub invited_to: Option<BookingId>,
    /// Whether it is one of a series: where one has changed, others may have, of which the other side does not tell.
    pub is_of_series: bool,
    /// The other side's name for this state of it.
    pub etag: String,
    /// What it is now.
    pub state: ExternalState,
}

/// What an event elsewhere is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalState {
    /// Its owner is busy.
    Busy {
        /// From: of an event of whole days, midnight in the calendar's zone.
        starts_at: DateTime<Utc>,
        /// To, exclusive.
        ends_at: DateTime<Utc>,
    },
    /// It takes no time: transparent, declined, a working location.
    Free,
    /// It is not there any more.
    Gone,
}

/// A channel to open.
#[derive(Debug, Clone)]
pub struct ChannelRequest {
    /// Our name for it, a UUID.
    pub id: String,
    /// What its calls bear, so that they are known for calls of it.
    pub secret: SecretString,
    /// Where it calls.
    pub address: String,
}

/// A channel that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchChannel {
    /// Our name for it.
    pub id: String,
    /// The other side's name for what it watches.
    pub resource_id: String,
    /// Until when it calls.
    pub expires_at: DateTime<Utc>,
}

/// Why a calendar elsewhere could not be worked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The access is taken back, or never was: somebody must connect anew.
    #[error("{reason}")]
    Revoked {
        /// What the other side said, for staff.
        reason: String,
    },
    /// The sync token is not good any more: read all anew.
    #[error("the sync token has expired")]
    TokenExpired,
    /// As any other effect outside.
    #[error(transparent)]
    Failed(#[from] Failure),
}
