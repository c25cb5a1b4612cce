//! Every random run that was written reads and replays with equal hashes, from any of its files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

mod journal_support;

use journal_support::{Rig, forged, forged_behind};
use rea::journal::{Chain, MemoryFiles, Reader};
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

/// Puts other digits behind the first such field of one record.
fn with_other(field: &str, body: &str, seq: u64, other: &str) -> String {
    let opening = format!("\"{field}\":\"");
    match body.find(&opening) {
        Some(found) if body.contains(&format!("\"seq\":{seq},")) => {
            let begin = found + opening.len();
            let end = begin + body[begin..].find('"').unwrap();
            format!("{}{other}{}", &body[..begin], &body[end..])
        }
        Some(_) | None => body.to_owned(),
    }
}

#[test]
fn state_effects_digest_and_snapshot_are_each_compared() {
    let mut rig = Rig::new(8, u64::MAX);
    rig.run(4_100).unwrap();
    let log = rig.close().files().remove(0);
    for (field, seq, other) in [
        ("state", 50, "stuck"),
        ("effects", 50, "0123456789abcdef"),
        ("digest", 50, "0123456789abcdef"),
        ("snapshot", 4_096, "0123456789abcdef"),
    ] {
        let forgery = forged(&log, |_, body| with_other(field, body, seq, other));
        assert_ne!(forgery, log, "{field}");
        let Outcome::Diverged(divergence) = replayed(vec![forgery]).outcome else {
            panic!("another {field} was accepted");
        };
        assert_eq!(divergence.seq, seq, "{field}");
    }
}

#[test]
fn a_new_files_snapshots_are_compared_with_the_machines() {
    let mut rig = Rig::new(9, 30_000);
    rig.run(150).unwrap();
    let mut files = rig.disk.files();
    files.truncate(2);
    let text = std::str::from_utf8(&files[0]).unwrap();
    let digits = &text[text.len() - 35..text.len() - 3];
    let last: Chain = serde_json::from_str(&format!("\"{digits}\"")).unwrap();
    let honest = forged_behind(last, &files[1], |_, body| body.to_owned());
    assert_eq!(honest, files[1]);
    files[1] = forged_behind(last, &files[1], |_, body| {
        body.replacen("\"connections\":0", "\"connections\":7", 1)
            .replacen("\"connections\":1", "\"connections\":7", 1)
    });
    assert_ne!(honest, files[1]);
    let Outcome::Diverged(divergence) = replayed(files).outcome else {
        panic!("another snapshot was accepted");
    };
    assert!(divergence.event.is_none());
    assert_ne!(divergence.expected.snapshot, divergence.got.snapshot);
}
