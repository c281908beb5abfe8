//! Businesses: made on the command line, by the software itself.

use domain::actor::Role;
use domain::business::Business;
use domain::id::{BusinessId, Id, NotificationRuleId};
use domain::money::Currency;
use domain::notification::default_rules;
use domain::problem::Problem;
use domain::text;
use store::StoreError;
use uuid::Uuid;

use crate::{Caller, Engine, Error, Result};

/// The slug of the business that a server without any starts with.
const STARTER: &str = "main";

/// A business to make.
#[derive(Debug, Clone)]
pub struct CreateBusiness {
    /// Its name in addresses and headers.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The IANA zone that new locations take.
    pub time_zone: String,
    /// ISO 4217.
    pub currency: String,
    /// BCP 47; `en` where none is given.
    pub locale: Option<String>,
}

impl Engine {
    /// Makes a business. The first one made takes the place of an untouched starter, whose tokens then are its own.
    pub async fn create_business(&self, input: &CreateBusiness) -> Result<Business> {
        let new = self.checked(input)?;
        let conn = self.0.database.conn().await?;
        let starter = match store::business::business_list(&conn, 2).await?.as_slice() {
            [only] if only.slug == STARTER => {
                store::business::business_find(&conn, only.id).await?
            }
            _ => None,
        };
        let written = match starter.filter(|row| row.catalogue_version == 0) {
            Some(row) => {
                let business = Business {
                    id: row.business.id,
                    ..new
                };
                store::business::business_rename(&conn, &business)
                    .await
                    .map(|()| business)
            }
            None => {
                let zones = self.zones().version();
                let rules = default_rules(|| NotificationRuleId::from_uuid(Uuid::now_v7()));
                let now = self.clock().now();
                store::business::business_insert(&conn, &new, zones, &rules, now)
                    .await
                    .map(|()| new)
            }
        };
        written.map_err(|error| match error {
            StoreError::Duplicate(_) => {
                Problem::invalid(&["slug"], "there is a business with this slug").into()
            }
            other => other.into(),
        })
    }

    /// The first run: on a server without any business, makes one to start with and answers it with its owner's token.
    pub async fn create_starter(&self) -> Result<Option<(Business, String)>> {
        let conn = self.0.database.conn().await?;
        if !store::business::business_list(&conn, 1).await?.is_empty() {
            return Ok(None);
        }
        let starter = CreateBusiness {
            slug: STARTER.to_owned(),
            name: "My business".to_owned(),
            time_zone: "UTC".to_owned(),
            currency: "EUR".to_owned(),
            locale: None,
        };
        let business = self.create_business(&starter).await?;
        let caller = Caller::system(business.id);
        let token = self.create_token(&caller, Role::Owner, None).await?;
        Ok(Some((business, token)))
    }

    /// The software itself, acting for the business with this slug.
    pub async fn system_caller(&self, slug: &str) -> Result<Caller> {
        let conn = self.0.database.conn().await?;
        let found = store::business::business_id_by_slug(&conn, slug).await?;
        let business =
            found.ok_or_else(|| Error::NoBusiness(format!("there is no business `{slug}`")))?;
        Ok(Caller::system(business))
    }

    fn checked(&self, input: &CreateBusiness) -> Result<Business> {
        let zone = self.zones().get(&input.time_zone);
        let zone = zone.ok_or_else(|| {
            Problem::invalid(
                &["timeZone"],
                "is not an IANA time zone such as Europe/London",
            )
        })?;
        let currency = Currency::new(&input.currency);
        Ok(Business {
            id: BusinessId::from_uuid(Uuid::now_v7()),
            slug: text::slug(&["slug"], &input.slug)?,
            name: text::name(&["name"], &input.name)?,
            time_zone: zone.name().to_owned(),
            currency: currency.ok_or_else(|| {
                Problem::invalid(&["currency"], "is not an ISO 4217 code such as EUR")
            })?,
            locale: text::locale(&["locale"], input.locale.as_deref())?
                .unwrap_or_else(|| "en".to_owned()),
        })
    }
}
