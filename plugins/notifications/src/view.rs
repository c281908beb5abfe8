//! What a recipient is shown of a booking: the facts that concern them, in their language and their zone.

use chrono::{DateTime, Utc};
use domain::event::BookingFacts;
use domain::zone::ZoneDatabase;
use minijinja::{Value, context};
use plugin_api::clean::{line, paragraph};
use plugin_api::{Compose, Recipient};

use crate::language::Language;
use crate::local_time::LocalSpan;
use crate::settings::Settings;
use crate::texts::Texts;

/// A booking as one recipient is told of it.
pub struct Subject<'a> {
    recipient: Recipient,
    facts: &'a BookingFacts,
    zones: &'a ZoneDatabase,
    texts: &'a Texts,
    language: Language,
    span: (DateTime<Utc>, DateTime<Utc>),
    local: LocalSpan,
    at_location: LocalSpan,
}

impl<'a> Subject<'a> {
    /// What the recipient is told of the booking with these facts.
    pub fn new(
        request: &Compose<'_>,
        facts: &'a BookingFacts,
        zones: &'a ZoneDatabase,
        texts: &'a Texts,
    ) -> Self {
        let recipient = request.recipient;
        let span = match (recipient, facts.previous_starts_at) {
            // What they have in their calendar is the time before.
            (Recipient::PreviousProvider, Some(start)) => {
                (start, start + (facts.ends_at - facts.starts_at))
            }
            _ => (facts.starts_at, facts.ends_at),
        };
        let location_zone = facts.location.time_zone.as_str();
        let at_location = LocalSpan::new(zones, &[location_zone], span.0, span.1);
        let own_zone = facts
            .customer_time_zone
            .as_deref()
            .filter(|_| recipient == Recipient::Customer);
        let local = own_zone.map_or_else(
            || at_location.clone(),
            |own_zone| LocalSpan::new(zones, &[own_zone, location_zone], span.0, span.1),
        );
        Self {
            recipient,
            facts,
            zones,
            texts,
            language: Language::of(request.languages.iter().copied()),
            span,
            local,
            at_location,
        }
    }

    /// The recipient's language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// When it begins and ends, as the recipient has it in the calendar.
    pub fn span(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        self.span
    }

    /// The title of the appointment: the service, and the other side.
    pub fn summary(&self) -> String {
        let other = match self.recipient {
            Recipient::Customer => &self.facts.business.name,
            _ => &self.facts.customer.name,
        };
        line(&format!("{} – {other}", self.facts.service.name))
    }

    /// Where it takes place.
    pub fn place(&self) -> String {
        let (business, location) = (
            line(&self.facts.business.name),
            line(&self.facts.location.name),
        );
        if business == location {
            business
        } else {
            format!("{business}, {location}")
        }
    }

    /// The facts, one a line, without those that a calendar shows by itself.
    pub fn description(&self) -> String {
        let is_time = |name: &str| ["when", "at-location", "before"].contains(&name);
        let facts = self.facts().into_iter().filter(|(name, _)| !is_time(name));
        let colon = self.language.colon();
        facts
            .map(|(name, value)| format!("{}{colon}{value}", self.label(name)))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The facts with their labels.
    pub fn rows(&self) -> Vec<(String, String)> {
        let facts = self.facts().into_iter();
        facts
            .map(|(name, value)| (self.label(name), value))
            .collect()
    }

    /// Whom it is for.
    fn name(&self) -> String {
        line(match self.recipient {
            Recipient::Customer => &self.facts.customer.name,
            Recipient::Provider | Recipient::PreviousProvider => self.provider(),
            Recipient::Business => &self.facts.business.name,
        })
    }

    /// The provider who is written to, or the one the customer comes to.
    fn provider(&self) -> &str {
        match (self.recipient, &self.facts.previous_provider) {
            (Recipient::PreviousProvider, Some(previous)) => &previous.name,
            _ => &self.facts.provider.name,
        }
    }

    /// What templates show, as [`crate::variables::VARIABLES`] tells it.
    pub fn view(&self, event: &str, settings: &Settings) -> Value {
        let (facts, language) = (self.facts, self.language);
        let is_staff = self.recipient != Recipient::Customer;
        let for_staff = |text: &Option<String>| {
            let text = text.as_deref().filter(|_| is_staff);
            text.map(line).unwrap_or_default()
        };
        let rows = self.rows().into_iter();
        let rows = rows.map(|(label, value)| context! { label => label, value => value });
        let start = self.local.wall_start();
        context! {
            business => line(&facts.business.name),
            service => line(&facts.service.name),
            customer => line(&facts.customer.name),
            provider => line(self.provider()),
            recipient => self.name(),
            language => language.tag(),
            location => line(&facts.location.name),
            start => self.local.start(language),
            when => self.local.full(language),
            date => language.date(start.date()),
            time => language.time(start),
            end_time => language.time(self.local.wall_end()),
            time_zone => self.local.zone(),
            before => self.before().unwrap_or_default(),
            previous_provider => self.previous_provider().unwrap_or_default(),
            reference => line(&facts.reference),
            price => language.money(facts.price),
            status => facts.status.name(),
            places => facts.party_size,
            note => facts.note.as_deref().map(paragraph).unwrap_or_default(),
            reason => facts.reason.as_deref().map(paragraph).unwrap_or_default(),
            customer_email => for_staff(&facts.customer.email),
            customer_phone => for_staff(&facts.customer.phone),
            feedback_url => settings.feedback_on(&line(&facts.reference)),
            event => event,
            newly_with_provider => self.previous_provider().is_some(),
            rows => rows.collect::<Vec<_>>(),
        }
    }

    fn label(&self, name: &str) -> String {
        self.texts.word(self.language, "labels", name)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let (facts, language) = (self.facts, self.language);
        let customer = self.recipient == Recipient::Customer;
        let business = self.recipient == Recipient::Business;
        let for_staff = |text: Option<&str>| text.filter(|_| !customer).map(line);
        let at_location = self.local.zone() != self.at_location.zone();
        let shows_provider = customer || business;
        let all = [
            ("when", Some(self.local.full(language))),
            (
                "at-location",
                at_location.then(|| self.at_location.full(language)),
            ),
            ("before", self.before()),
            ("service", Some(line(&facts.service.name))),
            (
                "provider",
                shows_provider.then(|| line(&facts.provider.name)),
            ),
            (
                "previous-provider",
                self.previous_provider().filter(|_| shows_provider),
            ),
            ("customer", for_staff(Some(&facts.customer.name))),
            ("email", for_staff(facts.customer.email.as_deref())),
            ("phone", for_staff(facts.customer.phone.as_deref())),
            ("location", Some(line(&facts.location.name))),
            (
                "places",
                (facts.party_size > 1).then(|| facts.party_size.to_string()),
            ),
            (
                "price",
                (facts.price.amount > 0).then(|| language.money(facts.price)),
            ),
            ("note", facts.note.as_deref().map(paragraph)),
            ("reason", facts.reason.as_deref().map(paragraph)),
            ("reference", Some(line(&facts.reference))),
        ];
        let given = all
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)));
        given.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// When it began before, for those who are told of the new time.
    fn before(&self) -> Option<String> {
        let before = self.facts.previous_starts_at?;
        if self.recipient == Recipient::PreviousProvider || before == self.facts.starts_at {
            return None;
        }
        let local = LocalSpan::new(self.zones, &[self.local.zone()], before, before);
        Some(local.start(self.language))
    }

    fn previous_provider(&self) -> Option<String> {
        let previous = self.facts.previous_provider.as_ref()?;
        (previous.id != self.facts.provider.id).then(|| line(&previous.name))
    }
}
