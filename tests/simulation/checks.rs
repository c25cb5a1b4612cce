//! What must hold of every run, seen from outside: by what children have read and what the client
//! was sent. The log is checked where the run ends.

use super::client::{Ask, Asked, Told, told};
use super::intake::{Intake, KILLED_MS};
use super::moody::Temper;
use super::plan::Ran;
use super::world::Act;
use rea_fsm::{CallId, Effect, Leaf};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How often what a check speaks of was there at all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answers: u64,
    pub(crate) said_no: u64,
    pub(crate) said_maybe: u64,
    pub(crate) read_twice: u64,
    pub(crate) progressed: u64,
    pub(crate) oversized: u64,
    pub(crate) orphans: u64,
    pub(crate) generations: u64,
    pub(crate) killed: u64,
    pub(crate) cancelled: u64,
    pub(crate) prompt: u64,
    pub(crate) unread_deaths: u64,
    pub(crate) records: u64,
    pub(crate) gaps: u64,
    pub(crate) lost: u64,
    pub(crate) files: u64,
    pub(crate) not_logged: u64,
    pub(crate) left_behind: u64,
    pub(crate) good_starts: u64,
}

impl Seen {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.answers += other.answers;
        self.said_no += other.said_no;
        self.said_maybe += other.said_maybe;
        self.read_twice += other.read_twice;
        self.progressed += other.progressed;
        self.oversized += other.oversized;
        self.orphans += other.orphans;
        self.generations += other.generations;
        self.killed += other.killed;
        self.cancelled += other.cancelled;
        self.prompt += other.prompt;
        self.unread_deaths += other.unread_deaths;
        self.records += other.records;
        self.gaps += other.gaps;
        self.lost += other.lost;
        self.files += other.files;
        self.not_logged += other.not_logged;
        self.left_behind += other.left_behind;
        self.good_starts += other.good_starts;
    }
}

/// A call that a child has read to its end.
struct CallRead {
    at: u64,
    server: u32,
    generation: u32,
    nonce: u64,
}

pub(crate) fn check(ran: &Ran) -> Seen {
    let intake = Intake::of(&ran.left.taken);
    let told = told(&ran.left.world.heard);
    let reads = calls_read(ran);
    let mut seen = Seen {
        records: ran.left.replayed.records,
        gaps: ran.left.replayed.gaps,
        lost: ran.left.replayed.lost,
        files: ran.left.replayed.files,
        ..Seen::default()
    };
    every_request_has_its_answer(ran, &intake, &told, &mut seen);
    answers_never_cross(ran, &told);
    what_is_said_about_execution_is_true(ran, &intake, &told, &reads, &mut seen);
    calls_are_read_as_often_as_they_may_be(ran, &reads, &mut seen);
    calls_arrive_in_order(&reads);
    progress_comes_before_the_answer(ran, &told, &mut seen);
    the_client_is_answered_at_once(ran, &intake, &told);
    good_servers_answer_whatever_others_do(ran, &intake, &told, &mut seen);
    nothing_follows_the_stop(ran);
    it_ends_in_time_and_leaves_nothing(ran, &intake, &mut seen);
    seen
}

fn calls_read(ran: &Ran) -> Vec<CallRead> {
    let mut reads = Vec::new();
    for read in &ran.left.world.reads {
        if !read.line.contains("\"tools/call\"") {
            continue;
        }
        let line: Value = serde_json::from_str(&read.line).expect("servers are sent JSON");
        reads.push(CallRead {
            at: read.at,
            server: read.key.0.0,
            generation: read.key.1.0,
            nonce: line["params"]["arguments"]["nonce"]
                .as_u64()
                .expect("arguments arrive whole"),
        });
    }
    reads
}

/// Requests that the gateway has taken.
fn accepted<'a>(ran: &'a Ran, intake: &'a Intake) -> impl Iterator<Item = (&'a Asked, u64)> {
    ran.script
        .asked
        .iter()
        .filter_map(|asked| Some((asked, intake.taken_at(asked.ends_at)?)))
}

fn every_request_has_its_answer(ran: &Ran, intake: &Intake, told: &[Told], seen: &mut Seen) {
    let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
    for (asked, _) in accepted(ran, intake) {
        *wanted.entry(&asked.id).or_default() += 1;
    }
    let garbage = ran
        .script
        .garbage
        .iter()
        .filter(|ends_at| intake.taken_at(**ends_at).is_some())
        .count();
    if garbage > 0 {
        wanted.insert("null", i64::try_from(garbage).expect("it is small"));
    }
    let mut given_up: BTreeMap<&str, i64> = BTreeMap::new();
    for (ends_at, id) in &ran.script.cancelled {
        if intake.taken_at(*ends_at).is_some() {
            *given_up.entry(id).or_default() += 1;
            seen.cancelled += 1;
        }
    }
    let mut answers: BTreeMap<&str, i64> = BTreeMap::new();
    for told in told {
        if let Some(id) = &told.id {
            assert!(told.method.is_none(), "the gateway asks nothing: {told:?}");
            *answers.entry(id).or_default() += 1;
            seen.answers += 1;
            seen.not_logged += u64::from(told.reason.as_deref() == Some("not_logged"));
        }
    }
    for (id, count) in &answers {
        let most = wanted.get(id).copied().unwrap_or(0);
        assert!(
            *count <= most,
            "{id} was asked {most} times and answered {count} times"
        );
    }
    for (id, most) in &wanted {
        let least = most - given_up.get(id).copied().unwrap_or(0);
        let count = answers.get(id).copied().unwrap_or(0);
        assert!(
            count >= least,
            "{id} was asked {most} times and answered {count} times"
        );
    }
}

