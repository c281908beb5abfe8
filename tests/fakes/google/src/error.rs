//! Errors in Google's form.

use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(crate) struct Error {
    pub status: u16,
    pub body: Value,
}

impl Error {
    /// An error of the API.
    pub fn api(status: u16, domain: &str, reason: &str, message: &str) -> Self {
        let item = json!({ "domain": domain, "reason": reason, "message": message });
        let body = json!({ "error": { "errors": [item], "code": status, "message": message } });
        Self { status, body }
    }

    /// An error of the token endpoint (RFC 6749, 5.2).
    pub fn token(status: u16, error: &str, description: &str) -> Self {
        let body = json!({ "error": error, "error_description": description });
        Self { status, body }
    }

    pub fn not_found() -> Self {
        Self::api(404, "global", "notFound", "Not Found")
    }

    pub fn invalid(message: &str) -> Self {
        Self::api(400, "global", "invalid", message)
    }

    pub fn required(field: &str) -> Self {
        let message = format!("Missing {field}.");
        Self::api(400, "global", "required", &message)
    }

    pub fn denied() -> Self {
        Self::api(401, "global", "authError", "Invalid Credentials")
    }
}
