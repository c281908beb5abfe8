//! What a newcomer needs to know of the demo to ask it something.

use std::fmt;

use anyhow::Context;
use domain::actor::Role;
use domain::id::ServiceId;
use engine::{Caller, Engine};

/// The businesses of the demo. Shown, it is text for people; it contains tokens.
pub struct Loaded {
    /// The salon, the clinic and the gym.
    pub businesses: Vec<LoadedBusiness>,
}

/// A business of the demo and how to reach it.
pub struct LoadedBusiness {
    /// For the header `X-Business`.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// A new token of the owner.
    pub owner_token: String,
    /// The name of one of its providers.
    pub provider_name: String,
    /// A new token of that provider.
    pub provider_token: String,
    /// Its services: ids and names, in the order in which they were made.
    pub services: Vec<(ServiceId, String)>,
    /// How many bookings were made now; 0 where the business was there before.
    pub bookings_made: usize,
}

/// Describes a business, with new tokens.
pub(super) async fn describe(
    engine: &Engine,
    system: &Caller,
    bookings_made: usize,
) -> anyhow::Result<LoadedBusiness> {
    let catalogue = engine.catalogue(system).await?;
    let (slug, name) = (
        catalogue.business.slug.clone(),
        catalogue.business.name.clone(),
    );
    let provider = catalogue
        .providers
        .values()
        .find(|provider| !provider.archived);
    let provider = provider.with_context(|| format!("the business `{slug}` has no provider"))?;
    let services = catalogue
        .services
        .values()
        .filter(|service| !service.archived);
    Ok(LoadedBusiness {
        owner_token: engine.create_token(system, Role::Owner, None).await?,
        provider_name: provider.name.clone(),
        provider_token: engine
            .create_token(system, Role::Provider, Some(provider.id))
            .await?,
        services: services
            .map(|service| (service.id, service.name.clone()))
            .collect(),
        slug,
        name,
        bookings_made,
    })
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, business) in self.businesses.iter().enumerate() {
            if place > 0 {
                writeln!(f)?;
            }
            write!(f, "{business}")?;
        }
        Ok(())
    }
}

impl fmt::Display for LoadedBusiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        writeln!(f, "  X-Business: {}", self.slug)?;
        writeln!(f, "  owner token     {}", self.owner_token)?;
        writeln!(
            f,
            "  provider token  {}  ({})",
            self.provider_token, self.provider_name
        )?;
        for (id, name) in self.services.iter().take(2) {
            writeln!(f, "  service         {id}  {name}")?;
        }
        let others: Vec<&str> = self
            .services
            .iter()
            .skip(2)
            .map(|(_, name)| name.as_str())
            .collect();
        if !others.is_empty() {
            writeln!(f, "  also            {}", others.join(", "))?;
        }
        Ok(())
    }
}
