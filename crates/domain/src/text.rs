//! Limits of texts that come from outside: what is kept is trimmed, not empty and not over-long.

use crate::problem::Problem;

/// The longest name, in characters.
pub const NAME_MAX: usize = 200;
/// The longest word for a tier of customers, in characters.
pub const TIER_MAX: usize = 40;
/// The longest description, note or reason, in characters.
pub const TEXT_MAX: usize = 4000;
/// The longest email address, in bytes (RFC 5321, 4.5.3.1.3).
pub const EMAIL_MAX: usize = 254;
/// The longest idempotency key, in characters.
pub const KEY_MAX: usize = 255;

/// A name: trimmed, 1 to 200 characters, no control characters.
pub fn name(path: &[&str], text: &str) -> Result<String, Problem> {
    line(path, text, NAME_MAX)
}

/// A tier of customers: trimmed, 1 to 40 characters, no control characters.
pub fn tier(path: &[&str], text: &str) -> Result<String, Problem> {
    line(path, text, TIER_MAX)
}

fn line(path: &[&str], text: &str, max: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::invalid(path, "must not be empty"));
    }
    limited(path, text, max)?;
    if text.chars().any(char::is_control) {
        return Err(Problem::invalid(
            path,
            "must not contain control characters",
        ));
    }
    Ok(text.to_owned())
}

/// A longer text: trimmed, up to 4,000 characters; empty means none.
pub fn long(path: &[&str], text: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    limited(path, text, TEXT_MAX)?;
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t' && c != '\r')
    {
        return Err(Problem::invalid(
            path,
            "must not contain control characters",
        ));
    }
    Ok(Some(text.to_owned()))
}

/// An email address: one `@`, something on both sides, no blanks, at most 254 bytes. Whether it exists only mail can tell.
pub fn email(path: &[&str], text: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let shaped = text.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty()
            && local.len() <= 64
            && !host.is_empty()
            && !host.contains('@')
            && !host.starts_with('.')
            && !host.ends_with('.')
            && !host.contains("..")
    });
    let clean = !text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"\\[]".contains(c));
    if shaped && clean && text.len() <= EMAIL_MAX {
        Ok(Some(text.to_owned()))
    } else {
        Err(Problem::invalid(path, "is not an email address"))
    }
}

/// A telephone number as people write them: 3 to 40 characters of digits, blanks and `+()-./`, with at least 3 digits.
pub fn phone(path: &[&str], text: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let known = text
        .chars()
        .all(|c| c.is_ascii_digit() || " +()-./".contains(c));
    if known && digits >= 3 && text.len() <= 40 {
        Ok(Some(text.to_owned()))
    } else {
        Err(Problem::invalid(path, "is not a telephone number"))
    }
}

/// A language tag as BCP 47 shapes them: letters, digits and hyphens, 2 to 35 characters.
pub fn locale(path: &[&str], text: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let parts_fit = text.split('-').all(|part| {
        (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    });
    let language_fits = text
        .split('-')
        .next()
        .is_some_and(|part| part.len() >= 2 && part.chars().all(|c| c.is_ascii_alphabetic()));
    if parts_fit && language_fits && text.len() <= 35 {
        Ok(Some(text.to_owned()))
    } else {
        Err(Problem::invalid(
            path,
            "is not a language tag such as en-GB",
        ))
    }
}

/// A slug: 1 to 63 lower-case letters, digits and hyphens, a letter or digit at both ends.
pub fn slug(path: &[&str], text: &str) -> Result<String, Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = (1..=63).contains(&text.len())
        && text.chars().all(|c| plain(c) || c == '-')
        && text.starts_with(plain)
        && text.ends_with(plain);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Problem::invalid(
            path,
            "must be 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends",
        ))
    }
}

/// A whole number within bounds.
pub fn number(
    path: &[&str],
    value: i64,
    range: std::ops::RangeInclusive<i64>,
) -> Result<u32, Problem> {
    u32::try_from(value)
        .ok()
        .filter(|_| range.contains(&value))
        .ok_or_else(|| {
            Problem::invalid(
                path,
                format!(
                    "must be from {} to {}, not {value}",
                    range.start(),
                    range.end()
                ),
            )
        })
}

fn limited(path: &[&str], text: &str, max: usize) -> Result<(), Problem> {
    let length = text.chars().count();
    if length > max {
        return Err(Problem::invalid(
            path,
            format!("must be at most {max} characters long, not {length}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_limited() {
        assert_eq!(name(&["name"], "  Anna "), Ok("Anna".to_owned()));
        assert!(name(&["name"], " \t").is_err());
        assert!(name(&["name"], "a\u{0}b").is_err());
        assert!(name(&["name"], &"ä".repeat(200)).is_ok());
        assert!(name(&["name"], &"a".repeat(201)).is_err());
    }

    #[test]
    fn tiers_are_short() {
        assert_eq!(tier(&["tier"], " vip "), Ok("vip".to_owned()));
        assert!(tier(&["tier"], &"ä".repeat(40)).is_ok());
        for wrong in ["", "  ", "a\nb", &"a".repeat(41)] {
            assert!(tier(&["tier"], wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn emails_have_their_shape() {
        for right in ["a@b", "anna.müller@example.com", "x+y@sub.example.org"] {
            assert!(email(&[], Some(right)).is_ok(), "{right}");
        }
        for wrong in [
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a@b\nBcc: x@y",
            "a@.b",
            "a@b..c",
            "<a@b>",
        ] {
            assert!(email(&[], Some(wrong)).is_err(), "{wrong}");
        }
        assert_eq!(email(&[], Some("  ")), Ok(None));
    }

    #[test]
    fn phones_locales_and_slugs_have_their_shape() {
        assert!(phone(&[], Some("+49 (30) 123-45")).is_ok());
        assert!(phone(&[], Some("call me")).is_err());
        assert!(locale(&[], Some("zh-Hans-CN")).is_ok());
        assert!(locale(&[], Some("e")).is_err());
        assert!(slug(&[], "salon-aurora").is_ok());
        for wrong in ["", "-a", "a-", "A", "ä", "a_b"] {
            assert!(slug(&[], wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_keep_their_bounds() {
        assert_eq!(number(&[], 5, 1..=10), Ok(5));
        assert!(number(&[], 0, 1..=10).is_err());
        assert!(number(&[], -1, 0..=10).is_err());
    }
}
