//! A server in Python: told on its first line of stdin how to be, says on its first line of stdout where it listens, and ends with stdin.

use std::io;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// It runs. It ends with the test that started it, however that ends.
pub struct Server {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    process: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts this script.
    ///
    /// # Errors
    /// When it cannot be started, or does not say where it listens.
    pub async fn start(python: &Path, script: &Path, setup: &Value) -> io::Result<Self> {
        let mut process = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let no_pipe = || io::Error::other("the process has no pipes");
        let mut stdin = process.stdin.take().ok_or_else(no_pipe)?;
        let stdout = process.stdout.take().ok_or_else(no_pipe)?;
        stdin.write_all(format!("{setup}\n").as_bytes()).await?;
        let mut server = Self {
            port: 0,
            process,
            stdin,
            stdout: BufReader::new(stdout).lines(),
        };
        let said = server.next().await?;
        let port = said.as_ref().and_then(|said| said.get("port")?.as_u64());
        let port = port.and_then(|port| u16::try_from(port).ok());
        server.port = port.ok_or_else(|| {
            io::Error::other(format!(
                "{} does not say where it listens",
                script.display()
            ))
        })?;
        Ok(server)
    }

    /// The next thing that it says; none: it has ended.
    async fn next(&mut self) -> io::Result<Option<Value>> {
        let line = self.stdout.next_line().await?;
        Ok(line.map(|line| serde_json::from_str(&line)).transpose()?)
    }

    /// Ends it. Answers all that it has said since it began.
    ///
    /// # Errors
    /// When it did not end well.
    pub async fn stop(mut self) -> io::Result<Vec<Value>> {
        self.stdin.shutdown().await?;
        // What is dropped is closed: to be shut down alone does not end a pipe.
        let Self {
            mut process,
            stdin,
            mut stdout,
            ..
        } = self;
        drop(stdin);
        let mut said = Vec::new();
        while let Some(line) = stdout.next_line().await? {
            said.push(serde_json::from_str(&line)?);
        }
        if process.wait().await?.success() {
            Ok(said)
        } else {
            Err(io::Error::other("the server did not end well"))
        }
    }
}
