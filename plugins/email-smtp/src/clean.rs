//! Texts that people gave, made fit to name a file.

/// A component of a file name: ASCII letters, digits and hyphens, so it begins no new component.
pub fn file_name_part(text: &str) -> String {
    let part: String = text
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(64)
        .collect();
    if part.is_empty() {
        "none".to_owned()
    } else {
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_part_stays_in_its_directory() {
        assert_eq!(file_name_part("../../AB 12/é"), "AB12");
        assert_eq!(file_name_part("///"), "none");
    }
}
