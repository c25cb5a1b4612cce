//! `rea demo`, as somebody who has just built it runs it.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::fs;
use std::process::Command;
use support::{REA, processes};

fn demo(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(REA).arg("demo").args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn it_passes_and_tells_its_story_in_order() {
    let (code, story, errors) = demo(&[]);
    assert_eq!(code, Some(0), "{story}\n{errors}");
    assert_eq!(errors, "");
    let mut rest = story.as_str();
    for part in [
        "three servers",
        "good__echo answers: {\"hello\":\"world\"}",
        "may have been executed",
        "started again",
        "it was not repeated",
        "locked",
        "recovered by itself",
        "ended every server",
        "identical",
    ] {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part:?} is missing or late in\n{story}"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn whoever_has_seen_enough_may_go_away() {
    let mut demo = Command::new(REA)
        .arg("demo")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(demo.stdout.take());
    let output = demo.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn what_it_leaves_can_be_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().canonicalize().unwrap().join("kept");
    let (code, story, errors) = demo(&["--keep", keep.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{story}\n{errors}");
    for file in [
        "calls-of-fragile.txt",
        "starts-of-flapping.txt",
        ".rea/registry.yaml",
    ] {
        assert!(keep.join(file).is_file(), "{file}");
    }
    assert!(
        fs::read_dir(keep.join(".rea/events"))
            .unwrap()
            .next()
            .is_some()
    );
    assert!(
        processes::in_folder(&keep).is_empty(),
        "nothing of it runs on"
    );
    let replay = Command::new(REA)
        .args(["replay", "--root"])
        .arg(&keep)
        .env_remove("REA_ROOT")
        .output();
    assert_eq!(replay.unwrap().status.code(), Some(0));

    let (code, _, errors) = demo(&["--keep", keep.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("--keep"), "{errors}");
}
