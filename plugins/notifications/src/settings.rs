//! What a business sets about its messages as a whole.

use chrono::NaiveTime;
use domain::notification::QuietHours;
use domain::text;
use plugin_api::{HouseRules, SettingsError, read_settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// What a business sets about its messages as a whole.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// When nobody is disturbed, on the recipient's clock: reminders wait for the end, or come before the beginning where that would be too late.
    #[serde(default)]
    pub quiet_hours: Option<Quiet>,
    /// Where follow-ups ask for feedback, `https://…`; `{reference}` in it is replaced by the booking's.
    #[serde(default)]
    pub feedback_url: Option<String>,
    /// Where mail to the business itself goes: what rules for BUSINESS say.
    #[serde(default)]
    pub business_email: Option<String>,
    /// Where text messages to the business itself go.
    #[serde(default)]
    pub business_phone: Option<String>,
}

/// Hours of every day, over midnight where `to` is before `from`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Quiet {
    /// From, `21:00`.
    pub from: String,
    /// To, `08:00`.
    pub to: String,
    /// Whether what is said when something happens (a confirmation) waits for their end, too. Default: false.
    #[serde(default)]
    pub for_events: bool,
}

impl Settings {
    /// Reads settings that were given as JSON and checks them.
    ///
    /// # Errors
    /// [`SettingsError`] naming the first field that is wrong.
    pub fn from_json(json: Value) -> Result<Self, SettingsError> {
        let settings: Self = read_settings(json)?;
        settings.house_rules()?;
        let feedback = settings.feedback_url.as_deref().unwrap_or("https://");
        let is_plain = !feedback
            .chars()
            .any(|c| c.is_whitespace() || c.is_control());
        let is_web = feedback.starts_with("https://") || feedback.starts_with("http://");
        if !is_plain || !is_web || feedback.len() > 1_000 {
            return Err(SettingsError::field(
                "feedbackUrl",
                "must be an address such as https://example.com/feedback?booking={reference}",
            ));
        }
        Ok(settings)
    }

    /// What they say to the engine.
    pub fn house_rules(&self) -> Result<HouseRules, SettingsError> {
        let email = text::email(&[], self.business_email.as_deref())
            .map_err(|_| SettingsError::field("businessEmail", "is not an email address"))?;
        let phone = text::phone(&[], self.business_phone.as_deref())
            .map_err(|_| SettingsError::field("businessPhone", "is not a telephone number"))?;
        Ok(HouseRules {
            quiet_hours: self.quiet_hours.as_ref().map(Quiet::hours).transpose()?,
            business_email: email,
            business_phone: phone,
        })
    }

    /// Where feedback on a booking is asked for; empty: nowhere.
    pub fn feedback_on(&self, reference: &str) -> String {
        let url = self.feedback_url.as_deref().unwrap_or_default();
        url.replace("{reference}", reference)
    }
}

impl Quiet {
    fn hours(&self) -> Result<QuietHours, SettingsError> {
        let time = |field: &str, text: &str| {
            NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| SettingsError {
                path: vec!["quietHours".to_owned(), field.to_owned()],
                message: "must be a time of day such as 21:00".to_owned(),
            })
        };
        Ok(QuietHours {
            from: time("from", &self.from)?,
            to: time("to", &self.to)?,
            for_events: self.for_events,
        })
    }
}

#[cfg(test)]
mod tests {
    use plugin_api::contract;
    use serde_json::json;

    use super::*;

    #[test]
    fn wrong_settings_are_refused_by_name() {
        let right = json!({
            "quietHours": { "from": "21:00", "to": "08:00" }, "feedbackUrl": "https://a.example/{reference}",
            "businessEmail": "desk@a.example", "businessPhone": "+44 20 7946 0000"
        });
        let wrong = [
            (
                json!({ "quietHours": { "from": "9 pm", "to": "08:00" } }),
                vec!["quietHours", "from"],
            ),
            (
                json!({ "quietHours": { "from": "21:00", "to": "24:00" } }),
                vec!["quietHours", "to"],
            ),
            (
                json!({ "quietHours": { "from": "21:00" } }),
                vec!["quietHours", "to"],
            ),
            (
                json!({ "feedbackUrl": "javascript:alert(1)" }),
                vec!["feedbackUrl"],
            ),
            (
                json!({ "feedbackUrl": "https://a.example/\nBcc: b" }),
                vec!["feedbackUrl"],
            ),
            (json!({ "businessEmail": "desk" }), vec!["businessEmail"]),
            (json!({ "businessPhone": "call us" }), vec!["businessPhone"]),
        ];
        contract::settings(Settings::from_json, right, wrong);
        assert!(Settings::from_json(json!({})).is_ok());
    }
}
