//! Answers of the command line: the only writer to stdout, which holds nothing else. The log goes to stderr.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// Writes one answer and a line's end. Whoever closed stdout does not want to read on, and is no error.
pub(crate) fn answer(text: impl Display) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
