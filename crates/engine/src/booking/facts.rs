//! What an event tells of a booking: everything that a message about it needs, as it is at that moment.

use domain::booking::Booking;
use domain::customer::Customer;
use domain::event::{BookingFacts, BusinessFacts, ContactFacts, LocationFacts, NamedFacts};
use domain::id::ProviderId;
use domain::session::Session;

use crate::catalogue::Catalogue;
use crate::{Error, Result};

/// A booking with everything it speaks of.
pub(crate) struct Told<'a> {
    pub catalogue: &'a Catalogue,
    /// The booking after what happened.
    pub booking: &'a Booking,
    pub session: &'a Session,
    pub customer: &'a Customer,
    /// The session before, where it moved.
    pub previous: Option<&'a Session>,
    pub reason: Option<String>,
}

impl Told<'_> {
    /// The facts for the event.
    pub(crate) fn facts(self) -> Result<BookingFacts> {
        let Told {
            catalogue,
            booking,
            session,
            customer,
            previous,
            reason,
        } = self;
        let gone = |what: &str| {
            Error::Fault(format!(
                "the {what} of booking {} is not in the catalogue",
                booking.id
            ))
        };
        let service = catalogue
            .service(session.service_id)
            .ok_or_else(|| gone("service"))?;
        let location = catalogue
            .location(session.location_id)
            .ok_or_else(|| gone("location"))?;
        let provider = contact(catalogue, session.provider_id).ok_or_else(|| gone("provider"))?;
        let other = previous.filter(|previous| previous.provider_id != session.provider_id);
        Ok(BookingFacts {
            booking_id: booking.id,
            reference: booking.reference.clone(),
            version: booking.version,
            status: booking.status,
            party_size: booking.party_size,
            price: booking.price,
            note: booking.note.clone(),
            reason,
            session_id: session.id,
            starts_at: session.starts_at,
            ends_at: session.ends_at,
            previous_starts_at: previous.map(|previous| previous.starts_at),
            business: BusinessFacts {
                slug: catalogue.business.slug.clone(),
                name: catalogue.business.name.clone(),
                locale: catalogue.business.locale.clone(),
            },
            service: NamedFacts {
                id: service.id,
                name: service.name.clone(),
            },
            provider,
            previous_provider: other.and_then(|other| contact(catalogue, other.provider_id)),
            location: LocationFacts {
                id: location.id,
                name: location.name.clone(),
                time_zone: location.zone.name().to_owned(),
            },
            customer: ContactFacts {
                id: customer.id,
                name: customer.name.clone(),
                email: customer.email.clone(),
                phone: customer.phone.clone(),
            },
            customer_time_zone: customer.time_zone.clone(),
            customer_locale: customer.locale.clone(),
            customer_tier: customer.tier.clone(),
            customer_channel: customer.preferred_channel,
        })
    }
}

fn contact(catalogue: &Catalogue, id: ProviderId) -> Option<ContactFacts<ProviderId>> {
    let provider = catalogue.provider(id)?;
    Some(ContactFacts {
        id,
        name: provider.name.clone(),
        email: provider.email.clone(),
        phone: None,
    })
}
