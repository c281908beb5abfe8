//! Holds: a slot kept for minutes, while a customer fills a form in.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use domain::availability;
use domain::hold;
use domain::id::HoldId;
use domain::interval::Minute;
use engine::catalogue::Catalogue;
use engine::hold::{HoldAndSession, HoldSlot};

use crate::failure::{Failure, Result};
use crate::id::{optional, parsed, shown};
use crate::problem::Problem;
use crate::provider::Provider;
use crate::request::Asked;
use crate::scalar::DateTime;
use crate::settle::{About, bare, settled};
use crate::slot::{Slot, zone_of};

pub struct Hold {
    catalogue: Arc<Catalogue>,
    held: HoldAndSession,
}

impl Hold {
    /// The hold with this id. Whoever knows the id may see it.
    pub(crate) async fn find(asked: &Asked<'_>, id: HoldId) -> Result<Option<Self>> {
        let Some(held) = asked.engine.hold(&asked.caller, id).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            catalogue: asked.catalogue_now().await?,
            held,
        }))
    }
}

/// A slot kept for minutes. Its id is also the secret that redeems it in `book` and gives it back in `releaseHold`.
#[Object]
impl Hold {
    /// Its id, `hld_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.held.hold.id)
    }

    /// What is held. Its one provider is the one who was chosen.
    async fn slot(&self) -> Result<Slot> {
        let session = &self.held.session;
        let service = self.catalogue.service(session.service_id);
        let service = service.ok_or_else(|| Failure::fault("a hold has no service"))?;
        let slot = availability::Slot {
            starts: Minute::floor(session.starts_at),
            ends: Minute::ceil(session.ends_at),
            location_id: session.location_id,
            provider_ids: availability::ProviderIds::one(session.provider_id),
            seats_left: session.seats_left(),
        };
        Ok(Slot::new(
            &self.catalogue,
            service,
            self.held.hold.party_size,
            None,
            slot,
        ))
    }

    /// The provider who is kept.
    async fn provider(&self) -> Result<Provider> {
        let provider = Provider::find(&self.catalogue, self.held.session.provider_id);
        provider.ok_or_else(|| Failure::fault("a hold has no provider"))
    }

    /// How many seats are kept.
    async fn party_size(&self) -> u32 {
        self.held.hold.party_size
    }

    /// Until when, in the location's time zone.
    async fn expires_at(&self) -> DateTime {
        DateTime::new(
            self.held.hold.expires_at,
            zone_of(&self.catalogue, None, self.held.session.location_id),
        )
    }

    /// Whether it still keeps its slot.
    async fn status(&self, ctx: &Context<'_>) -> Result<HoldStatus> {
        let now = Asked::of(ctx)?.engine.clock().now();
        let hold = &self.held.hold;
        let ran_out = hold.status == hold::HoldStatus::Active && !hold.is_live(now);
        Ok(if ran_out {
            HoldStatus::Expired
        } else {
            hold.status.into()
        })
    }
}

/// Where a hold is in its short life.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "hold::HoldStatus")]
pub enum HoldStatus {
    /// It keeps its slot until it expires.
    Active,
    /// A booking took its place.
    Redeemed,
    /// It was given back.
    Released,
    /// Its time ran out.
    Expired,
}

/// What became of a mutation of a hold.
#[derive(SimpleObject)]
pub struct HoldPayload {
    /// The hold as it is now; null when nothing was done.
    hold: Option<Hold>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

/// A slot to hold.
#[derive(InputObject)]
pub struct HoldSlotInput {
    /// Of which service.
    service_id: ID,
    /// Its start; a whole minute.
    starts_at: DateTime,
    /// With whom. Default: with anybody, by the service's rule.
    provider_id: Option<ID>,
    /// For how many.
    #[graphql(default = 1)]
    party_size: Option<i32>,
    /// For how long, in seconds: 1 to 3,600.
    #[graphql(default = 600)]
    ttl_seconds: Option<i32>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

#[derive(Default)]
pub struct HoldQuery;

#[Object]
impl HoldQuery {
    /// The hold with this id; null if there is none. Whoever knows its id may see it.
    async fn hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which hold, `hld_…`.")] id: ID,
    ) -> Result<Option<Hold>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Hold::find(&Asked::of(ctx)?, id).await
    }
}

#[derive(Default)]
pub struct HoldMutation;

#[Object]
impl HoldMutation {
    /// Keeps a slot for some minutes: nobody else can book it meanwhile. Redeem it with `book`, or let it run out. Anybody may.
    async fn hold_slot(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The slot.")] input: HoldSlotInput,
    ) -> Result<HoldPayload> {
        let asked = Asked::of(ctx)?;
        let party_size = input.party_size.unwrap_or(1);
        let about = About::Service(input.service_id.clone(), party_size);
        let outcome = async {
            let hold = HoldSlot {
                service_id: parsed(&["input", "serviceId"], &input.service_id)?,
                starts_at: input.starts_at.utc(),
                provider_id: optional(&["input", "providerId"], input.provider_id.as_ref())?,
                party_size,
                ttl_seconds: input.ttl_seconds.unwrap_or(600),
            };
            asked
                .engine
                .hold_slot(&asked.caller, hold, input.idempotency_key.as_deref())
                .await
        };
        payload(ctx, outcome.await, about).await
    }

    /// Gives a hold back before it runs out. Whoever knows its id may. Doing it twice is no error.
    async fn release_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which hold.")] id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<HoldPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["id"], &id)?;
            asked
                .engine
                .release_hold(&asked.caller, id, idempotency_key.as_deref())
                .await
        };
        payload(ctx, bare(outcome.await), About::Other).await
    }
}

async fn payload(
    ctx: &Context<'_>,
    outcome: engine::Result<HoldAndSession>,
    about: About,
) -> Result<HoldPayload> {
    Ok(match settled(ctx, outcome, &about).await? {
        Ok(held) => {
            let catalogue = Asked::of(ctx)?.catalogue_now().await?;
            HoldPayload {
                hold: Some(Hold { catalogue, held }),
                problems: Vec::new(),
            }
        }
        Err(problems) => HoldPayload {
            hold: None,
            problems,
        },
    })
}
