//! The tenant: everything else belongs to one business.

use serde::{Deserialize, Serialize};

use crate::id::BusinessId;
use crate::money::Currency;

/// A business as its customers know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Business {
    /// Its id.
    pub id: BusinessId,
    /// Its name in addresses and headers: lower-case letters, digits and hyphens.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The IANA zone that new locations take.
    pub time_zone: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// A BCP 47 language tag, `en-GB`.
    pub locale: String,
}
