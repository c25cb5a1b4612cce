//! The end of what a server has written to its standard error.

use crate::transport::stderr_file_name;
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

const LINES_MAX: usize = 5;
const LINE_CHARACTERS_MAX: usize = 200;
/// Enough for the last lines, if they are no longer than lines are.
const READ_BYTES_MAX: u64 = 16 << 10;

/// A file and its last lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LastWords {
    pub(super) file: Utf8PathBuf,
    pub(super) lines: Vec<String>,
}

impl LastWords {
    /// What a server has said last in a session; none if it has said nothing that was kept.
    pub(super) fn find<'a>(
        folders: impl Iterator<Item = &'a Utf8Path>,
        server: &str,
        session: &str,
    ) -> Option<Self> {
        let name = stderr_file_name(server, session);
        folders.map(|folder| folder.join(&name)).find_map(|file| {
            let lines = last_lines(&file).ok()?;
            (!lines.is_empty()).then_some(Self { file, lines })
        })
    }
}

fn last_lines(path: &Utf8Path) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(READ_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    file.take(READ_BYTES_MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .filter(|line| !line.trim().is_empty())
        .take(LINES_MAX)
        .map(|line| line.chars().take(LINE_CHARACTERS_MAX).collect())
        .collect();
    lines.reverse();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_found_and_cut() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let nowhere = folder.join("nowhere");
        let find = || LastWords::find([nowhere.as_path(), folder].into_iter(), "one", "s1");
        assert_eq!(find(), None);
        let mut text = "x".repeat(100_000);
        text.push_str("\n1\n2\n\n3\n4\n");
        text.push_str(&"é".repeat(300));
        std::fs::write(folder.join("one.s1.log"), text).unwrap();
        let words = find().unwrap();
        assert_eq!(words.file, folder.join("one.s1.log"));
        assert_eq!(words.lines[..4], ["1", "2", "3", "4"]);
        assert_eq!(words.lines[4], "é".repeat(200));
    }
}
