//! Anything that has an id, found by it: the prefix says what it is. What one may not see is as if it were not there.

use async_graphql::{Context, ID, Interface, Object};
use domain::id::{
    BlockId, BookingId, BusinessId, CustomerId, DeliveryId, HoldId, Id, LocationId, NotificationId,
    NotificationRuleId, PaymentId, ProviderId, ResourceId, ResourceKindId, ServiceId, SessionId,
    WebhookEndpointId, parse_any,
};

use crate::block::Block;
use crate::booking::Booking;
use crate::business::Business;
use crate::customer::Customer;
use crate::delivery::Delivery;
use crate::failure::Result;
use crate::hold::Hold;
use crate::location::Location;
use crate::notification::{Notification, NotificationRule};
use crate::payment::Payment;
use crate::provider::Provider;
use crate::request::Asked;
use crate::resource::Resource;
use crate::resource_kind::ResourceKind;
use crate::service::Service;
use crate::session::Session;
use crate::webhook::WebhookEndpoint;

/// Anything that has an id of its own.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "A TypeID: a prefix that says what it is, and a UUIDv7, as in `svc_01jd6y7t3hfb8vqx6p0n2c4m5k`."
))]
pub enum Node {
    Business(Business),
    Location(Location),
    Provider(Provider),
    ResourceKind(ResourceKind),
    Resource(Resource),
    Service(Service),
    Session(Session),
    Booking(Booking),
    Customer(Customer),
    Hold(Hold),
    Block(Block),
    Delivery(Delivery),
    Payment(Payment),
    WebhookEndpoint(WebhookEndpoint),
    Notification(Notification),
    NotificationRule(NotificationRule),
}

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The thing with this id, whatever it is; null if there is none that you may see.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of a thing of any kind.")] id: ID,
    ) -> Result<Option<Node>> {
        let Ok((prefix, uuid)) = parse_any(&id) else {
            return Ok(None);
        };
        let asked = Asked::of(ctx)?;
        Ok(match prefix.as_str() {
            BookingId::PREFIX => Booking::find(&asked, BookingId::from_uuid(uuid))
                .await?
                .map(Node::from),
            SessionId::PREFIX => Session::find(&asked, SessionId::from_uuid(uuid))
                .await?
                .map(Node::from),
            CustomerId::PREFIX => Customer::find(&asked, CustomerId::from_uuid(uuid))
                .await?
                .map(Node::from),
            HoldId::PREFIX => Hold::find(&asked, HoldId::from_uuid(uuid))
                .await?
                .map(Node::from),
            PaymentId::PREFIX => Payment::find(&asked, PaymentId::from_uuid(uuid))
                .await?
                .map(Node::from),
            DeliveryId::PREFIX => Delivery::find(&asked, DeliveryId::from_uuid(uuid))
                .await?
                .map(Node::from),
            WebhookEndpointId::PREFIX => {
                WebhookEndpoint::find(&asked, WebhookEndpointId::from_uuid(uuid))
                    .await?
                    .map(Node::from)
            }
            NotificationId::PREFIX => Notification::find(&asked, NotificationId::from_uuid(uuid))
                .await?
                .map(Node::from),
            NotificationRuleId::PREFIX => {
                let id = NotificationRuleId::from_uuid(uuid);
                NotificationRule::find(&asked, id).await?.map(Node::from)
            }
            BlockId::PREFIX => Block::find(&asked, BlockId::from_uuid(uuid))
                .await?
                .map(Node::from),
            _ => of_catalogue(&asked, &prefix, uuid).await?,
        })
    }
}

/// A thing of the catalogue, archived or not: its public part is anybody's to see.
async fn of_catalogue(asked: &Asked<'_>, prefix: &str, uuid: uuid::Uuid) -> Result<Option<Node>> {
    let catalogue = asked.catalogue().await?;
    Ok(match prefix {
        BusinessId::PREFIX if catalogue.business.id.uuid() == uuid => {
            Some(Business { catalogue }.into())
        }
        LocationId::PREFIX => {
            Location::find(&catalogue, LocationId::from_uuid(uuid)).map(Node::from)
        }
        ProviderId::PREFIX => {
            Provider::find(&catalogue, ProviderId::from_uuid(uuid)).map(Node::from)
        }
        ResourceKindId::PREFIX => {
            ResourceKind::find(&catalogue, ResourceKindId::from_uuid(uuid)).map(Node::from)
        }
        ResourceId::PREFIX => {
            Resource::find(&catalogue, ResourceId::from_uuid(uuid)).map(Node::from)
        }
        ServiceId::PREFIX => Service::find(&catalogue, ServiceId::from_uuid(uuid)).map(Node::from),
        _ => None,
    })
}
