//! `bookable token create`: makes a token, and prints it and nothing else.

use anyhow::anyhow;
use domain::id::ProviderId;
use engine::Engine;

use super::{Parts, in_flags};
use crate::cluster::Cluster;
use crate::config::TokenArgs;
use crate::output;

pub(super) async fn create(args: &TokenArgs) -> anyhow::Result<()> {
    let provider = args
        .provider
        .as_deref()
        .map(str::parse::<ProviderId>)
        .transpose();
    let provider = provider.map_err(|error| {
        anyhow!("--provider: {error}: expected an id such as prv_01jd6y7t3hfb8vqx6p0n2c4m5k")
    })?;
    let parts = Parts::without_mail(&args.time, &args.database)?;
    let cluster = Cluster::join(&args.database).await?;
    let token = make(&parts.engine(&cluster), args, provider).await;
    cluster.close().await?;
    output::answer(token?)
}

async fn make(
    engine: &Engine,
    args: &TokenArgs,
    provider: Option<ProviderId>,
) -> anyhow::Result<String> {
    let caller = engine
        .system_caller(&args.business)
        .await
        .map_err(|error| match error {
            engine::Error::NoBusiness(why) => {
                anyhow!("--business: {why}: expected the slug of a business")
            }
            other => other.into(),
        })?;
    engine
        .create_token(&caller, args.role.into(), provider)
        .await
        .map_err(in_flags)
}