fn answers_never_cross(ran: &Ran, told: &[Told]) {
    let ids: BTreeMap<u64, &str> = ran
        .script
        .asked
        .iter()
        .filter_map(|asked| match &asked.what {
            Ask::Call { nonce, .. } => Some((*nonce, asked.id.as_str())),
            Ask::Initialize | Ask::List | Ask::Ping | Ask::Wrong(_) => None,
        })
        .collect();
    let mut answered = BTreeSet::new();
    for told in told {
        let (Some(nonce), Some(id)) = (told.nonce, &told.id) else {
            continue;
        };
        assert_eq!(
            ids.get(&nonce),
            Some(&id.as_str()),
            "whose answer is {told:?}?"
        );
        assert!(answered.insert(nonce), "answered twice: {told:?}");
    }
}

fn what_is_said_about_execution_is_true(
    ran: &Ran,
    intake: &Intake,
    told: &[Told],
    reads: &[CallRead],
    seen: &mut Seen,
) {
    let read: BTreeSet<u64> = reads.iter().map(|read| read.nonce).collect();
    for (asked, _) in accepted(ran, intake) {
        let Ask::Call {
            nonce,
            has_own_id: true,
            ..
        } = asked.what
        else {
            continue;
        };
        for told in told
            .iter()
            .filter(|told| told.id.as_ref() == Some(&asked.id))
        {
            match told.executed.as_deref() {
                Some("no") => {
                    seen.said_no += 1;
                    assert!(!read.contains(&nonce), "it was read: {told:?}");
                }
                Some("maybe") => seen.said_maybe += 1,
                Some("yes") => assert!(read.contains(&nonce), "it was not read: {told:?}"),
                Some(other) => panic!("executed: {other}"),
                None => {}
            }
            if told.reason.as_deref() == Some("oversized_answer") {
                seen.oversized += 1;
                assert!(read.contains(&nonce), "it was not read: {told:?}");
            }
        }
    }
}

fn calls_are_read_as_often_as_they_may_be(ran: &Ran, reads: &[CallRead], seen: &mut Seen) {
    let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
    for read in reads {
        *counts.entry(read.nonce).or_default() += 1;
    }
    for asked in &ran.script.asked {
        let Ask::Call {
            nonce,
            is_safe,
            server,
            ..
        } = asked.what
        else {
            continue;
        };
        let count = counts.remove(&nonce).unwrap_or(0);
        let most = if is_safe { 2 } else { 1 };
        assert!(
            count <= most,
            "call {nonce} was read {count} times: {asked:?}"
        );
        seen.read_twice += u64::from(count == 2);
        let is_its_servers = reads
            .iter()
            .filter(|read| read.nonce == nonce)
            .all(|read| read.server as usize == server);
        assert!(is_its_servers, "call {nonce} was read by another server");
    }
    assert!(counts.is_empty(), "servers read calls that nobody made");
}

/// First in, first out, within each life of a server.
fn calls_arrive_in_order(reads: &[CallRead]) {
    let mut last: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for read in reads {
        if let Some(before) = last.insert((read.server, read.generation), read.nonce) {
            assert!(
                before < read.nonce,
                "call {} was read behind {before}, at {}",
                read.nonce,
                read.at
            );
        }
    }
}

fn progress_comes_before_the_answer(ran: &Ran, told: &[Told], seen: &mut Seen) {
    for asked in &ran.script.asked {
        let Ask::Call {
            token: Some(token), ..
        } = &asked.what
        else {
            continue;
        };
        let mut is_answered = false;
        for told in told {
            if told.id.as_ref() == Some(&asked.id) {
                is_answered |= matches!(
                    asked.what,
                    Ask::Call { nonce, has_own_id, .. }
                        if has_own_id || told.nonce == Some(nonce)
                );
            }
            if told.progress_token.as_ref() == Some(token) {
                seen.progressed += 1;
                assert!(!is_answered, "progress behind the answer: {told:?}");
                assert!(told.progress.is_some(), "{told:?}");
            }
        }
    }
}

/// What needs no server is answered in the same turn, and lists within their budget.
fn the_client_is_answered_at_once(ran: &Ran, intake: &Intake, told: &[Told]) {
    for (asked, at) in accepted(ran, intake) {
        let patience_ms = match &asked.what {
            Ask::Initialize | Ask::Ping | Ask::Wrong(_) => 0,
            Ask::List => ran.list_budget_ms + ran.left.late_ms,
            Ask::Call { .. } => continue,
        };
        let answer = told
            .iter()
            .find(|told| told.id.as_ref() == Some(&asked.id))
            .unwrap_or_else(|| panic!("no answer to {asked:?}"));
        assert!(
            answer.at <= at + patience_ms,
            "asked at {at}, answered at {}: {asked:?}",
            answer.at
        );
        if let Ask::Wrong(code) = asked.what {
            assert_eq!(answer.error_code, Some(code), "{answer:?}");
        } else {
            assert_eq!(answer.error_code, None, "{answer:?}");
        }
    }
}

