//! The directory that keeps the state between runs.

use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// An open data directory. One program at a time has it: it is free again when this is dropped, or its holder killed.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens the directory, which is made if it is not there.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        make(path)?;
        let lock = File::options().create(true).append(true).open(path.join("lock"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Error::new(ErrorKind::ResourceBusy, "another stack uses it"),
            TryLockError::Error(error) => error,
        })?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The emulated DynamoDB's file; SQLite puts others beside it.
    pub fn dynamodb(&self) -> PathBuf {
        self.path.join("dynamodb.sqlite")
    }

    /// The file of the records that the built-in simulator of Skolverket has accepted.
    pub fn accepted(&self) -> PathBuf {
        self.path.join("skolverket.accepted")
    }

    /// The built-in queues' journal.
    pub fn queues(&self) -> PathBuf {
        self.path.join("queues.journal")
    }
}

/// For its owner's eyes only: the history holds personal data, here without the key that encrypts it on AWS.
fn make(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_program_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("new/data");
        let first = DataDir::open(&path).unwrap();
        assert_eq!(DataDir::open(&path).unwrap_err().kind(), ErrorKind::ResourceBusy);
        drop(first);
        DataDir::open(&path).unwrap();
    }
}
