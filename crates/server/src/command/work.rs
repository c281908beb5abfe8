//! `bookable work`: the jobs without the API, as many processes as there is work for.

use jobs::{JobOptions, Jobs};

use super::Parts;
use crate::cluster::Cluster;
use crate::config::EngineArgs;
use crate::signals::Signals;

pub(super) async fn work(args: &EngineArgs) -> anyhow::Result<()> {
    let parts = Parts::of(args)?;
    let stop = Signals::install()?.stop();
    tokio::pin!(stop);
    let cluster = tokio::select! {
        cluster = Cluster::join(&args.database) => cluster?,
        () = &mut stop => return Ok(()),
    };
    let engine = parts.engine(&cluster);
    let jobs = Jobs::start(engine.clone(), JobOptions::default());
    tracing::info!("working");
    tokio::select! {
        () = engine.run_feed() => {}
        () = &mut stop => {}
    }
    jobs.stop().await;
    cluster.close().await
}
