//! Starts the cluster of the tests, or stops and removes it: `test-cluster start | stop`.

use local_postgres::{Error, testing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let result: Result<(), Error> = match std::env::args().nth(1).as_deref() {
        Some("start") => start().await,
        Some("stop") => testing::remove_cluster().await,
        _ => {
            eprintln!("usage: test-cluster start | stop");
            return std::process::ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn start() -> Result<(), Error> {
    let cluster = testing::test_cluster().await?;
    for note in cluster.notes() {
        eprintln!("{note}");
    }
    eprintln!("tests run on {}", cluster.url("postgres"));
    Ok(())
}
