//! What every Relay connection here has: pages of 20 entries where nothing is said and of 100 at most, counted from either end.

use std::sync::Arc;

use async_graphql::{Context, Object};
use domain::problem::Problem;

use crate::booking_list::Around;
use crate::failure::Result;

/// How many entries a page has where nothing is said.
const PAGE: i32 = 20;
/// How many it has at most.
const PAGE_MAX: i32 = 100;

/// Where a page lies in its list.
pub enum PageInfo {
    /// In one that changes at any place: what is around it is looked up when it is asked for.
    Moving(Arc<Around>),
    /// In one that only grows at its beginning.
    Growing(Edges),
}

/// What is known around a page.
pub struct Edges {
    pub has_next: bool,
    pub has_previous: bool,
    pub start: Option<String>,
    pub end: Option<String>,
}

/// Where a page lies in its list.
#[Object]
impl PageInfo {
    /// Whether there are more after it.
    async fn has_next_page(&self, ctx: &Context<'_>) -> Result<bool> {
        match self {
            Self::Moving(around) => around.has_next(ctx).await,
            Self::Growing(edges) => Ok(edges.has_next),
        }
    }

    /// Whether there are more before it.
    async fn has_previous_page(&self, ctx: &Context<'_>) -> Result<bool> {
        match self {
            Self::Moving(around) => around.has_previous(ctx).await,
            Self::Growing(edges) => Ok(edges.has_previous),
        }
    }

    /// The cursor of its first entry; null where it has none.
    async fn start_cursor(&self) -> Option<String> {
        match self {
            Self::Moving(around) => around.start(),
            Self::Growing(edges) => edges.start.clone(),
        }
    }

    /// The cursor of its last entry; null where it has none.
    async fn end_cursor(&self) -> Option<String> {
        match self {
            Self::Moving(around) => around.end(),
            Self::Growing(edges) => edges.end.clone(),
        }
    }
}

/// How many entries a page is taken for before it is read.
pub(crate) fn estimated(first: Option<i32>, last: Option<i32>) -> usize {
    usize::try_from(first.or(last).unwrap_or(PAGE).clamp(1, PAGE_MAX)).unwrap_or(1)
}

/// How many entries a page has at most, and whether it is counted from the end.
pub(crate) fn size(first: Option<i32>, last: Option<i32>) -> Result<(i64, bool), Problem> {
    let (name, size) = match (first, last) {
        (Some(_), Some(_)) => {
            return Err(Problem::invalid(
                &["last"],
                "must not be given together with `first`",
            ));
        }
        (None, Some(last)) => ("last", last),
        (first, None) => ("first", first.unwrap_or(PAGE)),
    };
    if !(0..=PAGE_MAX).contains(&size) {
        return Err(Problem::invalid(
            &[name],
            format!("must be from 0 to {PAGE_MAX}, not {size}"),
        ));
    }
    Ok((size.into(), last.is_some()))
}
