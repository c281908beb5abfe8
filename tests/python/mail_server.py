"""aiosmtpd on a free port: told on stdin how to be, says on stdout where it listens and then each mail that it takes, a line of JSON each,
as Python's own `email` reads it and `icalendar` the invitation in it. Ends with stdin."""

import asyncio
import json
import logging
import ssl
import sys
import tempfile
import warnings
from email import message_from_bytes, message_from_string, policy
from email.errors import NonASCIILocalPartDefect
from zoneinfo import ZoneInfo

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from icalendar import Calendar


def person(address):
    return {"name": address.display_name, "email": address.addr_spec}


def attendant(property):
    return {"name": property.params.get("CN"), "uri": str(property), "status": property.params.get("PARTSTAT")}


def invitation(content, zone):
    calendar = Calendar.from_ical(content)
    [event] = calendar.walk("VEVENT")
    attendees = event.get("ATTENDEE")
    starts_at, ends_at = event.decoded("DTSTART"), event.decoded("DTEND")
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "status": str(event["STATUS"]),
        "startsAt": starts_at.isoformat(),
        "endsAt": ends_at.isoformat(),
        "wall": starts_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        "summary": str(event["SUMMARY"]),
        "organizer": attendant(event["ORGANIZER"]),
        "attendees": [attendant(one) for one in (attendees if isinstance(attendees, list) else [attendees])],
        "errors": [str(error) for error in calendar.errors + event.errors],
    }


def told(envelope, zone):
    content = envelope.original_content
    if envelope.smtp_utf8:
        # Headers may be UTF-8 (RFC 6532), for which `email` wants a text.
        message = message_from_string(content.decode(), policy=policy.SMTPUTF8)
    else:
        message = message_from_bytes(content, policy=policy.default)
    parts = list(message.walk())
    defects = [defect for part in parts for defect in part.defects]
    defects += [defect for part in parts for header in part.values() for defect in header.defects]
    # That is what SMTPUTF8 is for; `email` counts it as a defect even so.
    defects = [defect for defect in defects if not isinstance(defect, NonASCIILocalPartDefect)]
    calendars = [part for part in parts if part.get_content_type() == "text/calendar"]
    attached = list(message.iter_attachments())
    return {
        "envelope": {"from": envelope.mail_from, "to": envelope.rcpt_tos, "utf8": bool(envelope.smtp_utf8)},
        "from": [person(one) for one in message["From"].addresses],
        "to": [person(one) for one in message["To"].addresses],
        "subject": message["Subject"],
        "messageId": message["Message-ID"],
        "date": message["Date"].datetime.isoformat(),
        "text": message.get_body(("plain",)).get_content(),
        "html": message.get_body(("html",)).get_content(),
        "methods": [part["Content-Type"].params.get("method") for part in calendars],
        "invitations": [invitation(part.get_content(), zone) for part in calendars],
        "attached": [
            {"name": part.get_filename(), "invitation": invitation(part.get_content(), zone)} for part in attached
        ],
        "defects": [repr(defect) for defect in defects],
    }


class Desk:
    def __init__(self, zone):
        self.zone = zone

    async def handle_DATA(self, server, session, envelope):
        print(json.dumps(told(envelope, self.zone)), flush=True)
        return "250 taken"


def protected(setup):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.NamedTemporaryFile("w") as chain:
        chain.write(setup["certificate"] + setup["key"])
        chain.flush()
        context.load_cert_chain(chain.name)
    return context


async def main():
    # At every connection and sign-in it says what would be better elsewhere.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    setup = json.loads(sys.stdin.readline())
    right = LoginPassword(setup["username"].encode(), setup["password"].encode())
    context = protected(setup)
    later = setup["security"] == "STARTTLS"

    def begin():
        return SMTP(
            Desk(ZoneInfo(setup["zone"])),
            enable_SMTPUTF8=True,
            tls_context=context if later else None,
            require_starttls=later,
            auth_required=True,
            # It knows of no other TLS than that of STARTTLS.
            auth_require_tls=later,
            authenticator=lambda server, session, envelope, mechanism, given: AuthResult(
                success=given == right, handled=False
            ),
        )

    loop = asyncio.get_running_loop()
    at_once = context if setup["security"] == "TLS" else None
    listening = await loop.create_server(begin, "127.0.0.1", 0, ssl=at_once)
    print(json.dumps({"port": listening.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
