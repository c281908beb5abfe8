//! What the binary does: one file per command. Each finds the database in the same way, also while a server runs on it.

mod bench;
mod business;
mod demo;
mod migrate;
mod serve;
mod token;
mod work;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;
use clap::Parser;
use domain::problem::Problem;
use domain::zone::ZoneDatabase;
use engine::{Clock, Engine, EngineOptions, Vault};
use outbound::{Outbound, OutboundOptions};
use plugin_api::Plugin;

use crate::cluster::Cluster;
use crate::config::{
    BusinessCommand, Cli, Command, DatabaseArgs, EngineArgs, TimeArgs, TokenCommand,
};
use crate::demo::DemoParts;
use crate::mail::MailArgs;
use crate::plugins::plugins;
use crate::secret_key::vault;
use crate::{logging, output};

/// More than plugins have places for work that waits and for whoever waits for them, all together: were each of these blocked, there would still be
/// threads for what the process itself does on such, as looking up names.
const BLOCKING_THREADS: usize = 2048;

/// Runs the command line. What went wrong is the last line on stderr.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    logging::start(&cli.log)?;
    if matches!(cli.command, Command::Schema) {
        return output::answer(graphql::sdl().trim_end());
    }
    // Whoever speaks TLS in this process does so by ring. It fails only where one is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()?;
    let done = runtime.block_on(dispatch(cli.command));
    // All that has an end has come to it; a plugin that blocks its thread may never.
    runtime.shutdown_background();
    done
}

async fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve::serve(&args).await,
        Command::Work(args) => work::work(&args).await,
        Command::Migrate(args) => migrate::migrate(&args).await,
        Command::Demo(args) => demo::demo(&args).await,
        Command::Bench(args) => bench::bench(&args).await,
        Command::Business(BusinessCommand::Create(args)) => business::create(&args).await,
        Command::Token(TokenCommand::Create(args)) => token::create(&args).await,
        Command::Schema => Ok(()),
    }
}

/// What an engine needs beside its database, checked before anything is started.
struct Parts {
    clock: Clock,
    zones: ZoneDatabase,
    plugins: Vec<Arc<dyn Plugin>>,
    vault: Vault,
    public_url: Option<String>,
}

impl Parts {
    fn of(args: &EngineArgs) -> anyhow::Result<Self> {
        let parts = Self::new(
            &args.time,
            &args.mail,
            &args.database,
            args.allow_private_hosts,
        )?;
        Ok(Self {
            public_url: args.public_url.clone(),
            ..parts
        })
    }

    /// For commands that set off no mail.
    fn without_mail(time: &TimeArgs, database: &DatabaseArgs) -> anyhow::Result<Self> {
        Self::new(time, &MailArgs::default(), database, false)
    }

    fn new(
        time: &TimeArgs,
        mail: &MailArgs,
        database: &DatabaseArgs,
        allow_private: bool,
    ) -> anyhow::Result<Self> {
        let zones = time.zones()?;
        let outbound = Outbound::new(OutboundOptions {
            allow_private,
            ..OutboundOptions::default()
        })?;
        let clock = time.clock();
        let plugins = plugins(mail.settings()?, &database.data, &zones, &outbound, &clock)?;
        let vault = vault(database.secret_key.as_deref(), &database.data)?;
        Ok(Self {
            clock,
            zones,
            plugins,
            vault,
            public_url: None,
        })
    }

    /// What the demo is made with: at the time of this clock.
    fn demo(&self, cluster: &Cluster) -> DemoParts {
        DemoParts {
            database: cluster.database.clone(),
            zones: self.zones.clone(),
            vault: self.vault.clone(),
            now: self.clock.now(),
        }
    }

    fn engine(self, cluster: &Cluster) -> Engine {
        let Self {
            clock,
            zones,
            plugins,
            vault,
            public_url,
        } = self;
        Engine::new(EngineOptions {
            database: cluster.database.clone(),
            clock,
            zones,
            plugins,
            vault,
            public_url,
        })
    }
}

/// A refusal of the engine in the words of the command line: the path of a problem is the name of a flag.
fn in_flags(error: engine::Error) -> anyhow::Error {
    match error {
        engine::Error::Refused(problems) => {
            let texts: Vec<String> = problems.iter().map(problem_in_flags).collect();
            anyhow!(texts.join("; "))
        }
        other => other.into(),
    }
}

fn problem_in_flags(problem: &Problem) -> String {
    match problem {
        Problem::Invalid { path, message } | Problem::NotFound { path, message }
            if !path.is_empty() =>
        {
            format!("{}: {message}", flag(&path.join("-")))
        }
        Problem::Invalid { message, .. }
        | Problem::NotFound { message, .. }
        | Problem::Conflict { message } => message.clone(),
        other => format!("{other:?}"),
    }
}

/// `timeZone` is `--time-zone`.
fn flag(name: &str) -> String {
    name.chars().fold("--".to_owned(), |mut flag, letter| {
        if letter.is_uppercase() {
            flag.push('-');
        }
        flag.extend(letter.to_lowercase());
        flag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_flags() {
        let refused = engine::Error::refuse(Problem::invalid(&["timeZone"], "is not a zone"));
        assert_eq!(in_flags(refused).to_string(), "--time-zone: is not a zone");
        let refused = engine::Error::refuse(Problem::not_found(&["provider"], "provider"));
        assert_eq!(
            in_flags(refused).to_string(),
            "--provider: there is no such provider"
        );
    }
}
