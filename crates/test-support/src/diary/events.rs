//! What changed since a token, or all that there is, page by page.

use plugin_api::{CalendarError, ExternalChange, ExternalState, Failure, Next, Page, PullFrom};

use super::{DiaryEvent, State};

/// A page. The token of a reading is as old as its first page.
pub(super) fn page(state: &State, calendar: &str, from: &PullFrom) -> Result<Page, CalendarError> {
    let since = from
        .sync_token
        .as_deref()
        .map(|token| since(state, token))
        .transpose()?;
    let (offset, seq) = match &from.page_token {
        Some(token) => {
            let (offset, seq) = token.split_once(':').unwrap();
            (offset.parse().unwrap(), seq.parse().unwrap())
        }
        None => (0_usize, state.seq),
    };
    let is_told = |event: &DiaryEvent| match (since, event.state) {
        (Some(since), _) => event.changed > since,
        (None, ExternalState::Busy { starts_at, ends_at }) => {
            ends_at > from.after && starts_at < from.before
        }
        // What was deleted is told of, too.
        (None, ExternalState::Free | ExternalState::Gone) => true,
    };
    let events = state.events.get(calendar).into_iter().flatten();
    let told: Vec<ExternalChange> = events
        .filter(|(_, event)| is_told(event))
        .map(|(id, event)| ExternalChange {
            id: id.clone(),
            booking_id: event.booking,
            invited_to: None,
            is_of_series: false,
            etag: event.etag.clone(),
            state: event.state,
        })
        .collect();
    let end = (offset + state.page).min(told.len());
    let next = if end < told.len() {
        Next::Page(format!("{end}:{seq}"))
    } else {
        Next::Done {
            sync_token: format!("{}/{seq}", state.epoch),
        }
    };
    let changes = told.get(offset..end).unwrap_or_default().to_vec();
    Ok(Page { changes, next })
}

/// The count of changes that a token stands for.
fn since(state: &State, token: &str) -> Result<u64, CalendarError> {
    let (epoch, seq) = token
        .split_once('/')
        .ok_or_else(|| Failure::give_up("that is no token"))?;
    if epoch.parse() == Ok(state.epoch) {
        Ok(seq.parse().unwrap())
    } else {
        Err(CalendarError::TokenExpired)
    }
}
