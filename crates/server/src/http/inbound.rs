//! Where the other sides of plugins call: `/plugins/<name>/<slug of the business>`. A call is answered as soon as it is kept.

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use engine::inbound::InboundAnswer;
use plugin_api::{InboundRefused, InboundRequest};

use super::answer::{Code, refusal};
use super::site::Site;

/// The longest call.
const BODY_MAX: usize = 1 << 20;

pub(super) async fn take(
    State(site): State<Site>,
    Path((plugin, slug)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(Body::new(body), BODY_MAX).await else {
        return refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::PayloadTooLarge,
            "the call is too long",
        );
    };
    let header = |name: &str| {
        let value = parts.headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let headers = parts.headers.keys();
    let headers =
        headers.filter_map(|name| Some((name.as_str().to_owned(), header(name.as_str())?)));
    let call = InboundRequest {
        url: match site.engine().public_url() {
            Some(base) => format!("{base}{}", parts.uri),
            None => seen_from_outside(&parts.uri, header),
        },
        headers: headers.collect(),
        body: body.to_vec(),
        at: site.engine().clock().now(),
        business_name: String::new(),
    };
    match site.engine().take_call(&slug, &plugin, call).await {
        Ok(InboundAnswer::Kept(None)) => StatusCode::OK.into_response(),
        Ok(InboundAnswer::Kept(Some(reply))) => {
            ([(CONTENT_TYPE, reply.content_type)], reply.body).into_response()
        }
        Ok(InboundAnswer::Nobody) => refusal(
            StatusCode::NOT_FOUND,
            Code::NotFound,
            "nobody here takes such calls",
        ),
        Ok(InboundAnswer::Refused(InboundRefused::Misconfigured(reason))) => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, &reason)
        }
        Ok(InboundAnswer::Refused(refused)) => refusal(
            StatusCode::BAD_REQUEST,
            Code::BadRequest,
            &refused.to_string(),
        ),
        Err(error) => {
            tracing::warn!(%error, plugin, "a call could not be kept");
            refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::Unavailable,
                "the call could not be kept: call again",
            )
        }
    }
}

/// The address that was called, as the proxy in front of us says it was.
fn seen_from_outside(uri: &Uri, header: impl Fn(&str) -> Option<String>) -> String {
    let scheme = header("x-forwarded-proto").unwrap_or_else(|| "http".to_owned());
    let host = header("x-forwarded-host")
        .or_else(|| header("host"))
        .unwrap_or_default();
    format!("{scheme}://{host}{uri}")
}
