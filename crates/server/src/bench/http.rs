//! The requests as a frontend would send them, and which answers are good.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::fill::{BenchBusiness, FreeSlot};
use crate::demo::random::Random;

const START_TIMES: &str =
    "query($input: AvailabilityInput!) { availability(input: $input) { startTimes } }";
const SLOTS: &str = "query($input: AvailabilityInput!) { availability(input: $input) { slots { startsAt seatsLeft } } }";
const BOOK: &str = "mutation($input: BookInput!) { book(input: $input) { booking { id reference } manageToken problems { code message } } }";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Workload {
    /// The start times of one provider over 30 days.
    OneProvider,
    /// The slots of any of ten providers over 7 days.
    AnyOfTen,
    /// Bookings of distinct free slots.
    Book,
}

impl Workload {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OneProvider => "availability, 1 provider, 30 days",
            Self::AnyOfTen => "availability, any of 10 providers, 7 days",
            Self::Book => "book",
        }
    }
}

/// Whom the clients ask, about what.
pub(super) struct Target {
    url: String,
    business: BenchBusiness,
    slots: Vec<FreeSlot>,
    /// The next slot that nobody has asked for.
    next_slot: AtomicUsize,
    now: DateTime<Utc>,
    has_addresses: bool,
}

impl Target {
    pub(super) fn new(
        url: String,
        business: BenchBusiness,
        slots: Vec<FreeSlot>,
        now: DateTime<Utc>,
    ) -> Self {
        let next_slot = AtomicUsize::new(0);
        Self {
            url,
            business,
            slots,
            next_slot,
            now,
            has_addresses: false,
        }
    }

    /// The same with customers who can be written to.
    pub(super) fn with_addresses(self) -> Self {
        Self {
            has_addresses: true,
            ..self
        }
    }

    fn customer(&self, place: usize) -> serde_json::Value {
        let name = format!("Customer {place}");
        if !self.has_addresses {
            return json!({ "name": name });
        }
        let email = format!("customer{place}@example.com");
        // Of the range that British mobile numbers are of.
        let phone = format!("+447911{:06}", 100_000 + place % 900_000);
        json!({ "name": name, "email": email, "phone": phone })
    }
}

/// Whether anybody answers there, before anything is loaded.
pub(super) async fn check(url: &str) -> anyhow::Result<()> {
    let asked = http_client()
        .build()?
        .post(url)
        .json(&json!({ "query": "{ __typename }" }))
        .send()
        .await;
    let answer = asked.with_context(|| format!("no server answers at {url}"))?;
    answer
        .error_for_status()
        .with_context(|| format!("the server at {url} does not answer GraphQL"))?;
    Ok(())
}

/// The server is on this machine and speaks plain HTTP: no authorities are read for TLS.
pub(super) fn http_client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().tls_certs_only([])
}

/// One client with a connection of its own.
pub(super) struct Client {
    http: reqwest::Client,
    target: Arc<Target>,
    workload: Workload,
    random: Random,
}

impl Client {
    pub(super) fn new(
        target: Arc<Target>,
        workload: Workload,
        number: u32,
    ) -> anyhow::Result<Self> {
        let http = http_client()
            .pool_max_idle_per_host(1)
            .tcp_nodelay(true)
            .build()?;
        let random = Random::new(number.into());
        Ok(Self {
            http,
            target,
            workload,
            random,
        })
    }

    /// The next request; none when the free slots have come to an end.
    pub(super) fn next_body(&mut self) -> Option<String> {
        let (query, input) = match self.workload {
            Workload::OneProvider => (START_TIMES, self.question(30)?),
            Workload::AnyOfTen => (SLOTS, self.question(7)?),
            Workload::Book => {
                let place = self.target.next_slot.fetch_add(1, Ordering::Relaxed);
                let slot = self.target.slots.get(place)?;
                let input = json!({
                    "serviceId": slot.service_id,
                    "providerId": slot.provider_id,
                    "startsAt": slot.starts_at.to_rfc3339(),
                    "customer": self.target.customer(place),
                });
                (BOOK, input)
            }
        };
        Some(json!({ "query": query, "variables": { "input": input } }).to_string())
    }

    fn question(&mut self, days: i64) -> Option<serde_json::Value> {
        let group = self.random.pick(&self.target.business.groups)?;
        let from = self.target.now + TimeDelta::days(1);
        let mut input = json!({
            "serviceId": group.service_id,
            "from": from.to_rfc3339(),
            "to": (from + TimeDelta::days(days)).to_rfc3339(),
        });
        if self.workload == Workload::OneProvider {
            let provider = self.random.pick(&group.provider_ids)?;
            input
                .as_object_mut()?
                .insert("providerIds".to_owned(), json!([provider]));
        }
        Some(input)
    }

    /// Sends it and reads the whole answer.
    pub(super) async fn send(&self, body: String) -> Result<Vec<u8>, String> {
        let request = self
            .http
            .post(&self.target.url)
            .header("content-type", "application/json")
            .header("x-business", &self.target.business.slug)
            .body(body);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("{status}: {}", start_of(&body)));
        }
        Ok(body.to_vec())
    }

    /// Good: it has the data asked for, and neither errors nor problems.
    pub(super) fn judge(&self, body: &[u8]) -> Result<(), String> {
        let answer: Answer =
            serde_json::from_slice(body).map_err(|error| format!("{error}: {}", start_of(body)))?;
        let data = answer.data.filter(|_| answer.errors.is_none());
        let is_good = data.is_some_and(|data| match self.workload {
            Workload::Book => data
                .book
                .is_some_and(|book| book.booking.is_some() && book.problems.is_empty()),
            _ => data.availability.is_some(),
        });
        if is_good { Ok(()) } else { Err(start_of(body)) }
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    errors: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Data {
    availability: Option<IgnoredAny>,
    book: Option<BookAnswer>,
}

#[derive(Deserialize)]
struct BookAnswer {
    booking: Option<IgnoredAny>,
    problems: Vec<IgnoredAny>,
}

fn start_of(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(300).collect()
}
