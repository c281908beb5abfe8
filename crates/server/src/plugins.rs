//! The plugins: the one ordered list, and the only place that knows their names. Guards are asked in this order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use calendar_google::CalendarGoogle;
use domain::zone::ZoneDatabase;
use email_smtp::{EmailSmtp, Settings, StartError};
use engine::Clock;
use notifications::Notifications;
use outbound::Outbound;
use payments_stripe::PaymentsStripe;
use plugin_api::Plugin;
use sms_twilio::SmsTwilio;
use webhooks::Webhooks;

use crate::mail::flag_of;

/// How long Stripe may take over one call.
const STRIPE_LIMIT: Duration = Duration::from_secs(20);
/// How long Twilio may take over one call; a repeat makes two.
const TWILIO_LIMIT: Duration = Duration::from_secs(10);
/// How long Google may take over one call.
const GOOGLE_LIMIT: Duration = Duration::from_secs(20);

/// All plugins, in order. `outbound` is their way to whatever a business names.
pub(crate) fn plugins(
    mail: Option<Settings>,
    data: &Path,
    zones: &ZoneDatabase,
    outbound: &Outbound,
    clock: &Clock,
) -> anyhow::Result<Vec<Arc<dyn Plugin>>> {
    let stripe = payments_stripe::Options {
        outbound: outbound.clone(),
        timeout: STRIPE_LIMIT,
    };
    let clock = clock.clone();
    let twilio = sms_twilio::Options {
        outbound: outbound.clone(),
        timeout: TWILIO_LIMIT,
        now: Arc::new(move || clock.now()),
    };
    let google = calendar_google::Options {
        outbound: outbound.clone(),
        timeout: GOOGLE_LIMIT,
        zones: zones.clone(),
    };
    let notifications = Notifications::new(zones.clone()).map_err(|error| anyhow!(error))?;
    Ok(vec![
        Arc::new(notifications),
        email(mail, data, outbound)?,
        Arc::new(PaymentsStripe::new(stripe)),
        Arc::new(CalendarGoogle::new(google)),
        Arc::new(SmsTwilio::new(twilio)),
        Arc::new(Webhooks(outbound.clone())),
    ])
}

fn email(
    settings: Option<Settings>,
    data: &Path,
    outbound: &Outbound,
) -> anyhow::Result<Arc<dyn Plugin>> {
    let options = email_smtp::Options {
        settings,
        outbox: data.join("mail"),
        outbound: outbound.clone(),
    };
    let plugin = EmailSmtp::new(options).map_err(|error| {
        // The plugin names its setting; the operator knows flags.
        let StartError::Settings(error) = error;
        anyhow!("{}: {}", flag_of(&error.path.join(".")), error.message)
    })?;
    Ok(Arc::new(plugin))
}
