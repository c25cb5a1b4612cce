//! Which file a server's command is.
//!
//! Found in the **child's** PATH, from the child's folder: the desktop programs that start gateways often have another
//! PATH than a shell, and "ENOENT" alone helps nobody. Invariant: an answer is an absolute path to a file that may be
//! executed; an error says what was looked for and where.
//!
//! Absent on purpose: running it, and what only a shell does: `~`, and arguments in the same text.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};

/// Why a command can't be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The folder to start it in is missing.
    #[error("the folder to start \"{command}\" in does not exist: {cwd}; create it or change cwd")]
    NoFolder {
        /// The command as written.
        command: String,
        /// The folder.
        cwd: Utf8PathBuf,
    },
    /// A path was given and there is nothing.
    #[error("no such file: {path} (command \"{command}\"){}", slip(command).unwrap_or_default())]
    NoFile {
        /// The command as written.
        command: String,
        /// What it stands for.
        path: PathBuf,
    },
    /// No folder of PATH has it.
    #[error(
        "\"{command}\" was not found in PATH{}",
        slip(command).map_or_else(|| looked_in(searched), str::to_owned)
    )]
    NotInPath {
        /// The command as written.
        command: String,
        /// The folders, in order.
        searched: Vec<PathBuf>,
    },
    /// The child would have no PATH to search.
    #[error(
        "\"{command}\" can't be looked up: PATH is not set for this server; write its full path or set PATH in env"
    )]
    NoPath {
        /// The command as written.
        command: String,
    },
    /// It is there, and can't be executed.
    #[error(
        "not executable: {path} (command \"{command}\"); it must be a file with execute permission"
    )]
    NotExecutable {
        /// The command as written.
        command: String,
        /// The file found.
        path: PathBuf,
    },
    /// It was found under a path that can't be written down.
    #[error("the path of \"{command}\" is not UTF-8: {}; move it to a folder with a plain name", path.display())]
    NotUtf8 {
        /// The command as written.
        command: String,
        /// The file found.
        path: PathBuf,
    },
}

/// Finds the file that `command` stands for.
///
/// `path` is the PATH of the child's environment; `cwd`, absolute, is the folder it is started in.
///
/// # Errors
/// The folder, the command or the permission that is missing.
pub fn resolve(
    command: &str,
    path: Option<&OsStr>,
    cwd: &Utf8Path,
) -> Result<Utf8PathBuf, CommandError> {
    let owned = || command.to_owned();
    if !cwd.is_dir() {
        return Err(CommandError::NoFolder {
            command: owned(),
            cwd: cwd.to_owned(),
        });
    }
    if command.contains('/') {
        let file = cwd.join(command).into_std_path_buf();
        return match judge(&file) {
            Candidate::Executable => utf8(command, file),
            Candidate::NotExecutable => Err(CommandError::NotExecutable {
                command: owned(),
                path: file,
            }),
            Candidate::Nothing => Err(CommandError::NoFile {
                command: owned(),
                path: file,
            }),
        };
    }
    let path = path.ok_or_else(|| CommandError::NoPath { command: owned() })?;
    let mut searched = Vec::new();
    let mut not_executable = None;
    for folder in std::env::split_paths(path) {
        // An empty or relative entry counts from the folder that the child starts in.
        let folder = cwd.as_std_path().join(folder);
        let file = folder.join(command);
        match judge(&file) {
            Candidate::Executable => return utf8(command, file),
            // Like the system's own search: one that may not run doesn't hide a later one that may.
            Candidate::NotExecutable => {
                not_executable.get_or_insert(file);
            }
            Candidate::Nothing => {}
        }
        searched.push(folder);
    }
    Err(match not_executable {
        Some(path) => CommandError::NotExecutable {
            command: owned(),
            path,
        },
        None => CommandError::NotInPath {
            command: owned(),
            searched,
        },
    })
}

enum Candidate {
    Executable,
    NotExecutable,
    Nothing,
}

fn judge(file: &Path) -> Candidate {
    match std::fs::metadata(file) {
        Err(_) => Candidate::Nothing,
        Ok(metadata) => {
            let runs = rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok();
            if metadata.is_file() && runs {
                Candidate::Executable
            } else {
                Candidate::NotExecutable
            }
        }
    }
}

fn utf8(command: &str, file: PathBuf) -> Result<Utf8PathBuf, CommandError> {
    Utf8PathBuf::from_path_buf(file).map_err(|path| CommandError::NotUtf8 {
        command: command.to_owned(),
        path,
    })
}

/// What somebody who thought of a shell has probably meant.
fn slip(command: &str) -> Option<&'static str> {
    if command.starts_with('~') {
        Some("; \"~\" is not expanded: write the whole path")
    } else if command.trim().contains(char::is_whitespace) {
        Some("; command is the program alone, its arguments belong in args")
    } else {
        None
    }
}

