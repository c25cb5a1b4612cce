//! Gateways of one folder that come and go, cleanly and not, at random.
//!
//! `REA_TEST_SECONDS` says how long; a few by themselves, a minute for the night.

use super::shown::{NOT_RUNNING, WELL, json};
use crate::support::{Gateway, Project, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

/// Small and good enough: a test that fails says which seed it had.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn seconds() -> u64 {
    let wanted = std::env::var("REA_TEST_SECONDS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// Ends one: cleanly, by TERM, or by KILL wherever it is.
fn end(mut gateway: Gateway<'_>, random: &mut Random) {
    let pid = Pid::from_raw(i32::try_from(gateway.pid()).unwrap()).unwrap();
    match random.below(3) {
        0 => gateway.end_input(),
        1 => kill_process(pid, Signal::TERM).unwrap(),
        _ => kill_process(pid, Signal::KILL).unwrap(),
    }
    gateway.wait();
}

/// What must hold at every moment. The living are those that were not told to end.
fn check(project: &Project, living: &BTreeSet<u32>, seed: u64) {
    let file = project.state().join("serve.state.json");
    if let Ok(text) = fs::read_to_string(&file) {
        let whole: Result<Value, _> = serde_json::from_str(&text);
        assert!(whole.is_ok(), "seed {seed}: half a file: {text}");
    }
    let (_, status) = json(project);
    let shown = [&status["serve"]]
        .into_iter()
        .chain(status["others"].as_array().unwrap());
    let running: Vec<u32> = shown
        .filter(|gateway| gateway["running"] == true)
        .map(|gateway| u32::try_from(gateway["pid"].as_u64().unwrap()).unwrap())
        .collect();
    let once: BTreeSet<u32> = running.iter().copied().collect();
    assert_eq!(
        once.len(),
        running.len(),
        "seed {seed}: shown twice: {status:#}"
    );
    assert!(
        once.is_subset(living),
        "seed {seed}: {once:?} are shown as running, {living:?} are: {status:#}"
    );
}

fn come_and_go(count: usize, seed: u64) {
    let project = Project::new().demo("one");
    project.write_registry();
    let mut random = Random(seed);
    let mut crowd: Vec<Gateway<'_>> = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(seconds());
    while Instant::now() < deadline {
        let is_full = crowd.len() >= count;
        if is_full || (!crowd.is_empty() && random.below(3) == 0) {
            let place = usize::try_from(random.below(crowd.len() as u64)).unwrap();
            end(crowd.swap_remove(place), &mut random);
        } else {
            let mut gateway = project.start();
            // Some are killed before they have done anything.
            if random.below(4) > 0 {
                gateway.hello();
            }
            crowd.push(gateway);
        }
        let living: BTreeSet<u32> = crowd.iter().map(Gateway::pid).collect();
        check(&project, &living, seed);
    }
    for gateway in crowd {
        end(gateway, &mut random);
    }
    check(&project, &BTreeSet::new(), seed);
    // The next one owns the file, is seen, and clears away what the killed have left.
    let mut last = project.serve();
    last.tools();
    until("the last one is well", || json(&project).0 == WELL);
    last.finish();
    assert_eq!(json(&project).0, NOT_RUNNING);
    let left: Vec<String> = project
        .state()
        .read_dir_utf8()
        .unwrap()
        .chain(project.state().join("sessions").read_dir_utf8().unwrap())
        .chain(project.state().join("catalogue").read_dir_utf8().unwrap())
        .map(|entry| entry.unwrap().file_name().to_owned())
        .filter(|name| name.contains("atomicwrite") || name.len() == 12)
        .collect();
    assert!(left.is_empty(), "seed {seed}: {left:?}");
}

#[test]
fn two_gateways_come_and_go() {
    come_and_go(2, 0x9E37_79B9_7F4A_7C15);
}

#[test]
fn ten_gateways_come_and_go() {
    come_and_go(10, 0xD1B5_4A32_D192_ED03);
}
