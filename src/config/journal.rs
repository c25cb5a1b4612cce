//! How events are to be recorded: `journal: off`, or a map.

use camino::{Utf8Path, Utf8PathBuf};

use super::decode::{Fields, text};
use super::numbers::{ROTATE_BYTES, TOTAL_BYTES, order, written};
use super::problem::{Problem, ProblemKind};
use super::yaml::{Node, Value};

/// How events are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// Whether, and what happens if it fails.
    pub mode: JournalMode,
    /// Where, if not in the state folder; absolute.
    pub dir: Option<Utf8PathBuf>,
    /// The size at which a file is followed by the next.
    pub rotate_bytes: u64,
    /// The size of all files together.
    pub total_bytes: u64,
}

/// Whether events are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalMode {
    /// Yes; when it fails, calls go on and the gap is recorded.
    On,
    /// No.
    Off,
    /// Yes; when it fails, calls are refused.
    Required,
}

pub(super) const KEYS: [&str; 4] = ["mode", "dir", ROTATE_BYTES.key, TOTAL_BYTES.key];

/// `journal: off`, or a map.
pub(super) fn read(node: Option<&Node>, root: &Utf8Path, problems: &mut Vec<Problem>) -> Journal {
    let mut journal = Journal {
        mode: JournalMode::On,
        dir: None,
        rotate_bytes: ROTATE_BYTES.default,
        total_bytes: TOTAL_BYTES.default,
    };
    let Some(node) = node else { return journal };
    if matches!(node.value, Value::Plain(_) | Value::Quoted(_)) {
        journal.mode = read_mode(node, "journal", problems).unwrap_or(journal.mode);
        return journal;
    }
    let Some(fields) = Fields::read(node, "journal", &KEYS, problems) else {
        return journal;
    };
    if let Some(node) = fields.get("mode") {
        journal.mode = read_mode(node, "mode", problems).unwrap_or(journal.mode);
    }
    journal.dir = fields
        .get("dir")
        .and_then(|node| text(node, "dir", problems))
        .map(|dir| root.join(dir));
    let written = written(&fields, &[ROTATE_BYTES, TOTAL_BYTES], problems);
    let value = |key, default| written.get(key).map_or(default, |&(value, _)| value);
    journal.rotate_bytes = value(ROTATE_BYTES.key, journal.rotate_bytes);
    journal.total_bytes = value(TOTAL_BYTES.key, journal.total_bytes);
    let sizes = [
        (ROTATE_BYTES.key, journal.rotate_bytes),
        (TOTAL_BYTES.key, journal.total_bytes),
    ];
    let place = sizes
        .iter()
        .find_map(|(key, _)| written.get(key))
        .map(|&(_, at)| at);
    if let Some(at) = place.filter(|_| journal.rotate_bytes > journal.total_bytes) {
        let why = "the file being written counts too";
        problems.push(Problem {
            at,
            kind: order(sizes[0], sizes[1], why),
        });
    }
    journal
}

fn read_mode(node: &Node, key: &'static str, problems: &mut Vec<Problem>) -> Option<JournalMode> {
    match text(node, key, problems)? {
        "on" => Some(JournalMode::On),
        "off" => Some(JournalMode::Off),
        "required" => Some(JournalMode::Required),
        found => {
            let expected = "on, off or required";
            let kind = ProblemKind::Choice {
                key,
                expected,
                found: found.to_owned(),
            };
            problems.push(Problem { at: node.at, kind });
            None
        }
    }
}
