//! Reading a configuration.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file is not there, is not TOML, or lacks a section.
    #[error("configuration `{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<config::ConfigError>,
    },
    /// A key is unknown, missing or of the wrong type.
    #[error("configuration `{}`: key `{key}`", path.display())]
    Key {
        /// The file; the environment may have overridden the key.
        path: PathBuf,
        /// Path of the key.
        key: String,
        /// What is wrong with it.
        source: Box<config::ConfigError>,
    },
}

/// A configuration whose paths are relative to the folder of its file until they are made absolute.
pub trait Rooted {
    /// Prefixes every relative path with `folder`.
    fn root_at(&mut self, folder: &Path);
}

/// Reads a configuration file, lets `CONVENANT__SECTION__KEY` from the environment override it, and
/// makes its paths absolute.
///
/// # Errors
/// Names the file and the key at fault.
pub fn load<T: DeserializeOwned + Rooted>(path: &Path) -> Result<T, ConfigError> {
    let read_error = |source| ConfigError::Read { path: path.to_owned(), source: Box::new(source) };
    let environment = config::Environment::with_prefix("CONVENANT")
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true);
    let merged = config::Config::builder()
        .add_source(config::File::from(path).format(config::FileFormat::Toml))
        .add_source(environment)
        .build()
        .map_err(read_error)?;
    let mut value: T = serde_path_to_error::deserialize(merged).map_err(|error| {
        let (key, source) = (error.path().to_string(), Box::new(error.into_inner()));
        match key.as_str() {
            // Of the file as a whole.
            "." => ConfigError::Read { path: path.to_owned(), source },
            _ => ConfigError::Key { path: path.to_owned(), key, source },
        }
    })?;
    value.root_at(path.parent().unwrap_or_else(|| Path::new(".")));
    Ok(value)
}

/// Prefixes a path with a folder, unless it is absolute.
pub(crate) fn under(folder: &Path, path: &mut PathBuf) {
    *path = folder.join(&*path);
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        data: crate::DataSection,
    }

    impl Rooted for Sample {
        fn root_at(&mut self, folder: &Path) {
            self.data.root_at(folder);
        }
    }

    fn read(text: &str) -> Result<Sample, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        std::fs::write(&path, text).unwrap();
        let sample = load::<Sample>(&path)?;
        assert!(sample.data.dir.starts_with(dir.path()));
        Ok(sample)
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        read("[data]\ndir = \"state\"\n").unwrap();
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = read("[data]\ndir = \"state\"\nfolder = 1\n").unwrap_err();
        let ConfigError::Key { key, source, .. } = error else { panic!("{error}") };
        assert!(format!("{key} {source}").contains("folder"), "{key} {source}");
    }
}
