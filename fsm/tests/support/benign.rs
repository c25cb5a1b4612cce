//! A world in which everything works: whatever has happened before, the server is soon ready, and
//! no call is needed for that.

use super::coverage::{Coverage, Premise};
use super::drive::Scene;
use super::offers::{Offers, offers};
use super::world::World;
use rea_fsm::{
    Circuit, Downstream, Event, EventKind, Leaf, Millis, Operator, Report, SpawnFailure, TimerKey,
};

/// How many events it may take, timers of single calls and heartbeats not counted.
const STEPS_MAX: u32 = 25;
/// Heartbeats and their answers go on while a breaker is open, for at most five minutes, at least 2 s apart.
const BEATS_MAX: u32 = 2 * 300 / 2;

/// Runs on until the server is ready.
pub(crate) fn recovers(
    scene: &Scene,
    events: &mut Vec<Event>,
    seen: &mut Coverage,
) -> Result<(), String> {
    if matches!(
        scene.machine.leaf(),
        Leaf::Draining | Leaf::Terminating | Leaf::Closed
    ) {
        return Ok(());
    }
    seen.hit(Premise::L40);
    seen.hit(Premise::L41);
    let mut offered = Offers::new();
    let mut effects = Vec::new();
    let mut scene = scene.clone();
    let (mut steps, mut beats) = (0, 0);
    while !is_well(&scene.machine) {
        offers(&scene.world, &scene.machine, &mut offered);
        let Some(kind) = best(&scene.world, &scene.machine, &offered) else {
            return Err(format!(
                "L40: nothing can happen in {:?}",
                scene.machine.state()
            ));
        };
        let event = Event {
            at_ms: scene.world.time_of(&kind),
            kind,
        };
        match &event.kind {
            EventKind::Timer {
                key:
                    TimerKey::Call(_) | TimerKey::Question(_) | TimerKey::Held(_) | TimerKey::Gather,
            } => {}
            EventKind::Timer {
                key: TimerKey::Heartbeat,
            }
            | EventKind::Child {
                report: Report::Pong {},
                ..
            } => beats += 1,
            _ => steps += 1,
        }
        events.push(event.clone());
        if steps > STEPS_MAX || beats > BEATS_MAX {
            return Err(format!(
                "L40: not ready after {steps} steps and {beats} heartbeats: {:?}",
                scene.machine.state()
            ));
        }
        scene = scene.step(&event, &mut effects, seen)?;
    }
    Ok(())
}

fn is_well(machine: &Downstream) -> bool {
    let passes = !matches!(machine.breaker().circuit(), Circuit::Open { .. });
    machine.leaf() == Leaf::Ready && passes
}

fn best(world: &World, machine: &Downstream, offered: &Offers) -> Option<EventKind> {
    if machine.leaf() == Leaf::Blocked {
        return Some(EventKind::Operator(Operator::Retry {}));
    }
    offered
        .iter()
        .filter_map(|(_, kind)| rank(world, machine, kind).map(|rank| (rank, kind)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, kind)| kind.clone())
}

/// How soon a good world does this; `None`: not at all.
fn rank(world: &World, machine: &Downstream, kind: &EventKind) -> Option<(u8, Millis)> {
    let ending = matches!(machine.leaf(), Leaf::Reaping | Leaf::Stuck);
    let rank = match kind {
        EventKind::Operator(Operator::Start {}) => 0,
        EventKind::SlotGranted { .. } => 0,
        EventKind::Child { report, .. } => match report {
            Report::SpawnOk { .. } if machine.leaf() != Leaf::Stuck => 0,
            Report::SpawnFailed {
                failure: SpawnFailure::System { .. },
            } if machine.leaf() == Leaf::Stuck => 1,
            Report::Exited { .. } if ending => 2,
            Report::ProbeLegacy {} | Report::ProbeModern { .. } | Report::InitOk { .. }
                if machine.leaf() == Leaf::Connecting =>
            {
                0
            }
            Report::Listed { .. } if machine.leaf() == Leaf::Connecting => 0,
            Report::Pong {} if machine.leaf() == Leaf::Suspect => 0,
            _ => return None,
        },
        EventKind::Timer { key } => {
            return Some((9, world.due(*key).unwrap_or_default()));
        }
        _ => return None,
    };
    Some((rank, Millis::ZERO))
}
