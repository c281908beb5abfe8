//! Who asks about which business, as headers and the first message of a WebSocket say it.
//!
//! A WebSocket of a browser can bear no headers, so its first message may say the same; where both speak, the message counts.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use engine::caller::Claim;
use serde_json::Value;

use crate::http::BUSINESS;

/// What headers claim. The error says what was expected.
pub(crate) fn of_headers(headers: &HeaderMap) -> engine::Result<Claim> {
    let token = match headers.get(AUTHORIZATION) {
        Some(value) => bearer(value.to_str().unwrap_or_default())?,
        None => None,
    };
    let slug = headers
        .get(BUSINESS)
        .map(|value| value.to_str().unwrap_or("?").trim().to_owned());
    Ok(Claim {
        slug: slug.filter(|slug| !slug.is_empty()),
        token,
    })
}

/// What the payload of `connection_init` claims, `{"token": "…", "business": "salon"}`, beside what the headers did.
pub(crate) fn of_payload(payload: Option<&Value>, headers: Claim) -> engine::Result<Claim> {
    let payload = match payload {
        None | Some(Value::Null) => return Ok(headers),
        Some(Value::Object(payload)) => payload,
        Some(_) => {
            return Err(unauthenticated(
                "the payload of connection_init must be an object",
            ));
        }
    };
    let text = |names: &[&str]| {
        let found = payload.iter().find(|(name, value)| {
            !value.is_null() && names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted))
        });
        match found {
            None => Ok(None),
            Some((_, Value::String(text))) => {
                Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
            }
            Some((name, _)) => Err(unauthenticated(&format!(
                "`{name}` of connection_init must be text"
            ))),
        }
    };
    let token = match text(&["token"])? {
        Some(token) => Some(token),
        None => text(&["authorization"])?.map_or(Ok(None), |value| bearer(&value))?,
    };
    Ok(Claim {
        slug: text(&["business", "x-business"])?.or(headers.slug),
        token: token.or(headers.token),
    })
}

/// The token of `Bearer <token>`. Nothing at all is no token: clients send an empty header for a visitor.
fn bearer(value: &str) -> engine::Result<Option<String>> {
    let value = value.trim();
    if value.is_empty() || value.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Some(token.trim().to_owned()))
        }
        _ => Err(unauthenticated(
            "the header Authorization must be `Bearer <token>`",
        )),
    }
}

fn unauthenticated(text: &str) -> engine::Error {
    engine::Error::Unauthenticated(text.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    fn shown(claim: engine::Result<Claim>) -> Option<(Option<String>, Option<String>)> {
        claim.ok().map(|claim| (claim.slug, claim.token))
    }

    #[test]
    fn headers_name_the_business_and_the_bearer() {
        let claim = |pairs: &[(&'static str, &'static str)]| shown(of_headers(&headers(pairs)));
        assert_eq!(claim(&[]), Some((None, None)));
        assert_eq!(
            claim(&[
                ("x-business", " salon "),
                ("authorization", "bearer  t0k3n")
            ]),
            Some((Some("salon".to_owned()), Some("t0k3n".to_owned())))
        );
        assert_eq!(
            claim(&[("x-business", ""), ("authorization", "Bearer ")]),
            Some((None, None))
        );
        assert_eq!(claim(&[("authorization", "Basic dTpw")]), None);
        assert_eq!(claim(&[("authorization", "t0k3n")]), None);
    }

    #[test]
    fn the_first_message_of_a_socket_counts_before_its_headers() {
        let before = Claim {
            slug: Some("gym".to_owned()),
            token: Some("old".to_owned()),
        };
        let claim = |payload: Value| shown(of_payload(Some(&payload), before.clone()));
        assert_eq!(
            claim(Value::Null),
            Some((Some("gym".to_owned()), Some("old".to_owned())))
        );
        assert_eq!(
            claim(json!({})),
            Some((Some("gym".to_owned()), Some("old".to_owned())))
        );
        assert_eq!(
            claim(json!({ "token": "new", "business": "salon" })),
            Some((Some("salon".to_owned()), Some("new".to_owned())))
        );
        assert_eq!(
            claim(json!({ "Authorization": "Bearer new", "X-Business": null })),
            Some((Some("gym".to_owned()), Some("new".to_owned())))
        );
        assert_eq!(claim(json!({ "authorization": "new" })), None);
        assert_eq!(claim(json!({ "token": 7 })), None);
        assert_eq!(claim(json!("new")), None);
    }
}
