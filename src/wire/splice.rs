//! Replaces a few spans of a line and copies everything else, in one pass.

use std::ops::Range;

use super::raw::Raw;

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit<'a> {
    /// What is replaced, in bytes of the line. An empty span inserts.
    pub span: Range<usize>,
    /// What comes instead.
    pub with: &'a [u8],
}

impl<'a> Edit<'a> {
    /// Replaces a whole value.
    pub fn replace(value: Raw<'_>, with: &'a [u8]) -> Self {
        Self {
            span: value.span(),
            with,
        }
    }

    /// Inserts before the byte at `position`.
    pub fn insert(position: usize, with: &'a [u8]) -> Self {
        Self {
            span: position..position,
            with,
        }
    }
}

/// Edits that don't fit their line: they belong to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// Two edits touch the same bytes.
    #[error("two edits overlap at byte {at}")]
    Overlap {
        /// Where the second begins.
        at: usize,
    },
    /// A span that is not within the line.
    #[error("an edit ends at byte {end} of a line of {line_bytes} bytes")]
    OutOfLine {
        /// Where the span ends.
        end: usize,
        /// The line's length.
        line_bytes: usize,
    },
}

/// Appends `line` with the edits made to `out`, which grows at most once. The edits are sorted by
/// their place. After an error `out` is as it was.
///
/// # Errors
/// The edits overlap or lie outside the line: they belong to another one.
pub fn splice(line: &[u8], edits: &mut [Edit<'_>], out: &mut Vec<u8>) -> Result<(), SpliceError> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut copied_to = 0;
    let mut length = line.len();
    for Edit { span, with } in edits.iter() {
        if span.start < copied_to || span.end < span.start {
            return Err(SpliceError::Overlap { at: span.start });
        }
        if span.end > line.len() {
            return Err(SpliceError::OutOfLine {
                end: span.end,
                line_bytes: line.len(),
            });
        }
        copied_to = span.end;
        length = length - span.len() + with.len();
    }

    // One more for the line break that ends every message.
    out.reserve(length + 1);
    let mut copied_to = 0;
    for Edit { span, with } in edits.iter() {
        out.extend_from_slice(&line[copied_to..span.start]);
        out.extend_from_slice(with);
        copied_to = span.end;
    }
    out.extend_from_slice(&line[copied_to..]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(line: &str, edits: &mut [Edit<'_>]) -> Result<String, SpliceError> {
        let mut out = Vec::new();
        splice(line.as_bytes(), edits, &mut out)?;
        Ok(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn edits_are_made_in_any_order_and_the_rest_stays() {
        let mut edits = [
            Edit {
                span: 4..5,
                with: b"XY",
            },
            Edit {
                span: 0..1,
                with: b"",
            },
            Edit::insert(2, b"--"),
        ];
        assert_eq!(spliced("abcdefg", &mut edits).as_deref(), Ok("b--cdXYfg"));
    }

    #[test]
    fn edits_may_touch_each_other_and_the_ends() {
        let mut edits = [
            Edit {
                span: 0..2,
                with: b"1",
            },
            Edit {
                span: 2..4,
                with: b"2",
            },
            Edit::insert(4, b"3"),
        ];
        assert_eq!(spliced("abcd", &mut edits).as_deref(), Ok("123"));
    }

    #[test]
    fn edits_of_another_line_are_refused_and_nothing_is_written() {
        let mut out = b"kept".to_vec();
        let overlap = &mut [
            Edit {
                span: 0..3,
                with: b"",
            },
            Edit {
                span: 2..4,
                with: b"",
            },
        ];
        assert_eq!(
            splice(b"abcd", overlap, &mut out),
            Err(SpliceError::Overlap { at: 2 })
        );
        let outside = &mut [Edit {
            span: 3..9,
            with: b"",
        }];
        assert_eq!(
            splice(b"abcd", outside, &mut out),
            Err(SpliceError::OutOfLine {
                end: 9,
                line_bytes: 4
            })
        );
        assert_eq!(out, b"kept");
    }
}
