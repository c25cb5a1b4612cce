//! The end of the newest log, read without reading the rest.

use super::chain::Chain;
use super::format::Header;
use super::names::FileName;
use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use rea_fsm::Millis;
use serde::Deserialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// How much of the end is looked at. Most lines are below a kilobyte.
const WINDOW_BYTES: u64 = 1 << 20;
/// How much of a header is looked at.
const HEADER_BYTES_MAX: u64 = 64 << 20;

/// How a log ends at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// How many records its session has written; none if the end holds no whole record.
    pub records: Option<u64>,
    /// When the last of them was written.
    pub last_at: Option<Timestamp>,
    /// Whether the last whole line is tied to the one before it; none if there are no two.
    pub chain_holds: Option<bool>,
}

#[derive(Deserialize)]
struct Numbered {
    seq: u64,
    at_ms: Millis,
}

/// Looks at the newest log of a directory; none if there is none.
///
/// # Errors
/// The directory or the file can't be read.
pub fn tail_of_newest(directory: &Utf8Path) -> io::Result<Option<Tail>> {
    let first = match FileName::newest(directory) {
        Ok(first) => first,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let newest = first
        .map(|first| FileName::last_of(directory, &first))
        .transpose()?;
    let Some(newest) = newest.flatten() else {
        return Ok(None);
    };
    let mut file = File::open(directory.join(newest.to_string()))?;
    let began = began(&file)?;
    let end = file.seek(SeekFrom::End(0))?;
    let start = end.saturating_sub(WINDOW_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut window = Vec::new();
    file.take(WINDOW_BYTES).read_to_end(&mut window)?;
    let is_whole = start == 0;
    Ok(Some(tail(&window, is_whole, began)))
}

fn began(file: &File) -> io::Result<Option<Timestamp>> {
    let mut line = Vec::new();
    BufReader::new(file.take(HEADER_BYTES_MAX)).read_until(b'\n', &mut line)?;
    let header = Chain::split(line.trim_ascii_end()).map(|(body, _)| [body, b"}"].concat());
    let header = header.and_then(|json| serde_json::from_slice::<Header>(&json).ok());
    Ok(header.map(|header| header.began))
}

/// The window's first line is cut unless the window is all there is.
fn tail(window: &[u8], is_whole: bool, began: Option<Timestamp>) -> Tail {
    let whole_lines = match memchr::memrchr(b'\n', window) {
        Some(end) => &window[..end],
        None => &[],
    };
    let mut lines = whole_lines.split(|byte| *byte == b'\n').rev();
    let last = lines.next().and_then(Chain::split);
    let before = lines.next().filter(|_| is_whole || lines.next().is_some());
    let before = before.and_then(Chain::split);
    let record: Option<Numbered> = last.and_then(|(body, _)| {
        let json = [body, b"}"].concat();
        serde_json::from_slice(&json).ok()
    });
    let wall = |at: Millis| {
        let passed = SignedDuration::from_millis(i64::try_from(at.0).ok()?);
        began?.checked_add(passed).ok()
    };
    Tail {
        records: record.as_ref().map(|record| record.seq),
        last_at: record.as_ref().and_then(|record| wall(record.at_ms)),
        chain_holds: match (before, last) {
            (Some((_, before)), Some((body, link))) => Some(before.next(body) == link),
            (None, _) | (Some(_), None) => None,
        },
    }
}
