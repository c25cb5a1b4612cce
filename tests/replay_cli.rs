//! `rea replay` as a person runs it: the real binary, its output and its exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

mod journal_support;

use camino::{Utf8Path, Utf8PathBuf};
use journal_support::{Rig, World, about, forged};
use rea::journal::{Journal, Limits, Mode, Note};
use rea_fsm::{CallId, Millis};
use std::io::Read;
use std::process::{Command, Output, Stdio};

fn rea(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rea"));
    command.arg("replay").args(arguments).env_remove("REA_ROOT");
    command
}

fn output(arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = rea(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
    let kept = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(kept.path().to_owned()).unwrap();
    (kept, path)
}

fn log_of(turns: u64) -> Vec<u8> {
    let mut rig = Rig::new(31, u64::MAX);
    rig.run(turns).unwrap();
    rig.close().files().remove(0)
}

fn written(directory: &Utf8Path, bytes: &[u8]) -> String {
    let path = directory.join("log.jsonl");
    std::fs::write(&path, bytes).unwrap();
    path.into_string()
}

#[test]
fn an_identical_log_is_shown_and_exits_with_0() {
    let (_kept, root) = temporary();
    let path = written(&root, &log_of(30));
    let (code, table, summary) = output(&[&path]);
    assert_eq!(summary, "31 records, 3 servers, identical\n");
    assert_eq!(code, 0);
    let mut lines = table.lines();
    assert_eq!(
        lines.next().unwrap(),
        "session s0031 of rea test, began 2026-03-01T12:00:00Z, format 2, rules 1"
    );
    let heads: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(
        heads,
        ["SEQ", "TIME", "SERVER", "EVENT", "STATE", "EFFECTS"]
    );
    assert_eq!(lines.count(), 31);
    assert!(table.contains("idle → connecting"), "{table}");
}

#[test]
fn the_newest_log_of_the_root_is_taken_by_default() {
    let (_kept, root) = temporary();
    let (code, _, said) = output(&["--root", root.as_str()]);
    assert_eq!(code, 2);
    assert_eq!(
        said,
        format!(
            "rea replay: there is no event log in {root}/.rea/events yet; `rea serve` writes one \
             there, unless `journal: off` is set\n"
        )
    );
    let about = about(32);
    let mut world = World::new(&about);
    let events = root.join(".rea/events");
    let mut journal = Journal::open(&events, Mode::On, about, Limits::default());
    for _ in 0..9 {
        world.turn(&mut journal);
    }
    journal.commit(&|| world.snapshots()).unwrap();
    let (code, _, said) = output(&["--root", root.as_str()]);
    assert_eq!(
        said,
        "9 records, 3 servers, identical\nthe log is still being written\n"
    );
    assert_eq!(code, 0);
    journal.close(world.at(), &|| world.snapshots()).unwrap();
    let state = root.join(".rea");
    for named in [&root, &state, &events] {
        let (code, _, said) = output(&[named.as_str()]);
        assert_eq!(
            (code, said.as_str()),
            (0, "10 records, 3 servers, identical\n"),
            "{named}"
        );
    }
    let (code, _, said) = output(&["--root", root.as_str()]);
    assert_eq!(
        (code, said.as_str()),
        (0, "10 records, 3 servers, identical\n")
    );
}

#[test]
fn a_torn_tail_exits_with_0_and_is_said() {
    let (_kept, root) = temporary();
    let log = log_of(30);
    let path = written(&root, &log[..log.len() - 20]);
    let (code, _, said) = output(&[&path]);
    assert_eq!(code, 0);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], "30 records, 3 servers, identical");
    assert!(lines[1].starts_with("torn tail: "), "{said}");
    assert_eq!(
        lines[2],
        "ended without Stop: the gateway was killed, or the machine went down"
    );
}

#[test]
fn a_corrupt_log_exits_with_3_and_says_where() {
    let (_kept, root) = temporary();
    let mut log = log_of(30);
    let middle = log.len() / 2;
    log[middle] ^= 4;
    let path = written(&root, &log);
    let (code, table, said) = output(&[&path]);
    assert_eq!(code, 3);
    assert!(
        said.contains(&format!("{path} is corrupt at line ")),
        "{said}"
    );
    assert!(table.lines().count() > 5, "what was proven before is shown");
}

#[test]
fn no_log_at_all_exits_with_2() {
    let (_kept, root) = temporary();
    for arguments in [["/nonexistent/log.jsonl"], [root.as_str()]] {
        let (code, _, said) = output(&arguments);
        assert_eq!(code, 2, "{said}");
        assert!(
            said.starts_with("rea replay: there is no event log "),
            "{said}"
        );
    }
}

fn other_digest(body: &str) -> String {
    let is_ten = body.contains("\"seq\":10,");
    match body.find("\"digest\":\"") {
        Some(at) if is_ten => format!("{}0123456789abcdef\"", &body[..at + 10]),
        Some(_) | None => body.to_owned(),
    }
}

