//! Software from npm that is not ours, for tests to be made against: the vendors' own checks. `scripts/test.sh` installs it; where it is not
//! there, a test is left out, and says so.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Where it is, if this package of it is there; else it is said which test is left out.
pub fn modules(package: &str, test: &str) -> Option<PathBuf> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/npm-tools");
    let tools = std::env::var_os("BOOKABLE_NPM_TOOLS").map_or(usual, PathBuf::from);
    let modules = tools.join("node_modules");
    if modules.join(package).exists() {
        return Some(modules);
    }
    let said = writeln!(
        io::stderr(),
        "!! LEFT OUT: {test}: BOOKABLE_NPM_TOOLS is not set, see scripts/test.sh"
    );
    drop(said);
    None
}

/// Node.js, about to run this script with the packages at hand.
pub fn node(modules: &Path, script: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg(script).env("NODE_PATH", modules);
    command
}

/// What a script answers to this: JSON in, JSON out.
///
/// # Errors
/// When it does not run to its end, or answers no JSON.
pub fn answered(modules: &Path, script: &Path, asked: &Value) -> io::Result<Value> {
    let mut running = node(modules, script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = running.stdin.take() {
        stdin.write_all(asked.to_string().as_bytes())?;
    }
    let output = running.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{} failed", script.display())));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
