//! What probes ask: `/healthz` whether the process is up, `/readyz` whether it can answer requests.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::http::site::Site;

/// Probes give up soon: so does the question to the database.
const PATIENCE: Duration = Duration::from_secs(3);

/// The process is up: what it runs on.
pub(crate) async fn healthz(State(site): State<Site>) -> Json<Value> {
    let zones = site.engine().zones();
    Json(json!({
        "status": "up",
        "version": env!("CARGO_PKG_VERSION"),
        "timeZones": { "version": zones.version(), "source": zones.source() },
        "clock": site.engine().clock().now().to_rfc3339_opts(SecondsFormat::Millis, true),
    }))
}

/// The database answers, and the server is not about to stop.
pub(crate) async fn readyz(State(site): State<Site>) -> impl IntoResponse {
    let not_ready = |why: &str| {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "status": "unavailable", "reason": why })),
        )
    };
    if site.is_stopping() {
        return not_ready("the server is stopping");
    }
    match tokio::time::timeout(PATIENCE, site.engine().ready()).await {
        Ok(Ok(())) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Ok(Err(error)) => {
            tracing::debug!(%error, "not ready");
            not_ready("the database does not answer")
        }
        Err(_) => not_ready("the database does not answer in time"),
    }
}
