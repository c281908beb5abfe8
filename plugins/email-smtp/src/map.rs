//! From a message to a mail: a pure function of the message and the sender, so that a repeat says the same to the byte.

use domain::event::{BookingFacts, EventKind};
use lettre::Address;
use lettre::message::Mailbox;
use plugin_api::clean::{line, paragraph};
use plugin_api::{Invitation, Message};

use crate::clean::file_name_part;
use crate::ics::{Appointment, Method};
use crate::mime::{Mail, Texts};
use crate::settings::Sender;

/// The mail for a message; none: why there can be none.
pub fn mail(message: &Message, sender: &Sender) -> Result<Mail, String> {
    let facts = message.event.booking.as_ref();
    let address: Address = message
        .to
        .parse()
        .map_err(|_| "the address is not one that mail can be sent to".to_owned())?;
    let to = Mailbox::new(named(&message.to_name), address);
    let from = from(sender, message);
    let host = from.email.domain().to_owned();
    let letter = &message.letter;
    let invitation = letter.invitation.as_ref();
    let begins_thread = message.event.kind == EventKind::BookingConfirmed && invitation.is_some();
    let about = facts.map_or_else(
        || message.event.id.to_string(),
        |facts| facts.booking_id.to_string(),
    );
    let thread = letter.recipient.thread();
    Ok(Mail {
        texts: Texts {
            subject: message.subject.as_deref().map(line).unwrap_or_default(),
            text: message.text.clone(),
            html: letter.html.clone(),
        },
        invitation: facts.zip(invitation).map(|(facts, invitation)| {
            let method = if invitation.is_cancelled {
                Method::Cancel
            } else {
                Method::Request
            };
            let appointment = appointment(message, facts, invitation, sender, &to);
            (
                method,
                Appointment {
                    method,
                    ..appointment
                }
                .to_ics(),
            )
        }),
        reply_to: sender.reply_to.clone(),
        at: letter.date.unwrap_or(message.event.at),
        message_id: format!("<{}@{host}>", message.id),
        thread_id: format!("<{about}.{thread}@{host}>"),
        begins_thread,
        boundary: message.id.to_string(),
        file_name: file_name(message),
        from,
        to,
    })
}

/// The sender, under the business's name where the settings give none.
fn from(sender: &Sender, message: &Message) -> Mailbox {
    let facts = message.event.booking.as_ref();
    let Mailbox { name, email } = sender.from.clone();
    let name = name
        .filter(|name| !name.trim().is_empty())
        .or_else(|| facts.map(|facts| facts.business.name.clone()))
        .unwrap_or_else(|| message.letter.from_name.clone());
    Mailbox::new(named(&name), email)
}

fn appointment<'b>(
    message: &Message,
    facts: &'b BookingFacts,
    invitation: &Invitation,
    sender: &'b Sender,
    attendee: &'b Mailbox,
) -> Appointment<'b> {
    Appointment {
        method: Method::Request,
        uid: Invitation::uid(facts.booking_id),
        sequence: facts.version.saturating_sub(1).max(0),
        stamp: message.event.at,
        starts_at: invitation.starts_at,
        ends_at: invitation.ends_at,
        summary: line(&invitation.summary),
        location: line(&invitation.place),
        description: paragraph(&invitation.description),
        organizer_name: &facts.business.name,
        organizer: &sender.from.email,
        attendee,
    }
}

fn named(name: &str) -> Option<String> {
    Some(line(name)).filter(|name| !name.is_empty())
}

/// `20270301T090000Z-AB12CD-confirmed-customer-<suffix of the message's id>.eml`: sorted by name is sorted by time.
fn file_name(message: &Message) -> String {
    let facts = message.event.booking.as_ref();
    let reference = facts.map_or(message.event.kind.name(), |facts| &facts.reference);
    let id = message.id.to_string();
    let suffix = id.rsplit('_').next().unwrap_or(&id);
    let at = message.letter.date.unwrap_or(message.event.at);
    format!(
        "{}-{}-{}-{}-{suffix}.eml",
        at.format("%Y%m%dT%H%M%SZ"),
        file_name_part(reference),
        file_name_part(&message.letter.about),
        message.letter.recipient.name(),
    )
}
