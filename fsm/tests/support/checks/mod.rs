//! The properties, each a small function over one step. They are stated from the state *before*
//! the event and from what the world knows, not from the machine's own verdict, which a wrong
//! machine gets wrong in the same way.

mod calls;
mod effects;
mod health;
mod lists;
mod processes;
mod questions;
mod quiet;
mod restarts;
mod trust;

use super::coverage::Coverage;
use super::history::History;
use super::world::World;
use rea_fsm::{Decision, Downstream, Effect, Event, EventKind, Report};

/// Nothing, or what was broken.
pub(crate) type Checked = Result<(), String>;

/// One step, from all sides.
pub(crate) struct Step<'a> {
    pub(crate) before: &'a Downstream,
    pub(crate) world: &'a World,
    pub(crate) history: &'a History,
    pub(crate) event: &'a Event,
    pub(crate) effects: &'a [Effect],
    pub(crate) decision: Decision,
    pub(crate) after: &'a Downstream,
    /// The world after the event and its effects.
    pub(crate) later: &'a World,
    /// The history after them.
    pub(crate) past: &'a History,
}

impl Step<'_> {
    /// The report, if it is the current generation's.
    fn report(&self) -> Option<&Report> {
        match &self.event.kind {
            EventKind::Child { generation, report }
                if self.before.conn().generation() == Some(*generation) =>
            {
                Some(report)
            }
            EventKind::Child { .. }
            | EventKind::Operator(_)
            | EventKind::SlotGranted { .. }
            | EventKind::Submit { .. }
            | EventKind::Cancel { .. }
            | EventKind::Timer { .. }
            | EventKind::Answered { .. }
            | EventKind::Resume { .. }
            | EventKind::Overslept { .. } => None,
        }
    }

    /// Whether the step left everything as it was.
    fn is_quiet(&self) -> bool {
        self.effects.is_empty()
            && self.before.digest() == self.after.digest()
            && self.decision.ignored.is_some()
    }
}

fn ensure(holds: bool, said: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(said()) }
}

/// Checks an effect just before it is carried out, in the world as it is at that moment.
pub(crate) fn effect(
    world: &World,
    before: &Downstream,
    event: &Event,
    effect: &Effect,
    seen: &mut Coverage,
) -> Checked {
    effects::check(world, before, event, effect, seen)
}

/// Finds the held calls that have ended in a step, and checks how.
pub(crate) use questions::ended;

type Check = fn(&Step<'_>, &mut Coverage) -> Checked;

const CHECKS: &[Check] = &[
    quiet::p1_stale_generation_changes_nothing,
    quiet::p2_unarmed_or_early_timer_changes_nothing,
    quiet::p3_late_or_duplicate_reply_completes_nothing,
    quiet::p4_duplicate_submit_sends_nothing,
    quiet::p39_unknown_names_create_nothing,
    calls::p9_every_open_call_is_held_and_the_reverse,
    calls::p10_lost_calls_are_kept_only_if_that_is_safe,
    calls::p10_unread_calls_wait_for_the_next_generation,
    calls::p11_an_overdue_call_is_not_sent_again,
    calls::p12_armed_timers_are_the_interpreters,
    calls::p13_queue_and_flight_are_bounded,
    calls::p25_one_calls_failure_is_its_own,
    lists::c1_what_is_owed_is_asked_for_again,
    lists::c2_what_a_ready_server_says_of_itself_is_told,
    processes::p15_stopped_stays_stopped,
    processes::p16_closed_holds_nothing,
    processes::p17_a_stop_ends_in_time,
    processes::stop_now_kills_at_once,
    processes::p23_no_innocent_kill,
    processes::p23_the_guilty_are_ended,
    processes::p26_connected_means_handshaken,
    processes::p27_failing_fast_holds_nothing,
    processes::p28_no_dead_ends,
    processes::p28_the_heartbeat_goes_on,
    questions::q1_a_call_that_is_held_ends_later,
    questions::q2_every_question_is_where_it_was_put,
    questions::q3_every_question_and_every_held_call_ends_in_time,
    questions::q4_what_the_client_says_twice_changes_nothing,
    questions::q4_what_the_server_says_twice_changes_nothing,
    questions::q5_who_is_not_there_asks_nothing,
    questions::q7_open_questions_are_bounded,
    questions::q8_nothing_waits_beside_a_free_call,
    restarts::p18_automatic_spawns_are_bounded,
    restarts::p18_the_budget_decides,
    restarts::p19_nothing_before_its_time,
    restarts::p20_locks_do_not_shrink,
    restarts::p20_locks_grow,
    restarts::p21_a_death_after_stable_uptime_never_locks,
    trust::p24_a_reply_never_makes_it_worse,
    trust::p30_refusals_never_reach_the_breaker,
    trust::p31_half_open_slots_are_bounded,
    trust::p32_old_epochs_are_ignored,
    trust::p33_the_gauge_is_the_state,
    trust::p33_faults_are_counted,
    health::p29_people_see_a_function_of_state,
    health::p29_publish_iff_something_changed,
    health::p34_one_firing_an_episode,
    health::p34_a_series_fires,
];

/// Checks a whole step.
pub(crate) fn step(step: &Step<'_>, seen: &mut Coverage) -> Checked {
    CHECKS.iter().try_for_each(|check| check(step, seen))
}
