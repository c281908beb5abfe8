//! `bookable serve`: the API, the jobs and the private PostgreSQL in one process, begun and ended in the right order.
//!
//! The end goes from the outside in: no new requests, requests and sockets ended, leases given back, and only then the database.

use std::fmt::{self, Write};
use std::io::IsTerminal;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Context;
use chrono::SecondsFormat;
use engine::Engine;
use jobs::{JobOptions, Jobs};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Parts;
use crate::app::{self, HttpOptions};
use crate::cluster::Cluster;
use crate::config::ServeArgs;
use crate::demo::DemoParts;
use crate::signals::Signals;
use crate::{demo, output};

pub(super) async fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    let http = args.http()?;
    let parts = Parts::of(&args.engine)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        time_zones = parts.zones.source(),
        "starting"
    );
    let (stop, stopped) = watch::channel(false);
    let signals = Signals::install()?;
    tokio::spawn(async move {
        signals.stop().await;
        stop.send_replace(true);
    });
    let cluster = tokio::select! {
        cluster = Cluster::own(&args.engine.database) => cluster?,
        () = told(stopped.clone()) => return Ok(()),
    };
    let filling = parts.demo(&cluster);
    let engine = parts.engine(&cluster);
    let served = tokio::select! {
        served = run(args, &engine, &filling, http, stopped) => served,
        () = cluster.look_after() => Ok(()),
    };
    let closed = cluster.close().await;
    tracing::info!("stopped");
    served.and(closed)
}

/// Serves on an open database until told to stop.
async fn run(
    args: &ServeArgs,
    engine: &Engine,
    filling: &DemoParts,
    http: HttpOptions,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(&args.listen).await.with_context(|| {
        format!(
            "--listen {}: the address cannot be had; expected one of this machine with a free port",
            args.listen
        )
    })?;
    let greeting = tokio::select! {
        greeting = prepare(args, engine, filling, listener.local_addr()?) => greeting?,
        () = told(stopped.clone()) => return Ok(()),
    };
    let feed = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run_feed().await }
    });
    let jobs = (!args.no_jobs).then(|| Jobs::start(engine.clone(), JobOptions::default()));
    // What is committed from the first request on is told.
    tokio::select! {
        () = engine.feed_ready() => {}
        () = told(stopped.clone()) => return Ok(()),
    }
    output::answer(greeting)?;
    let served = app::serve(listener, engine.clone(), http, told(stopped)).await;
    if let Some(jobs) = jobs {
        jobs.stop().await;
    }
    feed.abort();
    Ok(served?)
}

/// Fills what is to be filled, and answers what the operator is told.
async fn prepare(
    args: &ServeArgs,
    engine: &Engine,
    filling: &DemoParts,
    address: SocketAddr,
) -> anyhow::Result<String> {
    let mut text = places(args, engine, address)?;
    if args.demo {
        let loaded = demo::load(filling, std::io::stderr().is_terminal()).await?;
        write!(text, "\n{loaded}")?;
    } else if let Some((business, token)) = engine.create_starter().await? {
        write!(
            text,
            "\nThis server is new, so it has a business to begin with, `{}`. Its owner's token, shown this once:\n\n  {token}\n\n\
             Make one of your own with `bookable business create`; the first takes the place of this one.\n",
            business.slug
        )?;
    }
    Ok(text)
}

/// Where everything is.
fn places(args: &ServeArgs, engine: &Engine, address: SocketAddr) -> Result<String, fmt::Error> {
    let host = reachable(address);
    let mut text = format!(
        "Bookable {} is running.\n\n  API        http://{host}/graphql\n  Live       ws://{host}/graphql\n  GraphiQL   http://{host}/\n",
        env!("CARGO_PKG_VERSION")
    );
    let mail = &args.engine.mail;
    if mail.smtp_host.is_none() && mail.smtp_url.is_none() {
        writeln!(
            text,
            "  Mail       files in {}",
            args.engine.database.data.join("mail").display()
        )?;
    }
    if args.engine.time.clock.is_some() {
        writeln!(
            text,
            "  Clock      {}",
            engine
                .clock()
                .now()
                .to_rfc3339_opts(SecondsFormat::Secs, true)
        )?;
    }
    Ok(text)
}

/// The address as a browser on this machine reaches it.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other.ip(),
    };
    SocketAddr::new(ip, address.port())
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // Without its sender nobody can tell any more: then it waits for ever.
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_has_an_address_that_a_browser_can_open() {
        let shown = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(shown("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(shown("[::]:8080"), "[::1]:8080");
        assert_eq!(shown("192.168.1.7:80"), "192.168.1.7:80");
    }
}
