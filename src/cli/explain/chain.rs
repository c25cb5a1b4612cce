//! The chain of what led to a state: its links, and which of them are worth telling.
//!
//! Invariant: memory is bounded however long the log is; what is left out is counted where it was.

use super::calls::{Calls, Fate};
use jiff::Timestamp;
use rea_fsm::Leaf;

/// So many links may be held while the log is read; then the less telling ones go.
const HELD_MAX: usize = 512;

/// How much a link says about the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// What happens all the time.
    Routine,
    /// A step on the way.
    Step,
    /// Something goes another way from here on.
    Turn,
    /// A reason.
    Reason,
}

/// When and where in the log something was, and what it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: Timestamp,
    pub(super) seq: u64,
    pub(super) state_after: Leaf,
}

/// One sentence of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) place: Place,
    pub(super) text: String,
    pub(super) weight: Weight,
    /// How many links between the one before and this one were left out.
    pub(super) left_out_before: u64,
}

/// Something that is worth a sentence only if it does not pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passing {
    /// A process is about to be there.
    Spawn,
    /// A pipe has ended; the exit that is likely to follow says more.
    LostPipe,
    /// The server is asked whether it lives.
    Suspicion,
}

/// What one step adds to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing but the calls in it.
    Nothing,
    /// A link.
    Link {
        text: String,
        weight: Weight,
        /// What has passed with it.
        settles: Option<Passing>,
    },
    /// A link, unless it passes.
    Passing {
        text: String,
        weight: Weight,
        what: Passing,
    },
    /// What was suspected was not so.
    Settled(Passing),
}

/// The links so far.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Up to the last moment at which everything became well.
    before: Vec<Link>,
    /// From that moment on, or from the beginning.
    since: Vec<Link>,
    pending: Option<(Passing, Link)>,
    calls: Calls,
    is_well: bool,
}

impl Chain {
    /// Takes in one step. `is_well` tells whether nothing is wrong after it.
    pub(super) fn tell(&mut self, told: Told, place: Place, is_well: bool) {
        match told {
            Told::Nothing => {}
            Told::Link {
                text,
                weight,
                settles,
            } => {
                if let Some(what) = settles {
                    self.settle(what, place);
                }
                self.add(Link {
                    place,
                    text,
                    weight,
                    left_out_before: 0,
                });
            }
            Told::Passing { text, weight, what } => {
                if self.pending.is_some() {
                    self.flush();
                }
                let link = Link {
                    place,
                    text,
                    weight,
                    left_out_before: 0,
                };
                self.pending = Some((what, link));
            }
            Told::Settled(what) => self.settle(what, place),
        }
        if is_well && !self.is_well {
            // The chain begins with the link that says so.
            let kept = self.since.len().saturating_sub(1);
            let last = self.since.split_off(kept);
            self.before = std::mem::replace(&mut self.since, last);
        }
        self.is_well = is_well;
    }

    /// Takes in what became of a call without being worth a link of its own.
    pub(super) fn count(&mut self, fate: Fate, place: Place) {
        self.calls.count(fate, place);
    }

    fn settle(&mut self, what: Passing, place: Place) {
        if self
            .pending
            .as_ref()
            .is_some_and(|(passing, _)| *passing == what)
        {
            self.pending = None;
            if what == Passing::Suspicion {
                self.calls.count(Fate::ALIVE, place);
            }
        }
    }

    fn add(&mut self, link: Link) {
        self.flush();
        self.since.push(link);
    }

    /// What was held back becomes links, in the order in which it ended.
    fn flush(&mut self) {
        let mut links: Vec<_> = self
            .calls
            .take()
            .chain(self.pending.take().map(|(_, link)| link))
            .collect();
        links.sort_by_key(|link| link.place.seq);
        self.since.extend(links);
        if self.since.len() > HELD_MAX {
            thin(&mut self.since, HELD_MAX / 2);
        }
    }

    /// The links that are worth telling, at most so many, and how many are not among them. If
    /// everything is well it is told how it became so, else since when it is not.
    pub(super) fn finish(mut self, links_max: usize) -> (Vec<Link>, u64) {
        self.flush();
        let mut links = if self.is_well {
            self.before
        } else {
            Vec::new()
        };
        links.append(&mut self.since);
        thin(&mut links, links_max);
        let left_out = links.iter().map(|link| link.left_out_before).sum();
        (links, left_out)
    }
}

