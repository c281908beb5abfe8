//! Amounts that the other side can move: it may count a currency in larger steps than ISO 4217 does, or not take it at all.

use domain::deposit::Deposit;
use domain::money::Money;
use domain::problem::Problem;
use plugin_api::Payments;

use crate::Engine;

/// The deposit of a booking at this price, in steps that the other side can take: no less than it was, and no more than the price.
pub(super) fn payable(
    payments: &dyn Payments,
    deposit: Money,
    price: Money,
) -> Result<Money, Problem> {
    let code = deposit.currency.code();
    let refuse = |why: String| Problem::PluginRefused {
        message: format!("this has to be paid online, and {why}"),
    };
    if deposit.amount == 0 {
        return Ok(deposit);
    }
    let Some(step) = payments.step(deposit.currency) else {
        return Err(refuse(format!("no {code} can be paid online")));
    };
    Deposit::in_steps(deposit, step, price).ok_or_else(|| {
        let (price, step) = (price.display(), display(step, price));
        refuse(format!(
            "{price} cannot: amounts are paid in steps of {step}"
        ))
    })
}

fn display(step: i64, like: Money) -> String {
    Money {
        amount: step,
        ..like
    }
    .display()
}

impl Engine {
    /// Refuses `input.amount` where the other side of a plugin cannot move it.
    pub(super) fn check_step(&self, plugin: &str, amount: Money) -> Result<(), Problem> {
        let mut all = self.plugins().iter();
        let plugin = all.find(|known| known.name() == plugin);
        let Some(payments) = plugin.and_then(|plugin| plugin.payments()) else {
            return Ok(());
        };
        let message = match payments.step(amount.currency) {
            Some(step) if amount.amount % step == 0 => return Ok(()),
            Some(step) => {
                let display = display(step, amount);
                format!("must be a multiple of {step}: amounts are paid in steps of {display}")
            }
            None => format!("no {} can be paid online", amount.currency.code()),
        };
        Err(Problem::invalid(&["input", "amount"], message))
    }
}
