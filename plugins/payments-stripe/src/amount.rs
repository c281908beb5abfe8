//! Amounts: minor units by ISO 4217 here, Stripe's own idea of the smallest unit there. They differ for a few currencies.

use domain::money::{Currency, Money};
use plugin_api::Failure;

/// How Stripe counts a currency.
struct Counted {
    /// How many decimal places its smallest unit has.
    exponent: u32,
    /// What every amount must be a multiple of, in Stripe's units.
    step: i64,
}

/// Stripe's published list (docs.stripe.com/currencies). Everything else has two decimals, as Stripe says; a currency that Stripe does not
/// take it refuses itself.
fn counted(currency: Currency) -> Option<Counted> {
    let (exponent, step) = match currency.code() {
        // ISO 4217 has no decimals for these any more; Stripe keeps two, always 00.
        "ISK" | "UGX" => (2, 100),
        "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => (0, 1),
        // The networks behind Stripe know two decimals, so the last of three is 0.
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => (3, 10),
        // Not on the list, and without two decimals: an amount could be wrong by a factor of a hundred.
        _ if currency.exponent() != 2 => return None,
        _ => (2, 1),
    };
    Some(Counted { exponent, step })
}

/// In steps of how many minor units Stripe takes amounts of a currency; none: it does not.
pub(crate) fn step(currency: Currency) -> Option<i64> {
    let counted = counted(currency)?;
    let (ours, theirs) = (
        10_i64.pow(currency.exponent()),
        10_i64.pow(counted.exponent),
    );
    Some((counted.step * ours / theirs).max(1))
}

/// The amount as Stripe counts it.
///
/// # Errors
/// [`Failure::GiveUp`] where Stripe cannot represent it.
pub(crate) fn to_stripe(money: Money) -> Result<i64, Failure> {
    let unable =
        |why: &str| Failure::give_up(format!("Stripe cannot take {}: {why}", money.display()));
    let code = money.currency.code();
    let counted =
        counted(money.currency).ok_or_else(|| unable(&format!("it does not take {code}")))?;
    if money.amount <= 0 {
        return Err(unable("it is not more than nothing"));
    }
    let (ours, theirs) = (
        10_i64.pow(money.currency.exponent()),
        10_i64.pow(counted.exponent),
    );
    let scaled = money
        .amount
        .checked_mul(theirs)
        .ok_or_else(|| unable("it is too large"))?;
    let amount = scaled / ours;
    if scaled % ours != 0 || amount % counted.step != 0 {
        return Err(unable(&format!("its smallest unit of {code} is larger")));
    }
    Ok(amount)
}

/// An amount that Stripe counts, in minor units by ISO 4217; none where it is no whole number of them.
pub(crate) fn from_stripe(amount: i64, currency: Currency) -> Option<i64> {
    let counted = counted(currency)?;
    let (ours, theirs) = (
        10_i64.pow(currency.exponent()),
        10_i64.pow(counted.exponent),
    );
    let scaled = amount.checked_mul(ours)?;
    (scaled % theirs == 0).then_some(scaled / theirs)
}

/// The currency as Stripe writes it.
pub(crate) fn code(currency: Currency) -> String {
    currency.code().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: i64, code: &str) -> Money {
        let currency = Currency::new(code).unwrap();
        Money { amount, currency }
    }

    #[test]
    fn amounts_go_there_and_come_back() {
        for (ours, code, theirs) in [
            (4500, "EUR", 4500),
            (1, "USD", 1),
            (2500, "HUF", 2500),
            (2500, "TWD", 2500),
            (500, "JPY", 500),
            (500, "KRW", 500),
            (500, "XOF", 500),
            // Five krónur are 500 to Stripe, and 5 by ISO 4217.
            (5, "ISK", 500),
            (5, "UGX", 500),
            // An ariary has two decimals by ISO 4217 and none at Stripe.
            (500, "MGA", 5),
            (5120, "KWD", 5120),
            (10, "TND", 10),
        ] {
            let money = money(ours, code);
            assert_eq!(ours % step(money.currency).unwrap(), 0, "{code}");
            assert_eq!(to_stripe(money), Ok(theirs), "{}", money.display());
            assert_eq!(
                from_stripe(theirs, money.currency),
                Some(ours),
                "{theirs} {code}"
            );
        }
    }

    #[test]
    fn what_cannot_be_said_is_refused_by_name() {
        for (amount, code, name) in [
            (5124, "KWD", "5.124 KWD"),
            (150, "MGA", "1.50 MGA"),
            (5000, "IQD", "5.000 IQD"),
            (5000, "LYD", "5.000 LYD"),
            (100, "UYI", "100 UYI"),
            (0, "EUR", "0.00 EUR"),
            (-1, "EUR", "-0.01 EUR"),
            (i64::MAX, "ISK", "9223372036854775807 ISK"),
        ] {
            let failure = to_stripe(money(amount, code)).unwrap_err();
            assert!(
                matches!(&failure, Failure::GiveUp { reason } if reason.contains(name)),
                "{failure:?}"
            );
        }
    }

    #[test]
    fn only_whole_steps_can_be_taken() {
        for (code, expected) in [
            ("EUR", Some(1)),
            ("JPY", Some(1)),
            ("ISK", Some(1)),
            ("UGX", Some(1)),
            ("KWD", Some(10)),
            ("MGA", Some(100)),
            ("IQD", None),
            ("LYD", None),
        ] {
            let currency = Currency::new(code).unwrap();
            assert_eq!(step(currency), expected, "{code}");
            let Some(step) = expected else { continue };
            for amount in 1..=2 * step {
                let can_be_taken = to_stripe(money(amount, code)).is_ok();
                assert_eq!(can_be_taken, amount % step == 0, "{amount} {code}");
            }
        }
    }

    #[test]
    fn what_is_no_whole_unit_is_not_rounded() {
        let currency = |code| Currency::new(code).unwrap();
        assert_eq!(from_stripe(150, currency("ISK")), None);
        assert_eq!(from_stripe(1, currency("IQD")), None);
        assert_eq!(from_stripe(i64::MAX, currency("MGA")), None);
        assert_eq!(from_stripe(0, currency("EUR")), Some(0));
    }
}
