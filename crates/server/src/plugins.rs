//! The plugins: the one ordered list, and the only place that knows their names. Guards are asked in this order.

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use domain::zone::ZoneDatabase;
use email_smtp::{EmailSmtp, Settings, StartError};
use plugin_api::Plugin;

use crate::mail::flag_of;

/// All plugins, in order.
pub(crate) fn plugins(
    mail: Option<Settings>,
    data: &Path,
    zones: &ZoneDatabase,
) -> anyhow::Result<Vec<Arc<dyn Plugin>>> {
    Ok(vec![email(mail, data, zones)?])
}

fn email(
    settings: Option<Settings>,
    data: &Path,
    zones: &ZoneDatabase,
) -> anyhow::Result<Arc<dyn Plugin>> {
    let options = email_smtp::Options {
        settings,
        outbox: data.join("mail"),
        zones: zones.clone(),
    };
    let plugin = EmailSmtp::new(options).map_err(|error| match error {
        // The plugin names its setting; the operator knows flags.
        StartError::Settings(error) => {
            anyhow!("{}: {}", flag_of(&error.path.join(".")), error.message)
        }
        other => other.into(),
    })?;
    Ok(Arc::new(plugin))
}
