//! How often each premise and each row of the transition table was reached. A property whose
//! premise never holds is satisfied by anything.

use super::rows::{PAIRS, ROWS, pair_name};
use rea_fsm::Leaf;

/// A property, or one of the parts in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Premise {
    P1,
    P2,
    P3,
    P4,
    P5,
    P6,
    P7,
    P8,
    P9,
    P10Unsafe,
    P10Safe,
    P10Unread,
    P11Overdue,
    P12,
    P13,
    P14,
    P15,
    P16,
    P17,
    P18,
    P18Rule,
    P19,
    P20,
    P20Length,
    P21,
    P22,
    P23,
    P23Guilty,
    P24,
    P25,
    P26,
    P27,
    P28,
    P28Heartbeat,
    P29,
    P29Publish,
    P30,
    P31,
    P32,
    P33,
    P33Counts,
    P34,
    P34Series,
    P39,
    StopNow,
    Truth,
    Slots,
    L40,
    L41,
    Q1Ended,
    Q1Kept,
    Q1Told,
    Q2Asked,
    Q2Offered,
    Q2Again,
    Q2Answered,
    Q2Refused,
    Q2Nobody,
    Q2TooMany,
    Q2Withdrawn,
    Q3,
    Q3Held,
    Q4Resume,
    Q4Answered,
    Q4Asked,
    Q4Withdrew,
    Q5,
    Q5Closed,
    Q7,
    Q8,
    Q8Gathering,
    C1,
    C2,
}

impl Premise {
    pub(crate) const ALL: [Self; 73] = [
        Self::P1,
        Self::P2,
        Self::P3,
        Self::P4,
        Self::P5,
        Self::P6,
        Self::P7,
        Self::P8,
        Self::P9,
        Self::P10Unsafe,
        Self::P10Safe,
        Self::P10Unread,
        Self::P11Overdue,
        Self::P12,
        Self::P13,
        Self::P14,
        Self::P15,
        Self::P16,
        Self::P17,
        Self::P18,
        Self::P18Rule,
        Self::P19,
        Self::P20,
        Self::P20Length,
        Self::P21,
        Self::P22,
        Self::P23,
        Self::P23Guilty,
        Self::P24,
        Self::P25,
        Self::P26,
        Self::P27,
        Self::P28,
        Self::P28Heartbeat,
        Self::P29,
        Self::P29Publish,
        Self::P30,
        Self::P31,
        Self::P32,
        Self::P33,
        Self::P33Counts,
        Self::P34,
        Self::P34Series,
        Self::P39,
        Self::StopNow,
        Self::Truth,
        Self::Slots,
        Self::L40,
        Self::L41,
        Self::Q1Ended,
        Self::Q1Kept,
        Self::Q1Told,
        Self::Q2Asked,
        Self::Q2Offered,
        Self::Q2Again,
        Self::Q2Answered,
        Self::Q2Refused,
        Self::Q2Nobody,
        Self::Q2TooMany,
        Self::Q2Withdrawn,
        Self::Q3,
        Self::Q3Held,
        Self::Q4Resume,
        Self::Q4Answered,
        Self::Q4Asked,
        Self::Q4Withdrew,
        Self::Q5,
        Self::Q5Closed,
        Self::Q7,
        Self::Q8,
        Self::Q8Gathering,
        Self::C1,
        Self::C2,
    ];
}

/// What a run has reached.
#[derive(Clone, Debug)]
pub(crate) struct Coverage {
    pub(crate) steps: u64,
    premises: [u64; Premise::ALL.len()],
    pub(crate) rows: [u64; ROWS.len()],
    /// For each state and each event, ignored or not, how often it occurred.
    pairs: [[u64; PAIRS]; Leaf::ALL.len()],
}

impl Coverage {
    pub(crate) fn new() -> Self {
        Self {
            steps: 0,
            premises: [0; Premise::ALL.len()],
            rows: [0; ROWS.len()],
            pairs: [[0; PAIRS]; Leaf::ALL.len()],
        }
    }

    pub(crate) fn hit(&mut self, premise: Premise) {
        self.premises[premise as usize] += 1;
    }

    pub(crate) fn pair(&mut self, leaf: Leaf, pair: usize) {
        self.pairs[leaf as usize][pair] += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.steps += other.steps;
        for (own, theirs) in self.premises.iter_mut().zip(other.premises) {
            *own += theirs;
        }
        for (own, theirs) in self.rows.iter_mut().zip(other.rows) {
            *own += theirs;
        }
        let theirs = other.pairs.iter().flatten();
        for (own, theirs) in self.pairs.iter_mut().flatten().zip(theirs) {
            *own += theirs;
        }
    }

    /// How many rows of the transition table were reached at all.
    pub(crate) fn rows_reached(&self) -> usize {
        self.rows.iter().filter(|times| **times > 0).count()
    }

    /// How many premises held at least once.
    pub(crate) fn premises_reached(&self) -> usize {
        self.premises.iter().filter(|times| **times > 0).count()
    }

    /// Everything that was reached less often than this.
    pub(crate) fn thin(&self, least: u64) -> Vec<String> {
        let premises = Premise::ALL
            .iter()
            .map(|premise| (format!("{premise:?}"), self.premises[*premise as usize]));
        let rows = ROWS
            .iter()
            .zip(self.rows)
            .map(|(row, count)| (format!("row {row:?}"), count));
        premises
            .chain(rows)
            .filter(|(_, count)| *count < least)
            .map(|(name, count)| format!("{name}: {count}"))
            .collect()
    }

    /// Every pair of a state and an event that occurred, with its outcome.
    pub(crate) fn pair_lines(&self) -> Vec<String> {
        let lines = Leaf::ALL.iter().zip(&self.pairs).flat_map(|(leaf, pairs)| {
            let reached = pairs.iter().enumerate().filter(|(_, count)| **count > 0);
            reached.map(move |(pair, _)| format!("{leaf} {}", pair_name(pair)))
        });
        lines.collect()
    }
}
