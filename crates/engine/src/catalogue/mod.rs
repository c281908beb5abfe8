//! The catalogue: locations, providers, resources, services. Read whole, from memory, as long as its version stands; written one
//! thing at a time by one use case ([`put`]), whatever the noun.

pub mod block;
pub(crate) mod cache;
pub mod location;
pub mod provider;
pub(crate) mod put;
pub mod resource;
pub mod schedule;
pub mod service;
pub mod timetable;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::business::Business;
use domain::id::{
    LocationId, NotificationRuleId, ProviderId, ResourceId, ResourceKindId, ServiceId,
};
use domain::location::Location;
use domain::notification::Rule;
use domain::provider::Provider;
use domain::resource::{Resource, ResourceKind};
use domain::service::Service;
use domain::webhook::WebhookEndpoint;
use domain::zone::Zone;
use store::calendar_route::CalendarRoute;
use store::plugin::PluginSetting;

/// The catalogue of one business at one version; archived things are in it too, for history. Ids are made in rising order, so the
/// maps are in the order in which things were made.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Its version.
    pub version: i64,
    /// The business.
    pub business: Business,
    /// The business's zone.
    pub zone: Zone,
    /// Its locations.
    pub locations: BTreeMap<LocationId, Arc<Location>>,
    /// Its providers.
    pub providers: BTreeMap<ProviderId, Arc<Provider>>,
    /// Its kinds of resources.
    pub resource_kinds: BTreeMap<ResourceKindId, Arc<ResourceKind>>,
    /// Its resources.
    pub resources: BTreeMap<ResourceId, Arc<Resource>>,
    /// Its services.
    pub services: BTreeMap<ServiceId, Arc<Service>>,
    /// What it has set of plugins, by name.
    pub plugins: BTreeMap<String, PluginSetting>,
    /// Where it has its events posted.
    pub webhooks: Vec<WebhookEndpoint>,
    /// Where the bookings of providers are written elsewhere.
    pub calendars: BTreeMap<ProviderId, CalendarRoute>,
    /// The rules by which it speaks to people, the oldest first.
    pub notification_rules: Vec<Rule>,
}

impl Catalogue {
    /// The notification rule.
    pub fn notification_rule(&self, id: NotificationRuleId) -> Option<&Rule> {
        self.notification_rules.iter().find(|rule| rule.id == id)
    }

    /// The location, archived or not.
    pub fn location(&self, id: LocationId) -> Option<&Arc<Location>> {
        self.locations.get(&id)
    }

    /// The provider, archived or not.
    pub fn provider(&self, id: ProviderId) -> Option<&Arc<Provider>> {
        self.providers.get(&id)
    }

    /// The kind of resource, archived or not.
    pub fn resource_kind(&self, id: ResourceKindId) -> Option<&Arc<ResourceKind>> {
        self.resource_kinds.get(&id)
    }

    /// The resource, archived or not.
    pub fn resource(&self, id: ResourceId) -> Option<&Arc<Resource>> {
        self.resources.get(&id)
    }

    /// The service, archived or not.
    pub fn service(&self, id: ServiceId) -> Option<&Arc<Service>> {
        self.services.get(&id)
    }
}
