//! A disk that fails costs records, never the truth about which: acts go on, the gap says what
//! is missing, and replay goes on behind it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

mod journal_support;

use journal_support::Rig;
use rea::journal::{HealthState, MemoryFiles, MemoryHandle, Mode, Reader};
use rea::replay::{Options, Outcome, Report, replay};

fn replayed(files: Vec<Vec<u8>>) -> Report {
    let reader = Reader::new(Box::new(MemoryFiles::numbered(files)));
    replay(reader, Options::default(), &mut |_| Ok(())).unwrap()
}

fn is_gap(rig: &mut Rig) -> bool {
    matches!(rig.health().state, HealthState::Gap { .. })
}

#[test]
fn wherever_the_disk_fills_up_replay_goes_on_behind_the_gap() {
    for room in (0..2_500).step_by(13) {
        let mut rig = Rig::new(21, u64::MAX);
        rig.run(100).unwrap();
        rig.disk.set_room(Some(room));
        rig.run(100).unwrap();
        assert!(is_gap(&mut rig), "room {room}");
        rig.disk.heal();
        rig.run(200).unwrap();
        assert_eq!(rig.health().state, HealthState::Ok);
        let report = replayed(rig.close().files());
        assert!(
            matches!(report.outcome, Outcome::Identical),
            "room {room}: {report:?}"
        );
        assert_eq!(report.gaps, 1);
        // Nothing is counted twice and nothing is forgotten: 400 inputs, the gap, the close.
        assert_eq!(report.records + report.lost, 402, "room {room}");
        assert_eq!(report.last_seq, 402);
        assert!(report.ending.unwrap().closed);
    }
}

#[test]
fn a_torn_line_is_cut_off_also_where_the_next_file_is_due() {
    for room in (1_000..6_000).step_by(41) {
        let mut rig = Rig::new(24, 1_000);
        rig.disk.seal_directory();
        rig.disk.set_room(Some(room));
        rig.run(50).unwrap();
        rig.disk.heal();
        rig.run(200).unwrap();
        let report = replayed(rig.close().files());
        assert!(
            matches!(report.outcome, Outcome::Identical),
            "room {room}: {report:?}"
        );
    }
}

#[test]
fn what_a_full_disk_took_of_a_batch_is_cut_back_to_whole_lines_when_it_has_room() {
    let mut rig = Rig::new(22, u64::MAX);
    rig.run(10).unwrap();
    rig.disk.set_room(Some(300));
    rig.run(10).unwrap();
    let torn = rig.disk.files().remove(0);
    assert_ne!(torn.last(), Some(&b'\n'), "the test needs a torn line");
    let before = replayed(vec![torn]);
    assert!(matches!(before.outcome, Outcome::Identical));
    assert!(before.ending.unwrap().torn.is_some());
    rig.disk.heal();
    rig.run(200).unwrap();
    let text = String::from_utf8(rig.close().files().remove(0)).unwrap();
    assert!(
        text.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );
    let gap = text.lines().find(|line| line.contains("\"gap\"")).unwrap();
    let gap: serde_json::Value = serde_json::from_str(gap).unwrap();
    let gap = &gap["note"]["gap"];
    assert_eq!(gap["first"], before.last_seq + 1);
    assert_eq!(gap["reason"], "ENOSPC");
    assert_eq!(gap["snapshots"].as_object().unwrap().len(), 3);
}

#[test]
fn nothing_is_written_behind_a_torn_line_that_stays() {
    let mut rig = Rig::new(23, u64::MAX);
    rig.run(10).unwrap();
    rig.disk.set_room(Some(300));
    rig.disk.refuse_cut();
    rig.run(10).unwrap();
    let torn = rig.disk.files();
    rig.disk.set_room(None);
    rig.run(300).unwrap();
    assert!(is_gap(&mut rig));
    assert_eq!(rig.disk.files(), torn);
    rig.disk.heal();
    rig.run(100).unwrap();
    let report = replayed(rig.close().files());
    assert!(matches!(report.outcome, Outcome::Identical), "{report:?}");
    assert_eq!(report.gaps, 1);
}

#[test]
fn a_log_that_could_not_begin_begins_with_its_gap() {
    let mut rig = Rig::with(24, u64::MAX, Mode::On, MemoryHandle::seal_directory);
    rig.run(50).unwrap();
    let HealthState::Gap { first, reason, .. } = rig.health().state else {
        panic!("{:?}", rig.health());
    };
    assert_eq!((first, reason.as_str()), (1, "EROFS"));
    rig.disk.heal();
    rig.run(150).unwrap();
    let report = replayed(rig.close().files());
    assert!(matches!(report.outcome, Outcome::Identical), "{report:?}");
    assert_eq!(report.gaps, 1);
    assert!(report.lost >= 50);
    assert_eq!(report.records + report.lost, 202);
}

#[test]
fn without_a_next_file_the_last_one_grows_only_so_far() {
    let mut rig = Rig::new(25, 10_000);
    rig.disk.seal_directory();
    rig.run(1_000).unwrap();
    assert!(is_gap(&mut rig));
    let files = rig.disk.files();
    assert_eq!(files.len(), 1);
    assert!(
        (40_000..60_000).contains(&files[0].len()),
        "{}",
        files[0].len()
    );
    rig.disk.heal();
    rig.run(300).unwrap();
    let files = rig.close().files();
    assert!(files.len() > 1);
    let report = replayed(files);
    assert!(matches!(report.outcome, Outcome::Identical), "{report:?}");
    assert_eq!(report.gaps, 1);
}

#[test]
fn a_disk_that_fills_up_while_a_file_begins_loses_no_order() {
    for room in (0..40_000).step_by(397) {
        let mut rig = Rig::new(26, 9_000);
        rig.disk.set_room(Some(room));
        rig.run(200).unwrap();
        rig.disk.heal();
        rig.run(200).unwrap();
        let report = replayed(rig.close().files());
        assert!(
            matches!(report.outcome, Outcome::Identical),
            "room {room}: {report:?}"
        );
        assert_eq!(report.records + report.lost, report.last_seq, "room {room}");
    }
}

#[test]
fn a_required_log_says_so_until_it_can_be_written() {
    let mut rig = Rig::with(27, u64::MAX, Mode::Required, |_| {});
    rig.run(10).unwrap();
    rig.disk.set_room(Some(0));
    let refused = rig.run(10).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the event log can't be written (ENOSPC), and `journal: required` refuses calls until it \
         can; free the disk or set `journal.dir` to a place that can be written"
    );
    rig.disk.heal();
    rig.run(200).unwrap();
}

#[test]
fn a_failing_disk_is_asked_once_a_second_and_not_with_each_record() {
    let mut rig = Rig::new(28, u64::MAX);
    rig.disk.set_room(Some(0));
    rig.run(1).unwrap();
    rig.disk.heal();
    let lost_at = rig.world.at();
    while rig.world.at().since(lost_at).0 < 1_000 {
        assert!(is_gap(&mut rig));
        rig.run(1).unwrap();
    }
    assert_eq!(rig.health().state, HealthState::Ok);
}

#[test]
fn a_log_that_is_off_writes_nothing() {
    let mut rig = Rig::with(29, u64::MAX, Mode::On, |_| {});
    rig.journal = rea::journal::Journal::open(
        camino::Utf8Path::new("/nonexistent"),
        Mode::Off,
        journal_support::about(29),
        rea::journal::Limits::default(),
    );
    rig.run(50).unwrap();
    assert_eq!(rig.health().state, HealthState::Off);
    assert_eq!(rig.health().bytes, 0);
}
