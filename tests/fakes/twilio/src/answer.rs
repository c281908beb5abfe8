//! Answers and errors in Twilio's form.

use serde_json::{Value, json};

/// What a call answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Value,
}

pub(crate) fn done(status: u16, body: Value) -> Answer {
    Answer { status, body }
}

pub(crate) fn error(status: u16, code: u32, message: &str) -> Answer {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({ "code": code, "message": message, "more_info": more, "status": status });
    Answer { status, body }
}

/// What the API says with its codes.
pub(crate) fn refused(code: u32) -> Answer {
    let message = match code {
        21211 => "Invalid 'To' Phone Number",
        21212 => "Invalid 'From' Number",
        21408 => {
            "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"
        }
        21602 => "Message body is required.",
        21603 => "A 'From' phone number is required.",
        21604 => "A 'To' phone number is required.",
        21606 => {
            "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination"
        }
        21609 => "Invalid 'StatusCallback' URL",
        21610 => "Attempt to send to unsubscribed recipient",
        21611 => "This 'From' number has exceeded the maximum number of queued messages",
        21612 => {
            "Message cannot be sent with the current combination of 'To' and/or 'From' parameters"
        }
        21614 => "'To' number is not a valid mobile number",
        21617 => "The concatenated message body exceeds the 1600 character limit",
        21659 => "'From' is not a Twilio phone number",
        21701 => "The Messaging Service does not exist",
        _ => "It is not possible",
    };
    error(400, code, message)
}

pub(crate) fn missing(path: &str) -> Answer {
    let message = format!("The requested resource {path} was not found");
    error(404, 20404, &message)
}
