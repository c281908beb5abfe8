//! Hours of providers: weekly windows and date overrides, for each location. They belong to the provider's calendar and raise its
//! version, so whoever decides on a booking decides on the hours as they are then.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use domain::actor::Right;
use domain::event::EventKind;
use domain::id::{CalendarId, LocationId, ProviderId};
use domain::problem::Problem;
use domain::provider::Provider;
use domain::schedule::{LocalTime, LocalWindow};
use serde::Serialize;
use store::changes::Changes;
use store::schedule as stored;
use store::{Conn, StoreError};

use super::Catalogue;
use crate::event::Happening;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// The most windows of one week or day.
const WINDOWS_MAX: usize = 200;

/// A weekday and the times between which somebody works on it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct WeeklyWindow {
    /// 0 is Monday.
    pub weekday: u8,
    /// When it opens.
    pub opens: LocalTime,
    /// When it closes; not later than it opens: on the next day.
    pub closes: LocalTime,
}

/// The times between which somebody works on a day.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Window {
    /// When it opens.
    pub opens: LocalTime,
    /// When it closes; not later than it opens: on the next day.
    pub closes: LocalTime,
}

/// A provider's weekly hours at a location, which replace those before.
#[derive(Debug, Clone, Serialize)]
pub struct SetWeeklyHours {
    /// Who.
    pub provider_id: ProviderId,
    /// Where.
    pub location_id: LocationId,
    /// When.
    pub windows: Vec<WeeklyWindow>,
}

/// What replaces the weekly hours for one local day.
#[derive(Debug, Clone, Serialize)]
pub struct SetDateOverride {
    /// Who.
    pub provider_id: ProviderId,
    /// Where.
    pub location_id: LocationId,
    /// The local day.
    pub date: NaiveDate,
    /// When; empty: closed. None: the weekly hours hold again.
    pub windows: Option<Vec<Window>>,
}

/// Hours that are written: one or the other.
enum Hours {
    Weekly(stored::WeeklyHours),
    Date(stored::DateOverride),
    NoDate(NaiveDate),
}

struct SetHours {
    engine: Engine,
    caller: Caller,
    provider_id: ProviderId,
    location_id: LocationId,
    hours: Hours,
}

impl UseCase for SetHours {
    /// The provider with the location added, where they did not work there before.
    type Plan = (Arc<Catalogue>, Option<Provider>);
    type Answer = ProviderId;

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        let catalogue = self.engine.catalogue(&self.caller).await?;
        let known = catalogue
            .provider(self.provider_id)
            .filter(|provider| !provider.archived);
        let provider =
            known.ok_or_else(|| Problem::not_found(&["input", "providerId"], "provider"))?;
        let known = catalogue
            .location(self.location_id)
            .filter(|location| !location.archived);
        known.ok_or_else(|| Problem::not_found(&["input", "locationId"], "location"))?;
        if provider.location_ids.contains(&self.location_id) {
            return Ok((catalogue, None));
        }
        let mut provider = Provider::clone(provider);
        provider.location_ids.push(self.location_id);
        provider.location_ids.sort_unstable();
        Ok((catalogue, Some(provider)))
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        (catalogue, widened): &Self::Plan,
    ) -> Result<(Changes, ProviderId), TxError> {
        let (business, now) = (self.caller.business, self.engine.clock().now());
        if let Some(provider) = widened {
            store::business::business_catalogue_raise_in_tx(conn, business).await?;
            store::provider::provider_put_in_tx(conn, business, provider, now).await?;
        }
        let mut changes = Changes::default();
        let calendars = vec![CalendarId::from(self.provider_id)];
        self.engine
            .lock_and_raise_in_tx(conn, &self.caller, &calendars, &mut changes)
            .await?;
        self.put_in_tx(conn).await?;
        let kind = EventKind::ScheduleChanged;
        self.engine.record(
            catalogue,
            &mut changes,
            Happening {
                kind,
                at: now,
                calendars,
                booking: None,
                hold: None,
                payment: None,
            },
        )?;
        Ok((changes, self.provider_id))
    }
}

