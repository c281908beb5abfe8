//! The three roots, put together from what each noun has.

use async_graphql::MergedObject;

use crate::availability::AvailabilityQuery;
use crate::block::BlockMutation;
use crate::booking::BookingQuery;
use crate::booking_change::BookingMutation;
use crate::booking_list::BookingListQuery;
use crate::business::BusinessQuery;
use crate::calendar::CalendarMutation;
use crate::customer::CustomerMutation;
use crate::delivery::{DeliveryMutation, DeliveryQuery};
use crate::hold::{HoldMutation, HoldQuery};
use crate::location::{LocationMutation, LocationQuery};
use crate::node::NodeQuery;
use crate::notification_change::{NotificationMutation, NotificationQuery};
use crate::payment::PaymentMutation;
use crate::plugin::{PluginMutation, PluginQuery};
use crate::provider::{ProviderMutation, ProviderQuery};
use crate::resource::{ResourceMutation, ResourceQuery};
use crate::resource_kind::{ResourceKindMutation, ResourceKindQuery};
use crate::schedule::ScheduleMutation;
use crate::service::{ServiceMutation, ServiceQuery};
pub use crate::subscription::Subscription;
use crate::webhook::{WebhookMutation, WebhookQuery};

/// What can be read. One request speaks about one business: that of the `X-Business` header, else that of the token, else the only
/// one of this server.
#[derive(MergedObject, Default)]
pub struct Query(
    NodeQuery,
    BusinessQuery,
    LocationQuery,
    ServiceQuery,
    ProviderQuery,
    ResourceKindQuery,
    ResourceQuery,
    AvailabilityQuery,
    BookingQuery,
    BookingListQuery,
    HoldQuery,
    PluginQuery,
    DeliveryQuery,
    WebhookQuery,
    NotificationQuery,
);

/// What can be changed. Each answers a payload: the thing, null when it was not done, and the problems that stood in the way. Each
/// takes an idempotency key: the same key with the same input answers the first answer again and does nothing; with another input it
/// answers `IdempotencyConflict`.
#[derive(MergedObject, Default)]
pub struct Mutation(
    LocationMutation,
    ProviderMutation,
    ResourceKindMutation,
    ResourceMutation,
    ServiceMutation,
    ScheduleMutation,
    BlockMutation,
    HoldMutation,
    BookingMutation,
    CustomerMutation,
    PaymentMutation,
    PluginMutation,
    DeliveryMutation,
    WebhookMutation,
    CalendarMutation,
    NotificationMutation,
);
