//! What happens to calls: accepted, queued, sent, answered, given up, lost.
//!
//! Invariants: a held call has exactly one armed timer, due when its next limit is reached; a
//! call leaves the ledger with exactly one `Complete`; a call in flight is settled once, when its
//! process is gone, because until then an answer may still arrive.

use super::{Call, Conn, Pipe, Place, Turn};
use crate::decision::Ignored;
use crate::effect::{Effect, Executed, Refusal, Verdict};
use crate::event::{CallClass, ExitStatus, ReplyKind};
use crate::id::{CallId, Millis, TimerKey};
use crate::view::LastError;

/// How often a call that may have run is sent again, if its class allows it at all.
const REPEATS_MAX: u8 = 1;

/// A call as it arrives.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) id: CallId,
    pub(super) class: CallClass,
    pub(super) timeout_ms: Millis,
    pub(super) bytes: u64,
}

/// What a call's timer says about its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// Nothing new.
    None,
    /// It should have answered by now.
    Raised,
}

/// Whether calls may wait for a next generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Future {
    Restart,
    None,
}

impl Conn {
    /// Refuses a call that the breaker had admitted; it takes no probe's place.
    pub(super) fn refuse(&mut self, id: CallId, refusal: Refusal, turn: &mut Turn<'_>) {
        turn.tally.neutral += 1;
        self.turn_away(id, refusal, turn);
    }

    /// Answers a call that is never held.
    pub(super) fn turn_away(&mut self, id: CallId, refusal: Refusal, turn: &mut Turn<'_>) {
        self.calls.note(id);
        turn.effects.push(Effect::Complete {
            call: id,
            verdict: Verdict::Refused(refusal),
            executed: Executed::No,
        });
    }

    /// Holds a call until a server is ready, if there is room.
    pub(super) fn enqueue(&mut self, arrival: Arrival, turn: &mut Turn<'_>) {
        if !self.queue_has_room() {
            return self.refuse(arrival.id, Refusal::QueueFull, turn);
        }
        let patience = self.tuning.queue_ms.min(arrival.timeout_ms);
        self.accept(arrival, Place::Queued, turn.at.plus(patience), turn);
    }

    /// What waits is sent all at once, so no more may wait than may be in flight.
    fn queue_has_room(&self) -> bool {
        self.calls.queued() < self.tuning.queue_max.min(self.tuning.in_flight_max)
    }

    /// Sends a call at once, if there is room.
    pub(super) fn send_now(&mut self, arrival: Arrival, turn: &mut Turn<'_>) {
        if self.calls.in_flight() >= self.tuning.in_flight_max {
            return self.refuse(arrival.id, Refusal::Overloaded, turn);
        }
        let limit = arrival.timeout_ms.min(self.tuning.call_cap_ms);
        let call = arrival.id;
        if self.accept(
            arrival,
            Place::Sent { at: turn.at },
            turn.at.plus(limit),
            turn,
        ) {
            self.write(|generation| Effect::Send { generation, call }, turn);
        }
    }

    fn accept(&mut self, arrival: Arrival, place: Place, due: Millis, turn: &mut Turn<'_>) -> bool {
        let Arrival {
            id,
            class,
            timeout_ms,
            bytes,
        } = arrival;
        if self.calls.bytes().saturating_add(bytes) > self.tuning.held_bytes_max {
            self.refuse(id, Refusal::Overloaded, turn);
            return false;
        }
        self.calls.note(id);
        self.calls.insert(
            id,
            Call {
                class,
                timeout_ms,
                submitted_at: turn.at,
                bytes,
                epoch: turn.epoch,
                repeats: 0,
                place,
                due,
            },
        );
        turn.effects.push(Effect::Arm {
            key: TimerKey::Call(id),
            due,
        });
        true
    }

