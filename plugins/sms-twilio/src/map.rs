//! From what is to be sent to Twilio's form, and from Twilio's words to ours. Nothing here asks anybody.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::id::NotificationId;
use outbound::Url;
use plugin_api::{Failure, Message, MessageStatus, Sent};

use crate::answer::TwilioMessage;
use crate::client::Form;
use crate::code;
use crate::segments;
use crate::settings::Sender;

/// The longest message that Twilio takes, in characters.
const BODY_MAX: usize = 1600;
/// How much later than its answer Twilio's clock may show a call: what it takes on its way.
const SLACK: TimeDelta = TimeDelta::seconds(2);
/// What Twilio puts before every message of a trial account.
const TRIAL: &str = "Sent from your Twilio trial account - ";
/// Under which name our own id of a message is in the address that Twilio calls.
const OUR_ID: &str = "message";

/// The text that goes out.
pub(crate) fn body(text: &str) -> Result<String, Failure> {
    let body = segments::plain(text.trim());
    if body.is_empty() {
        return Err(Failure::give_up("the message says nothing"));
    }
    let length = body.encode_utf16().count();
    if length > BODY_MAX {
        // Cut off it might say the opposite.
        return Err(Failure::give_up(format!(
            "the message has {length} characters: a text message has at most {BODY_MAX}"
        )));
    }
    Ok(body)
}

/// The form that sends a message.
pub(crate) fn form(sender: &Sender, message: &Message, body: &str) -> Result<Form, Failure> {
    let mut form = vec![("To".to_owned(), message.to.clone())];
    for (name, value) in [
        ("From", &sender.from),
        ("MessagingServiceSid", &sender.service),
    ] {
        if let Some(value) = value {
            form.push((name.to_owned(), value.clone()));
        }
    }
    form.push(("Body".to_owned(), body.to_owned()));
    if let Some(url) = &message.callback_url {
        form.push(("StatusCallback".to_owned(), callback(url, message.id)?));
    }
    Ok(form)
}

/// The address that Twilio calls, with our own id of the message: what it says is understood even where its answer to us got lost.
fn callback(url: &str, id: NotificationId) -> Result<String, Failure> {
    let mut url: Url = url
        .parse()
        .map_err(|_| Failure::give_up("the address for callbacks is none"))?;
    url.query_pairs_mut().append_pair(OUR_ID, &id.to_string());
    Ok(url.into())
}

/// Our own id of the message, from the address that was called.
pub(crate) fn called_about(query: &str) -> Option<NotificationId> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, id) = pairs.find(|(name, _)| name == OUR_ID)?;
    id.parse().ok()
}

/// Since when Twilio may have had a message, by Twilio's clock: `now` is the time here, and `theirs` that of Twilio at the same moment. So it
/// does not matter how far the clocks are apart.
pub(crate) fn not_before(
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    theirs: DateTime<Utc>,
) -> DateTime<Utc> {
    let ago = (now - since).max(TimeDelta::zero());
    // Twilio counts in seconds.
    (theirs - ago - SLACK).trunc_subsecs(0)
}

/// Whether this is the message that an earlier attempt sent.
pub(crate) fn is_ours(
    found: &TwilioMessage,
    to: &str,
    body: &str,
    not_before: DateTime<Utc>,
) -> bool {
    let is_outgoing = found
        .direction
        .as_deref()
        .is_none_or(|direction| direction.starts_with("outbound"));
    let said = found.body.as_deref().unwrap_or_default();
    let said = said.strip_prefix(TRIAL).unwrap_or(said).trim();
    is_outgoing
        && found.to.as_deref() == Some(to)
        && said == body
        && found.created_at().is_some_and(|at| at >= not_before)
}

/// What has become of a message.
pub(crate) fn sent(message: TwilioMessage) -> Sent {
    Sent {
        status: status(&message.status, message.error_code),
        external_id: Some(message.sid),
    }
}

/// Twilio's word for how a message fares. A word that is not known is no success.
pub(crate) fn status(status: &str, error_code: Option<i64>) -> MessageStatus {
    match status {
        "delivered" | "read" => MessageStatus::Delivered,
        "undelivered" | "failed" => MessageStatus::Failed {
            reason: code::undelivered(error_code),
        },
        "canceled" => MessageStatus::Failed {
            reason: "it was cancelled at Twilio before it was sent".to_owned(),
        },
        // accepted, scheduled, queued, sending, sent
        _ => MessageStatus::Sent,
    }
}

#[cfg(test)]
mod tests;
