//! The other side calls about a payment: the work that follows asks how it stands.

use chrono::{DateTime, Utc};
use domain::event::EventKind;
use domain::id::PaymentId;
use plugin_api::InboundAbout;
use store::Conn;
use store::changes::Changes;

use super::Work;
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::{Caller, Engine, Result};

/// A payment of ours that the other side called about.
pub(crate) struct CalledPayment {
    plugin: &'static str,
    id: PaymentId,
    at: DateTime<Utc>,
}

impl CalledPayment {
    /// Adds the call to the changes, with a look at the payment.
    pub(crate) fn record(
        &self,
        engine: &Engine,
        catalogue: &Catalogue,
        changes: &mut Changes,
    ) -> Result<()> {
        let happening = Happening {
            kind: EventKind::PaymentCalled,
            at: self.at,
            calendars: Vec::new(),
            booking: None,
            hold: None,
            payment: Some(self.id),
        };
        let recorded = engine.record(catalogue, changes, happening)?;
        Work::LookUp.write(changes, &recorded, self.plugin, self.id, self.at);
        Ok(())
    }
}

impl Engine {
    /// The payment that a call is about, if it is one of ours with this plugin.
    pub(crate) async fn called_payment(
        &self,
        conn: &Conn,
        caller: &Caller,
        plugin: &'static str,
        about: &InboundAbout,
    ) -> Result<Option<CalledPayment>> {
        let business = caller.business;
        let found = match about {
            InboundAbout::OurPayment { id } => {
                store::payment::payment_find(conn, business, *id).await?
            }
            InboundAbout::Payment { external_id } => {
                store::payment::payment_by_external_id(conn, business, plugin, external_id).await?
            }
            _ => None,
        };
        let own = found.filter(|found| found.payment.plugin == plugin);
        Ok(own.map(|found| CalledPayment {
            plugin,
            id: found.payment.id,
            at: self.clock().now(),
        }))
    }
}
