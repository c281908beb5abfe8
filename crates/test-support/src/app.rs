//! The app as a user runs it: HTTP and WebSocket on a port of its own, with the feed and the jobs, on a world's engine.

use std::net::SocketAddr;

use jobs::{JobOptions, Jobs};
use server::app::{HttpOptions, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::world::World;

/// A running app. It ends with the test.
pub struct App {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves.
    pub world: World,
    jobs: Option<Jobs>,
    feed: JoinHandle<()>,
    server: JoinHandle<std::io::Result<()>>,
    stop: oneshot::Sender<()>,
}

impl App {
    /// Starts an app on a world.
    pub async fn start(world: World) -> Self {
        Self::start_with(world, HttpOptions::default(), JobOptions::default()).await
    }

    /// Starts an app that is served and works otherwise than usual.
    pub async fn start_with(world: World, http: HttpOptions, jobs: JobOptions) -> Self {
        let engine = world.engine.clone();
        let feed = tokio::spawn(async move { engine.run_feed().await });
        // What is committed from here on is told: the feed has found its place.
        world.engine.feed_ready().await;
        let jobs = Jobs::start(world.engine.clone(), jobs);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let engine = world.engine.clone();
        let server = tokio::spawn(serve(listener, engine, http, async move {
            let _ = stopped.await;
        }));
        Self {
            address,
            world,
            jobs: Some(jobs),
            feed,
            server,
            stop,
        }
    }

    /// A client without a token.
    pub fn client(&self) -> Client {
        Client::new(self.address, &self.world.slug, None)
    }

    /// A client with a token.
    pub fn client_with(&self, token: &str) -> Client {
        Client::new(self.address, &self.world.slug, Some(token))
    }

    /// Stops it in order, as a signal would.
    pub async fn stop(mut self) {
        let _ = self.stop.send(());
        self.server.await.unwrap().unwrap();
        if let Some(jobs) = self.jobs.take() {
            jobs.stop().await;
        }
        self.feed.abort();
    }
}
