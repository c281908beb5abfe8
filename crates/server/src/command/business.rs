//! `bookable business create`: makes a business, and prints its slug.

use engine::business::CreateBusiness;

use super::{Parts, in_flags};
use crate::cluster::Cluster;
use crate::config::BusinessArgs;
use crate::output;

pub(super) async fn create(args: &BusinessArgs) -> anyhow::Result<()> {
    let parts = Parts::without_mail(&args.time, &args.database)?;
    let cluster = Cluster::join(&args.database).await?;
    let input = CreateBusiness {
        slug: args.slug.clone(),
        name: args.name.clone(),
        time_zone: args.time_zone.clone(),
        currency: args.currency.clone(),
        locale: args.locale.clone(),
    };
    let created = parts.engine(&cluster).create_business(&input).await;
    cluster.close().await?;
    output::answer(created.map_err(in_flags)?.slug)
}
