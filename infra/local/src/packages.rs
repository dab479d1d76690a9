//! Packages as they are put into AWS: a zip a function, whose `bootstrap` is the function's program.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zip::ZipArchive;
use zip::result::ZipError;

/// The name of a function's program in its package.
const PROGRAM: &str = "bootstrap";

/// The packages of all functions, unpacked for as long as this is held.
#[derive(Debug)]
pub struct Packages {
    unpacked: TempDir,
}

/// A package that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The file is not there, or is not to be read or unpacked.
    #[error("{0}: {1}; infra/aws/package builds the packages")]
    File(PathBuf, io::Error),
    /// It is no zip, or holds no program.
    #[error("{0} is no package: {1}")]
    Zip(PathBuf, ZipError),
}

impl Packages {
    /// Unpacks `{function}.zip` of the folder for each of these functions.
    pub fn unpack<'a>(
        folder: &Path,
        functions: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PackageError> {
        let unpacked = TempDir::new().map_err(|error| PackageError::File(folder.to_owned(), error))?;
        for function in functions {
            let package = folder.join(format!("{function}.zip"));
            let failed = |error| PackageError::File(package.clone(), error);
            let file = File::open(&package).map_err(failed)?;
            let no_zip = |error| PackageError::Zip(package.clone(), error);
            let mut archive = ZipArchive::new(file).map_err(no_zip)?;
            let mut packed = archive.by_name(PROGRAM).map_err(no_zip)?;
            let program = unpacked.path().join(function);
            let mut file = File::create(&program).map_err(failed)?;
            io::copy(&mut packed, &mut file).map_err(failed)?;
            make_executable(&file).map_err(failed)?;
        }
        Ok(Self { unpacked })
    }

    /// A function's program.
    pub fn program(&self, function: &str) -> PathBuf {
        self.unpacked.path().join(function)
    }
}

#[cfg(unix)]
fn make_executable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_executable(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_packages_is_refused_with_the_way_to_make_them() {
        let folder = TempDir::new().unwrap();
        let error = Packages::unpack(folder.path(), ["users"]).unwrap_err().to_string();
        assert!(error.contains("users.zip") && error.contains("infra/aws/package"), "{error}");
        std::fs::write(folder.path().join("users.zip"), "no zip").unwrap();
        let error = Packages::unpack(folder.path(), ["users"]).unwrap_err().to_string();
        assert!(error.contains("is no package"), "{error}");
    }
}