impl SetHours {
    async fn put_in_tx(&self, conn: &Conn) -> Result<(), StoreError> {
        let business = self.caller.business;
        match &self.hours {
            Hours::Weekly(row) => stored::weekly_hours_put_in_tx(conn, business, row).await,
            Hours::Date(row) => stored::date_override_put_in_tx(conn, business, row).await,
            Hours::NoDate(date) => {
                let (provider, location) = (self.provider_id, self.location_id);
                stored::date_override_delete_in_tx(conn, business, provider, location, *date)
                    .await
                    .map(drop)
            }
        }
    }
}

impl Engine {
    /// Replaces a provider's weekly hours at a location; the provider works there from then on.
    pub async fn set_weekly_hours(
        &self,
        caller: &Caller,
        input: SetWeeklyHours,
        key: Option<&str>,
    ) -> Result<ProviderId> {
        let key = Key::of("setWeeklyHours", key, &input)?;
        let (provider_id, location_id) = (input.provider_id, input.location_id);
        let windows = checked_weekly(&input.windows)?;
        let hours = Hours::Weekly(stored::WeeklyHours {
            provider_id,
            location_id,
            windows,
        });
        self.set_hours(caller, key, provider_id, location_id, hours)
            .await
    }

    /// Replaces what the weekly hours say for one local day.
    pub async fn set_date_override(
        &self,
        caller: &Caller,
        input: SetDateOverride,
        key: Option<&str>,
    ) -> Result<ProviderId> {
        let key = Key::of("setDateOverride", key, &input)?;
        let SetDateOverride {
            provider_id,
            location_id,
            date,
            windows,
        } = input;
        if !(1970..=9999).contains(&date.year()) {
            return Err(
                Problem::invalid(&["input", "date"], "must lie in the years 1970 to 9999").into(),
            );
        }
        let hours = match windows {
            Some(windows) => {
                let windows = checked(&windows)?;
                Hours::Date(stored::DateOverride {
                    provider_id,
                    location_id,
                    date,
                    windows,
                })
            }
            None => Hours::NoDate(date),
        };
        self.set_hours(caller, key, provider_id, location_id, hours)
            .await
    }

    async fn set_hours(
        &self,
        caller: &Caller,
        key: Option<Key>,
        provider_id: ProviderId,
        location_id: LocationId,
        hours: Hours,
    ) -> Result<ProviderId> {
        if !caller.actor.may(Right::ManageSchedule(Some(provider_id))) {
            return Err(Error::forbidden(caller, "change these hours"));
        }
        let (engine, caller) = (self.clone(), *caller);
        let case = SetHours {
            engine: self.clone(),
            caller,
            provider_id,
            location_id,
            hours,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }
}

/// Weekly windows as they are stored, by weekday and opening.
pub(crate) fn checked_weekly(
    windows: &[WeeklyWindow],
) -> Result<Vec<stored::WeeklyWindow>, Problem> {
    let mut checked = windows
        .iter()
        .map(|window| {
            let (opens, closes) = checked_window(window.opens, window.closes)?;
            Ok((window.weekday, opens, closes))
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    limited(checked.len())?;
    checked.sort_unstable();
    checked.dedup();
    Ok(checked)
}

fn checked(windows: &[Window]) -> Result<Vec<stored::Window>, Problem> {
    let mut checked = windows
        .iter()
        .map(|window| checked_window(window.opens, window.closes))
        .collect::<Result<Vec<_>, Problem>>()?;
    limited(checked.len())?;
    checked.sort_unstable();
    checked.dedup();
    Ok(checked)
}

fn checked_window(opens: LocalTime, closes: LocalTime) -> Result<stored::Window, Problem> {
    let window = LocalWindow::new(opens, closes);
    window
        .ok_or_else(|| Problem::invalid(&["input", "windows", "opens"], "must be before 24:00"))?;
    Ok((opens.minutes(), closes.minutes()))
}

fn limited(count: usize) -> Result<(), Problem> {
    if count > WINDOWS_MAX {
        return Err(Problem::invalid(
            &["input", "windows"],
            format!("must be at most {WINDOWS_MAX} windows"),
        ));
    }
    Ok(())
}
