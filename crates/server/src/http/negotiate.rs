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

/// The form that a client likes best, by its `Accept` headers; of equals the first. One that says nothing, or takes anything, gets
/// JSON. `None` for one that takes neither form.
pub(crate) fn accepted<'a>(accept: impl Iterator<Item = &'a HeaderValue>) -> Option<Media> {
    let mut said_nothing = true;
    let mut best: Option<(Media, f32)> = None;
    for value in accept {
        for range in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            said_nothing &= range.is_empty();
            if let Some((media, quality)) = liking(range)
                && best.is_none_or(|(_, so_far)| quality > so_far)
            {
                best = Some((media, quality));
            }
        }
    }
    if said_nothing {
        Some(Media::Json)
    } else {
        best.map(|(media, _)| media)
    }
}

/// The form that a media range stands for, and how much it is liked; none where it is not one of ours, or unwanted.
fn liking(range: &str) -> Option<(Media, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let media = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/graphql-response+json" => Media::GraphqlResponse,
        "application/json" | "application/*" | "*/*" => Media::Json,
        _ => return None,
    };
    let quality =
        parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let quality: f32 = quality.map_or(Some(1.0), |text| text.parse().ok())?;
    (quality > 0.0).then_some((media, quality))
}

/// Whether a body of this `Content-Type` is JSON that can be read.
pub(crate) fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let Some(text) = content_type.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let json = parts
        .next()
        .is_some_and(|essence| essence == "application/json");
    let readable = |part: String| match part.strip_prefix("charset=") {
        Some(charset) => charset.trim_matches('"') == "utf-8",
        None => true,
    };
    json && parts.all(readable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &[&'static str]) -> Option<Media> {
        let values: Vec<_> = accept
            .iter()
            .map(|text| HeaderValue::from_static(text))
            .collect();
        accepted(values.iter())
    }

    #[test]
    fn the_best_liked_form_is_taken() {
        let (json, graphql) = (Some(Media::Json), Some(Media::GraphqlResponse));
        let cases: [(&[&'static str], Option<Media>); 13] = [
            (&[], json),
            (&[""], json),
            (&["*/*"], json),
            (&["application/*"], json),
            (&["application/json"], json),
            (&["application/graphql-response+json"], graphql),
            (
                &[
                    "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
                ],
                graphql,
            ),
            (
                &["application/graphql-response+json;q=0.8, application/json;q=0.9"],
                json,
            ),
            (
                &[
                    "application/json;q=0.5",
                    "APPLICATION/GraphQL-Response+JSON",
                ],
                graphql,
            ),
            (&["text/html, application/xhtml+xml, */*;q=0.8"], json),
            (&["text/html"], None),
            (&["application/json;q=0"], None),
            (&["application/json;q=much"], None),
        ];
        for (accept, media) in cases {
            assert_eq!(of(accept), media, "{accept:?}");
        }
    }

    #[test]
    fn json_is_read_in_utf_8_only() {
        let cases = [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json; charset=\"utf-8\"", true),
            ("application/json; charset=latin1", false),
            ("application/graphql", false),
            ("text/plain", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ];
        for (text, json) in cases {
            assert_eq!(
                is_json(Some(&HeaderValue::from_static(text))),
                json,
                "{text}"
            );
        }
        assert!(!is_json(None));
    }
}
