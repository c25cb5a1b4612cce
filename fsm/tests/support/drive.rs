//! Ways to run a machine in its world: one checked step, and a random run from a list of draws.

use super::benign;
use super::bounds::{ENDLESS, Left};
use super::checks::{self, Step};
use super::coverage::Coverage;
use super::history::History;
use super::offers::{Offers, offers, spurious};
use super::rows::{ROWS, kind_index, pair};
use super::world::World;
use rea_fsm::{Downstream, Effect, Event, EventKind, Ignored, Leaf, Millis, Tuning};

/// A machine in its world, with the past.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) machine: Downstream,
    pub(crate) world: World,
    pub(crate) history: History,
}

impl Scene {
    pub(crate) fn new(tuning: &Tuning, seed: u64, left: Left) -> Self {
        Self {
            machine: Downstream::new(tuning.clone(), seed),
            world: World::new(left),
            history: History::default(),
        }
    }

    /// Takes an event and checks everything about it.
    pub(crate) fn step(
        &self,
        event: &Event,
        effects: &mut Vec<Effect>,
        seen: &mut Coverage,
    ) -> Result<Self, String> {
        effects.clear();
        let mut later = self.clone();
        later.world.happen(event.at_ms, &event.kind);
        let decision = later.machine.step(event, effects);
        for effect in &*effects {
            checks::effect(&later.world, &self.machine, event, effect, seen)?;
            later.world.obey(effect);
        }
        checks::ended(&mut later.world, event, &later.machine, effects, seen)?;
        later
            .history
            .record(&self.world, &self.machine, event, effects, &later.machine);
        seen.steps += 1;
        let gated = matches!(
            decision.ignored,
            Some(
                Ignored::StaleGeneration
                    | Ignored::StaleTicket
                    | Ignored::StaleTimer
                    | Ignored::DuplicateCall
                    | Ignored::UnknownQuestion
                    | Ignored::DuplicateQuestion
                    | Ignored::NotHeld
            )
        );
        if !gated {
            let ignored = decision.ignored.is_some();
            seen.pair(decision.from, pair(&event.kind, ignored));
            let kind = kind_index(&event.kind);
            for (row, count) in ROWS.iter().zip(&mut seen.rows) {
                *count += u64::from(row.matches(decision.from, kind, decision.to));
            }
        }
        let step = Step {
            before: &self.machine,
            world: &self.world,
            history: &self.history,
            event,
            effects,
            decision,
            after: &later.machine,
            later: &later.world,
            past: &later.history,
        };
        checks::step(&step, seen)?;
        Ok(later)
    }
}

/// A run that failed: why, and every event from the machine's beginning.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) broken: String,
    pub(crate) events: Vec<Event>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\nafter these events:", self.broken)?;
        for event in &self.events {
            writeln!(f, "  {:>8} {:?}", event.at_ms.0, event.kind)?;
        }
        Ok(())
    }
}

/// How many further events a closed machine gets before a new one takes its place.
const AFTERLIFE: u32 = 6;
/// One draw in so many becomes an event that means nothing any more.
const SPURIOUS_EVERY: u32 = 7;

/// What a random run is given.
pub(crate) struct Plan<'a> {
    pub(crate) tuning: &'a Tuning,
    pub(crate) left: Left,
    pub(crate) seed: u64,
    /// Whether the benign world is tried at the run's end.
    pub(crate) benign: bool,
}

/// Runs one machine after another, an event for each draw.
pub(crate) fn run(plan: &Plan<'_>, draws: &[u32], seen: &mut Coverage) -> Result<(), Failure> {
    let mut rest = draws;
    while !rest.is_empty() {
        let mut events = Vec::new();
        match run_keeping(plan, rest, seen, &mut events) {
            Ok(used) => rest = &rest[used..],
            Err(broken) => return Err(Failure { broken, events }),
        }
    }
    Ok(())
}

/// Runs one machine until it has been closed for a while or there are no more draws; keeps its
/// events. Tells how many draws were used.
pub(crate) fn run_keeping(
    plan: &Plan<'_>,
    draws: &[u32],
    seen: &mut Coverage,
    events: &mut Vec<Event>,
) -> Result<usize, String> {
    let mut offered = Offers::new();
    let mut effects = Vec::new();
    let mut scene = Scene::new(plan.tuning, plan.seed, plan.left.clone());
    let mut afterlife = AFTERLIFE;
    for (used, draw) in draws.iter().enumerate() {
        if scene.machine.leaf() == Leaf::Closed {
            if afterlife == 0 {
                return Ok(used);
            }
            afterlife -= 1;
        }
        if draw % SPURIOUS_EVERY == SPURIOUS_EVERY - 1 {
            spurious(&scene.world, &scene.machine, &mut offered);
        } else {
            offers(&scene.world, &scene.machine, &mut offered);
        }
        let event = choose(&scene.world, &offered, draw / SPURIOUS_EVERY);
        events.push(event.clone());
        scene = scene.step(&event, &mut effects, seen)?;
    }
    if plan.benign {
        benign::recovers(&scene, events, seen)?;
    }
    Ok(draws.len())
}

/// The draw's event among those offered, and its time.
fn choose(world: &World, offered: &Offers, draw: u32) -> Event {
    let total: u32 = offered.iter().map(|(weight, _)| weight).sum();
    let mut rest = draw % total.max(1);
    let chosen = offered.iter().find(|(weight, _)| {
        let found = rest < *weight;
        rest = rest.wrapping_sub(if found { 0 } else { *weight });
        found
    });
    let kind = chosen.map_or(
        EventKind::Cancel {
            call: rea_fsm::CallId(0),
        },
        |(_, kind)| kind.clone(),
    );
    let at_ms = world.time_of(&kind).plus(delay(world, draw / total.max(1)));
    Event { at_ms, kind }
}

/// Mostly nothing, sometimes a little, sometimes up to the next timer or past it.
fn delay(world: &World, draw: u32) -> Millis {
    let next = world
        .armed
        .iter()
        .map(|(_, due)| due.since(world.now).0)
        .min()
        .unwrap_or(100);
    let part = u64::from(draw / 32 % 101);
    Millis(match draw % 32 {
        0..=19 => 0,
        20..=26 => part,
        27..=29 => next * part / 100,
        30 => next,
        _ => next + part * 20,
    })
}

/// A world in which everything goes on for ever.
pub(crate) fn endless(tuning: &Tuning) -> Left {
    let left = Left::endless(Millis(tuning.pong_ms.0 * 2), tuning.term_ms);
    debug_assert_eq!(left.stops, ENDLESS);
    left
}
