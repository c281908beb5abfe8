//! The benchmark: how many requests per second a running server answers over HTTP, and how long they take.
//!
//! Guaranteed: only answers with data and without errors or problems count as requests; each booking goes to a slot of its own that was
//! free when the run began; nothing is measured before the data are in place. The data are a business `bench-<providers>` that later
//! runs find and use again; the server has to run with `--rate-limit 0`, for all of it comes from one address; its people have no addresses, so nobody is sent mail about it.

mod fill;
mod http;
mod measure;
mod plugins;
mod report;

use std::sync::Arc;
use std::time::Duration;

use engine::Engine;

use self::http::Target;
use self::plugins::Switch;
use self::report::Line;

pub use self::http::Workload;
pub use self::report::Report;

/// What to measure, and on how much data.
#[derive(Debug, Clone, clap::Args)]
pub struct BenchArgs {
    /// Address of the running server, which uses the same database.
    #[arg(long, env = "BOOKABLE_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Providers of the business that is measured.
    #[arg(long, env = "BOOKABLE_PROVIDERS", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub providers: u32,
    /// Bookings that the business has at least before anything is measured.
    #[arg(long, env = "BOOKABLE_BOOKINGS", default_value_t = 100_000)]
    pub bookings: u32,
    /// Seconds for each line of the table.
    #[arg(long, env = "BOOKABLE_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub seconds: u32,
    /// Numbers of clients at once.
    #[arg(long, env = "BOOKABLE_CLIENTS", value_delimiter = ',', default_values_t = [1, 8, 32], value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub clients: Vec<u32>,
    /// Kinds of requests.
    #[arg(long, env = "BOOKABLE_WORKLOADS", value_enum, value_delimiter = ',', default_values_t = [Workload::OneProvider, Workload::AnyOfTen, Workload::Book])]
    pub workloads: Vec<Workload>,
    /// Measure bookings alone, with the plugins that the business uses switched off and on in turn; its people have addresses then.
    #[arg(long, env = "BOOKABLE_ALTERNATE_PLUGINS")]
    pub alternate_plugins: bool,
}

/// How often each is measured where plugins are switched off and on.
const ROUNDS: usize = 3;

/// Prepares the data where they are not there yet, and measures. The engine must be on the database of the server at the address,
/// and have no plugins: what it loads would be delivered.
pub async fn run(args: &BenchArgs, engine: &Engine) -> anyhow::Result<Report> {
    let url = format!("{}/graphql", args.url.trim_end_matches('/'));
    http::check(&url).await?;
    let business = fill::prepare(engine, args).await?;
    let bookings = fill::fill(engine, &business, args).await?;
    let slots = fill::free_slots(engine, &business, args).await?;
    let switch = if args.alternate_plugins {
        Some(Switch::new(&url, engine, &business).await?)
    } else {
        None
    };
    let target = Target::new(url, business, slots, engine.clock().now());
    let lines = match switch {
        Some(switch) => alternate(args, engine, &switch, target.with_addresses()).await?,
        None => all(args, target).await?,
    };
    Ok(Report {
        providers: args.providers,
        bookings,
        lines,
    })
}

async fn all(args: &BenchArgs, target: Target) -> anyhow::Result<Vec<Line>> {
    let target = Arc::new(target);
    let mut lines = Vec::new();
    for workload in &args.workloads {
        for clients in &args.clients {
            let seconds = Duration::from_secs(args.seconds.into());
            lines.push(measure::measure(&target, *workload, *clients, seconds).await?);
        }
    }
    Ok(lines)
}

/// Bookings with the plugins off and on in turn, each several times: of each the round in the middle.
async fn alternate(
    args: &BenchArgs,
    engine: &Engine,
    switch: &Switch,
    target: Target,
) -> anyhow::Result<Vec<Line>> {
    tracing::info!(plugins = ?switch.names(), "switching off and on");
    let (target, seconds) = (Arc::new(target), Duration::from_secs(args.seconds.into()));
    let mut lines = Vec::new();
    for clients in &args.clients {
        let mut rounds: [Vec<Line>; 2] = Default::default();
        for _ in 0..ROUNDS {
            for (rounds, on) in rounds.iter_mut().zip([false, true]) {
                switch.caught_up(engine).await?;
                switch.set(on).await?;
                let line = measure::measure(&target, Workload::Book, *clients, seconds).await;
                let request = if on {
                    "book, plugins on"
                } else {
                    "book, plugins off"
                };
                rounds.push(Line { request, ..line? });
            }
        }
        lines.extend(rounds.into_iter().filter_map(in_the_middle));
    }
    Ok(lines)
}

fn in_the_middle(mut rounds: Vec<Line>) -> Option<Line> {
    rounds.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
    let middle = rounds.len() / 2;
    rounds.into_iter().nth(middle)
}
