//! Messages are listed, the latest first, page by page.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::answer::{Answer, done, error};
use crate::world::{ACCOUNT, Called, Message, World};

/// What a list is asked for.
struct Question {
    to: Option<String>,
    from: Option<String>,
    /// `DateSent`, `DateSent<`, `DateSent>`: on, until, from that day on.
    sent: [Option<NaiveDate>; 3],
    page: usize,
    page_size: usize,
}

impl Question {
    fn of(asked: &Called) -> Option<Self> {
        let text = |name: &str| asked.get(name).map(str::to_owned);
        let number = |name: &str, default: usize| {
            asked
                .get(name)
                .map_or(Some(default), |text| text.parse().ok())
        };
        let mut sent = [None; 3];
        for (day, name) in sent.iter_mut().zip(["DateSent", "DateSent<", "DateSent>"]) {
            if let Some(text) = asked.get(name) {
                *day = Some(text.parse().ok()?);
            }
        }
        Some(Self {
            to: text("To"),
            from: text("From"),
            sent,
            page: number("Page", 0)?,
            page_size: number("PageSize", 50)?.clamp(1, 1000),
        })
    }

    fn fits(&self, message: &Message) -> bool {
        let is_or_any = |asked: &Option<String>, is: Option<&str>| {
            asked.as_deref().is_none_or(|asked| is == Some(asked))
        };
        // What waits has no date, and is on no day.
        let day = message.sent.map(|sent| sent.date_naive());
        let [on, until, from] = self.sent;
        is_or_any(&self.to, Some(&message.to))
            && is_or_any(&self.from, message.from.as_deref())
            && on.is_none_or(|on| day == Some(on))
            && until.is_none_or(|until| day.is_some_and(|day| day <= until))
            && from.is_none_or(|from| day.is_some_and(|day| day >= from))
    }

    fn uri(&self, page: usize, token: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let names = [("To", &self.to), ("From", &self.from)];
        for (name, value) in names {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        for (name, day) in ["DateSent", "DateSent<", "DateSent>"].iter().zip(self.sent) {
            if let Some(day) = day {
                query.append_pair(name, &day.to_string());
            }
        }
        query.append_pair("PageSize", &self.page_size.to_string());
        query.append_pair("Page", &page.to_string());
        if let Some(token) = token {
            query.append_pair("PageToken", &format!("PA{token}"));
        }
        let query = query.finish();
        format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?{query}")
    }
}

impl World {
    pub fn list(&self, asked: &Called) -> Answer {
        let Some(question) = Question::of(asked) else {
            return error(400, 20001, "Invalid parameter");
        };
        let skipped = question.page * question.page_size;
        let latest_first = self.messages.iter().rev();
        let mut fitting = latest_first
            .filter(|message| question.fits(message))
            .skip(skipped)
            .peekable();
        let shown: Vec<&Message> = fitting.by_ref().take(question.page_size).collect();
        let last = shown.last().map(|message| message.sid.as_str());
        let next = fitting
            .peek()
            .map(|_| question.uri(question.page + 1, last));
        let previous = question.page.checked_sub(1);
        let messages: Vec<Value> = shown.iter().map(|message| message.json()).collect();
        done(
            200,
            json!({
                "messages": messages, "first_page_uri": question.uri(0, None), "next_page_uri": next,
                "previous_page_uri": previous.map(|page| question.uri(page, None)), "page": question.page,
                "page_size": question.page_size, "start": skipped, "end": (skipped + shown.len()).saturating_sub(1),
                "uri": question.uri(question.page, None)
            }),
        )
    }
}
