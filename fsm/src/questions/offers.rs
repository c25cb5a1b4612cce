//! In the answer to which call a question is put, and when.

use super::{Held, Question, QuestionPlace, Questions};
use crate::conn::{Conn, Place};
use crate::effect::{Effect, Unasked};
use crate::id::{CallId, Millis, TimerKey};
use alloc::vec::Vec;

impl Questions {
    /// More questions may come with this one.
    pub(super) fn gather(&mut self, at: Millis, gather_ms: Millis, effects: &mut Vec<Effect>) {
        if gather_ms == Millis::ZERO || self.gathering_until.is_some() {
            return;
        }
        let due = at.plus(gather_ms);
        self.gathering_until = Some(due);
        let key = TimerKey::Gather;
        effects.push(Effect::Arm { key, due });
    }

    /// They have had their time.
    pub(crate) const fn gathered(&mut self) {
        self.gathering_until = None;
    }

    /// What has to hold after each step: nothing waits for a call that can't come, nothing that was
    /// gathered waits beside a call in whose answer it can be put, and nothing is gathered for
    /// nobody.
    pub(crate) fn settle(&mut self, at: Millis, conn: &Conn, effects: &mut Vec<Effect>) {
        self.refuse_without_carriers(conn, effects);
        if self.gathering_until.is_none() {
            while let Some(call) = self.free_carrier(conn) {
                self.offer(call, at, conn, effects);
            }
        } else if self.waiting().next().is_none() {
            self.gathering_until = None;
            let key = TimerKey::Gather;
            effects.push(Effect::Disarm { key });
        }
    }

    /// The newest of the calls at the server in whose answers the client can be asked.
    pub(super) fn newest_at_server(&self, conn: &Conn) -> Option<CallId> {
        let mut carriers = self.carriers.keys().rev();
        carriers.find(|call| is_at_server(**call, conn)).copied()
    }

    /// Where a question that waits can be put: in the answer to a call at the server that is not
    /// held, to the one that was held the least often; the oldest of several. Clients give a call
    /// up that comes back too often.
    fn free_carrier(&self, conn: &Conn) -> Option<CallId> {
        let newest = self.waiting().filter_map(|question| question.newest_cause);
        let newest = newest.max()?;
        let carriers = self.carriers.range(..=newest);
        let free = carriers.filter(|(call, _)| !self.held.contains_key(call));
        let at_server = free.filter(|(call, _)| is_at_server(**call, conn));
        at_server
            .map(|(call, rounds)| (*rounds, *call))
            .min()
            .map(|(_, call)| call)
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Question> + '_ {
        let open = self.open.values();
        open.filter(|question| question.place == QuestionPlace::Waiting)
    }

    /// Gives a call back to its client with everything that waits and that it can have caused.
    pub(super) fn offer(
        &mut self,
        call: CallId,
        at: Millis,
        conn: &Conn,
        effects: &mut Vec<Effect>,
    ) {
        let Some(rounds) = self.carriers.get_mut(&call) else {
            return;
        };
        *rounds = rounds.saturating_add(1);
        let round = *rounds;
        let mut questions = Vec::new();
        for (id, question) in &mut self.open {
            if question.place == QuestionPlace::Waiting && question.can_be_caused_by(call) {
                question.place = QuestionPlace::Offered { call };
                questions.push(*id);
            }
        }
        let due = at.plus(conn.tuning().question_ms);
        let held = Held {
            round,
            due,
            outcome: None,
        };
        self.held.insert(call, held);
        let key = TimerKey::Held(call);
        effects.push(Effect::Arm { key, due });
        effects.push(Effect::Offer {
            call,
            round,
            questions,
        });
    }

    /// What waits for a call can wait no longer when none is left that can have caused it.
    fn refuse_without_carriers(&mut self, conn: &Conn, effects: &mut Vec<Effect>) {
        let has_none = |open: &Question| {
            let causes = open
                .newest_cause
                .map(|newest| self.carriers.range(..=newest));
            causes.is_some_and(|mut causes| causes.next().is_none())
        };
        let open = self.open.iter().filter(|(_, open)| has_none(open));
        let open: Vec<_> = open.map(|(id, _)| *id).collect();
        for question in open {
            self.close(question, effects);
            Self::refuse(question, Unasked::Nobody, conn, effects);
        }
    }
}

impl Question {
    pub(super) fn can_be_caused_by(&self, call: CallId) -> bool {
        self.newest_cause.is_some_and(|newest| call <= newest)
    }
}

fn is_at_server(call: CallId, conn: &Conn) -> bool {
    match conn.calls().get(call).map(|call| call.place) {
        Some(Place::Sent { .. } | Place::Overdue { .. }) => true,
        Some(Place::Queued) | None => false,
    }
}