    /// Sends everything that waits, in the order of arrival.
    pub(super) fn flush_queue(&mut self, turn: &mut Turn<'_>) {
        for id in self.calls.ids(|call| !call.place.is_sent()) {
            let (at, cap_ms) = (turn.at, self.tuning.call_cap_ms);
            let sent = self.calls.update(id, |call| {
                call.place = Place::Sent { at };
                call.due = at.plus(call.timeout_ms).min(call.submitted_at.plus(cap_ms));
            });
            if let Some(call) = sent {
                self.write(
                    |generation| Effect::Send {
                        generation,
                        call: id,
                    },
                    turn,
                );
                turn.effects.push(Effect::Arm {
                    key: TimerKey::Call(id),
                    due: call.due,
                });
            }
        }
    }

    pub(super) fn fail_queue(&mut self, refusal: &Refusal, turn: &mut Turn<'_>) {
        for id in self.calls.ids(|call| !call.place.is_sent()) {
            let executed = Executed::No;
            self.complete(id, Verdict::Refused(refusal.clone()), executed, turn);
        }
    }

    /// The only way out of the ledger.
    fn complete(&mut self, id: CallId, verdict: Verdict, executed: Executed, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.remove(id) else {
            return;
        };
        // What a generation before this one may have run stays so, whatever this one did.
        let executed = match executed {
            Executed::No if call.repeats > 0 => Executed::Maybe,
            Executed::No | Executed::Maybe | Executed::Yes => executed,
        };
        if call.epoch == turn.epoch {
            match (&verdict, call.place.is_sent()) {
                (Verdict::Replied(_), _) => turn.tally.answers += 1,
                (Verdict::TimedOut, true) => turn.tally.timeouts += 1,
                (
                    Verdict::TimedOut
                    | Verdict::Refused(_)
                    | Verdict::Cancelled
                    | Verdict::TransportLost { .. },
                    _,
                ) => turn.tally.neutral += 1,
            }
        }
        turn.effects.push(Effect::Disarm {
            key: TimerKey::Call(id),
        });
        turn.effects.push(Effect::Complete {
            call: id,
            verdict,
            executed,
        });
    }

    /// An answer, whatever it says: the server lives, and has executed the call.
    pub(super) fn reply(&mut self, id: CallId, reply: ReplyKind, turn: &mut Turn<'_>) {
        if self.calls.get(id).is_none_or(|call| !call.place.is_sent()) {
            turn.ignored = Some(Ignored::UnknownCall);
            return;
        }
        self.last_error = None;
        self.heard_at = turn.at;
        self.complete(id, Verdict::Replied(reply), Executed::Yes, turn);
    }

    /// Progress begins the call's deadline anew, never past its cap.
    pub(super) fn progress(&mut self, id: CallId, turn: &mut Turn<'_>) {
        let (at, cap_ms) = (turn.at, self.tuning.call_cap_ms);
        let Some(place) = self.calls.get(id).map(|call| call.place) else {
            turn.ignored = Some(Ignored::UnknownCall);
            return;
        };
        let sent_at = match place {
            Place::Queued => {
                turn.ignored = Some(Ignored::UnknownCall);
                return;
            }
            Place::Sent { at } | Place::Overdue { at } => at,
        };
        self.heard_at = at;
        let updated = self.calls.update(id, |call| {
            call.place = Place::Sent { at: sent_at };
            call.due = at.plus(call.timeout_ms).min(call.submitted_at.plus(cap_ms));
        });
        if let Some(call) = updated {
            turn.effects.push(Effect::Arm {
                key: TimerKey::Call(id),
                due: call.due,
            });
        }
    }

    pub(super) fn cancel(&mut self, id: CallId, turn: &mut Turn<'_>) {
        let Some(call) = self.calls.get(id) else {
            turn.ignored = Some(Ignored::UnknownCall);
            return;
        };
        let executed = if call.place.is_sent() {
            self.write(
                |generation| Effect::SendCancel {
                    generation,
                    call: id,
                },
                turn,
            );
            Executed::Maybe
        } else {
            Executed::No
        };
        self.complete(id, Verdict::Cancelled, executed, turn);
    }

