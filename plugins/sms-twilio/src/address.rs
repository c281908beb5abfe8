//! Telephone numbers in the one form in which they are written to and compared: E.164.

use phonenumber::country;
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
    if !number.is_valid() {
        return Err(NoAddress::because(
            "there is no such telephone number: it has too few or too many digits, or none begins so",
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
            (&"1".repeat(1000), Some("US")),
            ("+", None),
            ("+\u{0}", None),
        ] {
            let refused = e164(given, region).unwrap_err();
            assert!(!refused.reason.contains("7183"), "{given}: {refused}");
        }
    }
}