/// Leaves out the least telling links, of equals the earlier ones. How it began and how it ended
/// stays.
fn thin(links: &mut Vec<Link>, links_max: usize) {
    if links.len() <= links_max {
        return;
    }
    let last = links.len() - 1;
    let mut telling: Vec<usize> = (0..links.len()).collect();
    telling.sort_by_key(|index| {
        let is_end = *index == 0 || *index == last;
        std::cmp::Reverse((is_end, links[*index].weight, *index))
    });
    telling.truncate(links_max);
    let mut left_out = 0;
    let mut index = 0;
    links.retain_mut(|link| {
        let is_kept = telling.contains(&index);
        index += 1;
        left_out += link.left_out_before;
        link.left_out_before = if is_kept {
            std::mem::take(&mut left_out)
        } else {
            0
        };
        left_out += u64::from(!is_kept);
        is_kept
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(seq: u64) -> Place {
        Place {
            at: Timestamp::UNIX_EPOCH,
            seq,
            state_after: Leaf::Ready,
        }
    }

    fn link(weight: Weight, settles: Option<Passing>) -> Told {
        Told::Link {
            text: String::new(),
            weight,
            settles,
        }
    }

    fn passing(what: Passing) -> Told {
        Told::Passing {
            text: String::new(),
            weight: Weight::Step,
            what,
        }
    }

    fn seqs(links: &[Link]) -> Vec<u64> {
        links.iter().map(|link| link.place.seq).collect()
    }

    #[test]
    fn the_chain_begins_when_it_was_well_for_the_last_time() {
        let mut chain = Chain::default();
        for (seq, is_well) in [
            (1, false),
            (2, true),
            (3, false),
            (4, true),
            (5, true),
            (6, false),
        ] {
            chain.tell(link(Weight::Turn, None), place(seq), is_well);
        }
        assert_eq!(seqs(&chain.finish(9).0), [4, 5, 6]);
    }

    #[test]
    fn of_one_that_is_well_it_is_told_how_it_became_so() {
        let mut chain = Chain::default();
        for (seq, is_well) in [(1, true), (2, false), (3, true), (4, true)] {
            chain.tell(link(Weight::Turn, None), place(seq), is_well);
        }
        assert_eq!(seqs(&chain.finish(9).0), [1, 2, 3, 4]);
    }

    #[test]
    fn the_least_telling_links_are_left_out_and_counted_where_they_were() {
        let mut chain = Chain::default();
        for seq in 1..=10 {
            let weight = if seq == 4 {
                Weight::Reason
            } else {
                Weight::Step
            };
            chain.tell(link(weight, None), place(seq), false);
        }
        let (links, left_out) = chain.finish(4);
        assert_eq!(seqs(&links), [1, 4, 9, 10]);
        let gaps: Vec<_> = links.iter().map(|link| link.left_out_before).collect();
        assert_eq!((gaps, left_out), (vec![0, 2, 4, 0], 6));
    }

    #[test]
    fn what_is_held_stays_bounded_and_nothing_is_miscounted() {
        let mut chain = Chain::default();
        for seq in 1..=5_000 {
            chain.tell(link(Weight::Step, None), place(seq), false);
            assert!(chain.since.len() <= HELD_MAX + 1);
        }
        let (links, left_out) = chain.finish(12);
        assert_eq!((links.len(), left_out), (12, 4_988));
    }

    #[test]
    fn what_passes_is_not_told() {
        let mut chain = Chain::default();
        chain.tell(passing(Passing::Spawn), place(1), false);
        chain.tell(link(Weight::Step, Some(Passing::Spawn)), place(2), false);
        chain.tell(passing(Passing::LostPipe), place(3), false);
        chain.tell(link(Weight::Step, None), place(4), false);
        assert_eq!(seqs(&chain.finish(9).0), [2, 3, 4]);
    }

    #[test]
    fn suspicions_that_came_to_nothing_are_counted() {
        let mut chain = Chain::default();
        for seq in [1, 3] {
            chain.tell(passing(Passing::Suspicion), place(seq), true);
            chain.tell(Told::Settled(Passing::Suspicion), place(seq + 1), true);
        }
        let (links, _) = chain.finish(9);
        assert_eq!(links.len(), 1);
        assert!(links[0].text.starts_with("2 times "), "{links:?}");
    }
}
