//! The command line, and what it says about the process as a whole. Every flag has an environment variable.
//!
//! Guaranteed: what is wrong is refused by the name of its flag and with what was expected; what is secret shows neither in the help
//! nor in an error.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::actor::Role;
use domain::zone::ZoneDatabase;
use engine::Clock;

use crate::app::{Cors, HttpOptions, Rate};
use crate::mail::MailArgs;

/// Seconds of the rate that may come at once: a page that opens asks many things, and an office has one address.
const USUAL_BURST: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Appointment booking: a GraphQL API over PostgreSQL, with everything in one program.
#[derive(Debug, Parser)]
#[command(name = "bookable", version, about, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to say what happens.
    #[command(flatten)]
    pub log: LogArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API, and do the work that falls due
    Serve(Box<ServeArgs>),
    /// Only do the work that falls due: deliveries and timers, beside servers on the same database
    Work(Box<EngineArgs>),
    /// Bring the database up to date
    Migrate(DatabaseArgs),
    /// Print the API's schema
    Schema,
    /// Load demo data: a salon, a clinic and a gym
    Demo(Box<DemoArgs>),
    /// Measure a running server over HTTP, on data like those of the demo, and print a table
    Bench(Box<BenchCommandArgs>),
    /// Businesses
    #[command(subcommand)]
    Business(BusinessCommand),
    /// Access tokens
    #[command(subcommand)]
    Token(TokenCommand),
}

/// What to do with businesses.
#[derive(Debug, Subcommand)]
pub enum BusinessCommand {
    /// Make a business, and print its slug
    Create(Box<BusinessArgs>),
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, and print it and nothing else. It cannot be read again
    Create(Box<TokenArgs>),
}

/// How to say what happens.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The form of the log, which goes to stderr
    #[arg(long, global = true, env = "BOOKABLE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What the log holds: a level, or levels by part such as info,engine=debug
    #[arg(
        long,
        global = true,
        env = "BOOKABLE_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    pub log: String,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Where the data are.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// The directory for the data: the private PostgreSQL server, and mail that goes to files
    #[arg(
        long,
        env = "BOOKABLE_DATA",
        value_name = "DIR",
        default_value = "./data"
    )]
    pub data: PathBuf,
    /// A PostgreSQL server of yours, `postgres://user:password@host/database`; none: a private one in the data directory
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The key that seals what businesses entrust to plugins, 64 hexadecimal digits, the same for every server on one database; none: one is
    /// made and kept in the data directory
    #[arg(
        long,
        env = "BOOKABLE_SECRET_KEY",
        value_name = "HEX",
        hide_env_values = true
    )]
    pub secret_key: Option<String>,
    /// The most connections to the database that this process opens
    #[arg(long, env = "BOOKABLE_MAX_CONNECTIONS", value_name = "N", default_value_t = 24,
        value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub max_connections: u16,
}

impl DatabaseArgs {
    /// The server of the operator's own, if there is one.
    pub fn url(&self) -> Option<&str> {
        self.database_url
            .as_deref()
            .map(str::trim)
            .filter(|url| !url.is_empty())
    }
}

/// What time it is, and by which rules.
#[derive(Debug, Clone, Args)]
pub struct TimeArgs {
    /// Start the clock at this instant and let it run on, for demos and tests
    #[arg(long, env = "BOOKABLE_CLOCK", value_name = "INSTANT", value_parser = instant)]
    pub clock: Option<DateTime<Utc>>,
    /// Take the rules of time zones from this directory of compiled tzdata; none: the newer of the system's and the built-in
    #[arg(long, env = "BOOKABLE_ZONEINFO", value_name = "DIR")]
    pub zoneinfo: Option<PathBuf>,
}

impl TimeArgs {
    /// The clock.
    pub fn clock(&self) -> Clock {
        self.clock.map_or_else(Clock::system, Clock::starting_at)
    }

    /// The zones.
    pub fn zones(&self) -> anyhow::Result<ZoneDatabase> {
        ZoneDatabase::newest(self.zoneinfo.as_deref()).map_err(|error| {
            anyhow!("--zoneinfo: {error}: expected a directory of compiled tzdata such as /usr/share/zoneinfo")
        })
    }
}

/// What an engine is made of.
#[derive(Debug, Clone, Args)]
pub struct EngineArgs {
    /// Where the data are.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The time.
    #[command(flatten)]
    pub time: TimeArgs,
    /// Where mail goes.
    #[command(flatten)]
    pub mail: MailArgs,
    /// Let what a business sets (a mail server, the address of an API or a webhook) lead to this machine and to private networks
    #[arg(long, env = "BOOKABLE_ALLOW_PRIVATE_HOSTS")]
    pub allow_private_hosts: bool,
    /// The address under which the outside reaches this server, such as `https://book.example.com`: where the other sides of plugins call
    #[arg(long, env = "BOOKABLE_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,
}

/// The demo to load.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where the data are.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The time.
    #[command(flatten)]
    pub time: TimeArgs,
}

/// What to measure, and where its data are.
#[derive(Debug, Args)]
pub struct BenchCommandArgs {
    /// Where the data are.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The time.
    #[command(flatten)]
    pub time: TimeArgs,
    /// What to measure.
    #[command(flatten)]
    pub bench: crate::bench::BenchArgs,
}

