//! Mail into files, for an installation that has no server for it. A file is whole or not there, and a repeat writes the
//! same file again.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs;
use tokio::io::AsyncWriteExt;

/// A directory that `.eml` files go to; made when the first one comes.
#[derive(Debug, Clone)]
pub struct Outbox {
    directory: PathBuf,
}

impl Outbox {
    /// The outbox in this directory.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Puts a mail into it. The attempt keeps the temporary files of two workers apart.
    pub async fn put(&self, file_name: &str, attempt: u32, mail: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.directory).await?;
        let temporary = self.directory.join(format!(".{file_name}.{attempt}.tmp"));
        let written = self.write(&temporary, file_name, mail).await;
        if written.is_err() {
            // What is left of it would only confuse; that it cannot be removed changes nothing.
            let _ = fs::remove_file(&temporary).await;
        }
        written
    }

    async fn write(&self, temporary: &Path, file_name: &str, mail: &[u8]) -> io::Result<()> {
        let mut file = fs::File::create(temporary).await?;
        file.write_all(mail).await?;
        file.sync_all().await?;
        fs::rename(temporary, self.directory.join(file_name)).await
    }
}
