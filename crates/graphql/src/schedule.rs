//! Hours: weekly windows and date overrides of providers, opening hours of locations. All of them are wall-clock times in the
//! location's time zone.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use domain::problem::Problem;
use domain::schedule::Schedule;
use engine::catalogue::location as engine_location;
use engine::catalogue::schedule as engine_schedule;

use crate::failure::Result;
use crate::id::parsed;
use crate::provider::ProviderPayload;
use crate::request::Asked;
use crate::scalar::{Date, LocalTime};

/// A day of the week.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// All of them, in the order in which the engine numbers them.
    const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    fn number(self) -> u8 {
        (0..)
            .zip(Self::ALL)
            .find(|(_, day)| *day == self)
            .map_or(0, |(number, _)| number)
    }
}

/// Hours on a weekday.
#[derive(SimpleObject)]
pub struct WeeklyWindow {
    /// The day on which it opens.
    weekday: Weekday,
    /// When it opens.
    opens: LocalTime,
    /// When it closes: on the same day where that is later than it opens, else on the next.
    closes: LocalTime,
}

impl WeeklyWindow {
    /// The weekly windows of a schedule, by weekday and opening.
    pub(crate) fn of(schedule: &Schedule) -> Vec<Self> {
        let days = Weekday::ALL.into_iter().zip(&schedule.weekly);
        let windows =
            days.flat_map(|(weekday, windows)| windows.iter().map(move |window| (weekday, window)));
        windows
            .map(|(weekday, window)| Self {
                weekday,
                opens: LocalTime(window.opens()),
                closes: LocalTime(window.closes()),
            })
            .collect()
    }
}

/// Hours on one day.
#[derive(InputObject)]
pub struct WindowInput {
    /// When it opens.
    opens: LocalTime,
    /// When it closes. Not later than it opens: on the next day. `24:00`: at the end of the day.
    closes: LocalTime,
}

/// Hours on a weekday.
#[derive(InputObject)]
pub struct WeeklyWindowInput {
    /// The day on which it opens.
    weekday: Weekday,
    /// When it opens.
    opens: LocalTime,
    /// When it closes. Not later than it opens: on the next day. `24:00`: at the end of the day.
    closes: LocalTime,
}

impl From<WeeklyWindowInput> for engine_schedule::WeeklyWindow {
    fn from(window: WeeklyWindowInput) -> Self {
        Self {
            weekday: window.weekday.number(),
            opens: window.opens.0,
            closes: window.closes.0,
        }
    }
}

/// A provider's weekly hours at a location.
#[derive(InputObject)]
pub struct SetWeeklyHoursInput {
    /// Whose hours.
    provider_id: ID,
    /// At which location; the provider works there from then on.
    location_id: ID,
    /// The hours of the whole week, which replace those before; up to 200 windows. None: not at all. Windows that overlap are one.
    windows: Vec<WeeklyWindowInput>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What replaces a provider's weekly hours on one day.
#[derive(InputObject)]
pub struct SetDateOverrideInput {
    /// Whose hours.
    provider_id: ID,
    /// At which location.
    location_id: ID,
    /// The day, in the location's time zone.
    date: Date,
    /// The hours of that day instead of its weekday's; none: closed.
    windows: Vec<WindowInput>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// A day on which the weekly hours are to hold again.
#[derive(InputObject)]
pub struct DeleteDateOverrideInput {
    /// Whose hours.
    provider_id: ID,
    /// At which location.
    location_id: ID,
    /// The day, in the location's time zone.
    date: Date,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// A location's own opening hours.
#[derive(InputObject)]
pub struct SetOpeningHoursInput {
    /// Which location.
    location_id: ID,
    /// The hours of the whole week, which replace those before; up to 200 windows. Null, or left out: open whenever its providers work.
    windows: Option<Vec<WeeklyWindowInput>>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

impl SetOpeningHoursInput {
    pub(crate) fn parsed(
        self,
    ) -> Result<(engine_location::SetOpeningHours, Option<String>), Problem> {
        let location_id = parsed(&["input", "locationId"], &self.location_id)?;
        let windows = self
            .windows
            .map(|windows| windows.into_iter().map(Into::into).collect());
        Ok((
            engine_location::SetOpeningHours {
                location_id,
                windows,
            },
            self.idempotency_key,
        ))
    }
}

#[derive(Default)]
pub struct ScheduleMutation;

#[Object]
impl ScheduleMutation {
    /// Replaces a provider's weekly hours at one location. Owners, managers, and the provider themself.
    async fn set_weekly_hours(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hours.")] input: SetWeeklyHoursInput,
    ) -> Result<ProviderPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let set = engine_schedule::SetWeeklyHours {
                provider_id: parsed(&["input", "providerId"], &input.provider_id)?,
                location_id: parsed(&["input", "locationId"], &input.location_id)?,
                windows: input.windows.into_iter().map(Into::into).collect(),
            };
            asked
                .engine
                .set_weekly_hours(&asked.caller, set, input.idempotency_key.as_deref())
                .await
        };
        ProviderPayload::of(ctx, outcome.await).await
    }

    /// Replaces what a provider's weekly hours say for one local day at one location; no windows: closed. Owners, managers, and the
    /// provider themself.
    async fn set_date_override(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day and its hours.")] input: SetDateOverrideInput,
    ) -> Result<ProviderPayload> {
        let asked = Asked::of(ctx)?;
        let window = |window: WindowInput| engine_schedule::Window {
            opens: window.opens.0,
            closes: window.closes.0,
        };
        let outcome = async {
            let set = engine_schedule::SetDateOverride {
                provider_id: parsed(&["input", "providerId"], &input.provider_id)?,
                location_id: parsed(&["input", "locationId"], &input.location_id)?,
                date: input.date.0,
                windows: Some(input.windows.into_iter().map(window).collect()),
            };
            asked
                .engine
                .set_date_override(&asked.caller, set, input.idempotency_key.as_deref())
                .await
        };
        ProviderPayload::of(ctx, outcome.await).await
    }

    /// Takes the override of one day away: the weekly hours hold again. Owners, managers, and the provider themself.
    async fn delete_date_override(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day.")] input: DeleteDateOverrideInput,
    ) -> Result<ProviderPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let set = engine_schedule::SetDateOverride {
                provider_id: parsed(&["input", "providerId"], &input.provider_id)?,
                location_id: parsed(&["input", "locationId"], &input.location_id)?,
                date: input.date.0,
                windows: None,
            };
            asked
                .engine
                .set_date_override(&asked.caller, set, input.idempotency_key.as_deref())
                .await
        };
        ProviderPayload::of(ctx, outcome.await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_count_from_monday() {
        let numbers: Vec<u8> = Weekday::ALL.into_iter().map(Weekday::number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6]);
    }
}
