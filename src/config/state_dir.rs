//! Where the gateway writes: `<root>/.rea`, or the user's state folder if that can't be written.
//!
//! Invariant: every folder made here has mode 0700 and every file 0600, because logs name tools and a folder that others
//! can write to lets them change what is started. A `.rea` that a person made is narrowed to that as well.
//!
//! Absent on purpose: the registry's place. It is read from the root, wherever the state goes.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};

use atomicwrites::{AtomicFile, OverwriteBehavior::AllowOverwrite};
use camino::{Utf8Path, Utf8PathBuf};

use super::TextLookup;
use super::root::{FOLDER, Root};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

const GITIGNORE: &str = "\
# Written by rea: only the configuration belongs into version control.
*
!.gitignore
!registry.yaml
!policy.yaml
";

/// A folder that was found writable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir {
    path: Utf8PathBuf,
}

/// Something to tell the user once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateNote {
    /// The state goes elsewhere.
    #[error("{wanted} can't be written ({reason}); logs and state go to {used}")]
    Elsewhere {
        /// The folder that was tried.
        wanted: Utf8PathBuf,
        /// What the system said.
        reason: String,
        /// The folder that is used.
        used: Utf8PathBuf,
    },
}

/// No folder can be written.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    /// Neither the project's nor the user's.
    #[error(
        "{wanted} can't be written ({reason}), nor can {fallback}: {source}; make one of them writable"
    )]
    Unwritable {
        /// The project's folder.
        wanted: Utf8PathBuf,
        /// Why not.
        reason: String,
        /// The user's.
        fallback: Utf8PathBuf,
        /// Why not either.
        source: io::Error,
    },
    /// There is no user folder to fall back to.
    #[error(
        "{wanted} can't be written ({reason}), and neither XDG_STATE_HOME nor HOME is an absolute path; set one"
    )]
    NoFallback {
        /// The project's folder.
        wanted: Utf8PathBuf,
        /// Why not.
        reason: String,
    },
}

impl StateDir {
    /// Makes and checks the folder; the note, if there is one, is to be shown once.
    ///
    /// # Errors
    /// Neither the project's folder nor the user's can be written.
    pub fn open(
        root: &Root,
        environment: TextLookup<'_>,
    ) -> Result<(Self, Option<StateNote>), StateDirError> {
        let wanted = root.path.join(FOLDER);
        let reason = match prepare(&wanted).and_then(|()| write_gitignore(&wanted)) {
            Ok(()) => return Ok((Self { path: wanted }, None)),
            Err(error) => error.to_string(),
        };
        let Some(fallback) = fallback(&root.path, environment) else {
            return Err(StateDirError::NoFallback { wanted, reason });
        };
        match prepare(&fallback) {
            Ok(()) => {
                let note = StateNote::Elsewhere {
                    wanted,
                    reason,
                    used: fallback.clone(),
                };
                Ok((Self { path: fallback }, Some(note)))
            }
            Err(source) => Err(StateDirError::Unwritable {
                wanted,
                reason,
                fallback,
                source,
            }),
        }
    }

    /// Every folder that a run of this project may use, or an earlier one has: the project's, and the
    /// user's if it is there. What somebody has said in one of them goes on when a run uses another.
    pub fn all(root: &Root, environment: TextLookup<'_>) -> Vec<Utf8PathBuf> {
        let mut folders = vec![root.path.join(FOLDER)];
        folders.extend(fallback(&root.path, environment).filter(|folder| folder.is_dir()));
        folders
    }

    /// The folder itself.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// A folder below it, made if it isn't there.
    ///
    /// # Errors
    /// It can't be made, or not be written.
    pub fn subfolder(&self, name: &str) -> io::Result<Utf8PathBuf> {
        let folder = self.path.join(name);
        prepare(&folder)?;
        Ok(folder)
    }
}

/// Replaces a file whole: whoever reads it finds the old content or the new, never a part. What is
/// written first lies in `temporary`, on the same file system, which is made if it isn't there.
///
/// # Errors
/// The content can't be written, or not be put in the file's place.
pub fn replace(path: &Utf8Path, temporary: &Utf8Path, content: &[u8]) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(temporary)?;
    let file = AtomicFile::new_with_tmpdir(path, AllowOverwrite, temporary);
    let mut options = private_file();
    options.write(true).create_new(true);
    Ok(file.write_with_options(|file| file.write_all(content), options)?)
}

/// Options that give a file its mode when it is made.
pub fn private_file() -> OpenOptions {
    let mut options = File::options();
    options.mode(FILE_MODE);
    options
}

