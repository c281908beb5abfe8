//! Whether Twilio accepts the settings: the account, and whoever messages come from.

use domain::id::BusinessId;
use plugin_api::{Check, Failure, PluginSettings, async_trait};

use crate::answer::{NumberPage, TwilioAccount, TwilioService};
use crate::client::{CallError, encoded};
use crate::settings::Account;
use crate::{SmsTwilio, account};

#[async_trait]
impl Check for SmsTwilio {
    async fn check(&self, _: BusinessId, settings: &PluginSettings) -> Result<String, Failure> {
        let account = account(settings)?;
        let found: TwilioAccount = self.client.get(&account, "", None).await?.answer;
        if found.status != "active" {
            let status: String = found.status.chars().take(40).collect();
            return Err(Failure::misconfigured(format!(
                "accountSid: the account is {status:?}"
            )));
        }
        let mut said = "Twilio accepts the token".to_owned();
        if let Some(name) = found.friendly_name.filter(|name| !name.is_empty()) {
            let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
            said = format!("{said} of the account {name:?}");
        }
        if let Some(number) = account.sender.number() {
            self.check_number(&account, number).await?;
            said = format!("{said}; messages come from {number}");
        } else if let Some(from) = &account.sender.from {
            said = format!("{said}; messages come from {from}, which cannot be looked up");
        }
        if let Some(sid) = &account.sender.service {
            self.check_service(&account, sid).await?;
            said = format!("{said}; by the messaging service {sid}");
        }
        if found.kind.as_deref() == Some("Trial") {
            said = format!("{said}; a trial account sends only to numbers that were verified");
        }
        Ok(said)
    }
}

impl SmsTwilio {
    async fn check_number(&self, account: &Account, number: &str) -> Result<(), Failure> {
        let query = encoded(&vec![("PhoneNumber".to_owned(), number.to_owned())]);
        let page = self
            .client
            .get::<NumberPage>(account, "IncomingPhoneNumbers.json", Some(&query))
            .await?;
        let mut numbers = page.answer.incoming_phone_numbers.into_iter();
        let found = numbers.find(|found| found.phone_number.as_deref() == Some(number));
        match found {
            None => Err(Failure::misconfigured(format!(
                "from: {number} is not a number of this account"
            ))),
            Some(found) if found.capabilities.sms == Some(false) => Err(Failure::misconfigured(
                format!("from: {number} cannot send text messages"),
            )),
            Some(_) => Ok(()),
        }
    }

    async fn check_service(&self, account: &Account, sid: &str) -> Result<(), Failure> {
        match self.client.service::<TwilioService>(account, sid).await {
            Ok(found) if found.sid == sid => Ok(()),
            Ok(_) => Err(Failure::retry(
                "Twilio answered about another messaging service",
            )),
            Err(CallError::Refused { code: 20404, .. }) => Err(Failure::misconfigured(
                "messagingServiceSid: this account has no such messaging service",
            )),
            Err(error) => Err(error.into()),
        }
    }
}
