//! The benchmark: how many requests per second a running server answers over HTTP, and how long they take.
//!
//! Guaranteed: only answers with data and without errors or problems count as requests; each booking goes to a slot of its own that was
//! free when the run began; nothing is measured before the data are in place. The data are a business `bench-<providers>` that later
//! runs find and use again; the server has to run with `--rate-limit 0`, for all of it comes from one address; its people have no addresses, so nobody is sent mail about it.

mod fill;
mod http;
mod measure;
mod report;

use std::sync::Arc;
use std::time::Duration;

use engine::Engine;

use self::http::Target;

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
}

/// Prepares the data where they are not there yet, and measures. The engine must be on the database of the server at the address,
/// and have no plugins: what it loads would be delivered.
pub async fn run(args: &BenchArgs, engine: &Engine) -> anyhow::Result<Report> {
    let url = format!("{}/graphql", args.url.trim_end_matches('/'));
    http::check(&url).await?;
    let business = fill::prepare(engine, args).await?;
    let bookings = fill::fill(engine, &business, args).await?;
    let slots = fill::free_slots(engine, &business, args).await?;
    let target = Arc::new(Target::new(url, business, slots, engine.clock().now()));
    let mut lines = Vec::new();
    for workload in &args.workloads {
        for clients in &args.clients {
            let seconds = Duration::from_secs(args.seconds.into());
            lines.push(measure::measure(&target, *workload, *clients, seconds).await?);
        }
    }
    Ok(Report {
        providers: args.providers,
        bookings,
        lines,
    })
}
