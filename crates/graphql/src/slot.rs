//! Slots: start times on offer. They are never stored, so they have no id.

use std::sync::Arc;

use async_graphql::Object;
use domain::availability;
use domain::id::LocationId;
use domain::service::Service;
use domain::zone::Zone;
use engine::catalogue::Catalogue;

use crate::LIST_COST;
use crate::failure::{Failure, Result};
use crate::location::Location;
use crate::money::Money;
use crate::provider::Provider;
use crate::scalar::DateTime;

#[derive(Clone)]
pub struct Slot {
    catalogue: Arc<Catalogue>,
    service: Arc<Service>,
    party_size: u32,
    zone: Zone,
    offer: availability::Slot,
}

impl Slot {
    /// The slot of a service for a party, shown in the zone asked for, else in its location's.
    pub(crate) fn new(
        catalogue: &Arc<Catalogue>,
        service: &Arc<Service>,
        party_size: u32,
        zone: Option<&Zone>,
        slot: availability::Slot,
    ) -> Self {
        let zone = zone_of(catalogue, zone, slot.location_id).clone();
        Self {
            catalogue: catalogue.clone(),
            service: service.clone(),
            party_size,
            zone,
            offer: slot,
        }
    }
}

/// A start time on offer at a location, with everybody who can take it.
#[Object]
impl Slot {
    /// When a session would start.
    async fn starts_at(&self) -> DateTime {
        DateTime::of_minute(self.offer.starts, &self.zone)
    }

    /// When it would end.
    async fn ends_at(&self) -> DateTime {
        DateTime::of_minute(self.offer.ends, &self.zone)
    }

    /// Where.
    async fn location(&self) -> Result<Location> {
        let location = Location::find(&self.catalogue, self.offer.location_id);
        location.ok_or_else(|| Failure::fault("a slot has no location"))
    }

    /// Everybody who can take it. Book with one of them, or leave the choice to the service.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn providers(&self) -> Vec<Provider> {
        self.offer
            .provider_ids
            .iter()
            .filter_map(|id| Provider::find(&self.catalogue, id))
            .collect()
    }

    /// How many seats are left: of the fullest session that can be joined, else the service's capacity.
    async fn seats_left(&self) -> u32 {
        self.offer.seats_left
    }

    /// What a booking of it costs, all seats of the party together.
    async fn price(&self) -> Money {
        self.service.price_for(self.party_size).into()
    }
}

/// The zone asked for, else the location's.
pub(crate) fn zone_of<'a>(
    catalogue: &'a Catalogue,
    asked: Option<&'a Zone>,
    location: LocationId,
) -> &'a Zone {
    let own = || {
        catalogue
            .location(location)
            .map_or(&catalogue.zone, |location| &location.zone)
    };
    asked.unwrap_or_else(own)
}
