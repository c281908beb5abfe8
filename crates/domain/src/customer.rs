//! Customers: those who book.

use serde::{Deserialize, Serialize};

use crate::id::CustomerId;
use crate::notification::Channel;

/// Someone who books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Their id.
    pub id: CustomerId,
    /// Their name.
    pub name: String,
    /// Where confirmations go.
    pub email: Option<String>,
    /// Their telephone number, as given.
    pub phone: Option<String>,
    /// The IANA zone in which they read times.
    pub time_zone: Option<String>,
    /// Their language, a BCP 47 tag.
    pub locale: Option<String>,
    /// A word of the business for customers of their kind, as it was written: `vip`. Only staff set it; see [`same_tier`].
    pub tier: Option<String>,
    /// The channel by which they would rather be reached.
    pub preferred_channel: Option<Channel>,
}

/// What changes of a customer, checked already; what is none stays, and `Some(None)` clears.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerChange {
    /// Their name.
    pub name: Option<String>,
    /// Where confirmations go.
    pub email: Option<Option<String>>,
    /// Their telephone number.
    pub phone: Option<Option<String>>,
    /// The IANA zone in which they read times.
    pub time_zone: Option<Option<String>>,
    /// Their language.
    pub locale: Option<Option<String>>,
    /// Their tier.
    pub tier: Option<Option<String>>,
    /// The channel by which they would rather be reached.
    pub preferred_channel: Option<Option<Channel>>,
}

impl Customer {
    /// The customer after a change; the same where it says nothing new.
    #[must_use]
    pub fn changed(&self, change: &CustomerChange) -> Self {
        let CustomerChange {
            name,
            email,
            phone,
            time_zone,
            locale,
            tier,
            preferred_channel,
        } = change.clone();
        Self {
            id: self.id,
            name: name.unwrap_or_else(|| self.name.clone()),
            email: email.unwrap_or_else(|| self.email.clone()),
            phone: phone.unwrap_or_else(|| self.phone.clone()),
            time_zone: time_zone.unwrap_or_else(|| self.time_zone.clone()),
            locale: locale.unwrap_or_else(|| self.locale.clone()),
            tier: tier.unwrap_or_else(|| self.tier.clone()),
            preferred_channel: preferred_channel.unwrap_or(self.preferred_channel),
        }
    }
}

/// Whether two words name one tier: they are kept as they were written, and compared without regard to case.
pub fn same_tier(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn a_change_leaves_what_it_does_not_name_and_clears_what_it_says_is_nothing() {
        let eve = Customer {
            id: CustomerId::from_uuid(uuid::Uuid::nil()),
            name: "Eve".to_owned(),
            email: Some("eve@example.com".to_owned()),
            phone: Some("020 7946 0000".to_owned()),
            time_zone: None,
            locale: Some("en-GB".to_owned()),
            tier: None,
            preferred_channel: Some(Channel::Email),
        };
        assert_eq!(eve.changed(&CustomerChange::default()), eve);
        let changed = eve.changed(&CustomerChange {
            phone: Some(None),
            tier: Some(Some("vip".to_owned())),
            preferred_channel: Some(Some(Channel::Sms)),
            ..CustomerChange::default()
        });
        let expected = Customer {
            phone: None,
            tier: Some("vip".to_owned()),
            preferred_channel: Some(Channel::Sms),
            ..eve.clone()
        };
        assert_eq!(changed, expected);
        let cleared = changed.changed(&CustomerChange {
            tier: Some(None),
            preferred_channel: Some(None),
            ..CustomerChange::default()
        });
        assert_eq!((cleared.tier, cleared.preferred_channel), (None, None));
    }

    #[test]
    fn tiers_are_compared_without_regard_to_case() {
        for (one, other, same) in [
            ("vip", "VIP", true),
            ("Gold", "gold", true),
            ("Ärzte", "äRZTE", true),
            ("gold", "golden", false),
            ("vip", "v.i.p.", false),
        ] {
            assert_eq!(same_tier(one, other), same, "{one} {other}");
        }
    }
}
