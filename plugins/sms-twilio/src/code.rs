//! Twilio's codes of errors, from its public documentation, and what each means for a message.

use plugin_api::Failure;

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// This message will never get to this number.
    Never(&'static str),
    /// It may work later.
    Later(&'static str),
    /// This setting is wrong.
    Setting(&'static str, &'static str),
}

/// What this code means; none where it is not one that is known here.
pub(crate) fn meaning(code: i64) -> Option<Meaning> {
    use Meaning::{Later, Never, Setting};
    Some(match code {
        // The other person.
        21610 => Never("has opted out of messages from this sender by replying STOP"),
        21211 | 21217 => Never("is not a telephone number that exists"),
        21614 => Never("is not a mobile number: it takes no text messages"),
        21612 => Never("cannot be reached by text messages from this sender"),
        21408 => Never(
            "is in a country that this Twilio account may not send to (Geo permissions in Twilio's console)",
        ),
        21608 => Never(
            "is not verified: a trial account of Twilio sends only to numbers that were verified",
        ),
        21266 => Never("is the one that messages come from"),
        // The message.
        21602 | 21619 => Never("was sent an empty message"),
        21617 => Never("was sent a message of more than 1600 characters"),
        30044 => Never("was sent a message that is too long for a trial account"),
        // What became of it on its way.
        30003 => Never("cannot be reached: switched off, out of reach, or no longer in use"),
        30004 => Never("is blocked: it takes no messages from this sender"),
        30005 => Never("is unknown, or no longer in use"),
        30006 => Never("is a landline, or of a carrier that cannot be reached"),
        30007 => Never("was not sent the message: a carrier's filter took it for spam"),
        30008 => Never("did not get the message; the carrier does not say why"),
        30010 => Never("was not sent the message: it costs more than the account's limit"),
        30017 => Never("was not sent the message: the carrier is congested"),
        30019 => Never("was sent more than its carrier takes"),
        30022 | 30023 => Never(
            "was not sent the message: more was sent than the registration for A2P 10DLC allows",
        ),
        30032 => {
            Never("was not sent the message: the toll-free number it comes from is not verified")
        }
        30034 => Never(
            "was not sent the message: the number it comes from is not registered for A2P 10DLC",
        ),
        30036 => Never("was not sent the message: it waited longer than it was valid"),
        30410 => Never("was not sent the message: its carrier did not answer in time"),
        30450 | 30453 => Never("was not sent the message: Twilio blocked it"),
        // How much is sent.
        20429 | 14107 | 21611 | 30001 => Later("too much is being sent at once"),
        20500 | 20503 | 20504 | 21730 => Later("Twilio has a fault of its own"),
        // The account.
        20003 | 20101 => Setting("authToken", "is not accepted for this accountSid"),
        20008 => Setting(
            "authToken",
            "is one of the test credentials, which cannot do this",
        ),
        20005 | 10001 | 30002 => Setting("accountSid", "this account is not active"),
        20404 => Setting("accountSid", "Twilio does not know it"),
        // The sender.
        21212 | 21603 | 21606 | 21607 | 21659 | 21660 | 21661 => Setting(
            "from",
            "Twilio cannot send from it: it must be a number of the account that sends SMS",
        ),
        21267 => Setting("from", "a trial account sends from no name"),
        21701 | 21705 => Setting("messagingServiceSid", "there is no such messaging service"),
        21703 | 21704 => Setting(
            "messagingServiceSid",
            "the messaging service has no sender that can send it",
        ),
        // The server.
        21609 => Setting(
            "public address",
            "Twilio does not take the address at which this server hears how messages fare (--public-url)",
        ),
        _ => return None,
    })
}

/// What it means for a message that Twilio did not take, in Twilio's own words where its code is not one that is known here.
pub(crate) fn failure(code: i64, words: &str) -> Failure {
    match meaning(code) {
        Some(Meaning::Never(why)) => {
            Failure::give_up(format!("the number {why} (Twilio error {code})"))
        }
        Some(Meaning::Later(why)) => Failure::retry(format!("{why} (Twilio error {code})")),
        Some(Meaning::Setting(setting, why)) => {
            Failure::misconfigured(format!("{setting}: {why} (Twilio error {code})"))
        }
        None => Failure::give_up(format!("Twilio answered: {words} (error {code})")),
    }
}

/// Why a message that Twilio took will never arrive.
pub(crate) fn undelivered(code: Option<i64>) -> String {
    let Some(code) = code else {
        return "Twilio could not deliver it, and does not say why".to_owned();
    };
    match meaning(code) {
        Some(Meaning::Never(why)) => format!("the number {why} (Twilio error {code})"),
        Some(Meaning::Later(why)) => format!("{why} (Twilio error {code})"),
        Some(Meaning::Setting(setting, why)) => format!("{setting}: {why} (Twilio error {code})"),
        None => format!("Twilio could not deliver it (Twilio error {code})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_to_do() {
        for code in [
            21610, 21211, 21614, 21612, 21408, 21608, 21602, 21617, 30003, 30006, 30007,
        ] {
            let failure = failure(code, "x");
            assert!(matches!(failure, Failure::GiveUp { .. }), "{code}");
            assert!(failure.reason().contains(&code.to_string()));
        }
        assert!(failure(21610, "x").reason().contains("has opted out"));
        for code in [20429, 14107, 21611, 30001, 20500] {
            assert!(
                matches!(failure(code, "x"), Failure::Retry { .. }),
                "{code}"
            );
        }
        for (code, setting) in [
            (20003, "authToken: "),
            (20404, "accountSid: "),
            (20005, "accountSid: "),
            (21606, "from: "),
            (21603, "from: "),
            (21659, "from: "),
            (21660, "from: "),
            (21701, "messagingServiceSid: "),
            (21704, "messagingServiceSid: "),
        ] {
            let failure = failure(code, "x");
            assert!(matches!(failure, Failure::Misconfigured { .. }), "{code}");
            assert!(failure.reason().starts_with(setting), "{failure}");
        }
        assert_eq!(
            failure(21999, "A new rule"),
            Failure::give_up("Twilio answered: A new rule (error 21999)")
        );
    }

    #[test]
    fn what_failed_on_its_way_says_why() {
        assert!(undelivered(Some(30003)).contains("switched off"));
        assert!(undelivered(Some(30002)).contains("not active"));
        assert!(undelivered(Some(99999)).contains("99999"));
        assert!(!undelivered(None).is_empty());
    }
}
