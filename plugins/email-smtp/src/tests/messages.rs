use domain::event::EventKind::BookingCancelled;

use plugin_api::Recipient::{Customer, Provider};

use super::facts::{cancelled, confirmed};
use super::{confirmation, message, translate};
use crate::mime::Mail;

/// The message without the bodies of its parts.
fn structure(mail: &Mail) -> String {
    let written = message(mail).replace("\r\n", "\n");
    let mut in_head = true;
    let mut kept = Vec::new();
    for line in written.lines() {
        in_head = (in_head && !line.is_empty()) || line.starts_with("--=_");
        if in_head {
            kept.push(line);
        }
    }
    kept.join("\n")
}

#[test]
fn a_message_has_its_parts_where_calendar_programs_look_for_them() {
    insta::assert_snapshot!(structure(&confirmation(Customer, confirmed())), @r#"
    From: "Salon Aurora" <bookings@aurora.example>
    To: "Jo Smith" <jo@customer.example>
    Subject: confirmed: Cut & Colour (Salon Aurora)
    Date: Sat, 20 Feb 2027 12:00:00 +0000
    Message-ID: <ntf_01jd6kr000e008000000000035@aurora.example>
    References: <bkg_01jd6kr000e008000000000001.customer@aurora.example>
    Auto-Submitted: auto-generated
    MIME-Version: 1.0
    Content-Type: multipart/mixed;
     boundary="=_mixed_ntf_01jd6kr000e008000000000035"
    --=_mixed_ntf_01jd6kr000e008000000000035
    Content-Type: multipart/alternative;
     boundary="=_alternative_ntf_01jd6kr000e008000000000035"
    --=_alternative_ntf_01jd6kr000e008000000000035
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: quoted-printable
    --=_alternative_ntf_01jd6kr000e008000000000035
    Content-Type: text/html; charset=utf-8
    Content-Transfer-Encoding: quoted-printable
    --=_alternative_ntf_01jd6kr000e008000000000035
    Content-Type: text/calendar; method=REQUEST; charset=utf-8
    Content-Transfer-Encoding: base64
    --=_alternative_ntf_01jd6kr000e008000000000035--
    --=_mixed_ntf_01jd6kr000e008000000000035
    Content-Disposition: attachment; filename="invite.ics"
    Content-Type: application/ics; name="invite.ics"
    Content-Transfer-Encoding: base64
    --=_mixed_ntf_01jd6kr000e008000000000035--
    "#);
    insta::assert_snapshot!(structure(&translate(BookingCancelled, Provider, cancelled())), @r#"
    From: "Salon Aurora" <bookings@aurora.example>
    To: "Maria Rossi" <maria@aurora.example>
    Subject: cancelled: Cut & Colour (Jo Smith)
    Date: Sat, 20 Feb 2027 12:00:00 +0000
    Message-ID: <ntf_01jd6kr000e008000000000037@aurora.example>
    References: <bkg_01jd6kr000e008000000000001.provider@aurora.example>
    Auto-Submitted: auto-generated
    In-Reply-To: <bkg_01jd6kr000e008000000000001.provider@aurora.example>
    MIME-Version: 1.0
    Content-Type: multipart/mixed;
     boundary="=_mixed_ntf_01jd6kr000e008000000000037"
    --=_mixed_ntf_01jd6kr000e008000000000037
    Content-Type: multipart/alternative;
     boundary="=_alternative_ntf_01jd6kr000e008000000000037"
    --=_alternative_ntf_01jd6kr000e008000000000037
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: quoted-printable
    --=_alternative_ntf_01jd6kr000e008000000000037
    Content-Type: text/html; charset=utf-8
    Content-Transfer-Encoding: quoted-printable
    --=_alternative_ntf_01jd6kr000e008000000000037
    Content-Type: text/calendar; method=CANCEL; charset=utf-8
    Content-Transfer-Encoding: base64
    --=_alternative_ntf_01jd6kr000e008000000000037--
    --=_mixed_ntf_01jd6kr000e008000000000037
    Content-Disposition: attachment; filename="invite.ics"
    Content-Type: application/ics; name="invite.ics"
    Content-Transfer-Encoding: base64
    --=_mixed_ntf_01jd6kr000e008000000000037--
    "#);
}

#[test]
fn a_mail_is_the_same_every_time() {
    let mail = || message(&confirmation(Customer, confirmed()));
    assert_eq!(mail(), mail());
}

#[test]
fn mails_of_one_booking_to_one_recipient_are_a_thread() {
    let unfolded = |mail: &Mail| message(mail).replace("\r\n ", " ");
    let first = unfolded(&confirmation(Customer, confirmed()));
    let later = unfolded(&translate(BookingCancelled, Customer, cancelled()));
    let thread = "<bkg_01jd6kr000e008000000000001.customer@aurora.example>";
    assert!(
        first.contains(&format!("\r\nReferences: {thread}\r\n")) && !first.contains("In-Reply-To")
    );
    for header in ["References", "In-Reply-To"] {
        assert!(
            later.contains(&format!("\r\n{header}: {thread}\r\n")),
            "{later}"
        );
    }
}

#[test]
fn a_message_about_nothing_for_a_calendar_has_no_invitation() {
    let mut reminder = super::facts::any_message();
    reminder.letter.invitation = None;
    reminder.letter.date = Some(super::facts::at("2027-02-28T09:00:00Z"));
    reminder.letter.about = "reminder".to_owned();
    let mail = crate::map::mail(&reminder, &super::sender()).unwrap();
    insta::assert_snapshot!(structure(&mail), @r#"
    From: "Salon Aurora" <bookings@aurora.example>
    To: "Jo Smith" <jo@customer.example>
    Subject: confirmed: Cut & Colour (Salon Aurora)
    Date: Sun, 28 Feb 2027 09:00:00 +0000
    Message-ID: <ntf_01jd6kr000e008000000000035@aurora.example>
    References: <bkg_01jd6kr000e008000000000001.customer@aurora.example>
    Auto-Submitted: auto-generated
    In-Reply-To: <bkg_01jd6kr000e008000000000001.customer@aurora.example>
    MIME-Version: 1.0
    Content-Type: multipart/alternative;
     boundary="=_alternative_ntf_01jd6kr000e008000000000035"
    --=_alternative_ntf_01jd6kr000e008000000000035
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: quoted-printable
    --=_alternative_ntf_01jd6kr000e008000000000035
    Content-Type: text/html; charset=utf-8
    Content-Transfer-Encoding: quoted-printable
    --=_alternative_ntf_01jd6kr000e008000000000035--
    "#);
    assert!(
        mail.file_name
            .starts_with("20270228T090000Z-K7MQ2P-reminder-customer-")
    );
    reminder.letter.html = None;
    let mail = crate::map::mail(&reminder, &super::sender()).unwrap();
    assert!(!message(&mail).contains("text/html"));
}
