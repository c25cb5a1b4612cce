//! What happened in a step, before it is told what followed.

use super::Step;
use crate::cli::explain::chain::{Passing, Weight};
use crate::publish::numbers::{counted, length};
use crate::publish::words;
use rea_fsm::{
    Drain, EventKind, HandshakeFailure, LastError, Leaf, Millis, Operator, Phase, Report,
    SpawnFailure, State, TeardownStep, TimerKey,
};

/// What happened.
pub(super) enum Cause {
    /// What happens all the time.
    Routine,
    /// In a sentence.
    Told(String, Weight),
    /// In a sentence, unless it passes.
    Passing(Passing, String, Weight),
}

impl Step<'_> {
    pub(super) fn cause(&self) -> Cause {
        match &self.input.event.kind {
            EventKind::Operator(operator) => operator_said(operator),
            EventKind::SlotGranted { .. } => Cause::Passing(
                Passing::Spawn,
                format!("A process is being started ({}).", self.generation()),
                Weight::Step,
            ),
            EventKind::Child { report, .. } => self.reported(report),
            EventKind::Timer { key } => self.fired(*key),
            EventKind::Overslept { late_ms } => Cause::Told(
                format!(
                    "The gateway was asleep for {}: whoever was waited for then was given that \
                     much longer.",
                    length(*late_ms)
                ),
                Weight::Step,
            ),
            EventKind::Submit { .. }
            | EventKind::Cancel { .. }
            | EventKind::Answered { .. }
            | EventKind::Resume { .. } => Cause::Routine,
        }
    }

    fn generation(&self) -> String {
        match self.machine.conn().generation() {
            Some(generation) => format!("generation {}", generation.0),
            None => "no generation".to_owned(),
        }
    }

    fn reported(&self, report: &Report) -> Cause {
        match report {
            Report::SpawnOk { pid } => Cause::Told(
                format!("Process {pid} was started ({}).", self.generation()),
                Weight::Step,
            ),
            Report::SpawnFailed { failure } => {
                let text = match failure {
                    SpawnFailure::Blocked(reason) => {
                        format!("It could not be started: {}.", words::block_reason(reason))
                    }
                    SpawnFailure::System { .. } => {
                        let failure = failure.clone();
                        let error = words::last_error(&LastError::SpawnFailed { failure });
                        format!("It {error}.")
                    }
                };
                Cause::Told(text, Weight::Reason)
            }
            Report::ProbeModern { .. }
            | Report::InitOk { .. }
            | Report::Listed { .. }
            | Report::ListErr {} => self.ready(),
            Report::ProbeLegacy {} if self.decision.to == Leaf::Reaping => {
                refused(HandshakeFailure::Unsupported)
            }
            Report::HandshakeErr { failure } => refused(*failure),
            Report::StdoutEof {} => self.pipe_lost("Its standard output ended"),
            Report::StdinBroken {} => self.pipe_lost("Its standard input broke"),
            Report::Exited { status, .. } => {
                let early = if self.before.was_ready {
                    ""
                } else {
                    " before it was ready"
                };
                let text = format!(
                    "The process ({}) ended{early}: {}.",
                    self.generation(),
                    words::exit_status(*status)
                );
                Cause::Told(text, Weight::Reason)
            }
            Report::IoErr { kind } => {
                let error = words::last_error(&LastError::Io { kind: *kind });
                Cause::Told(
                    format!("Its output broke the rules: {error}."),
                    Weight::Turn,
                )
            }
            Report::ProbeLegacy {}
            | Report::ListChanged {}
            | Report::Pong {}
            | Report::Alive {}
            | Report::Reply { .. }
            | Report::Progress { .. }
            | Report::Asked { .. }
            | Report::Withdrew { .. } => Cause::Routine,
        }
    }

    fn ready(&self) -> Cause {
        if !self.changes(Leaf::Connecting, Leaf::Ready) {
            return Cause::Routine;
        }
        let tools = match self.machine.view().tools_count {
            Some(count) => format!("with {}", counted(u64::from(count), "tool", "tools")),
            None => "although it could not list its tools".to_owned(),
        };
        Cause::Told(
            format!("It became ready ({}), {tools}.", self.generation()),
            Weight::Turn,
        )
    }

    /// In most deaths the exit follows at once and says more.
    fn pipe_lost(&self, what: &str) -> Cause {
        if self.decision.from == self.decision.to {
            return Cause::Routine;
        }
        let early = if self.decision.from == Leaf::Connecting {
            " before it was ready"
        } else {
            ""
        };
        Cause::Passing(Passing::LostPipe, format!("{what}{early}."), Weight::Reason)
    }

    fn fired(&self, key: TimerKey) -> Cause {
        let tuning = self.machine.conn().tuning();
        let suspects = self.changes(Leaf::Ready, Leaf::Suspect);
        match key {
            TimerKey::Handshake => self.handshake_time(tuning.handshake_ms),
            TimerKey::Probe => Cause::Told(
                format!(
                    "It did not answer `server/discover` within {}, and is asked `initialize`, \
                     like older servers.",
                    length(tuning.probe_ms)
                ),
                Weight::Step,
            ),
            TimerKey::Backoff => Cause::Told(
                "The pause is over: the next try begins.".to_owned(),
                Weight::Step,
            ),
            TimerKey::Lock => Cause::Told(
                "The lock is over: it is tried once.".to_owned(),
                Weight::Step,
            ),
            TimerKey::Pong if self.changes(Leaf::Suspect, Leaf::Reaping) => Cause::Told(
                format!(
                    "It said nothing for {} after it was asked whether it lives.",
                    length(tuning.pong_ms)
                ),
                Weight::Reason,
            ),
            TimerKey::Heartbeat if suspects => suspicion(&format!(
                "It said nothing for {}, and is asked whether it lives.",
                length(tuning.heartbeat_ms)
            )),
            TimerKey::Call(_) if suspects => suspicion(
                "A call was not answered within its time, and the server is asked whether it lives.",
            ),
            TimerKey::Stable if self.before.view.restarts_in_window > 0 => Cause::Told(
                "It has been ready for so long that its restarts are forgiven.".to_owned(),
                Weight::Turn,
            ),
            TimerKey::Teardown => self.next_step(),
            TimerKey::Drain => Cause::Told(
                "Calls under way have had their time.".to_owned(),
                Weight::Step,
            ),
            TimerKey::Breaker => {
                Cause::Told("The circuit's pause is over.".to_owned(), Weight::Step)
            }
            TimerKey::Unready => Cause::Told(
                format!(
                    "It has not been ready for {}.",
                    length(tuning.blocker_unready_ms)
                ),
                Weight::Turn,
            ),
            TimerKey::Pong
            | TimerKey::Heartbeat
            | TimerKey::Stable
            | TimerKey::List
            | TimerKey::Rearm
            | TimerKey::Call(_)
            | TimerKey::Question(_)
            | TimerKey::Held(_)
            | TimerKey::Gather => Cause::Routine,
        }
    }

    fn handshake_time(&self, within: Millis) -> Cause {
        match (&self.before.state, self.before.awaited()) {
            (
                State::Connecting {
                    phase: Phase::Waiting,
                    ..
                },
                _,
            )
            | (_, None) => Cause::Routine,
            (_, Some(awaited)) => Cause::Told(
                format!("It was not ready within {}: {awaited}.", length(within)),
                Weight::Reason,
            ),
        }
    }

    fn next_step(&self) -> Cause {
        match self.machine.state() {
            State::Reaping { step, .. } | State::Terminating { step } => match step {
                TeardownStep::AwaitingSpawn | TeardownStep::Draining | TeardownStep::Lingering => {
                    Cause::Routine
                }
                TeardownStep::StdinClosed => Cause::Told(
                    "Its standard input was closed, which asks it to end.".to_owned(),
                    Weight::Step,
                ),
                TeardownStep::TermSent => Cause::Told(
                    "It did not end: TERM was sent to it.".to_owned(),
                    Weight::Step,
                ),
                TeardownStep::KillSent => Cause::Told(
                    "It did not end: KILL was sent to it.".to_owned(),
                    Weight::Turn,
                ),
            },
            State::Stuck if self.decision.from != Leaf::Stuck => Cause::Told(
                format!("KILL did not end its process ({}).", self.generation()),
                Weight::Reason,
            ),
            State::Closed { .. } => Cause::Told(
                format!("Its process ({}) did not end in time.", self.generation()),
                Weight::Turn,
            ),
            State::Idle
            | State::Connecting { .. }
            | State::Ready
            | State::Suspect { .. }
            | State::Backoff { .. }
            | State::Stuck
            | State::Blocked { .. }
            | State::FlapLocked { .. }
            | State::Draining => Cause::Routine,
        }
    }
}

