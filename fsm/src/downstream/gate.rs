//! The gates: whether an event counts at all, decided before anything else looks at it.
//!
//! Stale is decided here and nowhere else.

use super::Downstream;
use crate::conn::Leaf;
use crate::decision::Ignored;
use crate::effect::Refusal;
use crate::event::{Event, EventKind, Report};
use crate::id::{CallId, QuestionId, TimerKey};

/// What the gates say about an event.
pub(super) enum Gate {
    /// It goes to the connection.
    Pass,
    /// It is a timer of the breaker, the blocker or the questions.
    Own(OwnTimer),
    /// It is the client's word on what the server asks.
    Client,
    /// It changes nothing.
    Stop(Ignored),
    /// The breaker does not let the call through.
    Refuse(Refusal),
}

/// A timer that is not the connection's.
#[derive(Clone, Copy)]
pub(super) enum OwnTimer {
    Breaker,
    Unready,
    Rearm,
    Question(QuestionId),
    Held(CallId),
    Gather,
}

impl Downstream {
    /// Decides whether an event counts, and for whom.
    pub(super) fn gate(&mut self, event: &Event) -> Gate {
        match &event.kind {
            EventKind::Child { generation, .. } => {
                if self.conn.generation != Some(*generation) {
                    return Gate::Stop(Ignored::StaleGeneration);
                }
                match self.says_nothing(event) {
                    // To a suspicion any valid message says something.
                    Some(ignored) if self.leaf() != Leaf::Suspect => Gate::Stop(ignored),
                    Some(_) | None => Gate::Pass,
                }
            }
            EventKind::Timer { key } => {
                if self.due(*key).is_none_or(|due| due > event.at_ms) {
                    return Gate::Stop(Ignored::StaleTimer);
                }
                match key {
                    TimerKey::Breaker => Gate::Own(OwnTimer::Breaker),
                    TimerKey::Unready => Gate::Own(OwnTimer::Unready),
                    TimerKey::Rearm => Gate::Own(OwnTimer::Rearm),
                    TimerKey::Question(question) => Gate::Own(OwnTimer::Question(*question)),
                    TimerKey::Held(call) => Gate::Own(OwnTimer::Held(*call)),
                    TimerKey::Gather => Gate::Own(OwnTimer::Gather),
                    TimerKey::Handshake
                    | TimerKey::Probe
                    | TimerKey::Backoff
                    | TimerKey::Lock
                    | TimerKey::Pong
                    | TimerKey::Heartbeat
                    | TimerKey::Stable
                    | TimerKey::Teardown
                    | TimerKey::Drain
                    | TimerKey::List
                    | TimerKey::Call(_) => Gate::Pass,
                }
            }
            EventKind::Submit { call, .. } => {
                if !self.conn.calls.is_new(*call) {
                    return Gate::Stop(Ignored::DuplicateCall);
                }
                match self.breaker.admit(&self.conn.tuning) {
                    Ok(()) => Gate::Pass,
                    Err(refusal) => Gate::Refuse(refusal),
                }
            }
            EventKind::Answered { .. } | EventKind::Resume { .. } => Gate::Client,
            EventKind::Operator(_)
            | EventKind::SlotGranted { .. }
            | EventKind::Cancel { .. }
            | EventKind::Overslept { .. } => Gate::Pass,
        }
    }

    /// Why a report about a question says nothing about it.
    pub(super) fn says_nothing(&self, event: &Event) -> Option<Ignored> {
        match &event.kind {
            EventKind::Child {
                report: Report::Asked { question, .. },
                ..
            } => (!self.questions.is_new(*question)).then_some(Ignored::DuplicateQuestion),
            EventKind::Child {
                report: Report::Withdrew { question },
                ..
            } => {
                let open = self.questions.get(*question);
                open.is_none().then_some(Ignored::UnknownQuestion)
            }
            EventKind::Operator(_)
            | EventKind::SlotGranted { .. }
            | EventKind::Child { .. }
            | EventKind::Submit { .. }
            | EventKind::Cancel { .. }
            | EventKind::Answered { .. }
            | EventKind::Resume { .. }
            | EventKind::Timer { .. }
            | EventKind::Overslept { .. } => None,
        }
    }
}
