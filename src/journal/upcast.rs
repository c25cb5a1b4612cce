//! What lines of older formats are turned into before they are parsed.

/// A format that this program can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    One,
    /// Has events and timers of questions, and `request` beside calls that are no tool's.
    Two,
}

impl Known {
    /// The format of that number, unless it is newer than this program.
    pub(super) fn of(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }

    /// Turns a line (without its link) from this format into the next, and says which that is;
    /// none if it is in the current one.
    fn lift(self, _line: &mut Vec<u8>) -> Option<Self> {
        match self {
            // What is new can't stand in a line of format 1, and all else is as it was.
            Self::One => Some(Self::Two),
            Self::Two => None,
        }
    }

    /// Turns a line into the current format.
    pub(super) fn upcast(self, line: &mut Vec<u8>) {
        let mut known = self;
        while let Some(next) = known.lift(line) {
            known = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::FORMAT;
    use super::*;

    #[test]
    fn every_format_up_to_the_current_one_is_known_and_no_other() {
        assert_eq!(Known::of(0), None);
        for number in 1..=FORMAT {
            assert!(Known::of(number).is_some(), "format {number}");
        }
        assert_eq!(Known::of(FORMAT + 1), None);
    }

    #[test]
    fn only_the_current_format_is_left_as_it_is() {
        for number in 1..=FORMAT {
            let known = Known::of(number).unwrap();
            let mut line = b"{}".to_vec();
            let is_current = known.lift(&mut line).is_none();
            assert_eq!(is_current, number == FORMAT, "format {number}");
        }
        let mut line = br#"{"seq":1}"#.to_vec();
        Known::One.upcast(&mut line);
        assert_eq!(line, br#"{"seq":1}"#);
    }
}
