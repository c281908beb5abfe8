//! What a booking asks to be paid before it stands.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::payment::PaymentKind;

/// What a service asks to be paid when it is booked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Deposit {
    /// Nothing.
    #[default]
    None,
    /// So much for each place, in minor units; never more than the place costs.
    Amount {
        /// Minor units; positive.
        amount: i64,
    },
    /// So many hundredths of the price, rounded up to a whole minor unit.
    Percent {
        /// From 1 to 100.
        percent: u32,
    },
    /// The whole price.
    Full,
    /// No money: a card is kept for a fee later.
    CardOnFile,
}

/// When the money of a deposit is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMethod {
    /// When the customer pays.
    #[default]
    Automatic,
    /// It is reserved when the customer pays, and taken when staff ask for it.
    Manual,
}

impl CaptureMethod {
    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        }
    }

    /// The method with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Automatic, Self::Manual]
            .into_iter()
            .find(|method| method.name() == name)
    }
}

impl Deposit {
    /// What is to be paid for a booking of so many places at this price in all; none: it stands at once. What costs nothing asks for no
    /// money.
    pub fn due(self, price: Money, party_size: u32) -> Option<(PaymentKind, Money)> {
        let amount = match self {
            Self::None => return None,
            Self::CardOnFile => return Some((PaymentKind::SaveCard, Money { amount: 0, ..price })),
            Self::Amount { amount } => amount.saturating_mul(party_size.into()).min(price.amount),
            Self::Percent { percent } => {
                let hundredths = price.amount.saturating_mul(percent.into());
                hundredths.saturating_add(99) / 100
            }
            Self::Full => price.amount,
        };
        (amount > 0).then_some((PaymentKind::Charge, Money { amount, ..price }))
    }

    /// A deposit of a booking at this price, where money moves in steps of so many minor units: no less than it was; none where that would be more
    /// than the price.
    pub fn in_steps(due: Money, step: i64, price: Money) -> Option<Money> {
        let payable = due.rounded_up(step);
        (payable.amount <= price.amount).then_some(payable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn a_deposit_is_a_part_of_the_price_and_never_more() {
        let price = |amount| Money {
            amount,
            currency: Currency::new("EUR").unwrap(),
        };
        let due = |deposit: Deposit, cost| deposit.due(price(cost), 2).map(|(_, due)| due.amount);
        assert_eq!(due(Deposit::None, 9000), None);
        assert_eq!(due(Deposit::Amount { amount: 1000 }, 9000), Some(2000));
        assert_eq!(due(Deposit::Amount { amount: 1000 }, 1500), Some(1500));
        assert_eq!(due(Deposit::Percent { percent: 33 }, 101), Some(34));
        assert_eq!(due(Deposit::Full, 9000), Some(9000));
        assert_eq!(due(Deposit::Full, 0), None);
        let stepped = |due, cost| {
            let payable = Deposit::in_steps(price(due), 10, price(cost));
            payable.map(|payable| payable.amount)
        };
        assert_eq!(stepped(41, 50), Some(50));
        assert_eq!(stepped(40, 40), Some(40));
        assert_eq!(stepped(41, 49), None);
        assert_eq!(
            Deposit::CardOnFile.due(price(0), 1),
            Some((PaymentKind::SaveCard, price(0)))
        );
    }
}
