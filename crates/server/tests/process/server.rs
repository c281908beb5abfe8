//! The binary, running.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use test_support::World;

/// A process that serves a world. It ends with the test.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts it, and waits until it says where it listens.
    pub fn start(world: &World, data: &Path, clock: &str) -> Self {
        Self::start_with(world, data, clock, &[])
    }

    /// The same with further flags.
    pub fn start_with(world: &World, data: &Path, clock: &str, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bookable"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--clock",
                clock,
                "--data",
            ])
            .arg(data)
            .args(flags)
            .env("DATABASE_URL", &world.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let api = lines
            .map(Result::unwrap)
            .find(|line| line.contains("/graphql"))
            .unwrap();
        let address = api
            .split("http://")
            .nth(1)
            .unwrap()
            .trim_end_matches("/graphql")
            .parse()
            .unwrap();
        Self { child, address }
    }

    /// SIGKILL: no goodbye.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended by itself cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
