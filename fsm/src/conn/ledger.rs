//! Every call that has been accepted and not answered.
//!
//! Invariant: the counters and the hash follow from the calls; they are kept so that a step costs
//! the same however many calls there are. Ascending id is the order of arrival, so there is no
//! queue beside the map: the queue is the queued calls in the order of their ids.

use crate::digest::mix;
use crate::event::CallClass;
use crate::id::{CallId, Epoch, Millis};
use alloc::collections::BTreeMap;
use serde::{Deserialize, Serialize};

/// One call that is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Whether it may be repeated.
    pub class: CallClass,
    /// How long it may take once sent, before the server is asked whether it lives.
    pub timeout_ms: Millis,
    /// When it was accepted; the hard cap counts from here.
    pub submitted_at: Millis,
    /// Size of its message.
    pub bytes: u64,
    /// The breaker's epoch that admitted it.
    pub epoch: Epoch,
    /// How often it was sent again although it may have run.
    pub repeats: u8,
    /// Where it is.
    pub place: Place,
    /// When its next limit is reached; its timer is armed for exactly this.
    pub due: Millis,
}

/// Where a held call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It waits for a server that is starting.
    Queued,
    /// It was sent, and is inside its deadline.
    Sent {
        /// When.
        at: Millis,
    },
    /// It was sent, and is past its deadline: the server was asked whether it lives, and the
    /// call goes on until the hard cap.
    Overdue {
        /// When it was sent.
        at: Millis,
    },
}

impl Place {
    /// Whether the server may have seen the call.
    pub const fn is_sent(self) -> bool {
        match self {
            Self::Queued => false,
            Self::Sent { .. } | Self::Overdue { .. } => true,
        }
    }
}

impl Call {
    /// A word that depends on everything about the call. Written out, because every call passes
    /// here twice or more and a walk over its serialisation costs ten times as much.
    fn hash(&self, id: CallId) -> u64 {
        let Self {
            class,
            timeout_ms,
            submitted_at,
            bytes,
            epoch,
            repeats,
            place,
            due,
        } = self;
        let class = match class {
            CallClass::ReadOnly => 1,
            CallClass::Idempotent => 2,
            CallClass::Unsafe => 3,
        };
        let (place, sent_at) = match place {
            Place::Queued => (1, 0),
            Place::Sent { at } => (2, at.0),
            Place::Overdue { at } => (3, at.0),
        };
        let small = class << 48 | place << 40 | u64::from(*repeats) << 32 | u64::from(epoch.0);
        [small, timeout_ms.0, submitted_at.0, *bytes, sent_at, due.0]
            .into_iter()
            .fold(mix(0, id.0), mix)
    }
}

/// The held calls of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    calls: BTreeMap<CallId, Call>,
    /// The last call that was ever accepted or refused; every later one has a larger id.
    last: Option<CallId>,
    queued: u32,
    sent: u32,
    bytes: u64,
    hash: u64,
}

/// The part of the ledger that a step's digest covers.
#[derive(Serialize)]
pub(crate) struct LedgerDigest {
    last: Option<CallId>,
    queued: u32,
    sent: u32,
    bytes: u64,
    hash: u64,
}

impl Ledger {
    /// The call, if it is held.
    pub fn get(&self, id: CallId) -> Option<&Call> {
        self.calls.get(&id)
    }

