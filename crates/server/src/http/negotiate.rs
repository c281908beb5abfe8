//! Which form a request has and which form its answer takes. Pure.

use axum::http::HeaderValue;

/// The forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`: what clients have always taken.
    Json,
    /// `application/graphql-response+json`: the status tells what became of the request.
    GraphqlResponse,
}

impl Media {
    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }
}

/// The form that a client likes best, by its `Accept` headers. One that says nothing, or takes anything, gets JSON. `None` for one
/// that takes neither form.
pub(crate) fn accepted<'a>(accept: impl Iterator<Item = &'a HeaderValue>) -> Option<Media> {
    let ranges: Vec<(Media, u16)> = accept
        .map(|value| value.to_str().unwrap_or(""))
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .map(range)
        .scan(false, |said, range| {
            *said = true;
            Some(range)
        })
        .collect::<Vec<_>>()
        .pipe_known()?;
    let best = ranges.iter().map(|(_, quality)| *quality).max().unwrap_or(0);
    ranges.iter().find(|(_, quality)| *quality == best).map(|(media, _)| *media)
}
