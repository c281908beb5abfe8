//! Sessions: times at which a service takes place.

use std::sync::Arc;

use async_graphql::{ID, Object};
use domain::actor::{Actor, Right};
use domain::id::SessionId;
use domain::session;
use engine::catalogue::Catalogue;

use crate::LIST_COST;
use crate::failure::{Failure, Result};
use crate::id::shown;
use crate::location::Location;
use crate::provider::Provider;
use crate::request::Asked;
use crate::resource::Resource;
use crate::scalar::DateTime;
use crate::service::Service;
use crate::slot::zone_of;

pub struct Session {
    catalogue: Arc<Catalogue>,
    session: Arc<session::Session>,
}

impl Session {
    /// The session, which the caller may see.
    pub(crate) fn new(catalogue: &Arc<Catalogue>, session: Arc<session::Session>) -> Self {
        Self {
            catalogue: catalogue.clone(),
            session,
        }
    }

    /// The session with this id, for staff who see its bookings and for whoever manages a booking in it.
    pub(crate) async fn find(asked: &Asked<'_>, id: SessionId) -> Result<Option<Self>> {
        let Some(session) = asked.engine.sessions(&asked.caller, &[id]).await?.pop() else {
            return Ok(None);
        };
        let visible = match asked.caller.actor {
            Actor::Guest(own) => {
                let own = asked.engine.booking(&asked.caller, own).await?;
                own.is_some_and(|(booking, _)| booking.session_id == id)
            }
            actor => actor.may(Right::SeeBookings(Some(session.provider_id))),
        };
        if !visible {
            return Ok(None);
        }
        Ok(Some(Self::new(
            &asked.catalogue_now().await?,
            Arc::new(session),
        )))
    }
}

/// A time at which a service takes place. It takes a provider and resources; bookings are places in it. A one-to-one appointment is
/// a session of capacity 1.
#[Object]
impl Session {
    /// Its id, `ses_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.session.id)
    }

    /// What takes place.
    async fn service(&self) -> Result<Service> {
        let service = Service::find(&self.catalogue, self.session.service_id);
        service.ok_or_else(|| Failure::fault("a session has no service"))
    }

    /// Who delivers it.
    async fn provider(&self) -> Result<Provider> {
        let provider = Provider::find(&self.catalogue, self.session.provider_id);
        provider.ok_or_else(|| Failure::fault("a session has no provider"))
    }

    /// Where.
    async fn location(&self) -> Result<Location> {
        let location = Location::find(&self.catalogue, self.session.location_id);
        location.ok_or_else(|| Failure::fault("a session has no location"))
    }

    /// When it begins, in the location's time zone.
    async fn starts_at(&self) -> DateTime {
        DateTime::new(
            self.session.starts_at,
            zone_of(&self.catalogue, None, self.session.location_id),
        )
    }

    /// When it ends, in the location's time zone.
    async fn ends_at(&self) -> DateTime {
        DateTime::new(
            self.session.ends_at,
            zone_of(&self.catalogue, None, self.session.location_id),
        )
    }

    /// How many seats it has.
    async fn capacity(&self) -> u32 {
        self.session.capacity
    }

    /// How many seats can still be taken.
    async fn seats_left(&self) -> u32 {
        self.session.seats_left()
    }

    /// The resources that it takes.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn resources(&self) -> Vec<Resource> {
        self.session
            .resource_ids
            .iter()
            .filter_map(|id| Resource::find(&self.catalogue, *id))
            .collect()
    }
}
