//! The other side of a plugin calls: verified, kept once, and then worked on. What it says is only believed that far. Of a call from which nothing
//! follows nothing is kept: where a plugin cannot tell by itself who calls, anybody may.

use std::sync::Arc;

use plugin_api::{Inbound, InboundAbout, InboundRefused, InboundReply, InboundRequest};
use store::Conn;
use store::changes::Changes;

use crate::calendar::CalledSource;
use crate::catalogue::Catalogue;
use crate::notification::Heard;
use crate::payment::CalledPayment;
use crate::plugin::is_in_use;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// What is answered to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundAnswer {
    /// It is taken, now or before; with what the other side wants to read.
    Kept(Option<InboundReply>),
    /// Nobody here takes such calls.
    Nobody,
    /// It is not believed, or cannot be read.
    Refused(InboundRefused),
}

struct InboundCase {
    engine: Engine,
    caller: Caller,
    plugin: &'static str,
    call: Inbound,
}

/// What follows from a call.
enum Follows {
    /// Nothing: it is answered, and that is all.
    Nothing,
    /// A payment is looked up.
    Payment(CalledPayment),
    /// A calendar elsewhere is read.
    Calendar(CalledSource),
    /// A message fares otherwise, or somebody wants no more.
    Message(Heard),
}

impl UseCase for InboundCase {
    type Plan = (Arc<Catalogue>, Follows);
    type Answer = ();

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        let engine = &self.engine;
        let conn = engine.0.database.conn().await?;
        let catalogue = engine.catalogue_on(&conn, self.caller.business).await?;
        let follows = match &self.call.about {
            InboundAbout::Payment { .. }
            | InboundAbout::OurPayment { .. }
            | InboundAbout::PaymentBehind { .. } => engine
                .called_payment(&conn, &self.caller, self.plugin, &self.call.about)
                .await?
                .map_or(Follows::Nothing, Follows::Payment),
            InboundAbout::Calendar {
                channel_id,
                secret_digest,
            } => engine
                .called_source(&conn, self.caller.business, channel_id, secret_digest)
                .await?
                .map_or(Follows::Nothing, Follows::Calendar),
            about @ (InboundAbout::Message { .. } | InboundAbout::Wish { .. }) => engine
                .heard(&conn, &self.caller, &catalogue, self.plugin, about)
                .await?
                .map_or(Follows::Nothing, Follows::Message),
            InboundAbout::Nothing => Follows::Nothing,
        };
        Ok((catalogue, follows))
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        (catalogue, follows): &Self::Plan,
    ) -> Result<(Changes, ()), TxError> {
        let (engine, business) = (&self.engine, self.caller.business);
        let mut changes = Changes::default();
        if matches!(follows, Follows::Nothing) {
            return Ok((changes, ()));
        }
        let now = engine.clock().now();
        let (plugin, id) = (self.plugin, &self.call.external_id);
        let is_first =
            store::inbound_call::inbound_call_insert_in_tx(conn, business, plugin, id, now).await?;
        if is_first {
            match follows {
                Follows::Nothing => {}
                Follows::Payment(called) => called.record(engine, catalogue, &mut changes)?,
                Follows::Calendar(called) => called.record_in_tx(engine, conn, business).await?,
                Follows::Message(heard) => {
                    let caller = &self.caller;
                    engine
                        .hear_in_tx(conn, caller, catalogue, heard, &mut changes)
                        .await?;
                }
            }
        }
        Ok((changes, ()))
    }
}

impl Engine {
    /// Takes a call of the other side of a plugin for the business with this slug.
    pub async fn take_call(
        &self,
        slug: &str,
        plugin: &str,
        mut request: InboundRequest,
    ) -> Result<InboundAnswer> {
        let business = match self.business_id(slug).await {
            Ok(business) => business,
            Err(Error::NoBusiness(_)) => return Ok(InboundAnswer::Nobody),
            Err(error) => return Err(error),
        };
        let mut all = self.plugins().iter();
        let Some(plugin) = all.find(|known| known.name() == plugin) else {
            return Ok(InboundAnswer::Nobody);
        };
        let conn = self.0.database.conn().await?;
        let catalogue = self.catalogue_on(&conn, business).await?;
        drop(conn);
        // A business that has switched it off may still have something under way.
        let settings = self.settings_of(&catalogue, plugin.name());
        let (Some(_), Ok(settings)) = (plugin.inbound(), settings) else {
            return Ok(InboundAnswer::Nobody);
        };
        if settings.version() == 0 && !is_in_use(&catalogue, &**plugin) {
            return Ok(InboundAnswer::Nobody);
        }
        request.business_name.clone_from(&catalogue.business.name);
        let verified = self.ask_plugin(plugin, business, move |plugin| {
            let inbound = plugin.inbound()?;
            Some(inbound.verify(&settings, &request))
        });
        let mut call = match verified.await? {
            None => return Ok(InboundAnswer::Nobody),
            Some(Ok(call)) => call,
            Some(Err(refused)) => {
                tracing::warn!(plugin = plugin.name(), %business, %refused, "a call was refused");
                return Ok(InboundAnswer::Refused(refused));
            }
        };
        let reply = call.reply.take();
        let caller = Caller::system(business);
        let case = InboundCase {
            engine: self.clone(),
            caller,
            plugin: plugin.name(),
            call,
        };
        self.write(&caller, None, &case).await?;
        Ok(InboundAnswer::Kept(reply))
    }

    /// Where the other side of a plugin calls for the business with this slug, as the outside reaches it; none where it does not.
    pub fn inbound_url(&self, plugin: &str, slug: &str) -> Option<String> {
        let base = self.0.public_url.as_deref()?;
        Some(format!("{base}{}", inbound_path(plugin, slug)))
    }

    /// The address under which the outside reaches this server, without a slash at its end, where the operator has said it.
    pub fn public_url(&self) -> Option<&str> {
        self.0.public_url.as_deref()
    }
}

/// The path at which the other side of a plugin calls for the business with this slug.
pub fn inbound_path(plugin: &str, slug: &str) -> String {
    format!("/plugins/{plugin}/{slug}")
}
