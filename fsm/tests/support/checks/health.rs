//! What people are shown, and when a person is called.

use super::{Checked, Step, ensure};
use crate::support::coverage::{Coverage, Premise};
use rea_fsm::{Downstream, Effect, EventKind, Leaf, LogEvent, TimerKey};

/// One step in so many is restored from its snapshot, which costs more than the step.
const RESTORE_EVERY: u64 = 61;

pub(super) fn p29_people_see_a_function_of_state(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    if !seen.steps.is_multiple_of(RESTORE_EVERY) {
        return Ok(());
    }
    seen.hit(Premise::P29);
    let restored = Downstream::restore(step.after.snapshot());
    ensure(restored.view() == step.after.view(), || {
        format!(
            "P29: restored {:?}, shown {:?}",
            restored.view(),
            step.after.view()
        )
    })?;
    ensure(restored.digest() == step.after.digest(), || {
        "P35: a restored machine is another one".into()
    })
}

pub(super) fn p29_publish_iff_something_changed(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let changed = step.before.view() != step.after.view();
    if changed {
        seen.hit(Premise::P29Publish);
    }
    let published = step
        .effects
        .iter()
        .filter(|effect| **effect == Effect::Publish)
        .count();
    ensure(published == usize::from(changed), || {
        format!("P29: published {published} times, changed: {changed}")
    })
}

fn fires(step: &Step<'_>) -> usize {
    step.effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Log(LogEvent::SessionBlocker { .. })))
        .count()
}

pub(super) fn p34_one_firing_an_episode(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let fired = fires(step);
    if fired == 0 {
        let right = step.after.blocker().has_fired() == step.past.fired;
        return ensure(right, || "P34: fired without telling, or forgotten".into());
    }
    seen.hit(Premise::P34);
    ensure(fired == 1 && !step.history.fired, || {
        "P34: fired twice in one episode".into()
    })
}

pub(super) fn p34_a_series_fires(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let needed = step.before.conn().tuning().blocker_failures as usize;
    if step.past.failures.len() >= needed {
        seen.hit(Premise::P34Series);
        ensure(step.past.fired, || {
            format!(
                "P34: {:?} in the window and nobody was called",
                step.past.failures
            )
        })?;
    }
    let unready = matches!(
        &step.event.kind,
        EventKind::Timer {
            key: TimerKey::Unready
        }
    ) && step
        .world
        .due(TimerKey::Unready)
        .is_some_and(|due| due <= step.event.at_ms);
    ensure(!unready || step.past.fired, || {
        "P34: unready for so long and nobody was called".into()
    })?;
    let watched = step.past.fired
        || step.later.due(TimerKey::Unready).is_some()
        || matches!(
            step.after.leaf(),
            Leaf::Idle
                | Leaf::Ready
                | Leaf::Suspect
                | Leaf::Draining
                | Leaf::Terminating
                | Leaf::Closed
        );
    ensure(watched, || {
        format!("P34: {} and nobody counts the time", step.after.leaf())
    })
}
