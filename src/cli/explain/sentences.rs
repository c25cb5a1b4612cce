//! One step of a machine in sentences: what happened, what became of calls, what followed.

mod causes;

use super::calls::Fate;
use super::chain::{Passing, Told, Weight};
use super::clock::WallClock;
use super::standing::Standing;
use crate::journal::Input;
use crate::publish::advice;
use crate::publish::numbers::counted;
use causes::Cause;
use rea_fsm::{
    Circuit, Decision, Downstream, Effect, EventKind, Leaf, LogEvent, Millis, Report, State,
    Verdict,
};

/// One step with everything that its sentences are made of.
pub(super) struct Step<'a> {
    pub(super) input: &'a Input,
    pub(super) decision: Decision,
    pub(super) effects: &'a [Effect],
    pub(super) before: &'a Standing,
    pub(super) machine: &'a Downstream,
    pub(super) clock: WallClock,
}

impl Step<'_> {
    /// The step in words, if it is worth any.
    pub(super) fn told(&self) -> Told {
        if self.decision.ignored.is_some() {
            return Told::Nothing;
        }
        let consequences: Vec<_> = self
            .logged()
            .filter_map(|event| self.consequence(event))
            .collect();
        let (cause, mut weight) = match self.cause() {
            Cause::Passing(what, text, weight) if consequences.is_empty() => {
                return Told::Passing { text, weight, what };
            }
            Cause::Passing(_, text, weight) | Cause::Told(text, weight) => (Some(text), weight),
            Cause::Routine => (None, Weight::Routine),
        };
        if cause.is_none() && consequences.is_empty() {
            return self.unsaid();
        }
        // What ended calls comes before what follows, and what follows before the calls that it
        // refuses.
        let is_refused = |verdict: &Verdict| matches!(verdict, Verdict::Refused(_));
        let mut sentences: Vec<String> = cause.into_iter().collect();
        sentences.extend(self.calls(|verdict| !is_refused(verdict)));
        sentences.extend(self.end_of_process());
        for (text, more) in consequences {
            sentences.push(text);
            weight = weight.max(more);
        }
        sentences.extend(self.next_process());
        sentences.extend(self.calls(is_refused));
        Told::Link {
            text: sentences.join(" "),
            weight,
            settles: self.settles(),
        }
    }

    /// The calls that end here and that the sentences, if there are any, say nothing of.
    pub(super) fn fates(&self, told: &Told) -> impl Iterator<Item = Fate> {
        let are_told = matches!(told, Told::Link { .. });
        self.completed()
            .filter(move |(verdict, _)| !are_told || matches!(verdict, Verdict::Replied(_)))
            .map(|(_, fate)| fate)
    }

    fn completed(&self) -> impl Iterator<Item = (&Verdict, Fate)> {
        self.effects.iter().filter_map(|effect| {
            let Effect::Complete {
                verdict, executed, ..
            } = effect
            else {
                return None;
            };
            Some((verdict, Fate::of(verdict, *executed)))
        })
    }

    fn logged(&self) -> impl Iterator<Item = &LogEvent> {
        self.effects.iter().filter_map(|effect| {
            let Effect::Log(event) = effect else {
                return None;
            };
            Some(event)
        })
    }

    fn changes(&self, from: Leaf, to: Leaf) -> bool {
        self.decision.from == from && self.decision.to == to
    }

    fn wall(&self, at: Millis) -> String {
        self.clock.beside(self.input.event.at_ms, at)
    }

    /// A change of state that nothing above has words for.
    fn unsaid(&self) -> Told {
        if self.changes(Leaf::Suspect, Leaf::Ready) {
            Told::Settled(Passing::Suspicion)
        } else if self.decision.from == self.decision.to {
            Told::Nothing
        } else {
            Told::Link {
                text: format!("It is {}.", advice::state(self.machine.view())),
                weight: Weight::Step,
                settles: None,
            }
        }
    }

    fn settles(&self) -> Option<Passing> {
        let EventKind::Child { report, .. } = &self.input.event.kind else {
            return None;
        };
        match report {
            Report::SpawnOk { .. } | Report::SpawnFailed { .. } => Some(Passing::Spawn),
            Report::Exited { .. } => Some(Passing::LostPipe),
            Report::ProbeModern { .. }
            | Report::ProbeLegacy {}
            | Report::InitOk { .. }
            | Report::HandshakeErr { .. }
            | Report::Listed { .. }
            | Report::ListErr {}
            | Report::ListChanged {}
            | Report::StdoutEof {}
            | Report::StdinBroken {}
            | Report::IoErr { .. }
            | Report::Pong {}
            | Report::Alive {}
            | Report::Reply { .. }
            | Report::Progress { .. }
            | Report::Asked { .. }
            | Report::Withdrew { .. } => None,
        }
    }

    /// The calls that ended otherwise than by an answer, of those that are wanted.
    fn calls(&self, wanted: impl Fn(&Verdict) -> bool) -> Vec<String> {
        let mut counts: Vec<(Fate, u64)> = Vec::new();
        for (verdict, fate) in self.completed() {
            if matches!(verdict, Verdict::Replied(_)) || !wanted(verdict) {
                continue;
            }
            match counts.iter_mut().find(|(known, _)| *known == fate) {
                Some((_, count)) => *count += 1,
                None => counts.push((fate, 1)),
            }
        }
        let counted = |(fate, count): (Fate, u64)| format!("{}.", fate.counted(count));
        counts.into_iter().map(counted).collect()
    }

    fn end_of_process(&self) -> Option<String> {
        let is_asked = self.effects.iter().any(|effect| {
            matches!(
                effect,
                Effect::CloseStdin { .. } | Effect::SignalGroup { .. }
            )
        });
        let begins = self.decision.from != self.decision.to
            && matches!(self.decision.to, Leaf::Reaping | Leaf::Terminating);
        (is_asked && begins).then(|| "Its process is being ended.".to_owned())
    }

    /// A new process that costs nothing, of which no log event speaks.
    fn next_process(&self) -> Option<String> {
        let is_gone = matches!(self.decision.from, Leaf::Connecting | Leaf::Reaping)
            && matches!(
                &self.input.event.kind,
                EventKind::Child {
                    report: Report::Exited { .. } | Report::SpawnFailed { .. },
                    ..
                }
            );
        let is_said = self
            .logged()
            .any(|event| matches!(event, LogEvent::ReconnectAttempt { .. }));
        (is_gone && self.decision.to == Leaf::Connecting && !is_said)
            .then(|| "Another one is started, which does not count as a restart.".to_owned())
    }

    /// What a log event adds to the cause, if the cause has not said it.
    fn consequence(&self, event: &LogEvent) -> Option<(String, Weight)> {
        let tuning = self.machine.conn().tuning();
        Some(match event {
            LogEvent::ConnectAttempt { .. }
            | LogEvent::Connected { .. }
            | LogEvent::Reconnected { .. }
            | LogEvent::ConnectFailed { .. }
            | LogEvent::ChildDied { .. }
            | LogEvent::TransportError { .. } => return None,
            LogEvent::ReconnectAttempt { restarts } => {
                let intensity = tuning.restart_intensity;
                let when = match self.machine.state() {
                    State::Backoff { until } => format!("at {}", self.wall(*until)),
                    State::Idle
                    | State::Connecting { .. }
                    | State::Ready
                    | State::Suspect { .. }
                    | State::Reaping { .. }
                    | State::Stuck
                    | State::Blocked { .. }
                    | State::FlapLocked { .. }
                    | State::Draining
                    | State::Terminating { .. }
                    | State::Closed { .. } => "at once".to_owned(),
                };
                (
                    format!("It is started again {when} (restart {restarts} of {intensity})."),
                    Weight::Step,
                )
            }
            LogEvent::RespawnRefusedFlap { until, locks: 1 } => (
                format!(
                    "Its restarts are used up: it is locked until {}.",
                    self.wall(*until)
                ),
                Weight::Reason,
            ),
            LogEvent::RespawnRefusedFlap { until, locks } => (
                format!(
                    "It is locked again, until {} (lock {locks} in a row).",
                    self.wall(*until)
                ),
                Weight::Reason,
            ),
            LogEvent::Blocked { .. } => (
                "It is blocked: it is not tried again until somebody changes something.".to_owned(),
                Weight::Reason,
            ),
            LogEvent::Unkillable { .. } => (
                "It is not replaced while that process lives.".to_owned(),
                Weight::Reason,
            ),
            LogEvent::Orphaned { .. } => {
                ("The process was left behind.".to_owned(), Weight::Reason)
            }
            LogEvent::CircuitOpen { retry_at } => {
                let until = self.wall(*retry_at);
                let text = match self.before.view.circuit {
                    Circuit::HalfOpen { .. } => {
                        format!("The try failed: the circuit opens again, until {until}.")
                    }
                    Circuit::Closed { .. } | Circuit::Open { .. } => {
                        let faults = u64::from(tuning.breaker_faults);
                        let faults = counted(faults, "failure", "failures in a row");
                        format!(
                            "After {faults} the circuit opens: calls are refused until {until}."
                        )
                    }
                };
                (text, Weight::Reason)
            }
            LogEvent::CircuitHalfOpen => (
                "The circuit is half open: the next call tries it.".to_owned(),
                Weight::Turn,
            ),
            LogEvent::CircuitClosed => (
                "An answer closes the circuit: calls are passed on again.".to_owned(),
                Weight::Turn,
            ),
            LogEvent::SessionBlocker { .. } => (
                "It has been in trouble for so long that somebody should look.".to_owned(),
                Weight::Turn,
            ),
        })
    }
}
