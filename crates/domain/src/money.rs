//! Money: integer minor units of an ISO 4217 currency.

use serde::{Deserialize, Serialize};

/// An ISO 4217 code, three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency with this code, if the text looks like one.
    pub fn new(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(bytes))
    }

    /// The code, `EUR`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimal places the minor unit has (ISO 4217: 0 for JPY, 3 for KWD, else 2).
    pub fn exponent(&self) -> u32 {
        match self.code() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF"
            | "UGX" | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(code: String) -> Result<Self, String> {
        Self::new(&code).ok_or_else(|| format!("`{code}` is not an ISO 4217 currency"))
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount in minor units of its currency: 4 500 EUR is 45.00 €.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// The least that is as much and can be counted in steps of so many minor units.
    #[must_use]
    pub fn rounded_up(self, step: i64) -> Self {
        let over = self.amount.rem_euclid(step.max(1));
        let missing = if over == 0 { 0 } else { step - over };
        let amount = self.amount.saturating_add(missing);
        Self { amount, ..self }
    }

    /// The amount with its decimal point and currency, `45.00 EUR`, `1200 JPY`.
    pub fn display(&self) -> String {
        let digits = self.currency.exponent() as usize;
        let code = self.currency.code();
        if digits == 0 {
            return format!("{} {code}", self.amount);
        }
        let scale = 10_i64.pow(self.currency.exponent());
        let sign = if self.amount < 0 { "-" } else { "" };
        let (whole, part) = (self.amount.abs() / scale, self.amount.abs() % scale);
        format!("{sign}{whole}.{part:0digits$} {code}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_to_no_less() {
        let currency = Currency::new("KWD").unwrap();
        for (amount, step, expected) in [
            (1275, 10, 1280),
            (1280, 10, 1280),
            (1, 100, 100),
            (0, 10, 0),
            (7, 1, 7),
        ] {
            let money = Money { amount, currency };
            assert_eq!(money.rounded_up(step).amount, expected, "{amount} {step}");
        }
    }

    #[test]
    fn amounts_are_written_with_the_decimals_of_their_currency() {
        let show = |amount, code| {
            Money {
                amount,
                currency: Currency::new(code).unwrap(),
            }
            .display()
        };
        assert_eq!(show(4500, "EUR"), "45.00 EUR");
        assert_eq!(show(-5, "EUR"), "-0.05 EUR");
        assert_eq!(show(1200, "JPY"), "1200 JPY");
        assert_eq!(show(1200, "KWD"), "1.200 KWD");
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert!(Currency::new("EUR").is_some());
        for wrong in ["eur", "EURO", "EU", "", "E R", "é"] {
            assert!(Currency::new(wrong).is_none(), "{wrong}");
        }
    }
}
