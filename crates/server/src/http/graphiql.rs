//! GraphiQL, from files inside the binary: it works offline, and its policy lets it load nothing from anywhere else.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::http::answer::{Code, refusal};
use crate::http::site::Site;

/// Scripts are the server's own; only the editor's styles are written by its scripts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/graphiql"]
struct Files;

/// `GET /`: the page.
pub(crate) async fn page(state: State<Site>, headers: HeaderMap) -> Response {
    file(state, Path("index.html".to_owned()), headers).await
}

/// `GET /graphiql/{file}`: what the page is made of.
pub(crate) async fn file(
    State(_): State<Site>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    match (content_type(&name), Files::get(&name)) {
        (Some(content_type), Some(file)) => answer(content_type, file, &headers),
        _ => refusal(
            StatusCode::NOT_FOUND,
            Code::NotFound,
            "there is no such file",
        ),
    }
}

fn answer(content_type: &'static str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let tag = format!(
        "\"{:x}\"",
        u128::from_be_bytes(first_half(file.metadata.sha256_hash()))
    );
    let known = asked
        .get(IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = Response::new(if known {
        Body::empty()
    } else {
        Body::from(file.data)
    });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn first_half(hash: [u8; 32]) -> [u8; 16] {
    std::array::from_fn(|at| hash.get(at).copied().unwrap_or_default())
}

/// By the name; the licences and the notes beside the files are not served.
fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_all_that_it_names_is_there_and_nothing_comes_from_elsewhere() {
        let page = String::from_utf8(Files::get("index.html").unwrap().data.into_owned()).unwrap();
        assert!(!page.contains("http://") && !page.contains("https://"));
        let names: Vec<&str> = page
            .split("/graphiql/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(names.len() >= 6, "{names:?}");
        for name in names {
            assert!(
                content_type(name).is_some() && Files::get(name).is_some(),
                "{name}"
            );
        }
    }

    #[test]
    fn scripts_stand_in_files_of_their_own() {
        let page = String::from_utf8(Files::get("index.html").unwrap().data.into_owned()).unwrap();
        for script in page.split("<script").skip(1) {
            let (attributes, rest) = script.split_once('>').unwrap();
            assert!(
                attributes.contains("src=") && rest.starts_with("</script>"),
                "{script}"
            );
        }
    }
}
