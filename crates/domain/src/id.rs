//! Ids: UUIDv7 inside, TypeIDs outside (`bkg_01jd6y7t3hfb8vqx6p0n2c4m5k`). Each noun has its own type, so that an id of
//! one kind cannot stand where another is wanted; text of the wrong kind is refused where it enters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use type_safe_id::{DynamicType, TypeSafeId};
use uuid::Uuid;

/// Why a text is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is not a TypeID at all.
    #[error("`{0}` is not an id")]
    Malformed(String),
    /// The text is a TypeID of another kind.
    #[error("`{text}` is not the id of a {wanted}")]
    OtherKind {
        /// The text that was given.
        text: String,
        /// The noun that was wanted.
        wanted: &'static str,
    },
}

/// What all ids have in common.
pub trait Id: Copy + Eq + Ord + std::hash::Hash + fmt::Display + FromStr<Err = IdError> {
    /// The prefix of the TypeID, `bkg`.
    const PREFIX: &'static str;
    /// The noun that the id names, for messages.
    const NOUN: &'static str;
    /// The id with this UUID.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID inside.
    fn uuid(self) -> Uuid;
}

/// Prefix and UUID of any TypeID.
pub fn parse_any(text: &str) -> Result<(String, Uuid), IdError> {
    let id: TypeSafeId<DynamicType> = text
        .parse()
        .map_err(|_| IdError::Malformed(text.chars().take(64).collect()))?;
    Ok((id.type_prefix().to_owned(), id.uuid()))
}

fn format(prefix: &str, uuid: Uuid) -> Result<String, fmt::Error> {
    let prefix = DynamicType::new(prefix).map_err(|_| fmt::Error)?;
    Ok(TypeSafeId::from_type_and_uuid(prefix, uuid).to_string())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $noun:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;
            const NOUN: &'static str = $noun;
            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&format($prefix, self.0)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let (prefix, uuid) = parse_any(text)?;
                if prefix == $prefix {
                    Ok(Self(uuid))
                } else {
                    Err(IdError::OtherKind { text: text.chars().take(64).collect(), wanted: $noun })
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A business, the tenant.
    BusinessId = "biz", "business";
    /// A place where services are delivered.
    LocationId = "loc", "location";
    /// A person who delivers services.
    ProviderId = "prv", "provider";
    /// A kind of resource: room, chair, machine.
    ResourceKindId = "rsk", "resource kind";
    /// A resource with one or more units.
    ResourceId = "rsc", "resource";
    /// What can be booked.
    ServiceId = "svc", "service";
    /// Time off or a break on a calendar.
    BlockId = "blk", "block";
    /// A slot kept for minutes.
    HoldId = "hld", "hold";
    /// A time at which a service takes place.
    SessionId = "ses", "session";
    /// A customer's places in a session.
    BookingId = "bkg", "booking";
    /// A row of a booking's history.
    BookingChangeId = "bkc", "booking change";
    /// Someone who books.
    CustomerId = "cus", "customer";
    /// Whatever can be busy. It bears the id of the provider, resource or service whose calendar it is.
    CalendarId = "cal", "calendar";
    /// An access token of staff.
    TokenId = "tok", "token";
    /// Something that happened, kept for ever.
    EventId = "evt", "event";
    /// An event on its way to one plugin.
    DeliveryId = "dlv", "delivery";
    /// Money that a customer pays for a booking.
    PaymentId = "pay", "payment";
    /// Money that goes back to a customer.
    RefundId = "rfd", "refund";
    /// A message about a booking: planned, sent or held back.
    NotificationId = "ntf", "notification";
    /// What a business tells whom, and when.
    NotificationRuleId = "ntr", "notification rule";
    /// An address to which a business has its events posted.
    WebhookEndpointId = "whe", "webhook endpoint";
}

impl From<ProviderId> for CalendarId {
    fn from(id: ProviderId) -> Self {
        Self(id.0)
    }
}
impl From<ResourceId> for CalendarId {
    fn from(id: ResourceId) -> Self {
        Self(id.0)
    }
}
impl From<ServiceId> for CalendarId {
    fn from(id: ServiceId) -> Self {
        Self(id.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_wrote() {
        let id = BookingId::from_uuid(Uuid::from_u128(0x0193_4d3c_0000_7000_8000_0000_0000_0001));
        assert_eq!(id.to_string().parse::<BookingId>(), Ok(id));
        assert!(id.to_string().starts_with("bkg_"));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = BookingId::from_uuid(Uuid::from_u128(7)).to_string();
        assert!(matches!(
            id.parse::<ServiceId>(),
            Err(IdError::OtherKind {
                wanted: "service",
                ..
            })
        ));
        assert!(matches!(
            "nonsense!".parse::<ServiceId>(),
            Err(IdError::Malformed(_))
        ));
        assert!("".parse::<ServiceId>().is_err());
    }
}
