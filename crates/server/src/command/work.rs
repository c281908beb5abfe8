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
        // Nobody else may be there to do it: the server beside it can end first, in whatever way.
        () = cluster.look_after() => {}
        () = &mut stop => {}
    }
    jobs.stop().await;
    cluster.close().await
}
