//! Cuts a stream of bytes into lines, in bounded memory.

use memchr::memchr;

/// How much of a line over the limit is kept, so that its owner may be found by its id.
const HEAD_BYTES: usize = 64 << 10;

/// One line, without its newline.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A whole line within the limit.
    Whole(&'a [u8]),
    /// A line over the limit. The rest of it was dropped.
    Oversized {
        /// How it begins.
        head: &'a [u8],
        /// How long it was.
        bytes: u64,
    },
}

/// Cuts what is pushed into lines. Holds at most one line of the permitted length.
#[derive(Debug)]
pub struct LineSplitter {
    bytes_max: usize,
    tail: Vec<u8>,
    /// How long the line under way is, if it is over the limit already.
    oversized: Option<u64>,
}

impl LineSplitter {
    /// Lines may be this long.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            tail: Vec::new(),
            oversized: None,
        }
    }

    /// The longest line that is taken.
    pub const fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Takes in the next bytes and hands out each line that they complete.
    pub fn push(&mut self, mut chunk: &[u8], mut on_line: impl FnMut(Line<'_>)) {
        while let Some(end) = memchr(b'\n', chunk) {
            let (piece, rest) = chunk.split_at(end);
            chunk = &rest[1..];
            if self.tail.is_empty() && self.oversized.is_none() && piece.len() <= self.bytes_max {
                hand_out(piece, &mut on_line);
                continue;
            }
            self.hold(piece);
            self.end_line(&mut on_line);
        }
        self.hold(chunk);
    }

    /// The stream has ended; hands out what came after the last newline.
    pub fn finish(&mut self, mut on_line: impl FnMut(Line<'_>)) {
        if !self.tail.is_empty() || self.oversized.is_some() {
            self.end_line(&mut on_line);
        }
    }

    fn hold(&mut self, piece: &[u8]) {
        if let Some(bytes) = &mut self.oversized {
            *bytes += piece.len() as u64;
            return;
        }
        if self.tail.len() + piece.len() > self.bytes_max {
            let missing = HEAD_BYTES.saturating_sub(self.tail.len()).min(piece.len());
            self.oversized = Some((self.tail.len() + piece.len()) as u64);
            self.tail.extend_from_slice(&piece[..missing]);
            self.tail.truncate(HEAD_BYTES);
            return;
        }
        self.tail.extend_from_slice(piece);
    }

    fn end_line(&mut self, on_line: &mut impl FnMut(Line<'_>)) {
        match self.oversized.take() {
            Some(bytes) => on_line(Line::Oversized {
                head: &self.tail,
                bytes,
            }),
            None => hand_out(&self.tail, on_line),
        }
        self.tail.clear();
        self.tail.shrink_to(HEAD_BYTES);
    }
}

/// A carriage return before the newline is part of the line's end, and an empty line is nothing.
fn hand_out(line: &[u8], on_line: &mut impl FnMut(Line<'_>)) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.is_empty() {
        on_line(Line::Whole(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes_max: usize, chunks: &[&[u8]]) -> Vec<String> {
        let mut splitter = LineSplitter::new(bytes_max);
        let mut seen = Vec::new();
        let mut note = |line: Line<'_>| match line {
            Line::Whole(line) => seen.push(String::from_utf8_lossy(line).into_owned()),
            Line::Oversized { head, bytes } => {
                seen.push(format!("!{bytes}:{}", String::from_utf8_lossy(head)));
            }
        };
        for chunk in chunks {
            splitter.push(chunk, &mut note);
        }
        splitter.finish(&mut note);
        seen
    }

    #[test]
    fn lines_are_the_same_however_the_stream_is_cut() {
        let stream = b"{\"a\":1}\n\r\n{\"b\":2}\r\nlast";
        let whole = lines(100, &[stream]);
        assert_eq!(whole, ["{\"a\":1}", "{\"b\":2}", "last"]);
        for cut in 0..stream.len() {
            assert_eq!(lines(100, &[&stream[..cut], &stream[cut..]]), whole);
        }
    }

    #[test]
    fn a_line_over_the_limit_is_dropped_and_the_next_one_is_not() {
        assert_eq!(lines(4, &[b"abcde\nok\n"]), ["!5:abcde", "ok"]);
        assert_eq!(
            lines(4, &[b"ab", b"cd", b"ef", b"gh\nok\n"]),
            ["!8:abcdef", "ok"]
        );
        assert_eq!(lines(4, &[b"abcd\n"]), ["abcd"]);
    }

    #[test]
    fn memory_stays_bounded() {
        let mut splitter = LineSplitter::new(1 << 20);
        for _ in 0..64 {
            splitter.push(&[b'x'; 1 << 18], |_| {});
        }
        assert!(splitter.tail.len() <= 1 << 20);
    }
}
