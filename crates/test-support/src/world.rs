//! A business to test in: an engine on a database of its own, with a clock that stands, and builders for what is in it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::actor::{Actor, Role};
use domain::id::{Id, LocationId, ProviderId, ResourceId, ResourceKindId, ServiceId, TokenId};
use domain::zone::ZoneDatabase;
use engine::booking::Book;
use engine::business::CreateBusiness;
use engine::catalogue::location::CreateLocation;
use engine::catalogue::provider::CreateProvider;
use engine::catalogue::resource::{CreateResource, CreateResourceKind};
use engine::catalogue::schedule::{SetWeeklyHours, WeeklyWindow};
use engine::catalogue::service::ServiceInput;
use engine::customer::CustomerInput;
use engine::{Caller, Clock, Engine, EngineOptions};
use plugin_api::Plugin;
use store::Database;
use store::database::DatabaseOptions;
use tokio::sync::watch;
use uuid::Uuid;

/// An instant from its RFC 3339 text.
pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an RFC 3339 instant")
}

/// An instant.
pub type At = DateTime<Utc>;

/// Every statement that an engine ran, in order.
#[derive(Clone, Default)]
pub struct Recorder(Arc<watch::Sender<Vec<String>>>);

impl Recorder {
    /// The statements since the last time, and forgets them.
    pub fn take(&self) -> Vec<String> {
        self.0.send_replace(Vec::new())
    }

    /// Waits until so many statements with this in them were begun since.
    pub async fn until(&self, count: usize, part: &str) {
        let mut ran = self.0.subscribe();
        let enough =
            |ran: &Vec<String>| ran.iter().filter(|sql| sql.contains(part)).count() >= count;
        let wait = tokio::time::timeout(Duration::from_secs(20), ran.wait_for(enough));
        assert!(wait.await.is_ok(), "there are not {count} of {part}");
    }
}

/// How a world differs from the usual one.
pub struct WorldOptions {
    /// Where its clock stands; none: a running system clock.
    pub now: Option<At>,
    /// Its plugins.
    pub plugins: Vec<Arc<dyn Plugin>>,
    /// The database to use; none: a new one.
    pub url: Option<String>,
    /// Connections of the engine.
    pub connections: usize,
    /// The address under which the outside reaches it.
    pub public_url: Option<String>,
    /// The currency of the business.
    pub currency: &'static str,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            now: Some(at("2027-03-01T08:00:00Z")),
            plugins: Vec::new(),
            url: None,
            connections: 16,
            public_url: None,
            currency: "GBP",
        }
    }
}

/// A business to test in.
#[derive(Clone)]
pub struct World {
    /// The engine.
    pub engine: Engine,
    /// Its clock: Monday 1 March 2027, 08:00 in London, unless asked otherwise.
    pub clock: Clock,
    /// Its database.
    pub url: String,
    /// What its engine asked of the database.
    pub statements: Recorder,
    /// The slug of the business.
    pub slug: String,
    /// The owner of the business.
    pub owner: Caller,
    /// A visitor.
    pub visitor: Caller,
}

impl World {
    /// A business called `test` in London, with pounds.
    pub async fn new() -> Self {
        Self::with(WorldOptions::default()).await
    }

    /// The same, with differences.
    pub async fn with(options: WorldOptions) -> Self {
        let url = match options.url {
            Some(url) => url,
            None => crate::database_url().await.expect("a database"),
        };
        let clock = options.now.map_or_else(Clock::system, Clock::standing_at);
        let (engine, statements) = engine(
            &url,
            &clock,
            options.plugins,
            options.connections,
            options.public_url,
        );
        let input = CreateBusiness {
            slug: "test".to_owned(),
            name: "Test & Sons".to_owned(),
            time_zone: "Europe/London".to_owned(),
            currency: options.currency.to_owned(),
            locale: Some("en-GB".to_owned()),
        };
        let business = engine.create_business(&input).await.expect("a business").id;
        Self::of(engine, clock, url, statements, "test", business)
    }

    /// Another engine on the same database and clock, as another process would have.
    pub fn another_node(&self, plugins: Vec<Arc<dyn Plugin>>) -> Self {
        self.another_node_at(plugins, self.engine.public_url())
    }

    /// The same, reached by the outside under another address, or not at all.
    pub fn another_node_at(&self, plugins: Vec<Arc<dyn Plugin>>, public_url: Option<&str>) -> Self {
        let public_url = public_url.map(str::to_owned);
        let (engine, statements) = engine(&self.url, &self.clock, plugins, 16, public_url);
        Self {
            engine,
            statements,
            ..self.clone()
        }
    }

    /// Another business on the same server.
    pub async fn another_business(&self, slug: &str) -> Self {
        let input = CreateBusiness {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            time_zone: "America/New_York".to_owned(),
            currency: "USD".to_owned(),
            locale: None,
        };
        let business = self
            .engine
            .create_business(&input)
            .await
            .expect("a business")
            .id;
        let (engine, clock, url) = (self.engine.clone(), self.clock.clone(), self.url.clone());
        Self::of(engine, clock, url, self.statements.clone(), slug, business)
    }

