//! Blocks: time off and breaks on the calendar of a provider or a resource.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::actor::Right;
use domain::id::{BlockId, CalendarId, Id, ProviderId, ResourceId};
use domain::zone::Zone;
use engine::catalogue::Catalogue;
use engine::catalogue::block;

use crate::LIST_COST;
use crate::booking::Booking;
use crate::failure::Result;
use crate::id::{optional, parsed, shown};
use crate::problem::Problem;
use crate::provider::Provider;
use crate::request::Asked;
use crate::resource::Resource;
use crate::scalar::DateTime;
use crate::settle::{About, bare, settled};
use crate::timetable;

pub struct Block {
    catalogue: Arc<Catalogue>,
    block: block::Block,
}

impl Block {
    /// The block with this id, for staff who may change the calendar it lies on.
    pub(crate) async fn find(asked: &Asked<'_>, id: BlockId) -> Result<Option<Self>> {
        if !asked.is_staff() {
            return Ok(None);
        }
        let Some(block) = asked.engine.block(&asked.caller, id).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            catalogue: asked.catalogue_now().await?,
            block,
        }))
    }

    /// The blocks on a calendar in a time; none at all for whoever has no right to change it.
    pub(crate) async fn list(
        ctx: &Context<'_>,
        catalogue: &Arc<Catalogue>,
        calendar: CalendarId,
        right: Right,
        time: (DateTime, DateTime),
    ) -> Result<Option<Vec<Self>>> {
        let asked = Asked::of(ctx)?;
        if !asked.caller.actor.may(right) {
            return Ok(None);
        }
        let blocks = timetable::blocks(&asked, calendar, time).await?;
        let shown = blocks.into_iter().map(|block| Self {
            catalogue: catalogue.clone(),
            block,
        });
        Ok(Some(shown.collect()))
    }

    fn provider_id(&self) -> ProviderId {
        ProviderId::from_uuid(self.block.calendar_id.uuid())
    }

    fn resource_id(&self) -> ResourceId {
        ResourceId::from_uuid(self.block.calendar_id.uuid())
    }

    /// The zone of the only location where the calendar is; else the business's.
    fn zone(&self) -> &Zone {
        let provider = self
            .catalogue
            .provider(self.provider_id())
            .map(|provider| provider.location_ids.as_slice());
        let location = match (provider, self.catalogue.resource(self.resource_id())) {
            (Some([only]), _) => Some(*only),
            (None, Some(resource)) => Some(resource.location_id),
            _ => None,
        };
        let location = location.and_then(|id| self.catalogue.location(id));
        location.map_or(&self.catalogue.zone, |location| &location.zone)
    }
}

/// Time off or a break: nobody is booked over it, except by staff who override it with a reason. Its instants are shown in the time
/// zone of the location; of a provider with several, in the business's.
#[Object]
impl Block {
    /// Its id, `blk_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.block.id)
    }

    /// When it begins.
    async fn starts_at(&self) -> DateTime {
        DateTime::new(self.block.starts_at, self.zone())
    }

    /// When it ends.
    async fn ends_at(&self) -> DateTime {
        DateTime::new(self.block.ends_at, self.zone())
    }

    /// Why.
    async fn reason(&self) -> Option<&str> {
        self.block.reason.as_deref()
    }

    /// Whose time it is, where it is a provider's.
    async fn provider(&self) -> Option<Provider> {
        Provider::find(&self.catalogue, self.provider_id())
    }

    /// Which resource it closes, where it is a resource's.
    async fn resource(&self) -> Option<Resource> {
        Resource::find(&self.catalogue, self.resource_id())
    }
}

/// What became of a mutation of a block.
#[derive(SimpleObject)]
pub struct BlockPayload {
    /// The block that was made or taken away; null when nothing was done.
    block: Option<Block>,
    /// The bookings that a new block lies over. They stand: somebody must move them.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    affected: Vec<Booking>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

/// A block to make: of a provider or of a resource, one of the two.
#[derive(InputObject)]
pub struct CreateBlockInput {
    /// Whose time it is.
    provider_id: Option<ID>,
    /// Or which resource it closes.
    resource_id: Option<ID>,
    /// When it begins.
    starts_at: DateTime,
    /// When it ends; after it begins.
    ends_at: DateTime,
    /// Why, up to 4,000 characters. Shown to staff.
    reason: Option<String>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

#[derive(Default)]
pub struct BlockMutation;

#[Object]
impl BlockMutation {
    /// Blocks the time of a provider or a resource: nobody is booked there from then on. Owners, managers, and providers for themselves.
    async fn create_block(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The block.")] input: CreateBlockInput,
    ) -> Result<BlockPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let create = block::CreateBlock {
                provider_id: optional(&["input", "providerId"], input.provider_id.as_ref())?,
                resource_id: optional(&["input", "resourceId"], input.resource_id.as_ref())?,
                starts_at: input.starts_at.utc(),
                ends_at: input.ends_at.utc(),
                reason: input.reason,
            };
            asked
                .engine
                .create_block(&asked.caller, create, input.idempotency_key.as_deref())
                .await
        };
        payload(ctx, outcome.await).await
    }

    /// Takes a block away: the time is free again. Owners, managers, and providers for themselves.
    async fn delete_block(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which block.")] id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<BlockPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["id"], &id)?;
            asked
                .engine
                .delete_block(&asked.caller, id, idempotency_key.as_deref())
                .await
        };
        payload(ctx, bare(outcome.await)).await
    }
}

async fn payload(
    ctx: &Context<'_>,
    outcome: engine::Result<block::Blocked>,
) -> Result<BlockPayload> {
    Ok(match settled(ctx, outcome, &About::Other).await? {
        Ok(block::Blocked { block, affected }) => {
            let catalogue = Asked::of(ctx)?.catalogue_now().await?;
            let affected = affected
                .into_iter()
                .map(|booking| Booking::new(&catalogue, booking, None))
                .collect();
            BlockPayload {
                block: Some(Block { catalogue, block }),
                affected,
                problems: Vec::new(),
            }
        }
        Err(problems) => BlockPayload {
            block: None,
            affected: Vec::new(),
            problems,
        },
    })
}
