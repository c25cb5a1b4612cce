//! Logs of every released format and rules replay as they did when they were written.
//!
//! They were made once by `make_golden_logs` below, from the random world that the other tests
//! use, and are kept: it never writes over a folder that exists. When a decision or a line's shape
//! changes, `RULES` or `FORMAT` is raised, a new folder is made for the new pair, and the old
//! folder stays, with the expected verdict and the list of changed decisions in its README.
#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

mod journal_support;

use camino::{Utf8Path, Utf8PathBuf};
use journal_support::Rig;
use rea::cli::replay::{Progress, ReplayArgs, Verdict, verdict};
use rea::journal::{FORMAT, FileName, RULES};

fn golden() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn folders(path: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut folders: Vec<_> = path
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn shown(log: &Utf8Path) -> (Verdict, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ReplayArgs {
        log: Some(log.to_owned()),
        ..ReplayArgs::default()
    };
    let verdict = verdict(&args, log, &mut out, &mut err, Progress::Hidden).unwrap();
    out.extend_from_slice(b"\n");
    out.extend_from_slice(&err);
    // Where the repository lies is none of the log's business.
    let shown = String::from_utf8(out).unwrap();
    (verdict, shown.replace(log.as_str(), "LOG"))
}

#[test]
fn golden_logs_replay_as_they_did() {
    let mut logs = 0;
    for pair in folders(&golden()) {
        let is_current_rules = pair.as_str().ends_with(&format!("-rules{RULES}"));
        for log in folders(&pair) {
            let (verdict, shown) = shown(&log);
            let expected = std::fs::read_to_string(log.with_extension("txt")).unwrap();
            assert_eq!(shown, expected, "{log}");
            if is_current_rules {
                assert_eq!(verdict, Verdict::Identical, "{log}");
            }
            logs += 1;
        }
    }
    assert!(logs >= 4, "{logs} golden logs");
}

#[test]
fn there_are_golden_logs_of_the_current_format_and_rules() {
    assert!(
        golden()
            .join(format!("format{FORMAT}-rules{RULES}"))
            .is_dir()
    );
}

#[test]
#[ignore = "writes golden logs for a new format or new rules; run once, when one is raised"]
fn make_golden_logs() {
    let pair = golden().join(format!("format{FORMAT}-rules{RULES}"));
    std::fs::create_dir(&pair).unwrap();
    let keep = |name: &str, seed: u64, files: Vec<Vec<u8>>| {
        let log = pair.join(name);
        std::fs::create_dir(&log).unwrap();
        let about = journal_support::about(seed);
        let first = FileName::first(about.began, &about.session);
        for (bytes, number) in files.iter().zip(1..) {
            std::fs::write(log.join(first.numbered(number).to_string()), bytes).unwrap();
        }
        std::fs::write(log.with_extension("txt"), shown(&log).1).unwrap();
    };

    let mut rig = Rig::new(41, u64::MAX);
    rig.run(250).unwrap();
    keep("stopped", 41, rig.close().files());

    let mut rig = Rig::new(42, 16_000);
    rig.run(120).unwrap();
    keep("several_files", 42, rig.close().files());

    let mut rig = Rig::new(43, u64::MAX);
    rig.run(30).unwrap();
    rig.disk.set_room(Some(900));
    rig.run(60).unwrap();
    rig.disk.heal();
    rig.run(60).unwrap();
    keep("gap", 43, rig.close().files());

    let mut rig = Rig::new(44, u64::MAX);
    rig.run(40).unwrap();
    let mut torn = rig.disk.files();
    let length = torn[0].len();
    torn[0].truncate(length - 77);
    keep("killed_in_a_write", 44, torn);
}
