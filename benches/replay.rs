//! How fast a log is written and run again.
//!
//! ```text
//! cargo bench -p rea --bench replay
//! ```
//! Prints: records appended a second (encoding, hashing and digests; into memory, and through
//! real files with their keeper), and the time in which 1,000,000 records are replayed from real
//! files. The target is two seconds.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't run should say so loudly"
)]
#![expect(
    clippy::cast_precision_loss,
    reason = "nobody reads the sixteenth digit"
)]

#[path = "../tests/journal_support/mod.rs"]
mod journal_support;

use camino::Utf8PathBuf;
use journal_support::{World, about};
use rea::journal::{Annotated, Journal, Limits, LogFiles, Memory, Mode, Reader, machine_seed};
use rea::replay::{Options, Outcome, replay};
use rea_fsm::{
    Asks, CallClass, CallId, Downstream, Effect, Event, EventKind, Generation, Listing, Millis,
    Offer, Operator, ProtocolVersion, ReplyKind, Report, Ticket, Tuning,
};
use std::time::Instant;

const RECORDS: u64 = 1_000_000;

fn main() {
    calls("calls into memory ", || {
        Journal::with_sink(
            Box::new(Memory::new().0),
            Mode::On,
            one_server(),
            Limits::default(),
        )
    });
    let kept = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(kept.path().to_owned()).unwrap();
    let events = root.join("calls");
    calls("calls into files  ", || {
        Journal::open(&events, Mode::On, one_server(), Limits::default())
    });
    replayed("replay of calls   ", &events);
    let events = root.join("random");
    random(&events);
    replayed("replay of a random run", &events);
}

fn one_server() -> rea::journal::About {
    let mut about = about(1);
    about.config.clear();
    about.config.insert("files".to_owned(), Tuning::default());
    about
}

/// What a busy gateway does all day: a call arrives, is sent, is answered.
fn calls(label: &str, open: impl FnOnce() -> Journal) {
    let mut machine = Downstream::new(Tuning::default(), machine_seed(1, "files"));
    let mut journal = open();
    let mut effects: Vec<Effect> = Vec::new();
    let mut at = Millis::ZERO;
    let generation = Generation(1);
    let child = |report| EventKind::Child { generation, report };
    let offer = Offer {
        version: ProtocolVersion::V2025_11_25,
        listing: Listing::Nothing,
        digest: 0,
    };
    let start = [
        EventKind::Operator(Operator::Start {}),
        EventKind::SlotGranted { ticket: Ticket(1) },
        child(Report::SpawnOk { pid: 77 }),
        child(Report::ProbeLegacy {}),
        child(Report::InitOk { offer }),
    ];
    let calls = (1..=RECORDS / 2).flat_map(|number| {
        let call = CallId(number);
        [
            EventKind::Submit {
                call,
                class: CallClass::Unsafe,
                timeout_ms: Millis(60_000),
                bytes: 180,
                asks: Asks::Directly,
            },
            child(Report::Reply {
                call,
                reply: ReplyKind::Ok { is_error: false },
                bytes: 900,
            }),
        ]
    });
    let mut stepping = std::time::Duration::ZERO;
    let begun = Instant::now();
    let mut generation_seen = false;
    for (number, kind) in (0_u64..).zip(start.into_iter().chain(calls)) {
        at = Millis(number / 300);
        let event = Event { at_ms: at, kind };
        effects.clear();
        let before = Instant::now();
        machine.step(&event, &mut effects);
        stepping += before.elapsed();
        generation_seen |= machine.conn().generation() == Some(generation);
        journal.append_input("files", &event, Annotated::Nothing, &effects, &machine);
        if number % 16 == 0 {
            commit(&mut journal, &machine);
        }
    }
    commit(&mut journal, &machine);
    let all = begun.elapsed();
    assert!(generation_seen);
    assert_eq!(machine.leaf(), rea_fsm::Leaf::Ready);
    let health = journal.health();
    let closing = Instant::now();
    journal
        .close(at, &|| [("files".to_owned(), machine.snapshot())].into())
        .unwrap();
    let appending = all.saturating_sub(stepping);
    println!(
        "{label}: {:>9.0} records/s, {:.2} µs a record ({:.2} µs more for the step, clocks \
         included), {} bytes a record, {} files, close {:?}",
        RECORDS as f64 / appending.as_secs_f64(),
        appending.as_secs_f64() * 1e6 / RECORDS as f64,
        stepping.as_secs_f64() * 1e6 / RECORDS as f64,
        health.bytes / RECORDS,
        health.files,
        closing.elapsed(),
    );
}

fn commit(journal: &mut Journal, machine: &Downstream) {
    journal
        .commit(&|| [("files".to_owned(), machine.snapshot())].into())
        .unwrap();
}

fn random(events: &camino::Utf8Path) {
    let about = about(2);
    let mut world = World::new(&about);
    let mut journal = Journal::open(events, Mode::On, about, Limits::default());
    for turn in 0..RECORDS {
        world.turn(&mut journal);
        if turn % 16 == 0 {
            journal.commit(&|| world.snapshots()).unwrap();
        }
    }
    journal.close(world.at(), &|| world.snapshots()).unwrap();
}

fn replayed(label: &str, events: &camino::Utf8Path) {
    let begun = Instant::now();
    let reader = Reader::new(Box::new(LogFiles::find(events).unwrap()));
    let report = replay(reader, Options::default(), &mut |_| Ok(())).unwrap();
    let took = begun.elapsed();
    assert!(matches!(report.outcome, Outcome::Identical), "{report:?}");
    println!(
        "{label}: {} records in {took:.2?} ({} files)",
        report.records, report.files
    );
}
