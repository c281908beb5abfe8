//! `bookable migrate`: brings the database up to date, and says what that took.

use crate::cluster::Cluster;
use crate::config::DatabaseArgs;
use crate::output;

pub(super) async fn migrate(args: &DatabaseArgs) -> anyhow::Result<()> {
    let cluster = Cluster::join(args).await?;
    match cluster.ran() {
        [] => output::answer("The database is up to date.")?,
        names => {
            for name in names {
                output::answer(name)?;
            }
        }
    }
    cluster.close().await
}
