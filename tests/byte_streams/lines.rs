//! The line reader. An input's first line has the limit and the sizes of the chunks.
//!
//! Whatever the chunks are, the lines are those that a reader of the whole stream would see: one
//! over the limit as an outline with its length, its begin and its owner, the next one whole again;
//! and what is held meanwhile depends on the limit alone.

use crate::head::{pieces, split};
use crate::memory::most_held;
use crate::oversized::owner;
use rea::wire::envelope::Seeming;
use rea::wire::line::{Line, LineSplitter};

/// What is kept of a line over the limit, and of the ids and names in it.
const HEAD_BYTES: usize = 4096;
const OUTLINE_BYTES_MAX: usize = 4 * HEAD_BYTES;
/// No stream of these tests is longer, so no limit above tells more.
const LIMIT_MAX: u64 = 1 << 20;

/// A line as its reader may keep it.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Text(Vec<u8>),
    Oversized {
        bytes: u64,
        head: Vec<u8>,
        /// Its id and whether it is a call; none if the line is no object.
        owner: Option<(Option<String>, Seeming)>,
    },
}

pub(crate) fn check(input: &[u8]) {
    let (numbers, stream) = split(input);
    let (limit, sizes) = numbers.split_first().unwrap_or((&0, &[]));
    let limit = usize::try_from((*limit).min(LIMIT_MAX)).unwrap_or(usize::MAX);
    let expected = by_hand(stream, limit);
    let chunks = pieces(stream, sizes);

    let mut seen = Vec::new();
    let mut splitter = LineSplitter::new(limit);
    let mut take = |line: Line<'_>| seen.push(as_seen(&line));
    for chunk in &chunks {
        splitter.push(chunk, &mut take);
    }
    splitter.finish(&mut take);
    splitter.push(b"after\n", &mut take);
    splitter.finish(&mut take);

    let last = seen.pop();
    if limit >= b"after".len() {
        let after = Seen::Text(b"after".to_vec());
        assert_eq!(last, Some(after), "nothing of the stream is left behind");
    }
    assert_eq!(seen.len(), expected.len(), "{seen:?}\n{expected:?}");
    for (mut seen, expected) in seen.into_iter().zip(expected) {
        // Of a line that is no object nobody says whose it is.
        if let (Seen::Oversized { owner, .. }, Seen::Oversized { owner: None, .. }) =
            (&mut seen, &expected)
        {
            *owner = None;
        }
        assert_eq!(seen, expected);
    }

    let held = most_held(|| {
        let mut splitter = LineSplitter::new(limit);
        for chunk in &chunks {
            splitter.push(chunk, |_| {});
        }
        splitter.finish(|_| {});
    });
    assert!(
        held <= limit + OUTLINE_BYTES_MAX,
        "{held} bytes held for lines of {limit}"
    );
}

fn as_seen(line: &Line<'_>) -> Seen {
    match line {
        Line::Text(text) => Seen::Text(text.to_vec()),
        Line::Oversized(line) => Seen::Oversized {
            bytes: line.bytes,
            head: line.head.to_vec(),
            owner: Some((line.id.as_ref().map(ToString::to_string), line.kind)),
        },
    }
}

/// The lines of a stream that is there as a whole.
fn by_hand(stream: &[u8], limit: usize) -> Vec<Seen> {
    let mut lines: Vec<&[u8]> = stream.split(|byte| *byte == b'\n').collect();
    // Behind the last line break there is a line only if something stands there.
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let seen = |line: &[u8]| {
        if line.len() <= limit {
            return Seen::Text(line.strip_suffix(b"\r").unwrap_or(line).to_vec());
        }
        Seen::Oversized {
            bytes: line.len() as u64,
            head: line[..line.len().min(HEAD_BYTES)].to_vec(),
            owner: owner(line),
        }
    };
    lines.into_iter().map(seen).collect()
}
