//! Every random run that was written reads and replays with equal hashes, from any of its files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

mod journal_support;

use journal_support::{Rig, forged};
use rea::journal::{FORMAT, MemoryFiles, RULES, Reader};
use rea::replay::{Options, Outcome, Report, Seen, replay};

fn replayed(files: Vec<Vec<u8>>) -> Report {
    let reader = Reader::new(Box::new(MemoryFiles::numbered(files)));
    replay(reader, Options::default(), &mut |_| Ok(())).unwrap()
}

#[test]
fn a_run_replays_identically() {
    for seed in 0..40 {
        let mut rig = Rig::new(seed, u64::MAX);
        rig.run(1_500).unwrap();
        let report = replayed(rig.close().files());
        assert!(
            matches!(report.outcome, Outcome::Identical),
            "{seed}: {report:?}"
        );
        assert_eq!(report.records, 1_501, "all inputs and the closing note");
        assert_eq!(report.servers, 3);
        assert!(report.ending.unwrap().closed);
    }
}

#[test]
fn a_run_over_many_files_replays_from_each_of_them() {
    for seed in 0..10 {
        let mut rig = Rig::new(seed, 20_000);
        rig.run(800).unwrap();
        let files = rig.close().files();
        assert!(files.len() > 5, "{} files", files.len());
        let mut records = u64::MAX;
        for first in 0..files.len() {
            let report = replayed(files[first..].to_vec());
            assert!(
                matches!(report.outcome, Outcome::Identical),
                "{seed}/{first}: {report:?}"
            );
            assert_eq!(report.last_seq, 801);
            assert!(report.records < records, "a later file has fewer records");
            records = report.records;
        }
    }
}

#[test]
fn a_missing_file_is_said_and_the_rest_is_compared() {
    let mut rig = Rig::new(3, 20_000);
    rig.run(800).unwrap();
    let mut files = rig.close().files();
    files.drain(2..4);
    let report = replayed(files);
    assert!(matches!(report.outcome, Outcome::Identical), "{report:?}");
    assert_eq!(report.missing_files, 2);
    assert_eq!(report.last_seq, 801);
}

#[test]
fn swapped_files_are_no_log() {
    let mut rig = Rig::new(3, 20_000);
    rig.run(800).unwrap();
    let mut files = rig.close().files();
    files.swap(2, 3);
    let report = replayed(files);
    assert!(
        matches!(report.outcome, Outcome::Unreadable(_)),
        "{report:?}"
    );
}

#[test]
fn a_run_stops_after_the_record_that_it_was_told() {
    let mut rig = Rig::new(5, u64::MAX);
    rig.run(100).unwrap();
    let reader = Reader::new(Box::new(MemoryFiles::numbered(rig.close().files())));
    let options = Options {
        until: Some(42),
        ..Options::default()
    };
    let mut steps = 0;
    let report = replay(reader, options, &mut |seen| {
        steps += u64::from(matches!(seen, Seen::Step { .. }));
        Ok(())
    })
    .unwrap();
    assert_eq!((steps, report.last_seq, report.ending), (42, 42, None));
}

#[test]
fn snapshot_hashes_are_written_and_compared() {
    let mut rig = Rig::new(6, u64::MAX);
    rig.run(9_000).unwrap();
    let files = rig.close().files();
    let text = String::from_utf8(files.concat()).unwrap();
    assert_eq!(text.matches(",\"snapshot\":\"").count(), 2);
    assert!(matches!(replayed(files).outcome, Outcome::Identical));
}

#[test]
fn the_first_divergence_names_the_record_and_both_sides() {
    let mut rig = Rig::new(7, u64::MAX);
    rig.run(60).unwrap();
    let files = rig.close().files();
    // As if record 30's machine had come to something else; the chain is made to fit.
    let forgery = forged(&files[0], |_, line| {
        if !line.contains("\"seq\":30,") {
            return line.to_owned();
        }
        let at = line.find("\"digest\":\"").unwrap() + 10;
        format!("{}{}{}", &line[..at], "0123456789abcdef", &line[at + 16..])
    });
    let report = replayed(vec![forgery]);
    let Outcome::Diverged(divergence) = report.outcome else {
        panic!("{report:?}");
    };
    assert_eq!(divergence.seq, 30);
    assert_eq!(divergence.expected.digest.unwrap().0, 0x0123_4567_89ab_cdef);
    assert_eq!(divergence.expected.state, divergence.got.state);
    assert_eq!(divergence.expected.effects, divergence.got.effects);
    assert!(divergence.before.is_some() && divergence.event.is_some());
    assert_eq!(report.records, 29, "those before it were identical");
}

#[test]
fn versions_begin_at_one() {
    assert_eq!((FORMAT, RULES), (1, 1));
}
