//! The machines of a log, stepped and compared.

use super::report::{Divergence, Observed};
use super::what_if::{Change, Decided, WhatIf, WhatIfError, Why};
use crate::journal::{Header, Hex64, Input, Snapshots, machine_seed};
use rea_fsm::{Decision, Downstream, Effect, Event, EventKind, Millis, Snapshot, digest};
use std::collections::BTreeMap;

/// One server's machine, and the same one under other numbers until it decides otherwise.
struct Machine {
    recorded: Downstream,
    otherwise: Option<Downstream>,
}

/// What the machine under other numbers made of an event, before the recorded one is stepped.
pub(super) enum Attempt {
    None,
    FiresFirst(Why),
    Decided(Decided),
}

pub(super) struct Machines {
    by_server: BTreeMap<String, Machine>,
    what_if: Option<WhatIf>,
    /// Servers that have decided otherwise: no snapshot brings their other machine back.
    changed: Vec<String>,
}

impl Machines {
    pub(super) const fn new(what_if: Option<WhatIf>) -> Self {
        Self {
            by_server: BTreeMap::new(),
            what_if,
            changed: Vec::new(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.by_server.len()
    }

    pub(super) fn unchanged(&self) -> Vec<String> {
        let untouched = |(name, machine): (&String, &Machine)| {
            machine.otherwise.is_some().then(|| name.clone())
        };
        self.by_server.iter().filter_map(untouched).collect()
    }

    /// Machines that were never started, as a header describes them.
    pub(super) fn begin(&mut self, header: &Header) -> Result<(), WhatIfError> {
        self.by_server.clear();
        for (server, tuning) in &header.config {
            let seed = machine_seed(header.jitter_seed.0, server);
            let otherwise = match &self.what_if {
                Some(what_if) => Some(Downstream::new(what_if.apply(server, tuning)?, seed)),
                None => None,
            };
            let machine = Machine {
                recorded: Downstream::new(tuning.clone(), seed),
                otherwise,
            };
            self.by_server.insert(server.clone(), machine);
        }
        Ok(())
    }

    /// Machines as a snapshot has them.
    pub(super) fn take_up(&mut self, snapshots: &Snapshots) -> Result<(), WhatIfError> {
        self.by_server.clear();
        for (server, snapshot) in snapshots {
            let otherwise = match &self.what_if {
                Some(what_if) if !self.changed.contains(server) => {
                    Some(Downstream::restore(what_if.apply_to(server, snapshot)?))
                }
                Some(_) | None => None,
            };
            let machine = Machine {
                recorded: Downstream::restore(snapshot.clone()),
                otherwise,
            };
            self.by_server.insert(server.clone(), machine);
        }
        Ok(())
    }

    /// Compares every machine with what a new file says of it.
    pub(super) fn compare(&self, seq: u64, snapshots: &Snapshots) -> Option<Box<Divergence>> {
        let whole = |snapshot: Option<&Snapshot>| Observed {
            state: snapshot.map(|snapshot| snapshot.state.leaf()),
            snapshot: snapshot.map(|snapshot| Hex64(digest(snapshot))),
            ..Observed::default()
        };
        let names = self.by_server.keys().chain(snapshots.keys());
        for server in names {
            let got = self
                .by_server
                .get(server)
                .map(|machine| machine.recorded.snapshot());
            let expected = snapshots.get(server);
            if got.as_ref() != expected {
                return Some(Box::new(Divergence {
                    seq,
                    at_ms: Millis::ZERO,
                    server: server.clone(),
                    before: None,
                    event: None,
                    expected: whole(expected),
                    got: whole(got.as_ref()),
                    state_got: got.map(|snapshot| snapshot.state),
                    effects_got: Vec::new(),
                }));
            }
        }
        None
    }

    /// Steps the recorded machine and compares what came out.
    pub(super) fn step(
        &mut self,
        input: &Input,
        effects: &mut Vec<Effect>,
    ) -> Result<(Decision, &Downstream), Box<Divergence>> {
        let expected = Observed {
            state: Some(input.state),
            effects: Some(input.effects),
            digest: Some(input.digest),
            snapshot: input.snapshot,
        };
        let diverged = |before, got, state_got, effects_got| {
            Box::new(Divergence {
                seq: input.seq,
                at_ms: input.event.at_ms,
                server: input.server.clone(),
                before,
                event: Some(input.event.kind.clone()),
                expected,
                got,
                state_got,
                effects_got,
            })
        };
        let Some(machine) = self.by_server.get_mut(&input.server) else {
            return Err(diverged(None, Observed::default(), None, Vec::new()));
        };
        let machine = &mut machine.recorded;
        let before = machine.state().clone();
        let decision = machine.step(&input.event, effects);
        let got = Observed {
            state: Some(decision.to),
            effects: Some(Hex64(digest(effects.as_slice()))),
            digest: Some(Hex64(machine.digest())),
            snapshot: input.snapshot.map(|_| Hex64(digest(&machine.snapshot()))),
        };
        if got == expected {
            Ok((decision, machine))
        } else {
            let state = machine.state().clone();
            Err(diverged(Some(before), got, Some(state), effects.clone()))
        }
    }

    /// Steps the machine under other numbers, before the recorded one.
    pub(super) fn try_otherwise(&mut self, input: &Input) -> Result<Attempt, WhatIfError> {
        let Some(what_if) = &self.what_if else {
            return Ok(Attempt::None);
        };
        let Some(Machine {
            recorded,
            otherwise: Some(otherwise),
        }) = self.by_server.get_mut(&input.server)
        else {
            return Ok(Attempt::None);
        };
        let at = input.event.at_ms;
        let is_due_as_recorded = |key| recorded.due(key).is_some_and(|due| due <= at);
        let fires_first = otherwise
            .armed()
            .filter(|(key, due)| *due <= at && !is_due_as_recorded(*key))
            .min_by_key(|(_, due)| *due);
        if let Some((key, due)) = fires_first {
            return Ok(Attempt::FiresFirst(Why::TimerFirst { key, due }));
        }
        let mut effects = Vec::new();
        let decision = match &input.event.kind {
            EventKind::Operator(rea_fsm::Operator::Configure { tuning }) => {
                let tuning = what_if.apply(&input.server, tuning)?;
                let event = Event {
                    at_ms: at,
                    kind: EventKind::configure(tuning),
                };
                otherwise.step(&event, &mut effects)
            }
            EventKind::Operator(_)
            | EventKind::SlotGranted { .. }
            | EventKind::Child { .. }
            | EventKind::Submit { .. }
            | EventKind::Cancel { .. }
            | EventKind::Timer { .. }
            | EventKind::Answered { .. }
            | EventKind::Resume { .. }
            | EventKind::Overslept { .. } => otherwise.step(&input.event, &mut effects),
        };
        Ok(Attempt::Decided(Decided { decision, effects }))
    }

    /// Compares the two. Once they part, the other machine is put away: the events that follow
    /// answer the recorded effects, not its own.
    pub(super) fn settle(
        &mut self,
        input: &Input,
        attempt: Attempt,
        decision: Decision,
        effects: &[Effect],
    ) -> Option<Change> {
        let recorded = || Decided {
            decision,
            effects: effects.to_vec(),
        };
        let why = match attempt {
            Attempt::None => return None,
            Attempt::FiresFirst(why) => why,
            Attempt::Decided(otherwise) if otherwise.is_same(decision, effects) => return None,
            Attempt::Decided(otherwise) => Why::Decided {
                recorded: recorded(),
                otherwise,
            },
        };
        if let Some(machine) = self.by_server.get_mut(&input.server) {
            machine.otherwise = None;
        }
        self.changed.push(input.server.clone());
        Some(Change {
            seq: input.seq,
            at_ms: input.event.at_ms,
            server: input.server.clone(),
            event: input.event.kind.clone(),
            why,
        })
    }
}
