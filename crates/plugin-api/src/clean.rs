//! Texts that people gave, made fit to stand in a header, a subject or a message: nothing that comes out of here can begin a new header or a new
//! calendar property.

/// One line: no control characters, no invisible marks that reorder or break text, blanks collapsed.
pub fn line(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(|&c| !reorders(c))
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Several lines, each ended by `\n` alone and without control characters.
pub fn paragraph(text: &str) -> String {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept = unified.chars().map(|c| if c == '\t' { ' ' } else { c });
    let kept: String = kept
        .filter(|&c| c == '\n' || (!c.is_control() && !reorders(c)))
        .collect();
    kept.trim().to_owned()
}

/// Marks that end a line for some readers or that turn the direction of what follows (bidirectional embeddings,
/// overrides and isolates). Letters of right-to-left scripts need none of them.
fn reorders(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(line(" Anna\r\nBcc: x@y\t Z\u{0} "), "Anna Bcc: x@y Z");
        assert_eq!(line("a\u{202E}cod.exe\u{2028}b"), "acod.exeb");
        assert_eq!(line("مريم أحمد"), "مريم أحمد");
    }

    #[test]
    fn a_paragraph_keeps_its_lines() {
        assert_eq!(paragraph("one\r\ntwo\rthree\u{7}\n"), "one\ntwo\nthree");
    }
}
