//! Restarting: bounded, in its time, forgiven when earned.

use super::{Checked, Step, ensure};
use crate::support::coverage::{Coverage, Premise};
use crate::support::history::is_blocked;
use rea_fsm::{Effect, EventKind, Leaf, LogEvent, Operator, Report, State, TimerKey, Why};

pub(super) fn p18_automatic_spawns_are_bounded(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let spawned = step
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Spawn { .. }));
    if !spawned {
        return Ok(());
    }
    seen.hit(Premise::P18);
    let most = step.before.conn().tuning().restart_intensity as usize + 1;
    ensure(step.past.spawned.len() <= most, || {
        format!(
            "P18: {} spawns within the window: {:?}",
            step.past.spawned.len(),
            step.past.spawned
        )
    })?;
    let why = match step.before.state() {
        State::Connecting { why, .. } => *why,
        _ => return Err("P18: spawned out of nowhere".into()),
    };
    if why == Why::LockProbe {
        seen.hit(Premise::P22);
        let first = step.history.probe_spawns == 0 || step.history.next_is_free;
        return ensure(first, || "P22: a second spawn of one lock probe".into());
    }
    Ok(())
}

/// From a connected state, a death restarts while the budget lasts and locks when it is used up.
pub(super) fn p18_the_budget_decides(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let Some(Report::Exited { .. }) = step.report() else {
        return Ok(());
    };
    if !matches!(step.before.leaf(), Leaf::Ready | Leaf::Suspect) {
        return Ok(());
    }
    seen.hit(Premise::P18Rule);
    let tuning = step.before.conn().tuning();
    let memory = tuning.restart_memory_ms();
    let recent = step
        .history
        .restarts
        .iter()
        .filter(|restart| step.event.at_ms.since(**restart) < memory)
        .count();
    let spent = recent >= tuning.restart_intensity as usize;
    let locked = step.after.leaf() == Leaf::FlapLocked;
    ensure(spent == locked, || {
        format!(
            "P18: {recent} restarts count, yet it went to {}",
            step.after.leaf()
        )
    })?;
    let pauses = step.after.leaf() == Leaf::Backoff;
    ensure(spent || pauses == (recent > 0), || {
        format!("P18: {recent} restarts count, a pause: {pauses}")
    })
}

pub(super) fn p19_nothing_before_its_time(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let (until, key) = match step.before.state() {
        State::FlapLocked { until, .. } => (*until, TimerKey::Lock),
        State::Backoff { until } => (*until, TimerKey::Backoff),
        _ => return Ok(()),
    };
    seen.hit(Premise::P19);
    let asked = matches!(step.event.kind, EventKind::Operator(_));
    let over = step.event.at_ms >= until
        && matches!(&step.event.kind, EventKind::Timer { key: fired } if *fired == key);
    let stayed = step.after.leaf() == step.before.leaf();
    ensure(stayed || asked || over, || {
        format!(
            "P19: left {} before {until:?} by {:?}",
            step.before.leaf(),
            step.event
        )
    })?;
    ensure(!(over && stayed), || {
        format!("P19: {} goes on after its end", step.before.leaf())
    })
}

pub(super) fn p20_locks_do_not_shrink(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let (before, after) = (
        step.before.conn().restarts().locks(),
        step.after.conn().restarts().locks(),
    );
    if before == 0 {
        return Ok(());
    }
    seen.hit(Premise::P20);
    let forgiven = match &step.event.kind {
        EventKind::Timer {
            key: TimerKey::Stable,
        } => true,
        EventKind::Operator(Operator::Restart { .. }) => true,
        EventKind::Operator(Operator::Retry {} | Operator::Configure { .. }) => {
            is_blocked(step.before.state())
        }
        _ => false,
    };
    ensure(after >= before || forgiven, || {
        format!("P20: {before} locks became {after}")
    })
}

pub(super) fn p20_locks_grow(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    let tuning = step.before.conn().tuning();
    step.effects.iter().try_for_each(|effect| {
        let Effect::Log(LogEvent::RespawnRefusedFlap { until, locks }) = effect else {
            return Ok(());
        };
        seen.hit(Premise::P20Length);
        ensure(*locks == step.history.locks + 1, || {
            format!("P20: lock {locks} follows {}", step.history.locks)
        })?;
        let doubled = tuning
            .lock_base_ms
            .0
            .saturating_mul(1 << step.history.locks.min(40));
        let base = doubled.min(tuning.lock_max_ms.0);
        let length = until.since(step.event.at_ms).0;
        ensure(base <= length && length <= base + base / 5, || {
            format!("P20: lock {locks} lasts {length}, expected {base} and up to a fifth more")
        })
    })
}

pub(super) fn p21_a_death_after_stable_uptime_never_locks(
    step: &Step<'_>,
    seen: &mut Coverage,
) -> Checked {
    let Some(Report::Exited { .. }) = step.report() else {
        return Ok(());
    };
    let stable = matches!(step.before.leaf(), Leaf::Ready | Leaf::Suspect)
        && step.world.due(TimerKey::Stable).is_none();
    if !stable || step.before.conn().tuning().restart_intensity == 0 {
        return Ok(());
    }
    seen.hit(Premise::P21);
    ensure(step.after.leaf() != Leaf::FlapLocked, || {
        "P21: locked after stable uptime".into()
    })
}
