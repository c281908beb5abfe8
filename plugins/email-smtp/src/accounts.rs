//! The mail servers of businesses, each with its connections, kept while they are in use: under the version of the settings that they come
//! from, so that settings that were changed count at once. How many are kept is bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::id::BusinessId;
use outbound::Outbound;
use plugin_api::{PluginSettings, SettingsError};
use tokio::time::Instant;

use crate::settings::Settings;
use crate::smtp::{KEEP, Smtp};

/// How many businesses have their server kept; a further one takes the place of the one that was used least lately.
const KEPT: usize = 64;

/// The servers that are kept.
pub struct Accounts {
    outbound: Outbound,
    kept: Mutex<HashMap<BusinessId, Kept>>,
}

struct Kept {
    version: i64,
    used: Instant,
    smtp: Arc<Smtp>,
}

impl Accounts {
    /// None yet; all of them are reached by this way.
    pub fn new(outbound: Outbound) -> Self {
        Self {
            outbound,
            kept: Mutex::default(),
        }
    }

    /// The server of a business, by its settings as they are now.
    pub fn of(
        &self,
        business: BusinessId,
        settings: &PluginSettings,
    ) -> Result<Arc<Smtp>, SettingsError> {
        let now = Instant::now();
        let version = settings.version();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Connections are not kept longer than that either.
        kept.retain(|_, other| now - other.used < KEEP);
        if let Some(own) = kept.get_mut(&business)
            && own.version == version
        {
            own.used = now;
            return Ok(own.smtp.clone());
        }
        let account = settings.read::<Settings>()?.account()?;
        let smtp = Arc::new(Smtp::new(account, self.outbound.clone()));
        // A delivery that was handed over with the settings of a moment ago does not bring those back.
        if kept.get(&business).is_none_or(|own| own.version < version) {
            make_room(&mut kept);
            let own = Kept {
                version,
                used: now,
                smtp: smtp.clone(),
            };
            kept.insert(business, own);
        }
        Ok(smtp)
    }
}

fn make_room(kept: &mut HashMap<BusinessId, Kept>) {
    if kept.len() < KEPT {
        return;
    }
    let oldest = kept.iter().min_by_key(|(_, own)| own.used);
    if let Some(business) = oldest.map(|(business, _)| *business) {
        kept.remove(&business);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::id::Id;
    use outbound::OutboundOptions;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn accounts() -> Accounts {
        Accounts::new(Outbound::new(OutboundOptions::default()).unwrap())
    }

    fn of(accounts: &Accounts, business: u128, version: i64) -> Arc<Smtp> {
        let json = json!({ "host": format!("smtp{version}.example.com"), "from": "a@b.example" });
        let settings = PluginSettings::new(version, json);
        let business = BusinessId::from_uuid(Uuid::from_u128(business));
        accounts.of(business, &settings).unwrap()
    }

    #[tokio::test]
    async fn a_server_is_kept_for_one_business_and_one_version() {
        let accounts = accounts();
        let first = of(&accounts, 1, 1);
        assert!(Arc::ptr_eq(&first, &of(&accounts, 1, 1)));
        assert!(!Arc::ptr_eq(&first, &of(&accounts, 2, 1)));
        let second = of(&accounts, 1, 2);
        assert_eq!(second.account().host, "smtp2.example.com");
        assert_eq!(of(&accounts, 1, 1).account().host, "smtp1.example.com");
        assert!(
            Arc::ptr_eq(&second, &of(&accounts, 1, 2)),
            "older settings do not come back"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_bounded_in_number_and_time() {
        let accounts = accounts();
        let first = of(&accounts, 1, 1);
        for business in 2..=200 {
            tokio::time::advance(Duration::from_millis(1)).await;
            of(&accounts, business, 1);
        }
        assert_eq!(accounts.kept.lock().unwrap().len(), KEPT);
        assert_eq!(
            Arc::strong_count(&first),
            1,
            "the one that was used least lately went"
        );
        tokio::time::advance(KEEP).await;
        of(&accounts, 1, 1);
        assert_eq!(accounts.kept.lock().unwrap().len(), 1);
    }

    #[test]
    fn settings_that_are_wrong_are_named() {
        let settings = PluginSettings::new(1, json!({ "host": "smtp.example.com" }));
        let business = BusinessId::from_uuid(Uuid::nil());
        let error = accounts().of(business, &settings).unwrap_err();
        assert_eq!(error.to_string(), "from: is required");
    }
}
