//! What every state does: keep the calls that are held, take new numbers, and name the reason why
//! an event that nobody wanted changes nothing.

use super::{Conn, State, Turn};
use crate::conn::Pipe;
use crate::decision::Ignored;
use crate::event::{EventKind, Operator, Report};
use crate::id::{Millis, TimerKey};
use statig::Outcome::{self, Handled};

pub(super) fn root(conn: &mut Conn, event: &EventKind, turn: &mut Turn<'_>) -> Outcome<State> {
    match event {
        EventKind::Operator(operator) => match operator {
            Operator::Configure { tuning } => {
                conn.tuning = (**tuning).clone();
                Handled
            }
            Operator::Start {} => turn.ignore(Ignored::AlreadyStarted),
            Operator::Stop { .. } => turn.ignore(Ignored::AlreadyStopping),
            Operator::Retry {} => turn.ignore(Ignored::NothingToRetry),
            Operator::Restart { .. } => turn.ignore(Ignored::NothingToRestart),
        },
        EventKind::SlotGranted { .. } => turn.ignore(Ignored::StaleTicket),
        EventKind::Child { report, .. } => match report {
            Report::Reply { call, reply, .. } => {
                conn.reply(*call, *reply, turn);
                Handled
            }
            Report::Progress { call } => {
                conn.progress(*call, turn);
                Handled
            }
            Report::Asked { .. } | Report::Withdrew { .. } => match conn.input {
                Pipe::Open => {
                    conn.heard_at = turn.at;
                    Handled
                }
                // Nobody could be told the answer.
                Pipe::Closed => turn.ignore(Ignored::Unexpected),
            },
            Report::SpawnOk { .. }
            | Report::SpawnFailed { .. }
            | Report::ProbeModern { .. }
            | Report::ProbeLegacy {}
            | Report::InitOk { .. }
            | Report::HandshakeErr { .. }
            | Report::Listed { .. }
            | Report::ListErr {}
            | Report::ListChanged {}
            | Report::StdoutEof {}
            | Report::StdinBroken {}
            | Report::Exited { .. }
            | Report::IoErr { .. }
            | Report::Pong {}
            | Report::Alive {} => turn.ignore(Ignored::Unexpected),
        },
        EventKind::Cancel { call } => {
            conn.cancel(*call, turn);
            Handled
        }
        EventKind::Timer {
            key: TimerKey::Call(call),
        } => {
            conn.call_limit(*call, turn);
            Handled
        }
        EventKind::Overslept { late_ms } => {
            conn.overslept(*late_ms, turn);
            Handled
        }
        // Every state takes its calls, every armed timer belongs to the state that armed it, and
        // what the client says about questions goes to the questions.
        EventKind::Submit { .. }
        | EventKind::Timer { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. } => turn.ignore(Ignored::Unexpected),
    }
}

impl Conn {
    /// Servers could not answer while the gateway slept: what they are given time for is given
    /// that much more. Pauses, locks and the ending of processes are not theirs.
    fn overslept(&mut self, late_ms: Millis, turn: &mut Turn<'_>) {
        for key in [
            TimerKey::Handshake,
            TimerKey::Probe,
            TimerKey::Pong,
            TimerKey::List,
        ] {
            if let Some(due) = self.timers.due(key) {
                self.timers.arm(key, due.plus(late_ms), turn.effects);
            }
        }
        for id in self.calls.ids(|call| call.place.is_sent()) {
            self.extend(id, late_ms, turn);
        }
    }
}