/// Makes the folder if needed, keeps others out of it, and sees that files can be made in it.
fn prepare(folder: &Utf8Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)?;
    let metadata = fs::metadata(folder)?;
    let open_to_others = metadata.mode() & 0o077 != 0;
    // Somebody else's folder can't be narrowed; it is used as it is, with 0600 files in it.
    if open_to_others && metadata.uid() == rustix::process::geteuid().as_raw() {
        fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))?;
    }
    let needed = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::access(folder.as_std_path(), needed).map_err(io::Error::from)
}

/// Written once: what a person made of it later stays.
fn write_gitignore(folder: &Utf8Path) -> io::Result<()> {
    match private_file()
        .write(true)
        .create_new(true)
        .open(folder.join(".gitignore"))
    {
        Ok(mut file) => file.write_all(GITIGNORE.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// One folder for each root, told apart by a digest because paths don't make file names.
fn fallback(root: &Utf8Path, environment: TextLookup<'_>) -> Option<Utf8PathBuf> {
    let absolute = |name: &str| {
        environment(name)
            .map(Utf8PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")))?;
    let digest = blake3::hash(root.as_str().as_bytes()).to_hex();
    Some(base.join("rea").join(&digest.as_str()[..32]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::root::ChosenBy;

    struct Place {
        _folder: tempfile::TempDir,
        root: Root,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        Place {
            _folder: folder,
            root: Root {
                path,
                chosen_by: ChosenBy::WorkingDirectory,
            },
        }
    }

    fn mode(path: impl AsRef<std::path::Path>) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn unset(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn folders_are_private_and_files_too() {
        let place = place();
        let (state, note) = StateDir::open(&place.root, &unset).unwrap();
        assert_eq!(
            (state.path(), note),
            (place.root.path.join(".rea").as_path(), None)
        );
        let events = state.subfolder("events").unwrap();
        private_file()
            .write(true)
            .create_new(true)
            .open(events.join("file"))
            .unwrap();
        assert_eq!(
            [mode(state.path()), mode(&events), mode(events.join("file"))],
            [0o700, 0o700, 0o600]
        );
        assert_eq!(mode(state.path().join(".gitignore")), 0o600);
    }

    #[test]
    fn a_folder_that_a_person_made_is_narrowed() {
        let place = place();
        let folder = place.root.path.join(".rea");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o775)).unwrap();
        StateDir::open(&place.root, &unset).unwrap();
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn gitignore_is_written_once() {
        let place = place();
        let (state, _) = StateDir::open(&place.root, &unset).unwrap();
        let file = state.path().join(".gitignore");
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            "# Written by rea: only the configuration belongs into version control.\n\
             *\n!.gitignore\n!registry.yaml\n!policy.yaml\n"
        );
        fs::write(&file, "mine").unwrap();
        StateDir::open(&place.root, &unset).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }

    /// A file where the folder should be can't be written by anybody, root included.
    fn unwritable() -> Place {
        let place = place();
        fs::write(place.root.path.join(".rea"), "").unwrap();
        place
    }

    #[test]
    fn without_a_writable_project_the_state_goes_to_the_users_folder_and_is_told() {
        let (place, user) = (unwritable(), tempfile::tempdir().unwrap());
        let user = Utf8PathBuf::from_path_buf(user.path().to_owned()).unwrap();
        let xdg = |name: &str| (name == "XDG_STATE_HOME").then(|| user.to_string());
        let home = |name: &str| (name == "HOME").then(|| user.to_string());

        let (state, note) = StateDir::open(&place.root, &xdg).unwrap();
        assert_eq!(state.path().parent(), Some(user.join("rea").as_path()));
        assert_eq!(mode(state.path()), 0o700);
        let told = note.unwrap().to_string();
        assert_eq!(
            told,
            format!(
                "{}/.rea can't be written (File exists (os error 17)); logs and state go to {}",
                place.root.path,
                state.path()
            )
        );
        let (below_home, _) = StateDir::open(&place.root, &home).unwrap();
        assert_eq!(
            below_home.path().parent(),
            Some(user.join(".local/state/rea").as_path())
        );
    }

    #[test]
    fn two_roots_do_not_share_a_fallback() {
        let home = |name: &str| (name == "HOME").then(|| "/home/ada".to_owned());
        let of = |root: &str| fallback(Utf8Path::new(root), &home).unwrap();
        assert_ne!(of("/a"), of("/b"));
        assert_eq!(of("/a"), of("/a"));
    }

    #[test]
    fn without_any_folder_the_error_says_what_to_set() {
        let place = unwritable();
        let relative = |name: &str| (name == "XDG_STATE_HOME").then(|| "state".to_owned());
        let error = StateDir::open(&place.root, &relative)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            format!(
                "{}/.rea can't be written (File exists (os error 17)), and neither XDG_STATE_HOME nor HOME is an \
                 absolute path; set one",
                place.root.path
            )
        );
    }
}
