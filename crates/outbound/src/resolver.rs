//! From names to addresses, private ones left out. It is asked at every new connection, and what it answers is connected to.

use std::net::IpAddr;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::timeout;

use crate::CONNECT_LIMIT;
use crate::address::is_public;
use crate::refused::{Refused, literal};

/// A name that is never resolved: it stands for every address that may not be talked to.
pub(crate) const NOWHERE: &str = "private-address.invalid";

/// The addresses of a host, those left out that may not be talked to; at least one.
pub(crate) async fn resolve(host: &str, allow_private: bool) -> Result<Vec<IpAddr>, Refused> {
    let refused = || Refused::Private {
        host: host.to_owned(),
    };
    if host == NOWHERE {
        return Err(refused());
    }
    let found = match literal(host) {
        Some(address) => vec![address],
        None => look_up(host).await?,
    };
    let vetted: Vec<IpAddr> = found
        .into_iter()
        .filter(|address| allow_private || is_public(*address))
        .collect();
    if vetted.is_empty() {
        return Err(refused());
    }
    Ok(vetted)
}

async fn look_up(host: &str) -> Result<Vec<IpAddr>, Refused> {
    let unknown = |reason: String| Refused::Unknown {
        host: host.to_owned(),
        reason,
    };
    let asked = timeout(CONNECT_LIMIT, tokio::net::lookup_host((host, 0))).await;
    let found = asked.map_err(|_| Refused::Silent {
        host: host.to_owned(),
    })?;
    let found: Vec<IpAddr> = found
        .map_err(|error| unknown(error.to_string()))?
        .map(|address| address.ip())
        .collect();
    if found.is_empty() {
        return Err(unknown("it has none".to_owned()));
    }
    Ok(found)
}

/// The same for the HTTP client.
#[derive(Debug)]
pub(crate) struct Resolver {
    pub allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = resolve(name.as_str(), allow_private).await?;
            // Port 0 is that of the address asked for.
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
