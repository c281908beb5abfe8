//! The words by which people say whether they want messages, as Twilio knows them.

use plugin_api::Wish;

const STOP: [&str; 8] = [
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "OPTOUT",
    "REVOKE",
];
const START: [&str; 3] = ["START", "YES", "UNSTOP"];
const HELP: [&str; 2] = ["HELP", "INFO"];

/// What a message wishes that is nothing but such a word. Twilio ignores case and the blanks around; a full stop or quotes we do not mind
/// either, since whoever writes them means the same.
pub(crate) fn wish(text: &str) -> Option<Wish> {
    let word = text.trim_matches(|c: char| !c.is_alphanumeric());
    let is_one_of = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is_one_of(&STOP) {
        Some(Wish::Stop)
    } else if is_one_of(&START) {
        Some(Wish::Start)
    } else if is_one_of(&HELP) {
        Some(Wish::Help)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_by_itself_is_a_wish() {
        for text in [
            "STOP",
            "stop",
            " Stop \n",
            "stop.",
            "\"STOP\"",
            "StopAll",
            "cancel",
            "end",
            "quit",
            "unsubscribe",
            "OptOut",
            "revoke",
        ] {
            assert_eq!(wish(text), Some(Wish::Stop), "{text}");
        }
        for text in ["START", "yes", "Yes!", "unstop"] {
            assert_eq!(wish(text), Some(Wish::Start), "{text}");
        }
        for text in ["HELP", "help?", "info"] {
            assert_eq!(wish(text), Some(Wish::Help), "{text}");
        }
        for text in [
            "",
            "?",
            "stop it",
            "please STOP",
            "STOPP",
            "yes please",
            "no",
            "ja",
            "STOP STOP",
        ] {
            assert_eq!(wish(text), None, "{text}");
        }
    }
}
