//! A file as lines, of which one at a time is held.

use super::{ReadError, Torn};
use crate::journal::format::LINE_BYTES_MAX;
use std::io::{BufRead, BufReader, Read};

const BUFFER_BYTES: usize = 256 << 10;

/// What stands where the last line ended.
pub(super) enum Line {
    /// A line with its newline; see [`Lines::line`].
    Whole,
    /// Bytes without a newline.
    Torn {
        /// How many.
        bytes: u64,
    },
    /// Nothing.
    End,
}

/// The lines of one file.
pub(super) struct Lines {
    name: String,
    bytes: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    number: u64,
    offset: u64,
    next_offset: u64,
}

impl Lines {
    pub(super) fn new(name: String, bytes: Box<dyn Read + Send>) -> Self {
        Self {
            name,
            bytes: BufReader::with_capacity(BUFFER_BYTES, bytes),
            line: Vec::new(),
            number: 0,
            offset: 0,
            next_offset: 0,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The last whole line, without its newline.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    pub(super) const fn line_mut(&mut self) -> &mut Vec<u8> {
        &mut self.line
    }

    pub(super) fn next_line(&mut self) -> Result<Line, ReadError> {
        self.line.clear();
        self.offset = self.next_offset;
        self.number += 1;
        let limit = LINE_BYTES_MAX as u64 + 1;
        let read = (&mut self.bytes)
            .take(limit)
            .read_until(b'\n', &mut self.line)
            .map_err(|error| ReadError::Io {
                file: self.name.clone(),
                error,
            })? as u64;
        self.next_offset += read;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            Ok(Line::Whole)
        } else if read == limit {
            Err(self.corrupt("the line is longer than any that is written"))
        } else if read > 0 {
            Ok(Line::Torn { bytes: read })
        } else {
            Ok(Line::End)
        }
    }

    pub(super) fn torn(&self, bytes: u64) -> Torn {
        Torn {
            file: self.name.clone(),
            offset: self.offset,
            bytes,
        }
    }

    pub(super) fn corrupt(&self, detail: &str) -> ReadError {
        ReadError::Corrupt {
            file: self.name.clone(),
            line: self.number,
            offset: self.offset,
            detail: detail.to_owned(),
        }
    }

    pub(super) fn not_a_log(&self) -> ReadError {
        ReadError::NotALog {
            file: self.name.clone(),
        }
    }
}
