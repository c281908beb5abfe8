//! Calendars elsewhere: what is busy there blocks slots here, and bookings stand there as they stand here.
//!
//! Guaranteed: the other side is never in the path of a booking. A booking's event writes a delivery to its provider's calendar in the
//! booking's own transaction ([`route`]); its work ([`work`]) makes the calendar agree with the booking as it stands then, so that repeats
//! and any order end the same. Calendars are read under leases ([`sync`]), by whoever comes first; when their owner is busy is written first
//! ([`busy`]), and the token from which the next reading goes on last, with what else follows ([`finish`]): until then all is read again. What was
//! moved or deleted there is put back, or the booking follows ([`judge`], [`follow`]). While an access is taken back, what is due waits; a new one sends it on its way. Whatever a delivery missed is found
//! by a reading before long: every few minutes one compares all that lies ahead.

mod access;
mod busy;
mod call;
mod channel;
mod choice;
mod connect;
mod consent;
mod disconnect;
mod finish;
mod follow;
mod judge;
mod reading;
mod route;
mod switch;
mod sync;
mod tidy;
mod unlink;
mod view;
mod work;

pub(crate) use call::CalledSource;
pub use connect::ConnectCalendar;
pub use consent::{ConsentAnswer, ConsentOutcome, ConsentParties};
pub use sync::{DueSource, TakenSource};
pub use view::CalendarConnection;
pub(crate) use work::Work;
