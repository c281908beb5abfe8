//! By which way people are reached, and who they are.

use serde::{Deserialize, Serialize};

/// A way to reach people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Mail.
    Email,
    /// Text messages.
    Sms,
    /// Messages to an app.
    Push,
}

impl Channel {
    /// Every channel there is.
    pub const ALL: [Self; 3] = [Self::Email, Self::Sms, Self::Push];

    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }

    /// The channel with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }

    /// What it carries, as reasons call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Email => "mail",
            Self::Sms => "text messages",
            Self::Push => "messages to an app",
        }
    }

    /// What its addresses are called in reasons.
    pub fn address_noun(self) -> &'static str {
        match self {
            Self::Email => "email address",
            Self::Sms => "telephone number",
            Self::Push => "device",
        }
    }
}

/// For whom a rule speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Whoever booked.
    Customer,
    /// The provider whose booking it is; of one that moved to another, that one too.
    Provider,
    /// The business itself, at the address in the settings of the plugin `notifications`.
    Business,
}

impl Audience {
    /// Every audience there is.
    pub const ALL: [Self; 3] = [Self::Customer, Self::Provider, Self::Business];

    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Provider => "provider",
            Self::Business => "business",
        }
    }

    /// The audience with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|audience| audience.name() == name)
    }

    /// Whether it holds somebody: a provider is one, whether they have the booking or had it.
    pub fn holds(self, recipient: Recipient) -> bool {
        let provider = recipient == Recipient::PreviousProvider && self == Self::Provider;
        provider || recipient == self.recipient()
    }

    /// Whom it is about, where a booking did not move.
    pub fn recipient(self) -> Recipient {
        match self {
            Self::Customer => Recipient::Customer,
            Self::Provider => Recipient::Provider,
            Self::Business => Recipient::Business,
        }
    }
}

/// Who is written to.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Recipient {
    /// Whoever booked.
    #[default]
    Customer,
    /// The provider whose booking it is.
    Provider,
    /// The provider whose booking it was.
    PreviousProvider,
    /// The business.
    Business,
}

impl Recipient {
    /// Every recipient there is.
    pub const ALL: [Self; 4] = [
        Self::Customer,
        Self::Provider,
        Self::PreviousProvider,
        Self::Business,
    ];

    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Provider => "provider",
            Self::PreviousProvider => "previous-provider",
            Self::Business => "business",
        }
    }

    /// The recipient with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|recipient| recipient.name() == name)
    }

    /// The conversation that messages to them belong to: who loses a booking was told of it as its provider.
    pub fn thread(self) -> &'static str {
        match self {
            Self::PreviousProvider => "provider",
            other => other.name(),
        }
    }

    /// What they are called in reasons.
    pub fn noun(self) -> &'static str {
        match self {
            Self::PreviousProvider => "previous provider",
            other => other.name(),
        }
    }
}