fn looked_in(searched: &[PathBuf]) -> String {
    let shown: Vec<String> = searched
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    let folders = shown.join(", ");
    format!(", looked in: {folders}; install it, write its full path, or set PATH in env")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    struct Place {
        _folder: tempfile::TempDir,
        at: Utf8PathBuf,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let at = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
            Self {
                _folder: folder,
                at,
            }
        }

        fn file(&self, name: &str, mode: u32) -> Utf8PathBuf {
            let file = self.at.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            file
        }

        fn resolve(&self, command: &str, path: &str) -> Result<Utf8PathBuf, CommandError> {
            resolve(command, Some(OsStr::new(path)), &self.at)
        }
    }

    #[test]
    fn the_first_executable_in_the_childs_path_is_taken() {
        let place = Place::new();
        place.file("a/tool", 0o644);
        fs::create_dir_all(place.at.join("b/tool")).unwrap();
        let expected = place.file("c/tool", 0o755);
        place.file("d/tool", 0o755);
        let path = format!("{0}/a:{0}/b:{0}/c:{0}/d", place.at);
        assert_eq!(place.resolve("tool", &path), Ok(expected));
    }

    #[test]
    fn relative_and_empty_entries_of_path_count_from_the_childs_folder() {
        let place = Place::new();
        let nested = place.file("bin/tool", 0o755);
        let here = place.file("other", 0o755);
        assert_eq!(place.resolve("tool", "bin"), Ok(nested));
        assert_eq!(place.resolve("other", ":/nowhere").unwrap(), here);
    }

    #[test]
    fn a_command_with_a_slash_counts_from_the_childs_folder_and_ignores_path() {
        let place = Place::new();
        let file = place.file("bin/tool", 0o755);
        assert_eq!(
            resolve("./bin/tool", None, &place.at)
                .unwrap()
                .canonicalize_utf8()
                .unwrap(),
            file
        );
        assert_eq!(resolve(file.as_str(), None, &place.at), Ok(file));
    }

    #[test]
    fn not_found_says_what_was_looked_for_and_where() {
        let place = Place::new();
        assert_eq!(
            place
                .resolve("tool", "/nowhere/a:/nowhere/b")
                .unwrap_err()
                .to_string(),
            "\"tool\" was not found in PATH, looked in: /nowhere/a, /nowhere/b; \
             install it, write its full path, or set PATH in env"
        );
        assert_eq!(
            place.resolve("./tool", "").unwrap_err().to_string(),
            format!("no such file: {}/./tool (command \"./tool\")", place.at)
        );
        assert_eq!(
            resolve("tool", None, &place.at).unwrap_err().to_string(),
            "\"tool\" can't be looked up: PATH is not set for this server; write its full path or set PATH in env"
        );
    }

    #[test]
    fn what_only_a_shell_does_is_told() {
        let place = Place::new();
        let told = |command: &str| place.resolve(command, "/nowhere").unwrap_err().to_string();
        assert_eq!(
            told("npx -y server"),
            "\"npx -y server\" was not found in PATH; command is the program alone, its arguments belong in args"
        );
        assert_eq!(
            told("bin/server --port 1"),
            format!(
                "no such file: {}/bin/server --port 1 (command \"bin/server --port 1\"); \
                 command is the program alone, its arguments belong in args",
                place.at
            )
        );
        assert_eq!(
            told("~/bin/x"),
            format!(
                "no such file: {}/~/bin/x (command \"~/bin/x\"); \
                 \"~\" is not expanded: write the whole path",
                place.at
            )
        );
    }

    #[test]
    fn a_file_whose_name_has_a_space_is_a_file() {
        let place = Place::new();
        let file = place.file("my server", 0o755);
        assert_eq!(place.resolve("my server", place.at.as_str()), Ok(file));
    }

    #[test]
    fn a_file_without_permission_is_told_apart_from_no_file() {
        let place = Place::new();
        let file = place.file("a/tool", 0o644);
        let expected = format!(
            "not executable: {file} (command \"tool\"); it must be a file with execute permission"
        );
        assert_eq!(
            place
                .resolve("tool", &format!("{}/a", place.at))
                .unwrap_err()
                .to_string(),
            expected
        );
    }

    #[test]
    fn a_missing_folder_is_told_before_the_command_is_looked_for() {
        assert_eq!(
            resolve("tool", None, Utf8Path::new("/nowhere/at/all"))
                .unwrap_err()
                .to_string(),
            "the folder to start \"tool\" in does not exist: /nowhere/at/all; create it or change cwd"
        );
    }
}
