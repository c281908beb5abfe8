use domain::event::EventKind::BookingCancelled;

use super::facts::{cancelled, confirmed};
use super::{confirmation, message, translate};
use crate::mime::Mail;

#[test]
fn the_html_of_a_confirmation() {
    insta::assert_snapshot!(confirmation("customer", confirmed()).texts.html, @r#"
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Confirmed: Cut &amp; Colour, Monday 1 March 2027, 09:00 (Salon Aurora)</title>
    </head>
    <body style="margin:0;padding:24px 12px;background:#f4f4f5;color:#18181b;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5">
    <div style="max-width:560px;margin:0 auto;padding:28px;background:#ffffff;border-radius:8px">
    <p style="margin:0 0 4px;color:#71717a;font-size:14px">Salon Aurora</p>
    <h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">Your booking is confirmed</h1>
    <p>Hello <bdi>Jo Smith</bdi>, your booking at Salon Aurora is confirmed.</p>
    <table role="presentation" style="border-collapse:collapse;width:100%;margin:16px 0">
    <tr><th scope="row" style="padding:6px 16px 6px 0;text-align:left;vertical-align:top;font-weight:600;white-space:nowrap">When</th><td dir="auto" style="padding:6px 0;vertical-align:top;white-space:pre-line">Monday 1 March 2027, 09:00–09:30 (Europe&#x2f;London, UTC+00:00)</td></tr>
    <tr><th scope="row" style="padding:6px 16px 6px 0;text-align:left;vertical-align:top;font-weight:600;white-space:nowrap">Service</th><td dir="auto" style="padding:6px 0;vertical-align:top;white-space:pre-line">Cut &amp; Colour</td></tr>
    <tr><th scope="row" style="padding:6px 16px 6px 0;text-align:left;vertical-align:top;font-weight:600;white-space:nowrap">With</th><td dir="auto" style="padding:6px 0;vertical-align:top;white-space:pre-line">Maria Rossi</td></tr>
    <tr><th scope="row" style="padding:6px 16px 6px 0;text-align:left;vertical-align:top;font-weight:600;white-space:nowrap">Location</th><td dir="auto" style="padding:6px 0;vertical-align:top;white-space:pre-line">Main Street</td></tr>
    <tr><th scope="row" style="padding:6px 16px 6px 0;text-align:left;vertical-align:top;font-weight:600;white-space:nowrap">Price</th><td dir="auto" style="padding:6px 0;vertical-align:top;white-space:pre-line">45.00 GBP</td></tr>
    <tr><th scope="row" style="padding:6px 16px 6px 0;text-align:left;vertical-align:top;font-weight:600;white-space:nowrap">Note</th><td dir="auto" style="padding:6px 0;vertical-align:top;white-space:pre-line">Please, no music.
    Thank you; Jo</td></tr>
    <tr><th scope="row" style="padding:6px 16px 6px 0;text-align:left;vertical-align:top;font-weight:600;white-space:nowrap">Reference</th><td dir="auto" style="padding:6px 0;vertical-align:top;white-space:pre-line">K7MQ2P</td></tr>
    </table>
    <p style="color:#71717a;font-size:14px">The attached invitation adds it to your calendar.</p>
    </div>
    </body>
    </html>
    "#);
}

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
    insta::assert_snapshot!(structure(&confirmation("customer", confirmed())), @r#"
    From: "Salon Aurora" <bookings@aurora.example>
    To: "Jo Smith" <jo@customer.example>
    Subject: Confirmed: Cut & Colour, Monday 1 March 2027, 09:00 (Salon Aurora)
    Date: Sat, 20 Feb 2027 12:00:00 +0000
    Message-ID: <dlv_01jd6kr000e008000000000035@aurora.example>
    References: <bkg_01jd6kr000e008000000000001.customer@aurora.example>
    Auto-Submitted: auto-generated
    MIME-Version: 1.0
    Content-Type: multipart/mixed;
     boundary="=_mixed_dlv_01jd6kr000e008000000000035"
    --=_mixed_dlv_01jd6kr000e008000000000035
    Content-Type: multipart/alternative;
     boundary="=_alternative_dlv_01jd6kr000e008000000000035"
    --=_alternative_dlv_01jd6kr000e008000000000035
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: quoted-printable
    --=_alternative_dlv_01jd6kr000e008000000000035
    Content-Type: text/html; charset=utf-8
    Content-Transfer-Encoding: quoted-printable
    --=_alternative_dlv_01jd6kr000e008000000000035
    Content-Type: text/calendar; method=REQUEST; charset=utf-8
    Content-Transfer-Encoding: base64
    --=_alternative_dlv_01jd6kr000e008000000000035--
    --=_mixed_dlv_01jd6kr000e008000000000035
    Content-Disposition: attachment; filename="invite.ics"
    Content-Type: application/ics; name="invite.ics"
    Content-Transfer-Encoding: base64
    --=_mixed_dlv_01jd6kr000e008000000000035--
    "#);
    insta::assert_snapshot!(structure(&translate(BookingCancelled, "provider", cancelled()).unwrap()), @r#"
    From: "Salon Aurora" <bookings@aurora.example>
    To: "Maria Rossi" <maria@aurora.example>
    Subject: Booking cancelled: Cut & Colour, Monday 1 March 2027, 09:00 (Jo
     Smith)
    Date: Sat, 20 Feb 2027 12:00:00 +0000
    Message-ID: <dlv_01jd6kr000e008000000000037@aurora.example>
    References: <bkg_01jd6kr000e008000000000001.provider@aurora.example>
    Auto-Submitted: auto-generated
    In-Reply-To: <bkg_01jd6kr000e008000000000001.provider@aurora.example>
    MIME-Version: 1.0
    Content-Type: multipart/mixed;
     boundary="=_mixed_dlv_01jd6kr000e008000000000037"
    --=_mixed_dlv_01jd6kr000e008000000000037
    Content-Type: multipart/alternative;
     boundary="=_alternative_dlv_01jd6kr000e008000000000037"
    --=_alternative_dlv_01jd6kr000e008000000000037
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: quoted-printable
    --=_alternative_dlv_01jd6kr000e008000000000037
    Content-Type: text/html; charset=utf-8
    Content-Transfer-Encoding: quoted-printable
    --=_alternative_dlv_01jd6kr000e008000000000037
    Content-Type: text/calendar; method=CANCEL; charset=utf-8
    Content-Transfer-Encoding: base64
    --=_alternative_dlv_01jd6kr000e008000000000037--
    --=_mixed_dlv_01jd6kr000e008000000000037
    Content-Disposition: attachment; filename="invite.ics"
    Content-Type: application/ics; name="invite.ics"
    Content-Transfer-Encoding: base64
    --=_mixed_dlv_01jd6kr000e008000000000037--
    "#);
}

#[test]
fn a_mail_is_the_same_every_time() {
    let mail = || message(&confirmation("customer", confirmed()));
    assert_eq!(mail(), mail());
}

#[test]
fn mails_of_one_booking_to_one_recipient_are_a_thread() {
    let unfolded = |mail: &Mail| message(mail).replace("\r\n ", " ");
    let first = unfolded(&confirmation("customer", confirmed()));
    let later = unfolded(&translate(BookingCancelled, "customer", cancelled()).unwrap());
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