#[test]
fn a_divergence_exits_with_1_and_shows_both_sides() {
    let (_kept, root) = temporary();
    let path = written(&root, &forged(&log_of(30), |_, body| other_digest(body)));
    let (code, table, said) = output(&[&path]);
    assert_eq!(
        (code, said.as_str()),
        (1, "9 records identical, diverged at record 10\n")
    );
    let shown = table
        .split("DIVERGED at record 10, server ")
        .nth(1)
        .unwrap();
    for part in [
        "state before",
        "expected",
        "digest 0123456789abcdef",
        "got",
        "state got",
    ] {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
}

#[test]
fn a_divergence_from_other_rules_exits_with_4() {
    let (_kept, root) = temporary();
    let older = forged(&log_of(30), |_, body| {
        other_digest(body).replace("\"rules\":1,", "\"rules\":0,")
    });
    let path = written(&root, &older);
    let (code, _, said) = output(&[&path]);
    assert_eq!(code, 4);
    assert_eq!(
        said,
        "9 records identical; record 10 is decided otherwise since rules 0 (this program: rules \
         1)\n"
    );
}

#[test]
fn one_server_may_be_shown_alone() {
    let (_kept, root) = temporary();
    let path = written(&root, &log_of(60));
    let (code, table, said) = output(&[&path, "--server", "time"]);
    assert_eq!(
        (code, said.as_str()),
        (0, "61 records, 3 servers, identical\n")
    );
    assert!(table.contains("  time  "));
    assert!(!table.contains("  files  "));
    let (_, _, said) = output(&[&path, "--server", "tiem"]);
    assert!(
        said.starts_with(
            "the log says nothing about a server `tiem`; its servers are files, time, zürich\n"
        ),
        "{said}"
    );
}

#[test]
fn json_is_one_object_a_line_and_ends_with_the_outcome() {
    let (_kept, root) = temporary();
    let path = written(&root, &log_of(30));
    let (code, lines, _) = output(&[&path, "--json", "--until", "7"]);
    assert_eq!(code, 0);
    let objects: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects.len(), 9);
    assert_eq!(objects[0]["file"]["header"]["session"], "s0031");
    assert_eq!(objects[1]["step"]["seq"], 1);
    assert_eq!(objects[8]["end"]["outcome"], "identical");
    assert_eq!(objects[8]["end"]["records"], 7);
}

#[test]
fn what_if_shows_the_first_decision_that_changes() {
    let (_kept, root) = temporary();
    let path = written(&root, &log_of(2_000));
    let (code, table, _) = output(&[&path, "--what-if", "restart_intensity=3"]);
    assert_eq!(code, 0);
    assert!(table.contains("WHAT IF "), "{table}");
    assert!(table.contains("  recorded   ") && table.contains("  otherwise  "));
    let (code, table, _) = output(&[&path, "--what-if", "handshake_timeout=100ms"]);
    assert_eq!(code, 0);
    assert!(table.contains("WHAT IF "), "{table}");
    let (code, table, said) = output(&[&path, "--what-if", "blocker_failures=3"]);
    assert_eq!(code, 0);
    assert!(!table.contains("WHAT IF "));
    assert!(
        said.ends_with("with blocker_failures=3, nothing changes for files, time, zürich\n"),
        "{said}"
    );
}

#[test]
fn what_if_refuses_what_is_no_number_of_the_machine() {
    let (_kept, root) = temporary();
    let path = written(&root, &log_of(30));
    for (given, said_of_it) in [
        (
            "backoff",
            "rea: `backoff` should be KEY=VALUE, for example backoff_base=2s\n",
        ),
        (
            "lock_base=soon",
            "rea: lock_base: \"soon\" is not a duration: write 30s, 250ms, 5m, 1h or a plain number \
             of seconds\n",
        ),
        (
            "lock_base_ms=1",
            "rea: `files` can't have these numbers: the lock must last at least as \
          long as the restart window, or a flapping server would never stay locked\n",
        ),
    ] {
        let (code, _, said) = output(&[&path, "--what-if", given]);
        assert_eq!((code, said.as_str()), (2, said_of_it));
    }
    let (code, _, said) = output(&[&path, "--what-if", "bakoff_ms=1"]);
    assert_eq!(code, 2);
    assert!(
        said.starts_with("rea: there is no number `bakoff_ms`; there are: restart_intensity, "),
        "{said}"
    );
    assert!(
        said.contains("in the log they are called") && said.contains("backoff_base_ms"),
        "{said}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (_kept, root) = temporary();
    let path = written(&root, &log_of(5_000));
    let mut child = rea(&[&path])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 64];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
}

#[test]
fn text_from_outside_can_not_drive_the_terminal() {
    let (_kept, root) = temporary();
    let mut rig = Rig::new(33, u64::MAX);
    rig.run(3).unwrap();
    let refused = Note::Refused {
        call: CallId(1),
        tool: "\x1b[2J\u{202e}evil".to_owned(),
        reason: "no\nsuch tool".to_owned(),
    };
    rig.journal.append_note(Millis(99_999), &refused);
    let path = written(&root, &rig.close().files().remove(0));
    let (_, table, _) = output(&[&path]);
    assert!(!table.contains('\x1b') && !table.contains('\u{202e}'));
    assert!(
        table.contains("call 1 \\u{1b}[2J\\u{202e}evil refused: no\\u{a}such tool"),
        "{table}"
    );
}