    fn of(
        engine: Engine,
        clock: Clock,
        url: String,
        statements: Recorder,
        slug: &str,
        business: domain::id::BusinessId,
    ) -> Self {
        let owner = Caller {
            business,
            actor: Actor::Owner(TokenId::from_uuid(Uuid::nil())),
        };
        let visitor = Caller {
            business,
            actor: Actor::Anonymous,
        };
        Self {
            engine,
            clock,
            url,
            statements,
            slug: slug.to_owned(),
            owner,
            visitor,
        }
    }

    /// A token of a role.
    pub async fn token(&self, role: Role, provider: Option<ProviderId>) -> String {
        let system = Caller {
            actor: Actor::System,
            ..self.owner
        };
        self.engine
            .create_token(&system, role, provider)
            .await
            .expect("a token")
    }

    /// A location in a zone.
    pub async fn location(&self, zone: &str) -> LocationId {
        let input = CreateLocation {
            name: format!("In {zone}"),
            time_zone: Some(zone.to_owned()),
        };
        self.engine
            .create_location(&self.owner, input, None)
            .await
            .expect("a location")
    }

    /// A provider at these locations who works every day from 09:00 to 17:00.
    pub async fn provider(&self, name: &str, locations: &[LocationId]) -> ProviderId {
        let input = CreateProvider {
            name: name.to_owned(),
            email: Some(format!("{}@example.com", name.to_lowercase())),
            location_ids: Some(locations.to_vec()),
            daily_limit: None,
        };
        let id = self
            .engine
            .create_provider(&self.owner, input, None)
            .await
            .expect("a provider");
        for location in locations {
            self.hours(id, *location, "09:00", "17:00").await;
        }
        id
    }

    /// Sets the hours of a provider: the same every day.
    pub async fn hours(
        &self,
        provider_id: ProviderId,
        location_id: LocationId,
        opens: &str,
        closes: &str,
    ) {
        let (opens, closes) = (opens.parse().unwrap(), closes.parse().unwrap());
        let windows = (0..7)
            .map(|weekday| WeeklyWindow {
                weekday,
                opens,
                closes,
            })
            .collect();
        let input = SetWeeklyHours {
            provider_id,
            location_id,
            windows,
        };
        self.engine
            .set_weekly_hours(&self.owner, input, None)
            .await
            .expect("hours");
    }

    /// A kind of resource.
    pub async fn kind(&self, name: &str) -> ResourceKindId {
        let input = CreateResourceKind {
            name: name.to_owned(),
        };
        self.engine
            .create_resource_kind(&self.owner, input, None)
            .await
            .expect("a kind")
    }

    /// A resource.
    pub async fn resource(
        &self,
        name: &str,
        kind_id: ResourceKindId,
        location_id: LocationId,
        units: i32,
    ) -> ResourceId {
        let input = CreateResource {
            name: name.to_owned(),
            kind_id,
            location_id,
            units,
        };
        self.engine
            .create_resource(&self.owner, input, None)
            .await
            .expect("a resource")
    }

    /// A service of so many minutes, 30.00 a place, with these providers; more where `input` says so.
    pub async fn service(
        &self,
        minutes: i32,
        providers: &[ProviderId],
        input: ServiceInput,
    ) -> ServiceId {
        let input = ServiceInput {
            name: Some(
                input
                    .name
                    .unwrap_or_else(|| format!("Service of {minutes} minutes")),
            ),
            duration_minutes: Some(minutes),
            price: Some(input.price.unwrap_or(3000)),
            provider_ids: Some(providers.to_vec()),
            ..input
        };
        self.engine
            .create_service(&self.owner, input, None)
            .await
            .expect("a service")
    }

    /// A request to book for a customer of that name.
    pub fn booking(&self, service_id: ServiceId, starts_at: &str, customer: &str) -> Book {
        Book {
            service_id,
            starts_at: at(starts_at),
            provider_id: None,
            hold_id: None,
            customer: Some(CustomerInput {
                name: customer.to_owned(),
                email: Some(format!(
                    "{}@example.com",
                    customer.to_lowercase().replace(' ', ".")
                )),
                phone: None,
                time_zone: None,
                locale: None,
                preferred_channel: None,
            }),
            party_size: 1,
            note: None,
            override_reason: None,
        }
    }
}

fn engine(
    url: &str,
    clock: &Clock,
    plugins: Vec<Arc<dyn Plugin>>,
    connections: usize,
    public_url: Option<String>,
) -> (Engine, Recorder) {
    let statements = Recorder::default();
    let log = statements.0.clone();
    let options = DatabaseOptions {
        connections,
        wait: Duration::from_secs(20),
        observer: Some(Arc::new(move |sql: &str| {
            log.send_modify(|log| log.push(sql.to_owned()));
        })),
    };
    let database = Database::new(url, options).expect("an address of a database");
    let zones = ZoneDatabase::bundled();
    (
        Engine::new(EngineOptions {
            database,
            clock: clock.clone(),
            zones,
            plugins,
            vault: engine::Vault::new(&[7; 32]),
            public_url,
        }),
        statements,
    )
}
