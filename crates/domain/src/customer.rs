//! Customers: those who book.

use serde::{Deserialize, Serialize};

use crate::id::CustomerId;

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
}
