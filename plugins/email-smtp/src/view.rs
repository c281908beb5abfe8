//! What a recipient is shown of a booking: the facts that concern them, in their language and their zone.

use chrono::{DateTime, Utc};
use domain::event::BookingFacts;
use domain::zone::ZoneDatabase;

use crate::clean::{line, paragraph};
use crate::language::{Fact, Language};
use crate::local_time::LocalSpan;
use crate::templates::{Row, View};

/// Who is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever booked.
    Customer,
    /// The provider whose booking it is.
    Provider,
    /// The provider whose booking it was.
    PreviousProvider,
}

impl Audience {
    const ALL: [Self; 3] = [Self::Customer, Self::Provider, Self::PreviousProvider];

    /// The part of the plugin that writes to them.
    pub fn part(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Provider => "provider",
            Self::PreviousProvider => "previous-provider",
        }
    }

    /// Whom this part writes to.
    pub fn from_part(part: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|audience| audience.part() == part)
    }

    /// The conversation that mails to them belong to: who loses a booking was told of it as its provider.
    pub fn thread(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Provider | Self::PreviousProvider => "provider",
        }
    }

    /// What they are called in reasons.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Provider => "provider",
            Self::PreviousProvider => "previous provider",
        }
    }
}

/// A booking as one recipient is told of it.
pub struct Subject<'a> {
    audience: Audience,
    facts: &'a BookingFacts,
    zones: &'a ZoneDatabase,
    language: Language,
    span: (DateTime<Utc>, DateTime<Utc>),
    local: LocalSpan,
    at_location: LocalSpan,
}

impl<'a> Subject<'a> {
    /// What `audience` is told of the booking with these facts.
    pub fn new(audience: Audience, facts: &'a BookingFacts, zones: &'a ZoneDatabase) -> Self {
        let own_locale = facts
            .customer_locale
            .as_deref()
            .filter(|_| audience == Audience::Customer);
        let span = match (audience, facts.previous_starts_at) {
            // What they have in their calendar is the time before.
            (Audience::PreviousProvider, Some(start)) => {
                (start, start + (facts.ends_at - facts.starts_at))
            }
            _ => (facts.starts_at, facts.ends_at),
        };
        let location_zone = facts.location.time_zone.as_str();
        let at_location = LocalSpan::new(zones, &[location_zone], span.0, span.1);
        let own_zone = facts
            .customer_time_zone
            .as_deref()
            .filter(|_| audience == Audience::Customer);
        let local = own_zone.map_or_else(
            || at_location.clone(),
            |own_zone| LocalSpan::new(zones, &[own_zone, location_zone], span.0, span.1),
        );
        let language = Language::of(
            own_locale
                .into_iter()
                .chain([facts.business.locale.as_str()]),
        );
        Self {
            audience,
            facts,
            zones,
            language,
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
        let other = match self.audience {
            Audience::Customer => &self.facts.business.name,
            Audience::Provider | Audience::PreviousProvider => &self.facts.customer.name,
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
        let facts = self.facts().into_iter().filter(|(fact, _)| !fact.is_time());
        facts
            .map(|(fact, value)| format!("{}: {value}", self.language.label(fact)))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// What the templates show.
    pub fn view(&self) -> View {
        let facts = self.facts;
        let provider = match (self.audience, &facts.previous_provider) {
            (Audience::PreviousProvider, Some(previous)) => &previous.name,
            _ => &facts.provider.name,
        };
        let rows = self.facts().into_iter().map(|(fact, value)| Row {
            label: self.language.label(fact),
            value,
        });
        View {
            business: line(&facts.business.name),
            service: line(&facts.service.name),
            customer: line(&facts.customer.name),
            provider: line(provider),
            start: self.local.start(self.language),
            newly_with_provider: self.previous_provider().is_some(),
            rows: rows.collect(),
        }
    }

    fn facts(&self) -> Vec<(Fact, String)> {
        let facts = self.facts;
        let customer = self.audience == Audience::Customer;
        let for_staff = |text: Option<&str>| text.filter(|_| !customer).map(line);
        let at_location = self.local.zone() != self.at_location.zone();
        let all = [
            (Fact::When, Some(self.local.full(self.language))),
            (
                Fact::AtLocation,
                at_location.then(|| self.at_location.full(self.language)),
            ),
            (Fact::Before, self.before()),
            (Fact::Service, Some(line(&facts.service.name))),
            (Fact::Provider, customer.then(|| line(&facts.provider.name))),
            (
                Fact::PreviousProvider,
                self.previous_provider().filter(|_| customer),
            ),
            (Fact::Customer, for_staff(Some(&facts.customer.name))),
            (Fact::Email, for_staff(facts.customer.email.as_deref())),
            (Fact::Phone, for_staff(facts.customer.phone.as_deref())),
            (Fact::Location, Some(line(&facts.location.name))),
            (
                Fact::Places,
                (facts.party_size > 1).then(|| facts.party_size.to_string()),
            ),
            (
                Fact::Price,
                (facts.price.amount > 0).then(|| facts.price.display()),
            ),
            (Fact::Note, facts.note.as_deref().map(paragraph)),
            (Fact::Reason, facts.reason.as_deref().map(paragraph)),
            (Fact::Reference, Some(line(&facts.reference))),
        ];
        let given = all
            .into_iter()
            .filter_map(|(fact, value)| value.map(|value| (fact, value)));
        given.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// When it began before, for those who are told of the new time.
    fn before(&self) -> Option<String> {
        let before = self.facts.previous_starts_at?;
        if self.audience == Audience::PreviousProvider || before == self.facts.starts_at {
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
