//! `bookable bench`: measures a running server that uses the same database, and prints a table.

use super::Parts;
use crate::cluster::Cluster;
use crate::config::BenchCommandArgs;
use crate::{bench, output};

pub(super) async fn bench(args: &BenchCommandArgs) -> anyhow::Result<()> {
    let mut parts = Parts::without_mail(&args.time, &args.database)?;
    // What is loaded to be measured is nobody's business: no plugin hears of it.
    parts.plugins.clear();
    let cluster = Cluster::join(&args.database).await?;
    let report = bench::run(&args.bench, &parts.engine(&cluster)).await;
    cluster.close().await?;
    output::answer(report?)
}
