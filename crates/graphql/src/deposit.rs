//! Deposits: what a service asks to be paid when it is booked.

use async_graphql::{Enum, InputObject, SimpleObject};
use domain::deposit;
use domain::service::Service;

use crate::failure::Result;

/// What a service asks to be paid when it is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DepositKind {
    /// Nothing.
    None,
    /// So much for each place.
    Amount,
    /// So many hundredths of the price.
    Percent,
    /// The whole price.
    Full,
    /// No money: a card is kept for a fee later.
    CardOnFile,
}

/// When the money of a deposit is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "deposit::CaptureMethod")]
pub enum CaptureMethod {
    /// When the customer pays.
    Automatic,
    /// It is reserved when the customer pays, and taken by `capturePayment`. Banks let a reservation go after some days, most after seven.
    Manual,
}

/// What is to be paid before a booking stands.
#[derive(SimpleObject)]
pub struct Deposit {
    /// What it is.
    kind: DepositKind,
    /// Of an amount: for each place, in minor units of the business's currency.
    amount: Option<i32>,
    /// Of a part: hundredths of the price.
    percent: Option<i32>,
    /// When the money is taken.
    capture: CaptureMethod,
}

impl From<&Service> for Deposit {
    fn from(service: &Service) -> Self {
        let (mut amount, mut percent) = (None, None);
        let kind = match service.deposit {
            deposit::Deposit::None => DepositKind::None,
            deposit::Deposit::Amount { amount: of } => {
                amount = i32::try_from(of).ok();
                DepositKind::Amount
            }
            deposit::Deposit::Percent { percent: of } => {
                percent = i32::try_from(of).ok();
                DepositKind::Percent
            }
            deposit::Deposit::Full => DepositKind::Full,
            deposit::Deposit::CardOnFile => DepositKind::CardOnFile,
        };
        Self {
            kind,
            amount,
            percent,
            capture: service.capture.into(),
        }
    }
}

/// What is to be paid before a booking stands.
#[derive(InputObject)]
pub struct DepositInput {
    /// What it is.
    kind: DepositKind,
    /// Of AMOUNT, and required there: for each place, in minor units of the business's currency.
    amount: Option<i32>,
    /// Of PERCENT, and required there: 1 to 100.
    percent: Option<i32>,
    /// When the money is taken. MANUAL only of the kinds that take money.
    #[graphql(default_with = "Some(CaptureMethod::Automatic)")]
    capture: Option<CaptureMethod>,
}

impl DepositInput {
    pub(crate) fn parsed(
        &self,
    ) -> Result<(deposit::Deposit, deposit::CaptureMethod), domain::problem::Problem> {
        let wrong = |field: &str, message: &str| {
            domain::problem::Problem::invalid(&["input", "deposit", field], message)
        };
        let (amount, percent) = match self.kind {
            DepositKind::Amount => (self.amount, None),
            DepositKind::Percent => (None, self.percent),
            _ => (None, None),
        };
        if self.amount != amount {
            return Err(wrong("amount", "is only of the kind AMOUNT"));
        }
        if self.percent != percent {
            return Err(wrong("percent", "is only of the kind PERCENT"));
        }
        let capture = self.capture.unwrap_or(CaptureMethod::Automatic);
        let takes_none = matches!(self.kind, DepositKind::None | DepositKind::CardOnFile);
        if capture == CaptureMethod::Manual && takes_none {
            return Err(wrong("capture", "is MANUAL only where money is taken"));
        }
        let deposit = match self.kind {
            DepositKind::None => deposit::Deposit::None,
            DepositKind::Amount => deposit::Deposit::Amount {
                amount: amount.ok_or_else(|| wrong("amount", "is required"))?.into(),
            },
            DepositKind::Percent => {
                let percent = percent.ok_or_else(|| wrong("percent", "is required"))?;
                deposit::Deposit::Percent {
                    percent: u32::try_from(percent).unwrap_or(0),
                }
            }
            DepositKind::Full => deposit::Deposit::Full,
            DepositKind::CardOnFile => deposit::Deposit::CardOnFile,
        };
        Ok((deposit, capture.into()))
    }
}
