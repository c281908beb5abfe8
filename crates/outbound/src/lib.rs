//! The one way out of the process for plugins.
//!
//! Guaranteed: unless it was made with [`OutboundOptions::allow_private`], nothing that a business can set (the base of an API, the address of
//! a webhook, an SMTP host) makes this process connect to an address that is not one of the public internet: not by a literal, in
//! whatever notation, not by a name that resolves to one, not by a name that resolves otherwise the second time, not by a redirect, not
//! by a proxy in the environment. The addresses that were looked at are the ones that are connected to.
//!
//! HTTP goes through [`Outbound::send`], other protocols through [`Outbound::addresses`] and [`Outbound::tls`]. Whatever goes wrong is an
//! [`OutboundError`], which says by [`OutboundError::failure`] whether another attempt makes sense.

mod address;
mod answer;
mod error;
mod refused;
mod resolver;
mod roots;
mod vendor;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use plugin_api::{Done, Failure};
use reqwest::{Client, Proxy, RequestBuilder, Response};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;

pub use address::is_public;
pub use answer::{judged, read_bounded, retry_after};
pub use error::{OutboundError, SettingNames, StartError};
pub use refused::Refused;
pub use reqwest::{self, Url};
pub use vendor::{address, api_base, plain_address, presentable, refusal};

use resolver::{NOWHERE, Resolver};

/// How long it may take to find an address, and to connect to it.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long a request may take in all, the body of the answer included.
const TOTAL_LIMIT: Duration = Duration::from_secs(30);
/// How long a connection is kept for the next request, and how many for one host.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
const IDLE_PER_HOST: usize = 4;
/// What requests say they come from.
const USER_AGENT: &str = concat!("bookable/", env!("CARGO_PKG_VERSION"));

/// What a way out is like.
#[derive(Debug, Clone, Default)]
pub struct OutboundOptions {
    /// Whether addresses of this machine and of private networks may be talked to.
    pub allow_private: bool,
    /// Authorities to trust beside those of the operating system.
    pub roots: Vec<CertificateDer<'static>>,
}

/// The way out. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Outbound {
    allow_private: bool,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tls: Arc<ClientConfig>,
    public_only: Client,
    anywhere: Client,
}

impl Outbound {
    /// Reads the authorities to trust. Nothing is connected yet.
    ///
    /// # Errors
    /// [`StartError`] when TLS cannot be set up.
    pub fn new(options: OutboundOptions) -> Result<Self, StartError> {
        let OutboundOptions {
            allow_private,
            roots,
        } = options;
        let tls = roots::client_config(roots)?;
        let shared = Shared {
            public_only: client(false, &tls)?,
            anywhere: client(true, &tls)?,
            tls: Arc::new(tls),
        };
        Ok(Self {
            allow_private,
            shared: Arc::new(shared),
        })
    }

    /// The way out for what the operator has set, who may well mean the machine next door. Never for what a business has set.
    pub fn for_operator(&self) -> Self {
        Self {
            allow_private: true,
            shared: self.shared.clone(),
        }
    }

    /// The client to make requests with, which [`Outbound::send`] then sends. It refuses private addresses by itself, too, for libraries
    /// that take a client and send on their own; only the error is less clear then.
    pub fn http(&self) -> Client {
        if self.allow_private {
            self.shared.anywhere.clone()
        } else {
            self.shared.public_only.clone()
        }
    }

    /// TLS by the same rules for other protocols; the name to verify is the host that was set, not its address.
    pub fn tls(&self) -> Arc<ClientConfig> {
        self.shared.tls.clone()
    }

    /// Whether a request may go there, as far as the address alone says; names are looked at once they are resolved.
    ///
    /// # Errors
    /// [`Refused`] for another scheme than http and https, and for a literal address that is private.
    pub fn vetted(&self, url: &Url) -> Result<(), Refused> {
        refused::vet(url, self.allow_private)
    }

    /// Sends a request, and answers as soon as the head of the answer is here, whatever its status; see [`judged`] and [`read_bounded`].
    ///
    /// # Errors
    /// [`OutboundError`] when there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, OutboundError> {
        let request = request.build().map_err(|error| OutboundError::Request {
            reason: error::root_cause(&error.without_url()),
        })?;
        self.vetted(request.url())?;
        let host = error::host_of(request.url());
        let sent = self.http().execute(request).await;
        sent.map_err(|error| OutboundError::of(host, &error))
    }

    /// Sends a request that is a delivery as a whole: a success says that the other side has it, and anything else is a failure.
    ///
    /// # Errors
    /// [`Failure`] as [`OutboundError::failure`] says it; [`Failure::GiveUp`] for a refusal of the request itself (400, 404, 422, …).
    pub async fn deliver(
        &self,
        request: RequestBuilder,
        settings: SettingNames,
    ) -> Result<Done, Failure> {
        let answered = self.send(request).await.and_then(judged);
        let answer = answered.map_err(|error| error.failure(settings))?;
        if answer.status().is_success() {
            return Ok(Done::Delivered);
        }
        let host = error::host_of(answer.url());
        let status = answer.status().as_u16();
        Err(Failure::give_up(format!("{host} answered {status}")))
    }

    /// The addresses of a host that may be connected to; at least one. Connect to these, not to the name.
    ///
    /// # Errors
    /// [`Refused`] where it has none, or only private ones.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Refused> {
        let found = resolver::resolve(host, self.allow_private).await?;
        Ok(found
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect())
    }
}

fn client(allow_private: bool, tls: &ClientConfig) -> Result<Client, StartError> {
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .dns_resolver(Resolver { allow_private })
        .connect_timeout(CONNECT_LIMIT)
        .timeout(TOTAL_LIMIT)
        .pool_idle_timeout(IDLE_LIMIT)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .tls_backend_preconfigured(tls.clone());
    let builder = if allow_private {
        builder
    } else {
        // A literal address never comes to the resolver. What would go to a private one is sent by way of a name that the resolver
        // refuses.
        builder.proxy(Proxy::custom(|url| {
            let refused = refused::vet(url, false).is_err();
            refused.then(|| format!("http://{NOWHERE}/"))
        }))
    };
    builder
        .build()
        .map_err(|error| StartError(error::root_cause(&error)))
}
