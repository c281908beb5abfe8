//! Posts, and nothing else: no redirect is followed, and no more of the answer is read than its status.

use outbound::reqwest::header::CONTENT_TYPE;
use outbound::{Outbound, OutboundError, SettingNames, judged};
use plugin_api::Failure;

/// One request.
pub struct Post<'a> {
    pub url: &'a str,
    pub id: &'a str,
    pub timestamp: i64,
    pub signature: String,
    pub body: Vec<u8>,
}

impl Post<'_> {
    /// Sends it.
    ///
    /// # Errors
    /// [`Failure::Retry`] for all that may pass, and from outside almost all may; [`Failure::Misconfigured`] for an address that may not be
    /// talked to.
    pub async fn send(self, outbound: &Outbound) -> Result<(), Failure> {
        let request = outbound
            .http()
            .post(self.url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", self.id)
            .header("webhook-timestamp", self.timestamp)
            .header("webhook-signature", self.signature)
            .body(self.body);
        match outbound.send(request).await.and_then(judged) {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => {
                let status = answer.status().as_u16();
                Err(Failure::retry(format!("the endpoint answered {status}")))
            }
            // An endpoint that is being moved, or has lost its configuration, may well come back: it is not the business's settings.
            Err(error @ (OutboundError::Denied { .. } | OutboundError::Elsewhere { .. })) => {
                Err(Failure::retry(error.to_string()))
            }
            Err(error) => Err(error.failure(SettingNames::one("url"))),
        }
    }
}
