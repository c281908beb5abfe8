//! A message is created, or refused as Twilio documents it.

use crate::answer::{Answer, done, error, refused};
use crate::world::{Called, FROM, Message, SERVICE, World};

const KNOWN: [&str; 5] = [
    "To",
    "From",
    "MessagingServiceSid",
    "Body",
    "StatusCallback",
];

impl World {
    pub fn create(&mut self, asked: &Called) -> Answer {
        if let Some((name, _)) = asked
            .form
            .iter()
            .find(|(name, _)| !KNOWN.contains(&name.as_str()))
        {
            return error(400, 20001, &format!("Unknown parameter {name}"));
        }
        let field = |name: &str| asked.get(name).filter(|value| !value.is_empty());
        let (from, service) = (field("From"), field("MessagingServiceSid"));
        let (to, body) = match text(field("To"), field("Body")) {
            Ok(text) => text,
            Err(code) => return refused(code),
        };
        let callback = field("StatusCallback");
        let wrong = recipient(to)
            .or_else(|| sender(from, service))
            .or_else(|| address(callback))
            .or_else(|| self.opted_out.contains(to).then_some(21610));
        if let Some(code) = wrong {
            return refused(code);
        }
        let message = Message {
            sid: self.sid(),
            to: to.to_owned(),
            from: from.map(str::to_owned),
            service: service.map(str::to_owned),
            body: body.to_owned(),
            status: if service.is_some() {
                "accepted"
            } else {
                "queued"
            }
            .to_owned(),
            is_incoming: false,
            created: self.now(),
            sent: None,
            error_code: None,
            callback: callback.map(str::to_owned),
        };
        let json = message.json();
        self.messages.push(message);
        done(201, json)
    }
}

fn text<'a>(to: Option<&'a str>, body: Option<&'a str>) -> Result<(&'a str, &'a str), u32> {
    let to = to.ok_or(21604_u32)?;
    let body = body.ok_or(21602_u32)?;
    if body.encode_utf16().count() > 1600 {
        return Err(21617);
    }
    Ok((to, body))
}

/// The magic numbers of Twilio's test credentials, and what is no number.
fn recipient(to: &str) -> Option<u32> {
    match to {
        "+15005550001" => Some(21211),
        "+15005550002" => Some(21612),
        "+15005550003" => Some(21408),
        "+15005550004" => Some(21610),
        "+15005550009" => Some(21614),
        to if !is_number(to) => Some(21211),
        _ => None,
    }
}

fn sender(from: Option<&str>, service: Option<&str>) -> Option<u32> {
    if service.is_some_and(|service| service != SERVICE) {
        return Some(21701);
    }
    match from {
        None if service.is_none() => Some(21603),
        Some("+15005550001") => Some(21212),
        Some("+15005550007") => Some(21606),
        Some("+15005550008") => Some(21611),
        Some(from) if from != FROM && is_number(from) => Some(21659),
        _ => None,
    }
}

fn address(callback: Option<&str>) -> Option<u32> {
    let callback = callback?;
    let is_one = ["http://", "https://"]
        .iter()
        .any(|scheme| callback.starts_with(scheme));
    (!is_one || callback.contains(' ')).then_some(21609)
}

fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit())
    })
}
