//! From a message to a mail: a pure function of the message and the sender, so that a repeat says the same to the byte.

use domain::event::{BookingFacts, EventKind};
use lettre::Address;
use lettre::message::Mailbox;
use plugin_api::{Invitation, Message};

use crate::clean::{file_name_part, line, paragraph};
use crate::ics::{Appointment, Method};
use crate::mime::{Mail, Texts};
use crate::settings::Sender;

/// The mail for a message; none: why there can be none.
pub fn mail(message: &Message, sender: &Sender) -> Result<Mail, String> {
    let facts = message.event.booking.as_ref();
    let facts = facts.ok_or_else(|| "the event has no booking".to_owned())?;
    let address: Address = message
        .to
        .parse()
        .map_err(|_| "the address is not one that mail can be sent to".to_owned())?;
    let to = Mailbox::new(named(&message.to_name), address);
    let from = from(sender, facts);
    let host = from.email.domain().to_owned();
    let letter = &message.letter;
    let invitation = letter.invitation.as_ref();
    let begins_thread = message.event.kind == EventKind::BookingConfirmed && invitation.is_some();
    let (booking, thread) = (facts.booking_id, letter.recipient.thread());
    Ok(Mail {
        texts: Texts {
            subject: message.subject.as_deref().map(line).unwrap_or_default(),
            text: message.text.clone(),
            html: letter.html.clone(),
        },
        invitation: invitation.map(|invitation| {
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
        thread_id: format!("<{booking}.{thread}@{host}>"),
        begins_thread,
        boundary: message.id.to_string(),
        file_name: file_name(message, facts),
        from,
        to,
    })
}

/// The sender, under the business's name where the settings give none.
fn from(sender: &Sender, facts: &BookingFacts) -> Mailbox {
    let Mailbox { name, email } = sender.from.clone();
    let name = name
        .filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| facts.business.name.clone());
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
        uid: format!("{}@bookable", facts.booking_id),
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
fn file_name(message: &Message, facts: &BookingFacts) -> String {
    let id = message.id.to_string();
    let suffix = id.rsplit('_').next().unwrap_or(&id);
    let at = message.letter.date.unwrap_or(message.event.at);
    format!(
        "{}-{}-{}-{}-{suffix}.eml",
        at.format("%Y%m%dT%H%M%SZ"),
        file_name_part(&facts.reference),
        file_name_part(&message.letter.about),
        message.letter.recipient.name(),
    )
}
