//! What the connection's doings mean for questions and held calls.

use super::{Outcome, Questions};
use crate::conn::{Conn, Leaf, Pipe};
use crate::effect::{Effect, Verdict};
use crate::id::TimerKey;
use alloc::vec::Vec;

impl Questions {
    /// Looks at what the connection has done: calls that it has completed, and whether the server
    /// can still be answered. `since` is where this step's effects begin.
    pub(crate) fn follow(
        &mut self,
        leaf: Leaf,
        since: usize,
        conn: &Conn,
        effects: &mut Vec<Effect>,
    ) {
        if self.open.is_empty() && self.carriers.is_empty() {
            return;
        }
        let mut next = since;
        while next < effects.len() {
            match self.keep(&effects[next]) {
                Kept::Not => next += 1,
                // Looked at once more, it is no completion.
                Kept::Answer(keep) => effects[next] = keep,
                Kept::Silently => {
                    effects.remove(next);
                }
            }
        }
        if conn.input() == Pipe::Closed {
            self.server_gone(effects);
        }
        if leaf == Leaf::Closed {
            self.retire(effects);
        }
    }

    /// A completion of a held call waits until the client is there again.
    fn keep(&mut self, effect: &Effect) -> Kept {
        let Effect::Complete {
            call,
            verdict,
            executed,
        } = effect
        else {
            return Kept::Not;
        };
        let Some(held) = self.held.get_mut(call) else {
            self.carriers.remove(call);
            return Kept::Not;
        };
        held.outcome = Some(Outcome {
            verdict: verdict.clone(),
            executed: *executed,
        });
        match verdict {
            Verdict::Replied(_) => Kept::Answer(Effect::Keep { call: *call }),
            Verdict::Refused(_)
            | Verdict::TimedOut
            | Verdict::Cancelled
            | Verdict::TransportLost { .. } => Kept::Silently,
        }
    }

    /// Nobody is left to answer to.
    fn server_gone(&mut self, effects: &mut Vec<Effect>) {
        let open: Vec<_> = self.open.keys().copied().collect();
        for question in open {
            if let Some(closed) = self.close(question, effects) {
                Self::take_back(question, closed, effects);
            }
        }
    }

    /// The server is gone for good: nobody can be told anything any more.
    fn retire(&mut self, effects: &mut Vec<Effect>) {
        for (call, held) in core::mem::take(&mut self.held) {
            let key = TimerKey::Held(call);
            effects.push(Effect::Disarm { key });
            if let Some(outcome) = held.outcome {
                self.complete(call, outcome, effects);
            }
        }
        self.carriers.clear();
    }
}

/// What becomes of a completion.
enum Kept {
    /// It is no held call's.
    Not,
    /// The interpreter keeps the server's answer.
    Answer(Effect),
    /// There is nothing to keep but the verdict.
    Silently,
}
