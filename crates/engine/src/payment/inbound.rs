//! The other side calls about a payment: the work that follows asks how it stands.

use chrono::{DateTime, Utc};
use domain::event::EventKind;
use domain::id::PaymentId;
use plugin_api::InboundAbout;
use store::Conn;
use store::changes::Changes;

use super::Work;
use super::work::write_find;
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::{Caller, Engine, Result};

/// A payment that the other side called about.
pub(crate) struct CalledPayment {
    plugin: &'static str,
    which: Which,
    at: DateTime<Utc>,
}

enum Which {
    /// One of ours.
    Ours(PaymentId),
    /// Only the other side knows which: something came of it that it calls so.
    Behind(String),
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
            payment: match self.which {
                Which::Ours(id) => Some(id),
                Which::Behind(_) => None,
            },
        };
        let recorded = engine.record(catalogue, changes, happening)?;
        match &self.which {
            Which::Ours(id) => Work::LookUp.write(changes, &recorded, self.plugin, *id, self.at),
            Which::Behind(name) => write_find(changes, &recorded, self.plugin, name),
        }
        Ok(())
    }
}

impl Engine {
    /// The payment that a call is about, if it is one of ours with this plugin, or may be.
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
            InboundAbout::Payment { external_id }
            | InboundAbout::PaymentBehind { name: external_id } => {
                store::payment::payment_by_external_id(conn, business, plugin, external_id).await?
            }
            _ => None,
        };
        let own = found.filter(|found| found.payment.plugin == plugin);
        let which = match (own, about) {
            (Some(found), _) => Some(Which::Ours(found.payment.id)),
            (None, InboundAbout::PaymentBehind { name }) => Some(Which::Behind(name.clone())),
            (None, _) => None,
        };
        Ok(which.map(|which| CalledPayment {
            plugin,
            which,
            at: self.clock().now(),
        }))
    }
}
