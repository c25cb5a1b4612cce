//! Breadth-first exploration of everything that can happen, to closure.
//!
//! What has been visited is kept as 128-bit fingerprints; from where, as an index and the number
//! of the choice, so that a broken property is told with the shortest list of events that breaks
//! it.

use super::benign;
use super::canonical::fingerprint;
use super::coverage::Coverage;
use super::drive::{Failure, Scene};
use super::offers::{Offers, offers, spurious};
use super::spaces::Space;
use rea_fsm::{Effect, Event};
use std::hash::{BuildHasherDefault, Hasher};

#[expect(
    clippy::disallowed_types,
    reason = "only asked whether it contains; its order decides nothing"
)]
type Visited = std::collections::HashSet<u128, BuildHasherDefault<Taken>>;

/// A fingerprint is a hash already.
#[derive(Default)]
struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = (fingerprint >> 64) as u64;
    }
}

/// How large a space is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) states: usize,
    pub(crate) transitions: u64,
    pub(crate) depth: u32,
    pub(crate) closed: bool,
}

/// From one state in so many the benign world is tried.
const BENIGN_EVERY: usize = 32;
const SEED: u64 = 5;

/// Explores everything, or until so many states are known.
pub(crate) fn explore(
    space: &Space,
    states_max: usize,
    seen: &mut Coverage,
) -> Result<Extent, Failure> {
    let (start, _) = begin(space, seen)?;
    let mut visited = Visited::default();
    visited.insert(fingerprint(&start.machine, &start.world, &start.history));
    // For each state, in the order of discovery: the one it was reached from, by which choice.
    let mut from: Vec<(u32, u16)> = vec![(0, 0)];
    let mut layer = vec![(start, 0_u32)];
    let mut extent = Extent {
        states: 1,
        transitions: 0,
        depth: 0,
        closed: true,
    };
    let mut offered = Offers::new();
    let mut effects = Vec::new();
    while !layer.is_empty() {
        let mut next = Vec::new();
        // What is expanded is freed: a layer and the next one do not stand side by side.
        for (scene, index) in std::mem::take(&mut layer) {
            quiet(&scene, &mut offered, &mut effects)
                .map_err(|broken| path(space, &from, index, None, broken))?;
            offers(&scene.world, &scene.machine, &mut offered);
            for (choice, (_, kind)) in offered.iter().enumerate() {
                let event = Event {
                    at_ms: scene.world.time_of(kind),
                    kind: kind.clone(),
                };
                extent.transitions += 1;
                let later = match scene.step(&event, &mut effects, seen) {
                    Ok(later) => later,
                    Err(broken) => return Err(path(space, &from, index, Some(event), broken)),
                };
                if !visited.insert(fingerprint(&later.machine, &later.world, &later.history)) {
                    continue;
                }
                let number = u32::try_from(from.len()).expect("fewer states than 2^32");
                from.push((index, u16::try_from(choice).expect("fewer choices")));
                if from.len().is_multiple_of(BENIGN_EVERY) {
                    let mut events = Vec::new();
                    benign::recovers(&later, &mut events, seen).map_err(|broken| {
                        let mut failure = path(space, &from, number, None, broken);
                        failure.events.append(&mut events);
                        failure
                    })?;
                }
                next.push((later, number));
            }
        }
        if std::env::var_os("REA_EXPLORE_PROGRESS").is_some() {
            eprintln!(
                "{} {}: {} new, {} in all",
                space.name,
                extent.depth,
                next.len(),
                from.len()
            );
        }
        extent.depth += u32::from(!next.is_empty());
        layer = next;
        if from.len() > states_max {
            extent.closed = layer.is_empty();
            break;
        }
    }
    extent.states = from.len();
    Ok(extent)
}

/// Where a space begins, and what has happened until then.
fn begin(space: &Space, seen: &mut Coverage) -> Result<(Scene, Vec<Event>), Failure> {
    let mut scene = Scene::new(&space.tuning, SEED, space.left.clone());
    let mut events = Vec::new();
    for kind in &space.prelude {
        let event = Event {
            at_ms: scene.world.now,
            kind: kind.clone(),
        };
        events.push(event.clone());
        scene = scene
            .step(&event, &mut Vec::new(), seen)
            .map_err(|broken| Failure {
                broken,
                events: events.clone(),
            })?;
    }
    Ok((scene, events))
}

/// Nothing that is stale, early or unknown changes anything.
fn quiet(scene: &Scene, offered: &mut Offers, effects: &mut Vec<Effect>) -> Result<(), String> {
    spurious(&scene.world, &scene.machine, offered);
    effects.clear();
    let mut machine = scene.machine.clone();
    for (_, kind) in &*offered {
        let event = Event {
            at_ms: scene.world.now,
            kind: kind.clone(),
        };
        let decision = machine.step(&event, effects);
        if decision.ignored.is_none() || !effects.is_empty() {
            return Err(format!(
                "P1-P4: {:?} counted: {decision:?}, {effects:?}",
                event.kind
            ));
        }
    }
    if machine.digest() == scene.machine.digest() {
        Ok(())
    } else {
        Err(String::from(
            "P1-P4: an event that was ignored changed something",
        ))
    }
}

/// The shortest way to a state, and past it.
fn path(
    space: &Space,
    from: &[(u32, u16)],
    index: u32,
    last: Option<Event>,
    broken: String,
) -> Failure {
    let mut choices = Vec::new();
    let mut at = index;
    while at != 0 {
        let (parent, choice) = from[at as usize];
        choices.push(choice);
        at = parent;
    }
    let (mut scene, mut events) = begin(space, &mut Coverage::new()).expect("it was taken before");
    let mut offered = Offers::new();
    let mut effects = Vec::new();
    for choice in choices.into_iter().rev() {
        offers(&scene.world, &scene.machine, &mut offered);
        let kind = offered[usize::from(choice)].1.clone();
        let event = Event {
            at_ms: scene.world.time_of(&kind),
            kind,
        };
        scene = scene
            .step(&event, &mut effects, &mut Coverage::new())
            .expect("it was taken before");
        events.push(event);
    }
    events.extend(last);
    Failure { broken, events }
}