/// A server that answers within milliseconds does so through the gateway, whatever others do.
fn good_servers_answer_whatever_others_do(
    ran: &Ran,
    intake: &Intake,
    told: &[Told],
    seen: &mut Seen,
) {
    const LONGEST_ANSWER_MS: u64 = 100;
    /// Others may take the places for starting, each for its handshake's time.
    const LONGEST_START_MS: u64 = 6_000;
    let end = intake.first_end().unwrap_or(u64::MAX);
    for (server, temper) in ran.tempers.iter().enumerate() {
        let has_had_time = end > 1_000 + LONGEST_START_MS + 2 * ran.left.late_ms;
        if *temper == Temper::Good && has_had_time && ran.left.replayed.lost == 0 {
            seen.good_starts += 1;
            assert!(
                ready_at(ran, server).is_some_and(|at| at <= end),
                "server {server} was never ready: {:?}",
                ran.left.leaves
            );
        }
    }
    for (asked, at) in accepted(ran, intake) {
        let Ask::Call {
            server,
            nonce,
            has_own_id: true,
            ..
        } = asked.what
        else {
            continue;
        };
        let is_given_up = ran.script.cancelled.iter().any(|(_, id)| *id == asked.id);
        let ready_at = ready_at(ran, server);
        if ran.tempers[server] != Temper::Good
            || is_given_up
            || ready_at.is_none_or(|ready_at| at <= ready_at)
            || at + LONGEST_ANSWER_MS + ran.left.late_ms > end
        {
            continue;
        }
        let answer = told
            .iter()
            .find(|told| told.id.as_ref() == Some(&asked.id))
            .unwrap_or_else(|| panic!("no answer to {asked:?}"));
        // Bounds on calls in flight are the one thing that may be in the way.
        // And a log that is required and can't be written.
        if let Some("overloaded" | "not_logged") = answer.reason.as_deref() {
            continue;
        }
        seen.prompt += 1;
        assert_eq!(answer.nonce, Some(nonce), "{answer:?}");
        assert!(
            answer.at <= at + LONGEST_ANSWER_MS + ran.left.late_ms,
            "asked at {at}, answered at {}: {asked:?}",
            answer.at
        );
    }
}

/// When the server was first ready, by the log.
fn ready_at(ran: &Ran, server: usize) -> Option<u64> {
    let effects = ran.left.replayed.effects.get(&ran.left.names[server])?;
    effects
        .iter()
        .find(|(_, effect)| matches!(effect, Effect::Log(rea_fsm::LogEvent::Connected { .. })))
        .map(|(at, _)| *at)
}

/// After a server was told to stop it is neither started nor called. A turn may have done so
/// before, in the same millisecond; the log's order tells.
fn nothing_follows_the_stop(ran: &Ran) {
    for (index, name) in ran.left.names.iter().enumerate() {
        let Some(stopped_at) = ran.left.replayed.stopped_at.get(name) else {
            continue;
        };
        for (at, key, act) in &ran.left.world.acts {
            let is_its = key.0.0 as usize == index;
            let is_work = matches!(act, Act::Spawn | Act::Write(_, Some(CallId(_))));
            assert!(
                !is_its || !is_work || at <= stopped_at,
                "{name} was stopped at {stopped_at}, and at {at} there is {act:?}"
            );
        }
    }
}

fn it_ends_in_time_and_leaves_nothing(ran: &Ran, intake: &Intake, seen: &mut Seen) {
    let slack_ms = 50 + ran.left.late_ms;
    let deadline = intake.deadline(ran.tuning.teardown_ms().0) + slack_ms;
    let ended_at = ran.left.ended_at;
    assert!(
        ended_at <= deadline,
        "it ended at {ended_at}, and had to by {deadline}"
    );
    let was_hurried = intake
        .killed_at()
        .is_some_and(|at| ended_at >= at + KILLED_MS);
    for (server, _) in ran.left.world.living() {
        seen.left_behind += u64::from(was_hurried);
        assert!(
            ran.left.orphans.contains(&server)
                || ran.left.leaves[server.index()] == Leaf::Terminating && was_hurried,
            "{server:?} is left alive and nobody says so: {:?}",
            ran.left.leaves
        );
    }
    seen.orphans += ran.left.orphans.len() as u64;
    seen.generations += ran.left.world.processes.len() as u64;
    seen.unread_deaths += ran
        .left
        .world
        .processes
        .values()
        .filter(|process| {
            !process.may_live() && process.stdin.iter().any(|(_, call)| call.is_some())
        })
        .count() as u64;
    seen.killed += ran
        .left
        .world
        .acts
        .iter()
        .filter(|(_, _, act)| matches!(act, Act::Signal(rea_fsm::Signal::Kill)))
        .count() as u64;
}
