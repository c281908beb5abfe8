//! What every handler has at hand, and the word to stop.

use std::sync::Arc;
use std::time::Duration;

use engine::Engine;
use tokio::sync::watch;

use crate::http::options::HttpOptions;
use crate::http::rate::{Client, Rates};

/// One served API. Cheap to clone: all clones are one.
#[derive(Clone)]
pub(crate) struct Site(Arc<Inner>);

struct Inner {
    engine: Engine,
    api: graphql::Api,
    options: HttpOptions,
    rates: Option<Rates>,
    /// Whether to stop. Only sockets subscribe for long, so when nobody listens any more they are all closed.
    stop: watch::Sender<bool>,
}

impl Site {
    pub(crate) fn new(engine: Engine, options: HttpOptions) -> Self {
        let api = graphql::Api(graphql::schema(engine.clone(), options.limits));
        Self(Arc::new(Inner {
            engine,
            api,
            rates: options.rate.map(Rates::new),
            options,
            stop: watch::Sender::new(false),
        }))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn api(&self) -> &graphql::Api {
        &self.0.api
    }

    pub(crate) fn options(&self) -> &HttpOptions {
        &self.0.options
    }

    /// Counts one request or operation; the error says how long the client has to wait.
    pub(crate) fn admit(&self, client: Client) -> Result<(), Duration> {
        match &self.0.rates {
            Some(rates) => rates.admit(client),
            None => Ok(()),
        }
    }

    /// Tells every socket to close, and the probes that this server is no longer ready.
    pub(crate) fn stop(&self) {
        self.0.stop.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.stop.borrow()
    }

    /// Turns true when it is time to stop.
    pub(crate) fn stop_signal(&self) -> watch::Receiver<bool> {
        self.0.stop.subscribe()
    }

    /// Resolves when it is time to stop.
    pub(crate) async fn stopping(&self) {
        // The sender lives as long as `self`.
        let _ = self.stop_signal().wait_for(|stop| *stop).await;
    }

    /// Resolves when no socket is open.
    pub(crate) async fn sockets_closed(&self) {
        self.0.stop.closed().await;
    }
}
