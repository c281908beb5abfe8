//! Sending. Twilio takes no idempotency key: a repeat looks first whether an earlier attempt came through.
//!
//! Guaranteed: what may have been sent before is sent only where Twilio lists no message to this number with this text since the first attempt, beside
//! those that are known to be others. The list is not asked by `DateSent`: a message that still waits at Twilio has none, and is the very one that must be found.

use plugin_api::{
    Channel, Failure, Message, MessageChannel, NoAddress, PluginSettings, Sent, async_trait,
};

use crate::answer::{MessagePage, TwilioMessage};
use crate::client::{Form, encoded};
use crate::settings::Account;
use crate::{SmsTwilio, account, address, map, segments};

const MESSAGES: &str = "Messages.json";
/// How many messages to one number are looked at. Twilio lists the latest first, by when they were sent: where those stand that wait is not
/// documented, so an old message is no sign that all that follow are older.
const PAGES_MAX: usize = 10;
/// So few that a page of the longest messages is read, see `client`.
const PAGE_SIZE: &str = "50";

#[async_trait]
impl MessageChannel for SmsTwilio {
    fn channel(&self) -> Channel {
        Channel::Sms
    }

    fn address(&self, given: &str, region: Option<&str>) -> Result<String, NoAddress> {
        address::e164(given, region)
    }

    async fn send(&self, settings: &PluginSettings, message: &Message) -> Result<Sent, Failure> {
        let account = account(settings)?;
        let body = map::body(&message.text)?;
        let form = map::form(&account.sender, message, &body)?;
        if message.may_have_been_sent
            && let Some(found) = self.earlier(&account, message, &body).await?
        {
            return Ok(map::sent(found));
        }
        self.pace.admit(message.business_id, &message.to)?;
        let sent: TwilioMessage = self.client.post(&account, MESSAGES, &form).await?;
        let parts = segments::segments(&body);
        tracing::debug!(
            message = %message.id, sid = sent.sid, alphabet = ?parts.alphabet, segments = parts.count,
            counted = sent.num_segments, "a text message was taken"
        );
        Ok(map::sent(sent))
    }
}

impl SmsTwilio {
    /// The message as an earlier attempt sent it, if one came through.
    async fn earlier(
        &self,
        account: &Account,
        message: &Message,
        body: &str,
    ) -> Result<Option<TwilioMessage>, Failure> {
        let query = [("To", message.to.as_str()), ("PageSize", PAGE_SIZE)];
        let query: Form = query
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let mut query = encoded(&query);
        let mut since = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .client
                .get::<MessagePage>(account, MESSAGES, Some(&query))
                .await?;
            let since = *since.get_or_insert_with(|| {
                let now = (self.now)();
                map::not_before(message.since, now, page.theirs.unwrap_or(now))
            });
            let MessagePage {
                messages,
                next_page_uri,
            } = page.answer;
            let mut found = messages.into_iter();
            let is_ours = |found: &TwilioMessage| {
                !message.others.contains(&found.sid)
                    && map::is_ours(found, &message.to, body, since)
            };
            if let Some(found) = found.find(is_ours) {
                return Ok(Some(found));
            }
            // Of what the other side says about its next page only the query is followed: host and path stay ours.
            let next = next_page_uri.as_deref().and_then(|uri| uri.split_once('?'));
            match next {
                Some((_, next)) => next.clone_into(&mut query),
                _ => break,
            }
        }
        Ok(None)
    }
}
