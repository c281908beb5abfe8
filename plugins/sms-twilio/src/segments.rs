//! How a text goes over the air: in which alphabet, and in how many messages, each of which is paid for.
//!
//! GSM 03.38 packs 160 characters of its own alphabet into one message, those of its extension table counting twice; whatever else occurs
//! makes the whole text UCS-2, of which 70 units fit. A longer text is cut into segments of 153 or 67, a header takes the rest.

/// The basic alphabet of GSM 03.38, without the escape.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// What is behind the escape: two places each.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// In which alphabet a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// GSM 03.38, 7 bits.
    Gsm7,
    /// UCS-2 (UTF-16, as phones read it), 16 bits.
    Ucs2,
}

impl Alphabet {
    /// How much fits into a message by itself, and into one of several.
    fn limits(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    fn width(self, c: char) -> usize {
        match self {
            Self::Gsm7 if EXTENSION.contains(c) => 2,
            Self::Gsm7 => 1,
            Self::Ucs2 => c.len_utf16(),
        }
    }
}

/// How a text goes over the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    /// In which alphabet.
    pub alphabet: Alphabet,
    /// In how many messages.
    pub count: usize,
}

/// How this text goes over the air, as it stands.
pub fn segments(text: &str) -> Segments {
    let is_gsm = text.chars().all(is_gsm);
    let alphabet = if is_gsm {
        Alphabet::Gsm7
    } else {
        Alphabet::Ucs2
    };
    let (single, part) = alphabet.limits();
    let widths = || text.chars().map(|c| alphabet.width(c));
    if widths().sum::<usize>() <= single {
        return Segments { alphabet, count: 1 };
    }
    // A character of two places is not cut in two.
    let (count, _) = widths().fold((1, 0), |(count, used), width| {
        if used + width > part {
            (count + 1, width)
        } else {
            (count, used + width)
        }
    });
    Segments { alphabet, count }
}

/// The text that is sent for this one: typographic quotes, dashes, dots and blanks become plain ones where that brings the whole text into
/// the GSM alphabet, and so more than doubles what fits into a message; otherwise it stays as it is. Nothing else is replaced: an é
/// that is not in the alphabet is part of somebody's name.
pub fn plain(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match look_alike(c) {
            Some(plain) => folded.push_str(plain),
            None => folded.push(c),
        }
    }
    if folded.chars().all(is_gsm) {
        folded
    } else {
        text.to_owned()
    }
}

fn is_gsm(c: char) -> bool {
    BASIC.contains(c) || EXTENSION.contains(c)
}

fn look_alike(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '`' | '\u{b4}' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => {
            "\""
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2022}' => "-",
        '\u{2026}' => "...",
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\t' => " ",
        '\u{200b}' | '\u{feff}' | '\u{ad}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Alphabet, usize) {
        let Segments { alphabet, count } = segments(text);
        (alphabet, count)
    }

    #[test]
    fn the_alphabets_hold_what_the_standard_says() {
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn segments_are_counted_at_their_borders() {
        use Alphabet::{Gsm7, Ucs2};
        for (text, expected) in [
            (String::new(), (Gsm7, 1)),
            ("a".repeat(160), (Gsm7, 1)),
            ("a".repeat(161), (Gsm7, 2)),
            ("a".repeat(306), (Gsm7, 2)),
            ("a".repeat(307), (Gsm7, 3)),
            ("€".repeat(80), (Gsm7, 1)),
            (format!("{}a", "€".repeat(80)), (Gsm7, 2)),
            // 153 is odd: 76 of them fit into each.
            ("€".repeat(152), (Gsm7, 2)),
            ("€".repeat(153), (Gsm7, 3)),
            ("ж".repeat(70), (Ucs2, 1)),
            ("ж".repeat(71), (Ucs2, 2)),
            ("ж".repeat(134), (Ucs2, 2)),
            ("ж".repeat(135), (Ucs2, 3)),
            ("😀".repeat(35), (Ucs2, 1)),
            ("😀".repeat(36), (Ucs2, 2)),
            // 67 is odd: 33 of them fit into each.
            ("😀".repeat(66), (Ucs2, 2)),
            ("😀".repeat(67), (Ucs2, 3)),
            (format!("{}’", "a".repeat(69)), (Ucs2, 1)),
            (format!("{}’", "a".repeat(70)), (Ucs2, 2)),
            ("Übergröße für 5 € [ja]\n".to_owned(), (Gsm7, 1)),
            ("Zoë".to_owned(), (Ucs2, 1)),
        ] {
            assert_eq!(of(&text), expected, "{text}");
        }
    }

    #[test]
    fn typography_is_made_plain_where_that_is_all_that_is_in_the_way() {
        assert_eq!(plain("Jo’s “cut” – 10\u{a0}am…"), "Jo's \"cut\" - 10 am...");
        assert_eq!(of(&plain(&"’".repeat(160))), (Alphabet::Gsm7, 1));
        // It would stay UCS-2 all the same.
        assert_eq!(plain("Zoë’s cut"), "Zoë’s cut");
        assert_eq!(plain("Стрижка – 10:00"), "Стрижка – 10:00");
        assert_eq!(plain("plain"), "plain");
    }
}
