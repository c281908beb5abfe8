//! An example of a plugin, whole: tells a chat room of every booking, by the incoming webhook that chats have.

use domain::event::EventKind;
use outbound::{Outbound, SettingNames};
use plugin_api::{Delivery, Done, Failure, Plugin, Reaction, SettingsError, Want, async_trait};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a business sets.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The address that the chat gave for the room. Whoever has it can write there: a secret.
    #[schemars(extend("writeOnly" = true))]
    url: String,
}

/// The plugin. It reaches the chat by `Outbound`, which keeps it away from private addresses.
pub struct Chat(pub Outbound);

impl Plugin for Chat {
    fn name(&self) -> &'static str {
        "example-chat"
    }
    fn title(&self) -> &'static str {
        "Chat"
    }
    fn description(&self) -> &'static str {
        "Tells a chat room when somebody books."
    }
    fn settings_schema(&self) -> Value {
        plugin_api::settings_schema::<Settings>()
    }
    fn validate(&self, settings: &Value) -> Result<(), SettingsError> {
        let Settings { url } = plugin_api::read_settings(settings.clone())?;
        outbound::address("url", &url).map(drop)
    }
    fn reaction(&self) -> Option<&dyn Reaction> {
        Some(self)
    }
}

#[async_trait]
impl Reaction for Chat {
    fn wants(&self) -> &[Want] {
        const { &[Want::all(EventKind::BookingConfirmed)] }
    }

    async fn react(&self, delivery: &Delivery) -> Result<Done, Failure> {
        let booking = delivery.wanted_booking(self.wants())?;
        let Settings { url } = delivery.settings.read()?;
        let (who, what) = (&booking.customer.name, &booking.service.name);
        let text = format!("{who} booked {what}, {}", booking.starts_at);
        let request = self.0.http().post(url).json(&json!({ "text": text }));
        self.0.deliver(request, SettingNames::one("url")).await
    }
}