    /// Every held call in the order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = (CallId, &Call)> {
        self.calls.iter().map(|(id, call)| (*id, call))
    }

    /// How many calls wait.
    pub const fn queued(&self) -> u32 {
        self.queued
    }

    /// How many calls are with the server.
    pub const fn in_flight(&self) -> u32 {
        self.sent
    }

    /// The size of all held calls.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn is_new(&self, id: CallId) -> bool {
        self.last.is_none_or(|last| id > last)
    }

    /// Remembers that the id was used, whatever becomes of the call.
    pub(crate) fn note(&mut self, id: CallId) {
        self.last = Some(id);
    }

    pub(crate) fn insert(&mut self, id: CallId, call: Call) {
        self.count(id, &call, Change::In);
        self.calls.insert(id, call);
    }

    pub(crate) fn remove(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(&id)?;
        self.count(id, &call, Change::Out);
        Some(call)
    }

    /// Changes a held call and returns it as it is afterwards.
    pub(crate) fn update(&mut self, id: CallId, change: impl FnOnce(&mut Call)) -> Option<Call> {
        let mut call = self.remove(id)?;
        change(&mut call);
        self.insert(id, call.clone());
        Some(call)
    }

    /// The ids of the calls that a test picks, in the order of arrival.
    pub(crate) fn ids(&self, pick: impl Fn(&Call) -> bool) -> alloc::vec::Vec<CallId> {
        self.iter()
            .filter(|(_, call)| pick(call))
            .map(|(id, _)| id)
            .collect()
    }

    pub(crate) fn digest_part(&self) -> LedgerDigest {
        LedgerDigest {
            last: self.last,
            queued: self.queued,
            sent: self.sent,
            bytes: self.bytes,
            hash: self.hash,
        }
    }

    fn count(&mut self, id: CallId, call: &Call, change: Change) {
        self.hash ^= call.hash(id);
        let counter = if call.place.is_sent() {
            &mut self.sent
        } else {
            &mut self.queued
        };
        match change {
            Change::In => {
                *counter += 1;
                self.bytes = self.bytes.saturating_add(call.bytes);
            }
            Change::Out => {
                *counter -= 1;
                self.bytes = self.bytes.saturating_sub(call.bytes);
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Change {
    In,
    Out,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    fn call() -> Call {
        Call {
            class: CallClass::Unsafe,
            timeout_ms: Millis(0),
            submitted_at: Millis(0),
            bytes: 0,
            epoch: Epoch(0),
            repeats: 0,
            place: Place::Queued,
            due: Millis(0),
        }
    }

    #[test]
    fn the_digest_tells_calls_apart_by_everything_about_them() {
        let mut calls = alloc::vec![
            call(),
            Call {
                class: CallClass::Idempotent,
                ..call()
            },
            Call {
                class: CallClass::ReadOnly,
                ..call()
            },
        ];
        for number in [1, 2, 1 << 20] {
            let at = Millis(number);
            let places = [Place::Sent { at }, Place::Overdue { at }];
            calls.extend(places.map(|place| Call { place, ..call() }));
            calls.extend([
                Call {
                    timeout_ms: at,
                    ..call()
                },
                Call {
                    submitted_at: at,
                    ..call()
                },
                Call {
                    bytes: number,
                    ..call()
                },
                Call { due: at, ..call() },
            ]);
        }
        for number in [1_u8, 2, 255] {
            calls.extend([
                Call {
                    epoch: Epoch(u32::from(number)),
                    ..call()
                },
                Call {
                    repeats: number,
                    ..call()
                },
            ]);
        }
        let hashes: BTreeSet<u64> = calls.iter().map(|call| call.hash(CallId(1))).collect();
        assert_eq!(hashes.len(), calls.len());
        assert_ne!(call().hash(CallId(1)), call().hash(CallId(2)));
    }

    #[test]
    fn what_is_kept_about_the_calls_follows_from_the_calls_that_are_held() {
        let mut ledger = Ledger::default();
        for id in 1..=4 {
            ledger.insert(CallId(id), call());
        }
        for id in [2, 1, 4] {
            ledger.remove(CallId(id));
        }
        let at = Millis(7);
        ledger.update(CallId(3), |call| call.place = Place::Sent { at });

        let mut other = Ledger::default();
        other.insert(
            CallId(3),
            Call {
                place: Place::Sent { at },
                ..call()
            },
        );
        assert_eq!(ledger, other);
        assert_ne!(ledger.hash, 0);
    }
}
