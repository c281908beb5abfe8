//! `bookable demo`: loads the demo's businesses, and prints what they are called and their tokens.

use std::io::IsTerminal;

use super::Parts;
use crate::cluster::Cluster;
use crate::config::DemoArgs;
use crate::{demo, output};

pub(super) async fn demo(args: &DemoArgs) -> anyhow::Result<()> {
    let parts = Parts::without_mail(&args.time, &args.database)?;
    let cluster = Cluster::join(&args.database).await?;
    let loaded = demo::load(&parts.demo(&cluster), std::io::stderr().is_terminal()).await;
    cluster.close().await?;
    output::answer(loaded?)
}
