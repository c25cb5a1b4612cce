//! The streams of notifications that the gateway holds open at a server without sessions: one for
//! its lists, one for each resource that the client watches.
//!
//! A server may end a stream whenever it likes, and tells nothing from then on. It is asked again
//! after a pause, which grows for a server that ends its streams as soon as they are open.

use rea_fsm::Millis;
use std::collections::{BTreeMap, BTreeSet};

/// The first pause. Each one is twice as long as the one before.
const PAUSE_MS: Millis = Millis(1_000);
/// No pause is longer. After a stream that has stood for so long the first one comes again.
const PAUSE_MAX_MS: Millis = Millis(60_000);

/// What a stream tells of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stream {
    /// Changes of the lists.
    Lists,
    /// Changes of a resource.
    Resource(String),
}

/// Whether a stream that the server has ended is asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// After a pause.
    Again,
    /// The server has no such thing.
    Never,
}

/// The streams at the current process.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// By the id of the request that opened each, and since when.
    open: BTreeMap<u64, (Stream, Millis)>,
    /// Ended by the server, to be opened again.
    ended: BTreeSet<Stream>,
    /// Not to be opened again.
    refused: BTreeSet<Stream>,
    /// The latest pause; none if there was none.
    pause: Option<Millis>,
    /// When those that have ended are opened again.
    due: Option<Millis>,
}

impl Streams {
    /// Forgets what the process before has promised.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(super) fn opened(&mut self, own: u64, stream: Stream, now: Millis) {
        self.open.insert(own, (stream, now));
    }

    /// Whether a stream need not be opened: it is open, will be again, or can't be.
    pub(super) fn has(&self, stream: &Stream) -> bool {
        self.ended.contains(stream)
            || self.refused.contains(stream)
            || self.open.values().any(|(open, _)| open == stream)
    }

    /// The server has ended the stream that this request has opened, if there is one.
    pub(super) fn ended(&mut self, own: u64, afterwards: Afterwards, now: Millis) {
        let Some((stream, since)) = self.open.remove(&own) else {
            return;
        };
        match afterwards {
            Afterwards::Never => {
                self.refused.insert(stream);
            }
            Afterwards::Again => {
                self.ended.insert(stream);
                // Those that end while one waits already wait with it.
                if self.due.is_none() {
                    let pause = self.next_pause(now.since(since));
                    self.pause = Some(pause);
                    self.due = Some(now.plus(pause));
                }
            }
        }
    }

    fn next_pause(&self, stood: Millis) -> Millis {
        match self.pause {
            Some(last) if stood < PAUSE_MAX_MS => Millis(last.0 * 2).min(PAUSE_MAX_MS),
            Some(_) | None => PAUSE_MS,
        }
    }

    /// Nobody wants the stream any more. The request that opened it, if the server has it open.
    pub(super) fn closed(&mut self, stream: &Stream) -> Option<u64> {
        self.ended.remove(stream);
        self.refused.remove(stream);
        let (own, _) = self.open.iter().find(|(_, (open, _))| open == stream)?;
        let own = *own;
        self.open.remove(&own);
        Some(own)
    }

    /// When streams are opened again.
    pub(super) const fn next_due(&self) -> Option<Millis> {
        self.due
    }

    /// The streams to open again now.
    pub(super) fn take_due(&mut self, now: Millis) -> BTreeSet<Stream> {
        if self.due.is_none_or(|due| now < due) {
            return BTreeSet::new();
        }
        self.due = None;
        std::mem::take(&mut self.ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: Stream = Stream::Lists;

    fn again(streams: &mut Streams, own: u64, now: u64) {
        streams.ended(own, Afterwards::Again, Millis(now));
    }

    #[test]
    fn pauses_grow_to_a_minute_while_streams_end_at_once() {
        let mut streams = Streams::default();
        let mut now = Millis::ZERO;
        let mut pauses = Vec::new();
        for own in 0..9 {
            streams.opened(own, LISTS, now);
            streams.ended(own, Afterwards::Again, now);
            let due = streams.next_due().expect("a pause");
            assert!(streams.take_due(Millis(due.0 - 1)).is_empty());
            assert_eq!(streams.take_due(due), BTreeSet::from([LISTS]));
            pauses.push(due.since(now).0 / 1_000);
            now = due;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn after_a_stream_that_has_stood_the_pause_is_short() {
        let mut streams = Streams::default();
        for own in 0..4 {
            streams.opened(own, LISTS, Millis::ZERO);
            again(&mut streams, own, 0);
            streams.take_due(Millis(60_000));
        }
        streams.opened(5, LISTS, Millis(100_000));
        again(&mut streams, 5, 160_000);
        assert_eq!(streams.next_due(), Some(Millis(161_000)));
    }

    #[test]
    fn all_that_have_ended_are_opened_together() {
        let mut streams = Streams::default();
        let one = Stream::Resource("x://one".to_owned());
        streams.opened(1, LISTS, Millis::ZERO);
        streams.opened(2, one.clone(), Millis::ZERO);
        again(&mut streams, 1, 0);
        again(&mut streams, 2, 900);
        assert!(streams.has(&one));
        assert_eq!(
            streams.take_due(Millis(1_000)),
            BTreeSet::from([LISTS, one])
        );
        assert!(!streams.has(&LISTS));
        assert_eq!(streams.next_due(), None);
    }

    #[test]
    fn what_can_not_be_or_is_not_wanted_is_not_opened_again() {
        let mut streams = Streams::default();
        let one = Stream::Resource("x://one".to_owned());
        streams.opened(1, LISTS, Millis::ZERO);
        streams.ended(1, Afterwards::Never, Millis::ZERO);
        assert!(streams.has(&LISTS));
        assert_eq!(streams.next_due(), None);
        streams.opened(2, one.clone(), Millis::ZERO);
        again(&mut streams, 2, 0);
        assert_eq!(streams.closed(&one), None);
        assert!(streams.take_due(Millis(60_000)).is_empty());
    }
}
