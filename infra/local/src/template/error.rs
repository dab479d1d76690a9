//! Why a template cannot be created on this machine.

use std::path::PathBuf;

/// A template that cannot be created on this machine. Paths are those of the template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// There is no such file.
    #[error("the template {0}: {1}")]
    NotRead(PathBuf, std::io::Error),
    /// Not YAML.
    #[error("the template is not readable: {0}")]
    Unreadable(String),
    /// Something that must be there is not, or is of another kind.
    #[error("template, {path}: expected {expected}")]
    Expected {
        /// Its place: the keys that lead to it.
        path: String,
        /// The kind of value that belongs there.
        expected: &'static str,
    },
    /// An intrinsic or reference whose value the local stack does not know.
    #[error("template: nothing local for {0}")]
    Unresolved(String),
}
