//! Cuts a byte stream into lines.
//!
//! Invariant: how the stream was chunked makes no difference, and memory stays within the limit
//! whatever is written. A line that lies within one chunk is handed out where it lies; only one
//! that a chunk's end has cut is copied.
//!
//! Absent on purpose: any judgement of a line's bytes; that is the envelope's.

use super::oversized::{Oversized, OversizedLine};

/// Capacity kept for the next cut line; what a rare long line needed beyond it is given back.
const KEPT_CAPACITY_BYTES: usize = 1024 * 1024;

/// What was found between two line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line within the limit, without its line break (`\n` or `\r\n`).
    Text(&'a [u8]),
    /// A line over the limit, of which only an outline is left.
    Oversized(Oversized<'a>),
}

/// Cuts chunks into lines.
#[derive(Debug)]
pub struct LineSplitter {
    max_line_bytes: usize,
    /// The begin of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Takes over from `partial` once the line is over the limit.
    oversized: Option<Box<OversizedLine>>,
}

impl LineSplitter {
    /// Lines may have `max_line_bytes` bytes, the `\n` not counted.
    pub fn new(max_line_bytes: usize) -> Self {
        Self {
            max_line_bytes,
            partial: Vec::new(),
            oversized: None,
        }
    }

    /// The longest line that is taken.
    pub const fn max_line_bytes(&self) -> usize {
        self.max_line_bytes
    }

    /// Takes the next bytes of the stream and hands out each line that they complete, in order.
    pub fn push(&mut self, chunk: &[u8], mut on_line: impl FnMut(Line<'_>)) {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.complete(&rest[..end], &mut on_line);
            rest = &rest[end + 1..];
        }
        if !rest.is_empty() {
            self.keep(rest);
        }
    }

    /// The stream has ended: hands out the line that no line break ended, if there is one.
    pub fn finish(&mut self, mut on_line: impl FnMut(Line<'_>)) {
        if !self.partial.is_empty() || self.oversized.is_some() {
            self.complete(&[], &mut on_line);
        }
    }

    /// The last part of a line has come.
    fn complete(&mut self, last: &[u8], on_line: &mut impl FnMut(Line<'_>)) {
        let within_chunk = self.partial.is_empty() && self.oversized.is_none();
        if within_chunk && last.len() <= self.max_line_bytes {
            on_line(Line::Text(without_carriage_return(last)));
            return;
        }
        self.keep(last);
        match self.oversized.take() {
            Some(line) => on_line(Line::Oversized(line.finish())),
            None => on_line(Line::Text(without_carriage_return(&self.partial))),
        }
        self.partial.clear();
        self.partial.shrink_to(KEPT_CAPACITY_BYTES);
    }

    /// A part of a line has come, and not its end.
    fn keep(&mut self, part: &[u8]) {
        if let Some(line) = &mut self.oversized {
            line.feed(part);
        } else if part.len() > self.max_line_bytes - self.partial.len() {
            let mut line = Box::<OversizedLine>::default();
            line.feed(&self.partial);
            line.feed(part);
            self.oversized = Some(line);
            self.partial = Vec::new();
        } else {
            self.grow_for(part.len());
            self.partial.extend_from_slice(part);
        }
    }

    /// Doubles as a vector does, but never beyond the limit.
    fn grow_for(&mut self, more_bytes: usize) {
        let needed = self.partial.len() + more_bytes;
        if needed > self.partial.capacity() {
            let capacity = needed
                .max(self.partial.capacity().saturating_mul(2))
                .min(self.max_line_bytes);
            self.partial.reserve_exact(capacity - self.partial.len());
        }
    }
}

fn without_carriage_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a consumer would keep of a line.
    fn shown(line: &Line<'_>) -> String {
        match line {
            Line::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Line::Oversized(line) => format!(
                "over:{} {} {:?}",
                line.bytes,
                line.head.len(),
                line.id.as_ref().map(ToString::to_string)
            ),
        }
    }

    fn lines(max_line_bytes: usize, chunks: &[&[u8]]) -> Vec<String> {
        let mut splitter = LineSplitter::new(max_line_bytes);
        let mut found = Vec::new();
        for chunk in chunks {
            splitter.push(chunk, |line| found.push(shown(&line)));
        }
        splitter.finish(|line| found.push(shown(&line)));
        found
    }

    #[test]
    fn a_line_within_one_chunk_is_not_copied() {
        let chunk = b"one\ntwo\r\nthr";
        let mut splitter = LineSplitter::new(100);
        let mut starts = Vec::new();
        splitter.push(chunk, |line| {
            let Line::Text(text) = line else {
                panic!("short lines")
            };
            starts.push(text.as_ptr());
        });
        assert_eq!(starts, [chunk.as_ptr(), chunk[4..].as_ptr()]);
    }

    #[test]
    fn a_cut_line_is_joined_and_the_last_needs_no_line_break() {
        assert_eq!(
            lines(100, &[b"a", b"b\nc", b"", b"d\r", b"\ne"]),
            ["ab", "cd", "e"]
        );
    }

    #[test]
    fn blank_lines_are_lines_but_the_end_of_the_stream_is_none() {
        assert_eq!(lines(100, &[b"\n\r\na\n"]), ["", "", "a"]);
    }

    #[test]
    fn the_limit_itself_is_within_the_limit() {
        assert_eq!(
            lines(4, &[b"1234\n12345\n1\n"]),
            ["1234", "over:5 5 None", "1"]
        );
        assert_eq!(
            lines(4, &[b"12", b"34", b"\n12", b"345", b"\n1"]),
            ["1234", "over:5 5 None", "1"]
        );
        assert_eq!(lines(4, &[b"12345"]), ["over:5 5 None"]);
    }

    #[test]
    fn the_owner_of_an_oversized_line_is_found_wherever_its_id_stands() {
        let payload = "x".repeat(100_000);
        let line =
            format!(r#"{{"result":{{"id":3,"t":"{payload}\""}},"jsonrpc":"2.0","id":"a-7"}}"#);
        let mut found = Vec::new();
        let mut splitter = LineSplitter::new(1000);
        for chunk in line.as_bytes().chunks(777) {
            splitter.push(chunk, |_| panic!("no line break yet"));
            assert!(splitter.partial.capacity() <= 1000, "memory stays bounded");
        }
        splitter.push(b"\n{}\n", |line| found.push(shown(&line)));
        assert_eq!(
            found[0],
            format!("over:{} 4096 Some(\"\\\"a-7\\\"\")", line.len())
        );
        assert_eq!(found[1], "{}");
    }

    #[test]
    fn memory_of_a_long_line_is_bounded_and_given_back() {
        let mut splitter = LineSplitter::new(8 * 1024 * 1024);
        splitter.push(&vec![b'x'; 5 * 1024 * 1024], |_| {});
        splitter.push(b"x", |_| {});
        let capacity = splitter.partial.capacity();
        assert!(capacity <= 8 * 1024 * 1024, "never beyond the limit");
        splitter.push(b"\n", |_| {});
        assert!(splitter.partial.capacity() <= KEPT_CAPACITY_BYTES);
    }
}
