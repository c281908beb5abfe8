//! Composing: what is said to people, put into words. Which message, to whom, when and by which channel is the engine's matter; what it says,
//! in which language and how dates are written there is the composer's.

use chrono::{DateTime, Utc};
use domain::event::Event;
use domain::notification::{Channel, QuietHours, Recipient};

use crate::message::Invitation;
use crate::settings::{PluginSettings, SettingsError};

/// Puts messages into words. Pure: the same request and settings give the same words; nothing is read, nothing waited for.
pub trait Composer: Send + Sync {
    /// What a business has set about its messages as a whole.
    ///
    /// # Errors
    /// [`SettingsError`] where the settings cannot be read.
    fn house_rules(&self, settings: &PluginSettings) -> Result<HouseRules, SettingsError>;

    /// The words of a message.
    ///
    /// # Errors
    /// [`ComposeError`]: the template cannot be filled in; it never will be.
    fn compose(
        &self,
        settings: &PluginSettings,
        request: &Compose<'_>,
    ) -> Result<Composed, ComposeError>;

    /// What is wrong with a template: the name of a text that comes with the plugin, or a text. Empty: nothing.
    fn problems(&self, template: &str) -> Vec<TemplateProblem>;

    /// The variables that a template may show.
    fn variables(&self) -> &[Variable];
}

/// What a business has set about its messages as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HouseRules {
    /// When nobody is disturbed.
    pub quiet_hours: Option<QuietHours>,
    /// Where mail to the business goes.
    pub business_email: Option<String>,
    /// Where text messages to the business go.
    pub business_phone: Option<String>,
}

/// A message to put into words.
#[derive(Debug, Clone, Copy)]
pub struct Compose<'a> {
    /// The name of a text that comes with the plugin, or a text.
    pub template: &'a str,
    /// The languages that it may be in, BCP 47 tags, the best first.
    pub languages: &'a [&'a str],
    /// For which channel.
    pub channel: Channel,
    /// To whom.
    pub recipient: Recipient,
    /// What happened, with a booking; of a reminder the booking as it is now.
    pub event: &'a Event,
    /// Whether it reminds of the booking rather than telling of the event.
    pub is_reminder: bool,
    /// When it is said.
    pub at: DateTime<Utc>,
    /// Whether the booking is entered in the recipient's calendar by other means: they are not invited to it besides.
    pub is_entered: bool,
}

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// What it is about, one line; none on channels without one.
    pub subject: Option<String>,
    /// What it says: plain text.
    pub text: String,
    /// The same with its form, for mail.
    pub html: Option<String>,
    /// The language it is in, a BCP 47 tag.
    pub language: &'static str,
    /// For the recipient's calendar, for mail about something that changes it.
    pub invitation: Option<Invitation>,
    /// What it is about, in one kebab-case word: `confirmed`.
    pub about: String,
}

/// A template that cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ComposeError(pub String);

/// Something that is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateProblem {
    /// In which line, from 1; none where it is the whole.
    pub line: Option<u32>,
    /// What, in a sentence for whoever wrote it.
    pub message: String,
}

/// A variable that a template may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub description: &'static str,
}
