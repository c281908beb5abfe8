//! The API over HTTP and WebSocket: routes, and what holds for all of them.
//!
//! Guaranteed of every answer: it bears the id under which the log speaks of the request, it comes within the time limit, and what
//! goes wrong inside, a panic included, becomes a GraphQL-style error with a code. The log holds no tokens, no payloads and no
//! variables.

mod answer;
mod consent;
mod graphiql;
mod health;
mod identity;
mod inbound;
mod negotiate;
pub(crate) mod observe;
mod operation;
pub(crate) mod options;
mod page;
mod query;
pub(crate) mod rate;
pub(crate) mod site;
mod socket;

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use self::answer::{Code, refusal};
use self::options::Cors;
use self::site::Site;

/// The header that names the business.
pub(crate) const BUSINESS: HeaderName = HeaderName::from_static("x-business");
/// The header with the id of the request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes.
pub(crate) fn router(site: Site) -> Router {
    Router::new()
        .route("/graphql", get(query::get).post(query::post))
        .route("/", get(graphiql::page))
        .route("/graphiql/{file}", get(graphiql::file))
        .route("/plugins/{plugin}/{business}", post(inbound::take))
        .route(
            "/plugins/{plugin}/{business}/oauth",
            get(consent::ask).post(consent::take),
        )
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(cors(&site.options().cors))
        .layer(SetResponseHeaderLayer::if_not_present(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(from_fn_with_state(site.clone(), observe::observe))
        .with_state(site)
}

fn cors(cors: &Cors) -> CorsLayer {
    let origins = match cors {
        Cors::Any => AllowOrigin::from(Any),
        Cors::Only(list) => AllowOrigin::list(list.iter().cloned()),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, BUSINESS, REQUEST_ID])
        .expose_headers([REQUEST_ID, RETRY_AFTER])
        .max_age(Duration::from_secs(24 * 3600))
}

async fn not_found(request: Request) -> Response {
    let text = format!(
        "there is nothing at {}: the API is at /graphql",
        request.uri().path()
    );
    refusal(StatusCode::NOT_FOUND, Code::NotFound, &text)
}

async fn wrong_method() -> Response {
    refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        Code::MethodNotAllowed,
        "this method is not for this address",
    )
}
