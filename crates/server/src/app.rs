//! The HTTP side of an engine: in one process any number of them can run, each on its own listener.
//!
//! Guaranteed of [`serve`]: once told to stop it takes no new connections, answers the requests that it has, tells every WebSocket
//! that it goes away (1001), and ends after [`HttpOptions::drain`] at the latest. It runs neither the feed nor the jobs.

use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::serve::ListenerExt;
use engine::Engine;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};

use crate::http::site::Site;

pub use crate::http::options::{Cors, HttpOptions, OriginError};
pub use crate::http::rate::Rate;

/// The routes of the API on an engine, for whoever serves them by other means than [`serve`]. A rate limit needs to know who connects:
/// `into_make_service_with_connect_info::<SocketAddr>()`; else all clients are one.
pub fn router(engine: Engine, http: HttpOptions) -> Router {
    crate::http::router(Site::new(engine, http))
}

/// Serves the API until `shutdown` is done and what was begun has come to its end.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    http: HttpOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let site = Site::new(engine, http);
    let told = {
        let site = site.clone();
        async move {
            shutdown.await;
            site.stop();
        }
    };
    // Small messages on many sockets: waiting to fill a packet would only delay them.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let routes = crate::http::router(site.clone());
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, routes)
        .with_graceful_shutdown(told)
        .into_future();
    let drained = tokio::select! {
        result = serving => {
            result?;
            true
        }
        () = out_of_patience(&site) => false,
    };
    let sockets_closed = timeout_at(
        Instant::now() + site.options().write_timeout,
        site.sockets_closed(),
    );
    if !drained {
        tracing::warn!("requests were still running at the deadline and were cut off");
    } else if sockets_closed.await.is_err() {
        tracing::warn!("sockets were still open at the deadline and were cut off");
    }
    Ok(())
}

async fn out_of_patience(site: &Site) {
    site.stopping().await;
    tokio::time::sleep(site.options().drain).await;
}
