//! Being told to stop: the first SIGINT or SIGTERM asks for an orderly end, the second ends the process at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell reports of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// The signals that stop the process. From here on they no longer end it by themselves.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn install() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Resolves at the first signal. The next one ends the process.
    pub(crate) async fn stop(mut self) {
        self.any().await;
        tracing::info!("stopping; once more to stop at once");
        tokio::spawn(async move {
            self.any().await;
            tracing::warn!("stopped at once");
            std::process::exit(INTERRUPTED);
        });
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
