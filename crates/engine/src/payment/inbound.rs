//! The other side calls: verified, kept once, and then worked on. What it says is only believed that far: the work asks how things stand.

use std::sync::Arc;

use domain::event::EventKind;
use domain::id::PaymentId;
use plugin_api::{Inbound, InboundAbout, InboundRefused, InboundRequest};
use store::Conn;
use store::changes::Changes;

use super::Work;
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::plugin::is_in_use;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// What is answered to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundAnswer {
    /// It is kept, now or before.
    Kept,
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

impl UseCase for InboundCase {
    /// The catalogue, and the payment that the call is about, if it is one of ours.
    type Plan = (Arc<Catalogue>, Option<PaymentId>);
    type Answer = ();

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        let (engine, business) = (&self.engine, self.caller.business);
        let conn = engine.0.database.conn().await?;
        let catalogue = engine.catalogue_on(&conn, business).await?;
        let payment = match &self.call.about {
            InboundAbout::Nothing => None,
            InboundAbout::OurPayment { id } => {
                store::payment::payment_find(&conn, business, *id).await?
            }
            InboundAbout::Payment { external_id } => {
                store::payment::payment_by_external_id(&conn, business, self.plugin, external_id)
                    .await?
            }
        };
        let own = payment.filter(|found| found.payment.plugin == self.plugin);
        Ok((catalogue, own.map(|found| found.payment.id)))
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        (catalogue, payment): &Self::Plan,
    ) -> Result<(Changes, ()), TxError> {
        let (engine, business, now) = (
            &self.engine,
            self.caller.business,
            self.engine.clock().now(),
        );
        let (plugin, id) = (self.plugin, &self.call.external_id);
        let is_first =
            store::payment::inbound_call_insert_in_tx(conn, business, plugin, id, now).await?;
        let mut changes = Changes::default();
        if let Some(payment) = payment.filter(|_| is_first) {
            let happening = Happening {
                kind: EventKind::PaymentCalled,
                at: now,
                calendars: Vec::new(),
                booking: None,
                hold: None,
                payment: Some(payment),
            };
            let recorded = engine.record(catalogue, &mut changes, happening)?;
            Work::LookUp.write(&mut changes, &recorded, plugin, payment, now);
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
        request: &InboundRequest,
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
        // A business that has switched it off may still have payments under way.
        let settings = self.settings_of(&catalogue, plugin.name());
        let (Some(inbound), Ok(settings)) = (plugin.inbound(), settings) else {
            return Ok(InboundAnswer::Nobody);
        };
        if settings.version() == 0 && !is_in_use(&catalogue, &**plugin) {
            return Ok(InboundAnswer::Nobody);
        }
        let call = match inbound.verify(&settings, request) {
            Ok(call) => call,
            Err(refused) => {
                tracing::warn!(plugin = plugin.name(), %business, %refused, "a call was refused");
                return Ok(InboundAnswer::Refused(refused));
            }
        };
        let caller = Caller::system(business);
        let case = InboundCase {
            engine: self.clone(),
            caller,
            plugin: plugin.name(),
            call,
        };
        self.write(&caller, None, &case).await?;
        Ok(InboundAnswer::Kept)
    }
}