/// How to serve.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, env = "BOOKABLE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    pub listen: String,
    /// Load demo data first: a salon, a clinic and a gym
    #[arg(long, env = "BOOKABLE_DEMO")]
    pub demo: bool,
    /// Leave deliveries and timers to `bookable work`
    #[arg(long, env = "BOOKABLE_NO_JOBS")]
    pub no_jobs: bool,
    /// An origin whose pages may call the API, such as `https://www.example.com`; repeat it or separate by commas. Any, unless set
    #[arg(
        long,
        env = "BOOKABLE_CORS_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub cors_origin: Vec<String>,
    /// The most bytes of one request
    #[arg(long, env = "BOOKABLE_BODY_LIMIT", value_name = "BYTES", default_value_t = 256 * 1024,
        value_parser = clap::value_parser!(u32).range(1024..=64 * 1024 * 1024))]
    pub body_limit: u32,
    /// How many seconds one request may take
    #[arg(long, env = "BOOKABLE_REQUEST_TIMEOUT", value_name = "SECONDS", default_value_t = 30,
        value_parser = clap::value_parser!(u16).range(1..=600))]
    pub request_timeout: u16,
    /// How many requests per second one client address may send; 0: any number
    #[arg(
        long,
        env = "BOOKABLE_RATE_LIMIT",
        value_name = "N",
        default_value_t = 100
    )]
    pub rate_limit: u32,
    /// How many of them may come at once after a while of quiet; ten times the rate, unless set
    #[arg(long, env = "BOOKABLE_RATE_BURST", value_name = "N")]
    pub rate_burst: Option<NonZeroU32>,
    /// How many proxies of yours stand in front, whose X-Forwarded-For says who the client is
    #[arg(
        long,
        env = "BOOKABLE_TRUST_FORWARDED",
        value_name = "HOPS",
        default_value_t = 0
    )]
    pub trust_forwarded: u8,
    /// What an engine is made of.
    #[command(flatten)]
    pub engine: EngineArgs,
}

impl ServeArgs {
    /// How the API is served.
    pub fn http(&self) -> anyhow::Result<HttpOptions> {
        let cors = Cors::from_origins(self.cors_origin.iter().map(String::as_str));
        Ok(HttpOptions {
            cors: cors.map_err(|error| anyhow!("--cors-origin: {error}"))?,
            body_limit: usize::try_from(self.body_limit)?,
            request_timeout: Duration::from_secs(self.request_timeout.into()),
            rate: self.rate(),
            trust_forwarded: self.trust_forwarded.into(),
            ..HttpOptions::default()
        })
    }

    fn rate(&self) -> Option<Rate> {
        let per_second = NonZeroU32::new(self.rate_limit)?;
        let usual = per_second.saturating_mul(USUAL_BURST);
        Some(Rate::per_second(
            per_second,
            self.rate_burst.unwrap_or(usual),
        ))
    }
}

/// A business to make.
#[derive(Debug, Args)]
pub struct BusinessArgs {
    /// Its name in addresses and headers, such as salon
    #[arg(long, env = "BOOKABLE_SLUG")]
    pub slug: String,
    /// Its name for people
    #[arg(long, env = "BOOKABLE_NAME")]
    pub name: String,
    /// The IANA time zone that its locations take, such as Europe/London
    #[arg(long, env = "BOOKABLE_TIME_ZONE", value_name = "ZONE")]
    pub time_zone: String,
    /// The ISO 4217 code of its currency, such as EUR
    #[arg(long, env = "BOOKABLE_CURRENCY", value_name = "CODE")]
    pub currency: String,
    /// The language of its mails, a BCP 47 tag such as en-GB
    #[arg(long, env = "BOOKABLE_LOCALE", value_name = "TAG")]
    pub locale: Option<String>,
    /// Where the data are.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The time.
    #[command(flatten)]
    pub time: TimeArgs,
}

/// A token to make.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// The slug of the business
    #[arg(long, env = "BOOKABLE_BUSINESS", value_name = "SLUG")]
    pub business: String,
    /// What its bearer may do
    #[arg(long, env = "BOOKABLE_ROLE", value_enum)]
    pub role: RoleArg,
    /// Whose token it is: the id of a provider, with --role provider
    #[arg(
        long,
        env = "BOOKABLE_PROVIDER",
        value_name = "ID",
        required_if_eq("role", "provider")
    )]
    pub provider: Option<String>,
    /// Where the data are.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The time.
    #[command(flatten)]
    pub time: TimeArgs,
}

/// The roles of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Everything
    Owner,
    /// Everything but what concerns the business itself
    Manager,
    /// Their own calendar and the bookings on it
    Provider,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Owner => Self::Owner,
            RoleArg::Manager => Self::Manager,
            RoleArg::Provider => Self::Provider,
        }
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let expected = "expected an instant from 1970 to 9999, such as 2027-03-01T09:00:00Z";
    let at = DateTime::parse_from_rfc3339(text)
        .map_err(|_| expected.to_owned())?
        .to_utc();
    let years = 1970..=9999;
    if years.contains(&chrono::Datelike::year(&at)) {
        Ok(at)
    } else {
        Err(expected.to_owned())
    }
}

fn public_url(text: &str) -> Result<String, String> {
    let expected = "expected an address without a query, such as https://book.example.com";
    let url: outbound::Url = text.parse().map_err(|_| expected.to_owned())?;
    let is_base = matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    if is_base {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(expected.to_owned())
    }
}

fn listen_address(text: &str) -> Result<String, String> {
    let port = text
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty())
        .map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err("expected a host and a port, such as 127.0.0.1:8080 or [::]:8080".to_owned()),
    }
}

#[cfg(test)]
mod tests;
