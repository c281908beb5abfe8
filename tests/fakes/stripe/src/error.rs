//! Errors in Stripe's form.

use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(crate) struct Error {
    pub status: u16,
    pub body: Value,
    /// Whether the call was turned down before it began: such an answer is not kept under its key.
    pub is_early: bool,
}

impl Error {
    fn new(status: u16, error: &Value, is_early: bool) -> Self {
        let body = json!({ "error": error });
        Self {
            status,
            body,
            is_early,
        }
    }

    /// A parameter is wrong.
    pub fn parameter(code: &str, name: &str, message: &str) -> Self {
        let error = json!({ "type": "invalid_request_error", "code": code, "param": name, "message": message });
        Self::new(400, &error, true)
    }

    /// It does not go with how things stand.
    pub fn state(code: Option<&str>, message: &str) -> Self {
        let error = json!({ "type": "invalid_request_error", "code": code, "message": message });
        Self::new(400, &error, false)
    }

    /// There is no such thing.
    pub fn missing(noun: &str, id: &str) -> Self {
        let message = format!("No such {noun}: '{id}'");
        let error = json!({ "type": "invalid_request_error", "code": "resource_missing", "param": "id", "message": message });
        Self::new(404, &error, true)
    }

    /// The bank said no to this payment.
    pub fn card(code: &str, message: &str, payment: &Value) -> Self {
        let error = json!({ "type": "card_error", "code": code, "message": message, "payment_intent": payment });
        Self::new(402, &error, false)
    }

    /// An error of Stripe's own, after the call had begun.
    pub fn under_way(status: u16, kind: &str, message: &str) -> Self {
        let error = json!({ "type": kind, "message": message });
        Self::new(status, &error, false)
    }

    /// Another error, in Stripe's words.
    pub fn other(status: u16, kind: &str, code: Option<&str>, message: &str) -> Self {
        let error = json!({ "type": kind, "code": code, "message": message });
        Self::new(status, &error, true)
    }
}
