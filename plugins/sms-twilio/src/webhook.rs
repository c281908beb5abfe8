//! What Twilio calls with: the signature first; then how a message fares, or what somebody answered.

use std::collections::BTreeMap;

use plugin_api::{
    Channel, Inbound, InboundAbout, InboundRefused, InboundReply, InboundRequest, InboundWebhook,
    PluginSettings, Wish,
};
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::settings::Settings;
use crate::{SmsTwilio, address, keyword, map, signature};

/// The longest name of a call that is kept.
const NAME_MAX: usize = 100;
const NO_REPLY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

type Fields = BTreeMap<String, String>;

impl InboundWebhook for SmsTwilio {
    fn verify(
        &self,
        settings: &PluginSettings,
        request: &InboundRequest,
    ) -> Result<Inbound, InboundRefused> {
        let account = settings
            .read::<Settings>()
            .and_then(|settings| settings.account());
        let account = account.map_err(|error| InboundRefused::Misconfigured(error.to_string()))?;
        let given = request
            .header("x-twilio-signature")
            .ok_or(InboundRefused::Signature)?;
        let token = account.token.expose_secret();
        if !signature::is_right(token, given, &request.url, &request.body) {
            return Err(InboundRefused::Signature);
        }
        read(request)
    }
}

fn read(request: &InboundRequest) -> Result<Inbound, InboundRefused> {
    let fields = fields(request)?;
    let field = |name: &str| fields.get(name).map(String::as_str);
    let sid = field("MessageSid").or_else(|| field("SmsSid"));
    let Some(sid) = sid.filter(|sid| is_name(sid)) else {
        return nothing(request, &fields);
    };
    if let Some(status) = field("MessageStatus").filter(|status| !is_incoming(status)) {
        let name = format!("{sid}:{status}");
        if !is_name(&name) {
            return Err(unreadable("the status is none"));
        }
        let error_code = field("ErrorCode").and_then(|code| code.parse().ok());
        let about = InboundAbout::Message {
            id: map::called_about(signature::query(&request.url)),
            external_id: sid.to_owned(),
            status: map::status(status, error_code),
        };
        return Ok(Inbound::new(name, about));
    }
    let status = field("SmsStatus").or_else(|| field("MessageStatus"));
    if status.is_some_and(|status| !is_incoming(status)) {
        return nothing(request, &fields);
    }
    Ok(answered(sid, &fields, request))
}

/// Somebody wrote.
fn answered(sid: &str, fields: &Fields, request: &InboundRequest) -> Inbound {
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    // Where the account has Twilio's Advanced Opt-Out, Twilio knows more words, and answers them itself.
    let known = field("OptOutType");
    let wish = keyword::wish(known).or_else(|| keyword::wish(field("Body")));
    let address = address::e164(field("From"), None);
    let about = match (wish, address) {
        (Some(wish), Ok(address)) => InboundAbout::Wish {
            channel: Channel::Sms,
            address,
            wish,
        },
        _ => InboundAbout::Nothing,
    };
    let body = if wish == Some(Wish::Help) && known.is_empty() {
        who_writes(&request.business_name)
    } else {
        // STOP and START Twilio confirms by itself.
        NO_REPLY.to_owned()
    };
    let reply = InboundReply {
        content_type: "text/xml",
        body,
    };
    Inbound {
        reply: Some(reply),
        ..Inbound::new(sid, about)
    }
}

/// The answer to HELP.
fn who_writes(business: &str) -> String {
    let name = escaped(business);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Message>{name}: messages about your appointments come from this number. \
         Reply STOP to get no more of them, START to get them again.</Message></Response>"
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A call about something else: kept under whatever names it.
fn nothing(request: &InboundRequest, fields: &Fields) -> Result<Inbound, InboundRefused> {
    let named = ["MessageSid", "SmsSid", "CallSid", "EventSid", "Sid"];
    let named = named
        .iter()
        .find_map(|name| fields.get(*name).map(String::as_str));
    let name = request.header("i-twilio-idempotency-token").or(named);
    match name.filter(|name| is_name(name)) {
        Some(name) => Ok(Inbound::new(name, InboundAbout::Nothing)),
        None => Err(unreadable("it says of nothing what it is about")),
    }
}

/// What Twilio says, in a form or (where the address has its digest) in JSON.
fn fields(request: &InboundRequest) -> Result<Fields, InboundRefused> {
    if !signature::is_digested(&request.url) {
        let pairs = form_urlencoded::parse(&request.body).into_owned();
        return Ok(pairs.collect());
    }
    let json: BTreeMap<String, Value> =
        serde_json::from_slice(&request.body).map_err(|_| unreadable("it is no object"))?;
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let pairs = json.into_iter();
    Ok(pairs
        .filter_map(|(name, value)| Some((name, text(value)?)))
        .collect())
}

fn is_incoming(status: &str) -> bool {
    matches!(status, "received" | "receiving")
}

fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic())
}

fn unreadable(why: &str) -> InboundRefused {
    InboundRefused::Unreadable(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_says_who_writes_and_how_to_stop() {
        let reply = who_writes("Salon Aurora");
        assert!(reply.contains("<Message>Salon Aurora: messages"), "{reply}");
        assert!(reply.contains("Reply STOP"), "{reply}");
        assert!(who_writes("a&b<c>\u{7}").contains("<Message>a&amp;b&lt;c&gt;:"));
    }
}
