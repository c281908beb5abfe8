//! What a test can do and ask.

use chrono::TimeDelta;
use serde_json::Value;

use crate::FakeTwilio;
use crate::callback::Callback;
use crate::fault::{Call, Fault};
use crate::world::{Called, FROM, Message, Outgoing};

impl FakeTwilio {
    /// A message moves on: `sending`, `sent`, `delivered`, `undelivered`, `failed`, with Twilio's code of the error where it failed. Answers the
    /// call that tells of it; none where nobody asked for one.
    pub fn set_status(
        &self,
        sid: &str,
        status: &str,
        error_code: Option<u32>,
    ) -> Result<Option<Callback>, String> {
        let mut world = self.world();
        let now = world.now();
        let mut messages = world.messages.iter_mut();
        let message = messages.find(|message| message.sid == sid);
        let message = message.ok_or_else(|| format!("there is no message {sid}"))?;
        status.clone_into(&mut message.status);
        message.error_code = error_code;
        // A messaging service has chosen who it comes from by then.
        if message.from.is_none() {
            message.from = Some(FROM.to_owned());
        }
        if ["sent", "delivered", "undelivered"].contains(&status) {
            message.sent.get_or_insert(now);
        }
        Ok(Callback::of_status(message))
    }

    /// A person writes to the account. STOP and START are heard, as Twilio does by default. Answers the call to this address, which the account
    /// has set up for messages that come in.
    pub fn receive(&self, from: &str, body: &str, url: &str) -> Callback {
        self.take_in(from, body, url, None)
    }

    /// The same of an account with Advanced Opt-Out, which has recognized this: `STOP`, `START` or `HELP`.
    pub fn receive_recognized(&self, from: &str, body: &str, url: &str, kind: &str) -> Callback {
        self.take_in(from, body, url, Some(kind))
    }

    fn take_in(&self, from: &str, body: &str, url: &str, kind: Option<&str>) -> Callback {
        let mut world = self.world();
        let keyword = kind.unwrap_or(body).trim().to_ascii_uppercase();
        match keyword.as_str() {
            "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "OPTOUT"
            | "REVOKE" => {
                world.opted_out.insert(from.to_owned());
            }
            "START" | "YES" | "UNSTOP" => {
                world.opted_out.remove(from);
            }
            _ => {}
        }
        let now = world.now();
        let message = Message {
            sid: world.sid(),
            to: FROM.to_owned(),
            from: Some(from.to_owned()),
            service: None,
            body: body.to_owned(),
            status: "received".to_owned(),
            is_incoming: true,
            created: now,
            sent: Some(now),
            error_code: None,
            callback: None,
        };
        let callback = Callback::of_incoming(&message, url, kind);
        world.messages.push(message);
        callback
    }

    /// A person wants no messages; this server is not told.
    pub fn opt_out(&self, number: &str) {
        self.world().opted_out.insert(number.to_owned());
    }

    /// The account becomes `active`, `suspended` or `closed`.
    pub fn set_account_status(&self, status: &str) {
        status.clone_into(&mut self.world().account_status);
    }

    /// The clock over there is so far ahead of the one that it was given.
    pub fn set_ahead(&self, ahead: TimeDelta) {
        self.world().ahead = ahead;
    }

    /// The next call of this kind goes wrong in this way. Several queue up.
    pub fn fault(&self, call: Call, fault: Fault) {
        self.world().faults.push_back((call, fault));
    }

    /// The calls that came in, in order.
    pub fn calls(&self) -> Vec<Called> {
        self.world().calls.clone()
    }

    /// How many calls of this kind came in.
    pub fn count(&self, call: Call) -> usize {
        let world = self.world();
        let calls = world.calls.iter();
        calls.filter(|called| called.call == call).count()
    }

    /// The messages that were really taken to be sent, in order.
    pub fn sent(&self) -> Vec<Outgoing> {
        let world = self.world();
        let messages = world.messages.iter();
        messages
            .filter(|message| !message.is_incoming)
            .map(Message::outgoing)
            .collect()
    }

    /// A message as Twilio would answer it; null where there is none.
    pub fn message(&self, sid: &str) -> Value {
        let world = self.world();
        world.message(sid).map_or(Value::Null, Message::json)
    }

    /// Makes a call, as Twilio would: answers the status and the body.
    pub async fn post(&self, callback: &Callback) -> Result<(u16, String), String> {
        // It fails only where a provider of TLS is there already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().tls_certs_only([]).build();
        let request = client
            .map_err(|error| error.to_string())?
            .post(&callback.url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-twilio-signature", &callback.signature)
            .body(callback.body.clone());
        let response = request.send().await.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let body = response.text().await.map_err(|error| error.to_string())?;
        Ok((status, body))
    }
}
