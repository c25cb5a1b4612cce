//! Where the project is.
//!
//! The first of these that is given: `--root DIR`, `REA_ROOT`, the nearest folder upward with `.rea/registry.yaml`, the
//! working directory. Invariant: the answer is an absolute, canonical UTF-8 path to a folder that exists.
//!
//! Absent on purpose: searching upward from a root that somebody named. Who names one means that one.

use std::io;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};

use super::TextLookup;

/// The folder that holds everything of ours, below the root.
pub const FOLDER: &str = ".rea";
/// The registry, below the root.
pub const REGISTRY: &str = ".rea/registry.yaml";
/// The policy, below the root.
pub const POLICY: &str = ".rea/policy.yaml";

/// A project's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Absolute and canonical.
    pub path: Utf8PathBuf,
    /// Why it is this one.
    pub chosen_by: ChosenBy,
}

/// Which rule chose the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// `--root DIR`.
    Option,
    /// The variable `REA_ROOT`.
    Variable,
    /// A registry was found in it, upward from the working directory.
    Registry,
    /// Nothing else said anything.
    WorkingDirectory,
}

/// Why there is no root.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// The folder can't be used.
    #[error("{named} names {path}, which can't be used as the project's folder", named = chosen_by.words())]
    Unusable {
        /// Who named it.
        chosen_by: ChosenBy,
        /// What was named.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not a folder.
    #[error("{named} names {path}, which is not a folder", named = chosen_by.words())]
    NotAFolder {
        /// Who named it.
        chosen_by: ChosenBy,
        /// What was named.
        path: Utf8PathBuf,
    },
    /// Paths that are not UTF-8 can't be written into logs, JSON and messages without loss.
    #[error("the path {} is not UTF-8: move the project to a folder with a plain name", path.display())]
    NotUtf8 {
        /// The path.
        path: PathBuf,
    },
}

impl ChosenBy {
    fn words(self) -> &'static str {
        match self {
            Self::Option => "--root",
            Self::Variable => "REA_ROOT",
            Self::Registry | Self::WorkingDirectory => "the working directory",
        }
    }
}

impl Root {
    /// Chooses the root. `option` is the value of `--root`; relative paths count from `working_directory`.
    ///
    /// # Errors
    /// A named folder that can't be used, or a path that is not UTF-8.
    pub fn find(
        option: Option<&Utf8Path>,
        environment: TextLookup<'_>,
        working_directory: &Path,
    ) -> Result<Self, RootError> {
        let not_utf8 = || RootError::NotUtf8 {
            path: working_directory.to_owned(),
        };
        let here = Utf8Path::from_path(working_directory).ok_or_else(not_utf8)?;
        let named = environment("REA_ROOT").filter(|value| !value.is_empty());
        let (path, chosen_by) = match (option, named) {
            (Some(option), _) => (here.join(option), ChosenBy::Option),
            (None, Some(named)) => (here.join(named), ChosenBy::Variable),
            (None, None) => match here
                .ancestors()
                .find(|folder| folder.join(REGISTRY).is_file())
            {
                Some(folder) => (folder.to_owned(), ChosenBy::Registry),
                None => (here.to_owned(), ChosenBy::WorkingDirectory),
            },
        };
        let canonical =
            path.as_std_path()
                .canonicalize()
                .map_err(|source| RootError::Unusable {
                    chosen_by,
                    path: path.clone(),
                    source,
                })?;
        let canonical =
            Utf8PathBuf::from_path_buf(canonical).map_err(|path| RootError::NotUtf8 { path })?;
        if !canonical.is_dir() {
            return Err(RootError::NotAFolder { chosen_by, path });
        }
        Ok(Self {
            path: canonical,
            chosen_by,
        })
    }

    /// Where the registry is, whether it exists or not.
    pub fn registry(&self) -> Utf8PathBuf {
        self.path.join(REGISTRY)
    }

    /// Where the policy is, whether it exists or not.
    pub fn policy(&self) -> Utf8PathBuf {
        self.path.join(POLICY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Place {
        _folder: tempfile::TempDir,
        at: Utf8PathBuf,
    }

    fn place(folders: &[&str]) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let at = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        for name in folders {
            fs::create_dir_all(at.join(name)).unwrap();
        }
        Place {
            _folder: folder,
            at,
        }
    }

    fn registry_in(folder: &Utf8Path) {
        fs::create_dir_all(folder.join(FOLDER)).unwrap();
        fs::write(folder.join(REGISTRY), "").unwrap();
    }

    fn unset(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_option_wins_over_the_variable_and_the_variable_over_the_search() {
        let place = place(&["a", "b", "c"]);
        registry_in(&place.at.join("c"));
        let here = place.at.join("c");
        let variable = |name: &str| (name == "REA_ROOT").then(|| "../b".to_owned());
        let find =
            |option, environment| Root::find(option, environment, here.as_std_path()).unwrap();

        let by_option = find(Some(Utf8Path::new("../a")), &variable);
        assert_eq!(
            (by_option.path, by_option.chosen_by),
            (place.at.join("a"), ChosenBy::Option)
        );
        let by_variable = find(None, &variable);
        assert_eq!(
            (by_variable.path, by_variable.chosen_by),
            (place.at.join("b"), ChosenBy::Variable)
        );
        let by_registry = find(None, &unset);
        assert_eq!(
            (by_registry.path, by_registry.chosen_by),
            (here.clone(), ChosenBy::Registry)
        );
    }

    #[test]
    fn the_nearest_registry_upward_is_taken() {
        let place = place(&["a/b/c"]);
        registry_in(&place.at);
        registry_in(&place.at.join("a"));
        let root = Root::find(None, &unset, place.at.join("a/b/c").as_std_path()).unwrap();
        assert_eq!(root.path, place.at.join("a"));
        assert_eq!(root.registry(), place.at.join("a/.rea/registry.yaml"));
    }

    #[test]
    fn without_any_hint_it_is_the_working_directory() {
        let place = place(&["a"]);
        let empty = |name: &str| (name == "REA_ROOT").then(String::new);
        let root = Root::find(None, &empty, place.at.join("a").as_std_path()).unwrap();
        assert_eq!(
            (root.path, root.chosen_by),
            (place.at.join("a"), ChosenBy::WorkingDirectory)
        );
    }

    #[test]
    fn a_named_root_that_does_not_exist_is_an_error_that_says_who_named_it() {
        let place = place(&[]);
        let error =
            Root::find(Some(Utf8Path::new("gone")), &unset, place.at.as_std_path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "--root names {}/gone, which can't be used as the project's folder",
                place.at
            )
        );
        fs::write(place.at.join("file"), "").unwrap();
        let error =
            Root::find(Some(Utf8Path::new("file")), &unset, place.at.as_std_path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("--root names {}/file, which is not a folder", place.at)
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_path_that_is_not_utf8_is_a_clear_error() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let place = place(&[]);
        let strange = place.at.as_std_path().join(OsStr::from_bytes(b"caf\xe9"));
        fs::create_dir(&strange).unwrap();
        let error = Root::find(None, &unset, &strange).unwrap_err();
        assert!(matches!(error, RootError::NotUtf8 { .. }), "{error}");
        // Also when it is reached through a name that is.
        std::os::unix::fs::symlink(&strange, place.at.join("plain")).unwrap();
        let error = Root::find(None, &unset, place.at.join("plain").as_std_path()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("is not UTF-8: move the project to a folder with a plain name")
        );
    }
}
