//! Who is asking, and what they may do. Every use case is told its actor; the table below is the only place that says
//! which role may do what.

use serde::{Deserialize, Serialize};

use crate::id::{BookingId, CustomerId, ProviderId, TokenId};

/// Who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A visitor without an account.
    Anonymous,
    /// A customer without an account who bears the secret of one booking.
    Guest(BookingId),
    /// A customer with an account.
    Customer(CustomerId),
    /// A provider, with the token that says so.
    Provider(ProviderId, TokenId),
    /// A manager.
    Manager(TokenId),
    /// The owner.
    Owner(TokenId),
    /// The software itself: timers, demo data.
    System,
    /// A provider's calendar elsewhere, which a booking follows.
    Calendar,
}

/// The roles for which tokens are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but what concerns the business itself.
    Manager,
    /// Their own calendar and the bookings on it.
    Provider,
}

/// What an actor may want to do that not everybody may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Create, change and archive locations, providers, resources and services.
    ManageCatalogue,
    /// Change what is known of customers.
    ManageCustomers,
    /// Set up plugins and look after their deliveries.
    ManagePlugins,
    /// Change the hours and blocks of one provider.
    ManageSchedule(Option<ProviderId>),
    /// See all bookings and customers of the business, those of one provider where given.
    SeeBookings(Option<ProviderId>),
    /// Check in, complete, mark as no-show, and change without regard to a customer's policy.
    RunBookings(Option<ProviderId>),
    /// Book against the rules (AVAILABILITY.md, 12).
    Override(Option<ProviderId>),
}

impl Actor {
    /// Whether the actor may. Rights over one booking of a guest are asked of [`Actor::may_touch`].
    pub fn may(&self, right: Right) -> bool {
        match self {
            Self::Owner(_) | Self::Manager(_) | Self::System | Self::Calendar => true,
            Self::Provider(own, _) => match right {
                Right::ManageCatalogue | Right::ManageCustomers | Right::ManagePlugins => false,
                Right::ManageSchedule(of)
                | Right::SeeBookings(of)
                | Right::RunBookings(of)
                | Right::Override(of) => of == Some(*own),
            },
            Self::Anonymous | Self::Guest(_) | Self::Customer(_) => false,
        }
    }

    /// Whether the actor may see and change this booking of this customer with this provider.
    pub fn may_touch(
        &self,
        booking: BookingId,
        customer: CustomerId,
        provider: ProviderId,
    ) -> bool {
        match self {
            Self::Guest(own) => *own == booking,
            Self::Customer(own) => *own == customer,
            staff => staff.may(Right::RunBookings(Some(provider))),
        }
    }

    /// Whether the actor works for the business (or is the software).
    pub fn is_staff(&self) -> bool {
        matches!(
            self,
            Self::Owner(_) | Self::Manager(_) | Self::Provider(..) | Self::System | Self::Calendar
        )
    }

    /// The name under which the history of a booking shows the actor.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Anonymous | Self::Guest(_) | Self::Customer(_) => "customer",
            Self::Provider(..) => "provider",
            Self::Manager(_) => "manager",
            Self::Owner(_) => "owner",
            Self::System => "system",
            Self::Calendar => "calendar",
        }
    }
}
