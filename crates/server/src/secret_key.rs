//! The key that seals what businesses entrust to plugins: given by the operator, else made at the first start and kept in a file of the data
//! directory that only its owner reads.
//!
//! Guaranteed: no error repeats the key.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use engine::Vault;

/// The file in the data directory.
const FILE: &str = "secret.key";

/// The vault with the key given, or with the one in the data directory.
pub(crate) fn vault(given: Option<&str>, data: &Path) -> anyhow::Result<Vault> {
    let given = given.map(str::trim).filter(|key| !key.is_empty());
    let key = match given {
        Some(text) => read(text).ok_or_else(|| {
            anyhow!("--secret-key: expected 64 hexadecimal digits, such as `openssl rand -hex 32` prints")
        })?,
        None => kept(data)?,
    };
    Ok(Vault::new(&key))
}

fn kept(data: &Path) -> anyhow::Result<[u8; 32]> {
    let path = data.join(FILE);
    if let Some(key) = found(&path)? {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| anyhow!("no randomness: {error}"))?;
    fs::create_dir_all(data).with_context(|| format!("--data {}", data.display()))?;
    // Written whole under another name first: whoever finds the file finds all of it.
    let draft = data.join(format!("{FILE}.{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .with_context(|| draft.display().to_string())?;
    for byte in key {
        write!(file, "{byte:02x}")?;
    }
    writeln!(file)?;
    file.sync_all()?;
    // A link does not replace a key that another process has just made.
    let made = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match made {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            found(&path)?.ok_or_else(|| anyhow!("{} has gone", path.display()))
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn found(path: &Path) -> anyhow::Result<Option<[u8; 32]>> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let key = read(text.trim());
            let key =
                key.ok_or_else(|| anyhow!("{}: expected 64 hexadecimal digits", path.display()))?;
            Ok(Some(key))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn read(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let data = tempfile::tempdir().unwrap();
        let first = kept(data.path()).unwrap();
        assert_eq!(kept(data.path()).unwrap(), first);
        let path = data.path().join(FILE);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
        fs::write(&path, "not a key").unwrap();
        assert!(kept(data.path()).unwrap_err().to_string().contains(FILE));
    }

    #[test]
    fn a_wrong_key_is_named_and_not_repeated() {
        let data = tempfile::tempdir().unwrap();
        for wrong in ["hunter2".to_owned(), "g".repeat(64), "é".repeat(32)] {
            let Err(error) = vault(Some(&wrong), data.path()) else {
                panic!("{wrong} is taken");
            };
            let text = error.to_string();
            assert!(
                text.contains("--secret-key") && !text.contains(&wrong),
                "{text}"
            );
        }
        assert!(vault(Some(&"0a".repeat(32)), data.path()).is_ok());
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }
}
