//! Money as the API shows it.

use async_graphql::SimpleObject;
use domain::money;

/// An amount of money.
#[derive(SimpleObject, Clone)]
pub struct Money {
    /// The amount in minor units of the currency: 4500 EUR is 45.00 €, 1200 JPY is 1200 ¥.
    amount: i64,
    /// The currency, an ISO 4217 code: `EUR`.
    currency: String,
}

impl From<money::Money> for Money {
    fn from(money: money::Money) -> Self {
        Self {
            amount: money.amount,
            currency: money.currency.code().to_owned(),
        }
    }
}
