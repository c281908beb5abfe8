//! Software in Python that is not ours, for tests to be made against: a mail server with a reader of invitations, and a Stripe that somebody else
//! wrote. `scripts/test.sh` installs it; where it is not there, a test is left out, and says so.

mod mail;
mod server;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use mail::MailServer;
pub use server::Server;

/// The Python that has this package, if it is there; else it is said which test is left out.
pub fn python(package: &str, test: &str) -> Option<PathBuf> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python-tools");
    let tools = std::env::var_os("BOOKABLE_PYTHON_TOOLS").map_or(usual, PathBuf::from);
    let python = tools.join("bin/python");
    if python.exists() && has(&tools, package) {
        return Some(python);
    }
    let said = writeln!(
        io::stderr(),
        "!! LEFT OUT: {test}: BOOKABLE_PYTHON_TOOLS is not set, see scripts/test.sh"
    );
    drop(said);
    None
}

/// Whether a package is installed: the folder is named after the version of Python.
fn has(tools: &Path, package: &str) -> bool {
    let Ok(versions) = tools.join("lib").read_dir() else {
        return false;
    };
    let mut places = versions.filter_map(|entry| Some(entry.ok()?.path().join("site-packages")));
    places.any(|place| place.join(package).exists())
}
