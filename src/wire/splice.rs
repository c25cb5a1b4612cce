//! Replaces parts of a line and keeps every other byte.

use std::ops::Range;

/// Puts `bytes` where `at` stands in the line.
#[derive(Clone, Debug)]
pub struct Edit<'a> {
    /// What is replaced.
    pub at: Range<usize>,
    /// By what.
    pub bytes: &'a [u8],
}

/// Appends the line to `out` with the edits made. Edits are in ascending order and don't overlap.
pub fn splice(line: &[u8], edits: &[Edit<'_>], out: &mut Vec<u8>) {
    let mut copied = 0;
    for edit in edits {
        out.extend_from_slice(&line[copied..edit.at.start]);
        out.extend_from_slice(edit.bytes);
        copied = edit.at.end;
    }
    out.extend_from_slice(&line[copied..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_edited_places_change() {
        let mut out = Vec::new();
        let edits = [
            Edit {
                at: 1..3,
                bytes: b"XYZ",
            },
            Edit {
                at: 5..5,
                bytes: b"-",
            },
        ];
        splice(b"abcdefg", &edits, &mut out);
        assert_eq!(out, b"aXYZde-fg");
    }

    #[test]
    fn without_edits_nothing_changes() {
        let mut out = Vec::new();
        splice(b"abc", &[], &mut out);
        assert_eq!(out, b"abc");
    }
}
