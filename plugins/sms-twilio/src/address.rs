//! Telephone numbers in the one form in which they are written to and compared: E.164.

use phonenumber::metadata::DATABASE;
use phonenumber::{PhoneNumber, Type, country};
use plugin_api::NoAddress;

/// The longest text that is looked at: a number has 15 digits, people add blanks and brackets.
const LENGTH_MAX: usize = 64;

/// The number in E.164; `region` is the country that one without `+` is of.
pub(crate) fn e164(given: &str, region: Option<&str>) -> Result<String, NoAddress> {
    let given = given.trim();
    if given.is_empty() {
        return Err(NoAddress::because("no telephone number is given"));
    }
    if given.len() > LENGTH_MAX {
        return Err(NoAddress::because("it is too long for a telephone number"));
    }
    let region: Option<country::Id> =
        region.and_then(|region| region.to_ascii_uppercase().parse().ok());
    if region.is_none() && !given.starts_with('+') {
        return Err(NoAddress::because(
            "it does not begin with + and the code of a country, and the country is not known",
        ));
    }
    let number = phonenumber::parse(region, given)
        .map_err(|_| NoAddress::because("it is not a telephone number"))?;
    if !is_possible(&number) {
        return Err(NoAddress::because(
            "there is no such telephone number: it has too few or too many digits for its country",
        ));
    }
    // An extension is for whoever answers a call; a text does not get there.
    if number.extension().is_some() {
        return Err(NoAddress::because(
            "a telephone number with an extension takes no text messages",
        ));
    }
    Ok(number.format().mode(phonenumber::Mode::E164).to_string())
}

/// Whether there may be such a number. Which ranges are in use changes faster than what is built in here, so one that is not known is not refused
/// for that, if it is as long as those of its country are: Twilio knows better.
fn is_possible(number: &PhoneNumber) -> bool {
    let length = u16::try_from(number.national().to_string().len()).unwrap_or(u16::MAX);
    let regions = DATABASE
        .by_code(&number.country().code())
        .unwrap_or_default();
    let fits = |kind| {
        regions.iter().any(|region| {
            let numbers = region.descriptors().get(kind);
            numbers.is_some_and(|numbers| numbers.possible_length().contains(&length))
        })
    };
    number.is_valid() || fits(Type::Mobile) || fits(Type::FixedLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        for (given, region, expected) in [
            ("+44 20 7183 8750", None, "+442071838750"),
            ("020 7183 8750", Some("GB"), "+442071838750"),
            (" (020) 7183-8750 ", Some("gb"), "+442071838750"),
            ("+49 170 1234567", Some("GB"), "+491701234567"),
            ("0170/1234567", Some("DE"), "+491701234567"),
            ("00 49 170 1234567", Some("GB"), "+491701234567"),
            ("(212) 555-2368", Some("US"), "+12125552368"),
            // Italian numbers keep their zero.
            ("06 6988 3145", Some("IT"), "+390669883145"),
            ("+15005550006", None, "+15005550006"),
            // Ranges that nobody is known to have: kept for films, and new.
            ("07700 900123", Some("GB"), "+447700900123"),
            ("+49 1512345678", None, "+491512345678"),
            ("+36 20 123 4567", Some("??"), "+36201234567"),
        ] {
            assert_eq!(e164(given, region).as_deref(), Ok(expected), "{given}");
        }
    }

    #[test]
    fn what_is_none_is_refused_without_repeating_it() {
        for (given, region) in [
            ("", None),
            ("   ", Some("GB")),
            ("jo@customer.example", Some("GB")),
            ("020 7183 8750", None),
            ("020 7183 8750", Some("Atlantis")),
            ("+44 20", None),
            ("+44 20 7183 8750 123456", None),
            ("+999 123456789", None),
            ("+44 20 7183 8750 ext. 12", None),
            ("999", Some("GB")),
            ("+44 7700 9001", None),
            ("+1 212 555 236", None),
            ("+33 6 12 34 56", None),
            (&"1".repeat(1000), Some("US")),
            ("+", None),
            ("+\u{0}", None),
        ] {
            let refused = e164(given, region).unwrap_err();
            assert!(!refused.reason.contains("7183"), "{given}: {refused}");
        }
    }
}
