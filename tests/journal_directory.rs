//! Real files: names, modes, rotation, deletion, and faults that a directory can have.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

mod journal_support;

use camino::{Utf8Path, Utf8PathBuf};
use journal_support::{World, about};
use rea::journal::{
    FileName, HealthState, Journal, Limits, LogFiles, Mode, Reader, is_being_written,
};
use rea::replay::{Options, Outcome, Report, replay};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

struct Running {
    world: World,
    journal: Journal,
}

fn start(directory: &Utf8Path, seed: u64, limits: Limits) -> Running {
    let about = about(seed);
    Running {
        world: World::new(&about),
        journal: Journal::open(directory, Mode::On, about, limits),
    }
}

impl Running {
    fn run(&mut self, turns: u64) {
        for _ in 0..turns {
            self.world.turn(&mut self.journal);
            let world = &self.world;
            self.journal.commit(&|| world.snapshots()).unwrap();
        }
    }

    /// Goes on until something is so; what the keeper does takes its time.
    fn run_until(&mut self, mut is_so: impl FnMut(&mut Journal) -> bool) {
        let begun = Instant::now();
        while !is_so(&mut self.journal) {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "it never came to be"
            );
            self.run(1);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn close(self) {
        let world = self.world;
        self.journal
            .close(world.at(), &|| world.snapshots())
            .unwrap();
    }
}

fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
    let kept = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(kept.path().to_owned()).unwrap();
    (kept, path)
}

fn names(directory: &Utf8Path) -> Vec<String> {
    let mut names: Vec<_> = directory
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .collect();
    names.sort();
    names
}

fn replayed(path: &Utf8Path) -> Report {
    let reader = Reader::new(Box::new(LogFiles::find(path).unwrap()));
    replay(reader, Options::default(), &mut |_| Ok(())).unwrap()
}

#[test]
fn a_log_is_private_and_named_by_start_and_session() {
    let (_kept, root) = temporary();
    let events = root.join("state/events");
    let mut running = start(&events, 1, Limits::default());
    running.run(50);
    running.close();
    assert_eq!(names(&events), ["20260301T120000Z-s0001.1.jsonl"]);
    let mode = |path: &Utf8Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&events), 0o700);
    assert_eq!(mode(&events.join("20260301T120000Z-s0001.1.jsonl")), 0o600);
    let report = replayed(&events);
    assert!(matches!(report.outcome, Outcome::Identical));
    assert_eq!(report.records, 51);
}

#[test]
fn what_was_committed_is_there_without_a_close() {
    let (_kept, events) = temporary();
    let mut running = start(&events, 2, Limits::default());
    running.run(50);
    let report = replayed(&events);
    assert_eq!(report.records, 50);
    assert!(!report.ending.unwrap().closed);
}

#[test]
fn a_log_is_live_until_its_writer_ends_in_whatever_way() {
    let (_kept, events) = temporary();
    let mut running = start(&events, 3, Limits::default());
    running.run(1);
    let file = events.join("20260301T120000Z-s0003.1.jsonl");
    assert!(is_being_written(&file));
    drop(running);
    let begun = Instant::now();
    while is_being_written(&file) {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_full_file_is_followed_by_another_and_the_oldest_go() {
    let (_kept, events) = temporary();
    let limits = Limits {
        file_bytes: 20_000,
        total_bytes: 100_000,
    };
    let mut running = start(&events, 4, limits);
    running.run_until(|journal| journal.health().files >= 12);
    running.close();
    let names = names(&events);
    assert!(names.len() < 12, "{names:?}");
    let report = replayed(&events);
    assert!(matches!(report.outcome, Outcome::Identical), "{report:?}");
    assert_eq!((report.gaps, report.missing_files), (0, 0));
    assert_eq!(report.files as usize, names.len());
}

#[test]
fn a_live_sessions_files_are_never_deleted_and_a_dead_ones_first() {
    let (_kept, events) = temporary();
    let roomy = Limits {
        file_bytes: 20_000,
        total_bytes: u64::MAX,
    };
    let mut dead = start(&events, 5, roomy);
    dead.run_until(|journal| journal.health().files >= 3);
    dead.close();
    let mut live = start(&events, 6, roomy);
    live.run_until(|journal| journal.health().files >= 3);
    let tight = Limits {
        file_bytes: 20_000,
        total_bytes: 40_000,
    };
    let mut other = start(&events, 7, tight);
    other.run_until(|journal| journal.health().files >= 4);
    let names = names(&events);
    let of = |session: &str| {
        let numbers = names.iter().filter_map(|name| FileName::parse(name));
        numbers
            .filter(|name| name.session == session)
            .map(|name| name.number)
            .min()
    };
    assert_eq!(of("s0005"), None, "{names:?}");
    assert_eq!(of("s0006"), Some(1), "{names:?}");
    assert!(of("s0007") > Some(1), "{names:?}");
    other.close();
    live.close();
}

#[test]
fn a_directory_that_can_not_be_made_is_a_gap_until_it_can() {
    let (_kept, root) = temporary();
    let blocker = root.join("state");
    std::fs::write(&blocker, "a file where a folder should be").unwrap();
    let events = blocker.join("events");
    let mut running = start(&events, 8, Limits::default());
    running.run(20);
    let health = running.journal.health();
    assert!(
        matches!(&health.state, HealthState::Gap { first: 1, reason, .. } if reason == "ENOTDIR"),
        "{health:?}"
    );
    std::fs::remove_file(&blocker).unwrap();
    running.run_until(|journal| journal.health().state == HealthState::Ok);
    running.run(20);
    running.close();
    let report = replayed(&events);
    assert!(matches!(report.outcome, Outcome::Identical), "{report:?}");
    assert_eq!(report.gaps, 1);
}

#[test]
fn a_deleted_file_is_noticed_and_another_begun() {
    let (_kept, root) = temporary();
    let events = root.join("events");
    let mut running = start(&events, 9, Limits::default());
    running.run(20);
    std::fs::remove_dir_all(&events).unwrap();
    running.run_until(|journal| journal.health().files == 2);
    running.run_until(|journal| journal.health().state == HealthState::Ok);
    running.run(20);
    running.close();
    let report = replayed(&events);
    assert!(matches!(report.outcome, Outcome::Identical), "{report:?}");
    assert_eq!(report.gaps, 1);
}

#[test]
fn the_newest_session_is_taken_from_its_first_file() {
    let (_kept, events) = temporary();
    let limits = Limits {
        file_bytes: 20_000,
        total_bytes: u64::MAX,
    };
    for seed in [1, 2] {
        let mut running = start(&events, seed, limits);
        running.run_until(|journal| journal.health().files >= 11);
        running.close();
    }
    let report = replayed(&events);
    assert!(matches!(report.outcome, Outcome::Identical), "{report:?}");
    assert!(report.files >= 11);
    assert_eq!(report.records, report.last_seq);
    let from_second = replayed(&events.join("20260301T120000Z-s0002.2.jsonl"));
    assert!(matches!(from_second.outcome, Outcome::Identical));
    assert_eq!(from_second.files, report.files - 1);
}
