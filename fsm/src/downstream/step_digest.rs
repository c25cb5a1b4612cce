//! The digest that the log carries after each step.

use super::Downstream;
use crate::blocker::Blocker;
use crate::breaker::Breaker;
use crate::conn::{Listings, State};
use crate::digest::digest;
use crate::id::{Generation, Millis, Ticket};
use crate::questions::Questions;
use serde::Serialize;

/// What the digest after each step covers: everything but the held calls one by one, for which
/// the ledger's own running hash stands.
#[derive(Serialize)]
struct StepDigest<'a> {
    state: &'a State,
    generation: Option<Generation>,
    ticket: Ticket,
    breaker: &'a Breaker,
    blocker: &'a Blocker,
    restarts: &'a crate::conn::Restarts,
    timers: &'a crate::conn::Timers,
    ledger: crate::conn::LedgerDigest,
    rest: (
        crate::conn::Pipe,
        crate::conn::Era,
        crate::conn::ListState,
        Option<crate::conn::Catalogue>,
        Millis,
        Millis,
        u32,
    ),
    errors: (
        &'a Option<crate::view::LastError>,
        Option<crate::event::ExitStatus>,
    ),
    #[serde(skip_serializing_if = "Listings::is_untouched")]
    listings: Listings,
    // As long as there are none, digests are what they were before there could be any.
    #[serde(skip_serializing_if = "Questions::is_untouched")]
    questions: &'a Questions,
}

impl Downstream {
    /// A digest that two runs agree on after each step if they agree on everything. Costs the
    /// same however many calls are held.
    pub fn digest(&self) -> u64 {
        let conn = self.conn();
        digest(&StepDigest {
            state: self.state(),
            generation: conn.generation,
            ticket: conn.ticket,
            breaker: &self.breaker,
            blocker: &self.blocker,
            restarts: &conn.restarts,
            timers: &conn.timers,
            ledger: conn.calls.digest_part(),
            rest: (
                conn.input,
                conn.era,
                conn.list,
                conn.catalogue,
                conn.heard_at,
                conn.since,
                conn.connections,
            ),
            errors: (&conn.last_error, conn.last_exit),
            listings: conn.listings,
            questions: &self.questions,
        })
    }
}