    /// A call has reached its next limit.
    pub(super) fn call_limit(&mut self, id: CallId, turn: &mut Turn<'_>) -> Suspicion {
        let Some(call) = self.calls.get(id) else {
            return Suspicion::None;
        };
        let (place, cap) = (call.place, call.submitted_at.plus(self.tuning.call_cap_ms));
        match place {
            Place::Queued => {
                let executed = Executed::No;
                self.complete(id, Verdict::TimedOut, executed, turn);
                Suspicion::None
            }
            Place::Sent { at } if turn.at < cap => {
                self.calls.update(id, |call| {
                    call.place = Place::Overdue { at };
                    call.due = cap;
                });
                turn.effects.push(Effect::Arm {
                    key: TimerKey::Call(id),
                    due: cap,
                });
                Suspicion::Raised
            }
            // The server is asked once whether it lives, at the latest when the call ends.
            Place::Sent { .. } | Place::Overdue { .. } => {
                self.write(
                    |generation| Effect::SendCancel {
                        generation,
                        call: id,
                    },
                    turn,
                );
                let suspicion = match place {
                    Place::Sent { .. } => Suspicion::Raised,
                    Place::Queued | Place::Overdue { .. } => Suspicion::None,
                };
                self.last_error = Some(LastError::CallTimedOut);
                self.complete(id, Verdict::TimedOut, Executed::Maybe, turn);
                suspicion
            }
        }
    }

    /// The process is gone: every call that it had is sent again, or answered as lost.
    pub(super) fn exited(
        &mut self,
        status: ExitStatus,
        unread: &[CallId],
        future: Future,
        turn: &mut Turn<'_>,
    ) {
        self.last_exit = Some(status);
        self.input = Pipe::Closed;
        if future == Future::Restart {
            self.count_loss(turn);
        }
        for id in self.calls.ids(|call| call.place.is_sent()) {
            let was_unread = unread.binary_search(&id).is_ok();
            self.settle(id, status, was_unread, future, turn);
        }
    }

    fn settle(
        &mut self,
        id: CallId,
        status: ExitStatus,
        was_unread: bool,
        future: Future,
        turn: &mut Turn<'_>,
    ) {
        let Some(call) = self.calls.get(id) else {
            return;
        };
        let executed = if was_unread {
            Executed::No
        } else {
            Executed::Maybe
        };
        let may_repeat = match call.class {
            CallClass::ReadOnly | CallClass::Idempotent => call.repeats < REPEATS_MAX,
            CallClass::Unsafe => false,
        };
        let inside_deadline = matches!(call.place, Place::Sent { .. });
        let goes_on = future == Future::Restart
            && inside_deadline
            && self.queue_has_room()
            && (was_unread || may_repeat);
        if !goes_on {
            let verdict = Verdict::TransportLost {
                status: Some(status),
            };
            return self.complete(id, verdict, executed, turn);
        }
        let patience_ends = turn.at.plus(self.tuning.queue_ms);
        let requeued = self.calls.update(id, |call| {
            call.place = Place::Queued;
            call.due = call.due.min(patience_ends);
            if !was_unread {
                call.repeats += 1;
            }
        });
        if let Some(call) = requeued {
            turn.effects.push(Effect::Arm {
                key: TimerKey::Call(id),
                due: call.due,
            });
        }
    }

    /// A death is one fault, however many calls were in flight.
    pub(super) fn count_loss(&self, turn: &mut Turn<'_>) {
        let epoch = turn.epoch;
        if self
            .calls
            .iter()
            .any(|(_, call)| call.place.is_sent() && call.epoch == epoch)
        {
            turn.tally.losses += 1;
        }
    }

    /// Nobody will ever know what became of these.
    pub(super) fn lose_in_flight(&mut self, status: Option<ExitStatus>, turn: &mut Turn<'_>) {
        for id in self.calls.ids(|call| call.place.is_sent()) {
            self.complete(id, Verdict::TransportLost { status }, Executed::Maybe, turn);
        }
    }

    /// Gives a call in flight more time.
    pub(super) fn extend(&mut self, id: CallId, length: Millis, turn: &mut Turn<'_>) {
        let updated = self.calls.update(id, |call| {
            call.submitted_at = call.submitted_at.plus(length);
            call.due = call.due.plus(length);
        });
        if let Some(call) = updated {
            turn.effects.push(Effect::Arm {
                key: TimerKey::Call(id),
                due: call.due,
            });
        }
    }
}
