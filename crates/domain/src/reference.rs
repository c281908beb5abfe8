//! Booking references: short, readable aloud, unique in the business.
//!
//! Eight characters of an alphabet without look-alikes (no 0/O, 1/I/L, U/V), in two groups: `K7QF-3MXR`. 28^8 is 3.8 * 10^11,
//! so a reference says nothing about how many bookings there are; the database refuses the rare double.

/// The characters of a reference.
const ALPHABET: &[u8; 28] = b"23456789ABCDEFGHJKMNPQRSTWXY";

/// The reference that these random bytes spell.
pub fn from_random(random: u64) -> String {
    let mut rest = random;
    let mut text = String::with_capacity(9);
    for place in 0..8 {
        if place == 4 {
            text.push('-');
        }
        let index = usize::try_from(rest % 28).unwrap_or(0);
        text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'2')));
        rest /= 28;
    }
    text
}

/// A reference as people type it, in its one written form; what cannot be one comes back unchanged and finds nothing.
pub fn normalise(text: &str) -> String {
    let plain: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .take(16)
        .collect();
    match (plain.get(..4), plain.get(4..)) {
        (Some(head), Some(tail)) if plain.len() == 8 => format!("{head}-{tail}"),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_however_it_is_typed() {
        let reference = from_random(0x1234_5678_9abc_def0);
        assert_eq!(reference.len(), 9);
        assert_eq!(
            normalise(&reference.to_lowercase().replace('-', " ")),
            reference
        );
        assert_eq!(normalise("nonsense and more than that"), "NONSENSEANDMORET");
    }
}