fn suspicion(text: &str) -> Cause {
    Cause::Passing(Passing::Suspicion, text.to_owned(), Weight::Turn)
}

fn refused(failure: HandshakeFailure) -> Cause {
    let text = match failure {
        HandshakeFailure::Unsupported => {
            "It speaks no revision of the protocol that this gateway speaks.".to_owned()
        }
        HandshakeFailure::Rpc { code } => format!("It refused the handshake with error {code}."),
        HandshakeFailure::Malformed => {
            "It answered the handshake with something that the protocol does not know.".to_owned()
        }
    };
    Cause::Told(text, Weight::Reason)
}

fn operator_said(operator: &Operator) -> Cause {
    let text = match operator {
        Operator::Start {} => "The gateway began to keep it running.".to_owned(),
        Operator::Stop {
            drain: Drain::Within(Millis::ZERO) | Drain::Now,
        } => "The gateway began to end, and stopped it.".to_owned(),
        Operator::Stop {
            drain: Drain::Within(within),
        } => format!(
            "The gateway began to end, and stopped it; calls under way had {} left.",
            length(*within)
        ),
        Operator::Retry {} => "Somebody asked for another try.".to_owned(),
        Operator::Restart { .. } => "Somebody asked for another process.".to_owned(),
        Operator::Configure { .. } => "Its numbers were changed.".to_owned(),
    };
    Cause::Told(text, Weight::Turn)
}
