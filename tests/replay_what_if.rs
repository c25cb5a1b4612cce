//! The same events under other numbers: each server's first decision that changes, and no more.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

mod journal_support;

use journal_support::Rig;
use rea::journal::{MemoryFiles, Reader};
use rea::replay::{Change, Options, Outcome, Report, WhatIf, Why, replay};
use rea_fsm::{Ignored, TimerKey};

fn tried(files: Vec<Vec<u8>>, number: &str) -> Report {
    let options = Options {
        until: None,
        what_if: WhatIf::parse(&[number.to_owned()]).unwrap(),
    };
    let reader = Reader::new(Box::new(MemoryFiles::numbered(files)));
    let report = replay(reader, options, &mut |_| Ok(())).unwrap();
    assert!(matches!(report.outcome, Outcome::Identical), "{report:?}");
    report
}

fn log(file_bytes: u64) -> Vec<Vec<u8>> {
    let mut rig = Rig::new(51, file_bytes);
    rig.run(1_000).unwrap();
    rig.close().files()
}

fn each_server_changes_at_most_once(report: &Report) {
    let mut servers: Vec<_> = report.changes.iter().map(|change| &change.server).collect();
    servers.extend(&report.unchanged);
    servers.sort();
    assert_eq!(servers, ["files", "time", "zürich"]);
}

#[test]
fn the_recorded_numbers_change_nothing() {
    let report = tried(log(u64::MAX), "pong_ms=5000");
    assert_eq!(report.unchanged, ["files", "time", "zürich"]);
    assert!(report.changes.is_empty());
}

#[test]
fn numbers_that_the_log_leaves_out_while_they_are_the_default_can_be_tried() {
    for number in [
        "known_version=\"2025-11-25\"",
        "questions_max=3",
        "question_ms=60000",
        "gather_ms=0",
    ] {
        let report = tried(log(u64::MAX), number);
        let looked_at = report.unchanged.len() + report.changes.len();
        assert_eq!(looked_at, 3, "{number}: {report:?}");
    }
}

#[test]
fn a_shorter_time_shows_where_its_timer_would_have_fired() {
    let report = tried(log(u64::MAX), "handshake_ms=30");
    each_server_changes_at_most_once(&report);
    let is_first = |change: &Change| matches!(&change.why, Why::TimerFirst { key: TimerKey::Handshake, due } if *due <= change.at_ms);
    assert!(report.changes.iter().any(is_first), "{:?}", report.changes);
}

#[test]
fn a_longer_time_shows_where_the_recorded_timer_is_not_due() {
    let report = tried(log(u64::MAX), "handshake_ms=9000000");
    let finds_it_not_due = |change: &Change| match &change.why {
        Why::Decided { otherwise, .. } => otherwise.decision.ignored == Some(Ignored::StaleTimer),
        Why::TimerFirst { .. } => false,
    };
    assert!(
        report.changes.iter().any(finds_it_not_due),
        "{:?}",
        report.changes
    );
}

#[test]
fn numbers_can_be_tried_from_the_middle_of_a_session() {
    let files = log(30_000);
    assert!(files.len() > 4);
    let report = tried(files[3..].to_vec(), "restart_intensity=9");
    each_server_changes_at_most_once(&report);
    assert!(!report.changes.is_empty());
}
