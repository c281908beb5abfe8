//! An example of a plugin, whole: tells a chat room of every booking, by the incoming webhook that chats have.

use domain::event::EventKind;
use outbound::{Outbound, SettingNames, judged};
use plugin_api::{
    Delivery, Done, Failure, Plugin, Reaction, SettingsError, Want, async_trait, read_settings,
};
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
    fn on_by_default(&self) -> bool {
        false
    }
    fn validate(&self, settings: &Value) -> Result<(), SettingsError> {
        let settings: Settings = read_settings(settings.clone())?;
        let url: Result<outbound::Url, _> = settings.url.parse();
        url.map(drop)
            .map_err(|_| SettingsError::field("url", "must be an address: https://…"))
    }
    fn reaction(&self) -> Option<&dyn Reaction> {
        Some(self)
    }
}

#[async_trait]
impl Reaction for Chat {
    fn wants(&self) -> &[Want] {
        const WANTS: [Want; 1] = [Want {
            event: EventKind::BookingConfirmed,
            part: "all",
        }];
        &WANTS
    }

    async fn react(&self, delivery: &Delivery) -> Result<Done, Failure> {
        let Some(booking) = delivery.wanted_booking(self.wants()) else {
            return Err(Failure::give_up("this is not for the chat"));
        };
        let names = SettingNames {
            address: "url",
            credentials: "url",
        };
        let wrong = |error: SettingsError| Failure::misconfigured(error.to_string());
        let Settings { url } = delivery.settings.read().map_err(wrong)?;
        let text = format!(
            "{} booked {}, {}",
            booking.customer.name, booking.service.name, booking.starts_at
        );
        let request = self.0.http().post(url).json(&json!({ "text": text }));
        let answered = self.0.send(request).await.and_then(judged);
        let answer = answered.map_err(|error| error.failure(names))?;
        match answer.error_for_status() {
            Ok(_) => Ok(Done::Delivered),
            Err(error) => Err(Failure::give_up(error.without_url().to_string())),
        }
    }
}
