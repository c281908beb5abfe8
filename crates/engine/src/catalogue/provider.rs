//! Providers: create, change, archive.

use domain::id::{CalendarId, Id, LocationId, ProviderId};
use domain::problem::Problem;
use domain::provider::Provider;
use domain::text;
use serde::Serialize;
use store::calendar::{CalendarKind, calendar_insert_in_tx};
use store::{Conn, StoreError};
use uuid::Uuid;

use super::cache::open_locations;
use super::location::checked_locations;
use super::put::{Put, PutRequest, Thing};
use crate::{Caller, Engine, Result};

/// The most sessions a day that a limit may name.
pub(crate) const DAILY_LIMIT_MAX: i64 = 10_000;

/// A provider to make.
#[derive(Debug, Clone, Serialize)]
pub struct CreateProvider {
    /// Their name.
    pub name: String,
    /// Where mail about their bookings goes.
    pub email: Option<String>,
    /// Where they work; every location where none is said.
    pub location_ids: Option<Vec<LocationId>>,
    /// The most sessions that may start on one local day.
    pub daily_limit: Option<i32>,
}

/// What to change of a provider; what is none stays.
#[derive(Debug, Clone, Serialize)]
pub struct UpdateProvider {
    /// Who.
    pub id: ProviderId,
    /// Their name.
    pub name: Option<String>,
    /// Where mail goes; `Some(None)`: nowhere.
    pub email: Option<Option<String>>,
    /// Where they work.
    pub location_ids: Option<Vec<LocationId>>,
    /// Their daily limit; `Some(None)`: none.
    pub daily_limit: Option<Option<i32>>,
    /// Whether they are closed to new bookings.
    pub archived: Option<bool>,
}

impl Thing for Provider {
    type Id = ProviderId;

    fn id(&self) -> ProviderId {
        self.id
    }

    fn calendars(&self) -> Vec<CalendarId> {
        vec![self.id.into()]
    }

    async fn put_in_tx(&self, conn: &Conn, context: &Put) -> Result<(), StoreError> {
        let business = context.caller.business;
        if context.is_new {
            calendar_insert_in_tx(conn, business, self.id.into(), CalendarKind::Provider).await?;
        }
        store::provider::provider_put_in_tx(conn, business, self, context.engine.clock().now())
            .await
    }
}

impl Engine {
    /// Makes a provider, with a calendar of their own.
    pub async fn create_provider(
        &self,
        caller: &Caller,
        input: CreateProvider,
        key: Option<&str>,
    ) -> Result<ProviderId> {
        let request = PutRequest {
            operation: "createProvider",
            key,
            input: &input.clone(),
            is_new: true,
        };
        let id = ProviderId::from_uuid(Uuid::now_v7());
        self.put(caller, request, move |catalogue| {
            Ok(Provider {
                id,
                name: text::name(&["input", "name"], &input.name)?,
                email: text::email(&["input", "email"], input.email.as_deref())?,
                daily_limit: daily_limit(input.daily_limit)?,
                location_ids: match &input.location_ids {
                    Some(ids) => checked_locations(catalogue, &["input", "locationIds"], ids)?,
                    None => open_locations(catalogue),
                },
                archived: false,
            })
        })
        .await
    }

    /// Changes a provider.
    pub async fn update_provider(
        &self,
        caller: &Caller,
        input: UpdateProvider,
        key: Option<&str>,
    ) -> Result<ProviderId> {
        let request = PutRequest {
            operation: "updateProvider",
            key,
            input: &input.clone(),
            is_new: false,
        };
        self.put(caller, request, move |catalogue| {
            let known = catalogue
                .provider(input.id)
                .ok_or_else(|| Problem::not_found(&["input", "id"], "provider"))?;
            let mut provider = Provider::clone(known);
            if let Some(name) = &input.name {
                provider.name = text::name(&["input", "name"], name)?;
            }
            if let Some(email) = &input.email {
                provider.email = text::email(&["input", "email"], email.as_deref())?;
            }
            if let Some(ids) = &input.location_ids {
                provider.location_ids =
                    checked_locations(catalogue, &["input", "locationIds"], ids)?;
            }
            if let Some(limit) = input.daily_limit {
                provider.daily_limit = daily_limit(limit)?;
            }
            provider.archived = input.archived.unwrap_or(provider.archived);
            Ok(provider)
        })
        .await
    }
}

/// A limit per day, if one is given: 1 to 10,000.
pub(crate) fn daily_limit(limit: Option<i32>) -> Result<Option<u32>, Problem> {
    limit
        .map(|limit| text::number(&["input", "dailyLimit"], limit.into(), 1..=DAILY_LIMIT_MAX))
        .transpose()
}
