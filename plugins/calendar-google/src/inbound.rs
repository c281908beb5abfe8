//! What Google calls with when a calendar changes: headers alone. Who knows the channel's token is Google, and the engine knows the token.

use plugin_api::{
    Inbound, InboundAbout, InboundRefused, InboundRequest, InboundWebhook, PluginSettings,
};
use sha2::{Digest, Sha256};

use crate::CalendarGoogle;

/// Google's own limits of a channel's id and token, in characters.
const ID_MAX: usize = 64;
const TOKEN_MAX: usize = 256;
/// The digits of the largest message number.
const NUMBER_MAX: usize = 20;

impl InboundWebhook for CalendarGoogle {
    fn verify(
        &self,
        _: &PluginSettings,
        request: &InboundRequest,
    ) -> Result<Inbound, InboundRefused> {
        let header = |name: &str, max: usize| {
            let value = request.header(name)?;
            (!value.is_empty() && value.len() <= max).then_some(value)
        };
        let id = header("x-goog-channel-id", ID_MAX).ok_or(InboundRefused::Signature)?;
        let token = header("x-goog-channel-token", TOKEN_MAX).ok_or(InboundRefused::Signature)?;
        let number = header("x-goog-message-number", NUMBER_MAX)
            .filter(|number| number.chars().all(|c| c.is_ascii_digit()));
        let number = number.ok_or_else(|| {
            InboundRefused::Unreadable("the call bears no message number".to_owned())
        })?;
        // The first call of a channel only says that there is one.
        let is_greeting = request.header("x-goog-resource-state") == Some("sync");
        let about = if is_greeting {
            InboundAbout::Nothing
        } else {
            InboundAbout::Calendar {
                channel_id: id.to_owned(),
                secret_digest: Sha256::digest(token.as_bytes()).into(),
            }
        };
        Ok(Inbound::new(format!("{id}:{number}"), about))
    }
}
