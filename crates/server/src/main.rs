//! The binary: everything is in the library, so that tests can run it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::command::main()
}
