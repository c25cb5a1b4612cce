//! `rea status --watch`, on a terminal.

use super::shown::{WELL, json};
use crate::support::{Project, REA, until};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// A terminal of this many rows, and what was written to it so far.
struct Terminal {
    written: Arc<Mutex<String>>,
    process: Child,
}

impl Terminal {
    fn watching(project: &Project, rows: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        let size = Winsize {
            ws_row: rows,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&ours, size).unwrap();
        let process = Command::new(REA)
            .args(["status", "--watch"])
            .current_dir(&project.root)
            .env_remove("REA_ROOT")
            .env_remove("NO_COLOR")
            .stdout(Stdio::from(theirs))
            .spawn()
            .unwrap();
        let written = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&written);
        let mut ours = File::from(ours);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = ours.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..read]);
                shared.lock().unwrap().push_str(&text);
            }
        });
        Self { written, process }
    }

    fn written(&self) -> String {
        self.written.lock().unwrap().clone()
    }

    /// The last frame that is whole.
    fn frame(&self) -> String {
        let written = self.written();
        let frames: Vec<&str> = written.split("\u{1b}[H").collect();
        let whole = frames
            .iter()
            .rev()
            .find(|frame| frame.ends_with("\u{1b}[J"));
        whole.copied().unwrap_or_default().to_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn it_is_drawn_in_place_and_follows_what_happens() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    let mut terminal = Terminal::watching(&project, 24);
    until("it is shown", || {
        terminal.frame().contains("\u{1b}[32mready")
    });
    gateway.call("one__crash", &json!({}));
    gateway.call("one__echo", &json!({}));
    until("a restart is shown", || {
        let frame = terminal.frame();
        let row = frame
            .lines()
            .find(|line| line.starts_with("one"))
            .map(str::to_owned);
        row.is_some_and(|row| row.split_whitespace().nth(7) == Some("1"))
    });
    let pid = Pid::from_raw(i32::try_from(terminal.process.id()).unwrap()).unwrap();
    // Not INT, which whoever runs the tests may have been told to ignore, and its children with it.
    kill_process(pid, Signal::TERM).unwrap();
    until("it ends", || terminal.process.try_wait().unwrap().is_some());
    let written = terminal.written();
    for mode in ["\u{1b}[?", "\u{1b}="] {
        assert!(!written.contains(mode), "no mode is set that would stay");
    }
    assert_eq!(written.matches("\u{1b}[2J").count(), 1, "cleared once");
}

#[test]
fn a_low_window_shows_what_fits_and_counts_the_rest() {
    let project = Project::new().demo("one").demo("two").demo("three");
    let mut gateway = project.serve();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    let terminal = Terminal::watching(&project, 5);
    until("the rest is counted", || {
        terminal.frame().contains("more lines")
    });
    assert_eq!(terminal.frame().matches("\r\n").count(), 4);
}
