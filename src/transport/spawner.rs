//! One permanent thread for each server: it forks the processes and waits for their deaths.
//!
//! The kernel's parent-death signal fires when the forking *thread* ends, so that thread lives as
//! long as the gateway. A start that hangs (a file system that does not answer) holds up its own
//! server only.

use super::sys::die_with_parent;
use super::{PoolIndex, TransportEvent};
use camino::Utf8PathBuf;
use rea_fsm::{ExitStatus, Generation};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use tokio::sync::mpsc::Sender;

const STACK_BYTES: usize = 256 << 10;

/// What to run.
#[derive(Clone, Debug)]
pub struct ChildCommand {
    /// The program's file, already found.
    pub program: Utf8PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: BTreeMap<OsString, OsString>,
    /// Its working directory.
    pub cwd: Utf8PathBuf,
}

/// A process that was started, with our ends of its pipes.
#[derive(Debug)]
pub struct Started {
    pub(super) pid: Pid,
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// The handle of a server's thread.
#[derive(Debug)]
pub(super) struct Spawner {
    requests: mpsc::Sender<(Generation, ChildCommand)>,
}

impl Spawner {
    pub(super) fn start(index: PoolIndex, events: Sender<TransportEvent>) -> io::Result<Self> {
        let (requests, inbox) = mpsc::channel::<(Generation, ChildCommand)>();
        thread::Builder::new()
            .name(format!("server-{index}"))
            .stack_size(STACK_BYTES)
            .spawn(move || {
                for (generation, command) in inbox {
                    if live_once(index, generation, &command, &events).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self { requests })
    }

    pub(super) fn spawn(&self, generation: Generation, command: ChildCommand) -> io::Result<()> {
        self.requests
            .send((generation, command))
            .map_err(|_| io::Error::other("the thread that starts this server is gone"))
    }
}

/// Nobody listens any more.
struct NobodyListens;

fn live_once(
    index: PoolIndex,
    generation: Generation,
    command: &ChildCommand,
    events: &Sender<TransportEvent>,
) -> Result<(), NobodyListens> {
    let tell = |event| events.blocking_send(event).map_err(|_| NobodyListens);
    let started = match start(command) {
        Ok(started) => started,
        Err(error) => return tell(TransportEvent::NotStarted(index, generation, error)),
    };
    let pid = started.pid;
    tell(TransportEvent::Started(index, generation, started))?;
    let status = wait_without_reaping(pid);
    tell(TransportEvent::LeaderDied(index, generation, status))
}

fn start(command: &ChildCommand) -> io::Result<Started> {
    let mut child = Command::new(&command.program);
    child
        .args(&command.args)
        .env_clear()
        .envs(&command.env)
        .current_dir(&command.cwd)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    die_with_parent(&mut child);
    let mut child = child.spawn()?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    match (
        pid,
        child.stdin.take(),
        child.stdout.take(),
        child.stderr.take(),
    ) {
        (Some(pid), Some(stdin), Some(stdout), Some(stderr)) => Ok(Started {
            pid,
            stdin: stdin.into(),
            stdout: stdout.into(),
            stderr: stderr.into(),
        }),
        _ => Err(io::Error::other("the child has no pipes")),
    }
}

/// Waits for the leader's death and leaves it unreaped, so that its number, which is its group's
/// too, can't be given to anybody else before the group is killed.
fn wait_without_reaping(pid: Pid) -> ExitStatus {
    loop {
        match waitid(
            WaitId::Pid(pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        ) {
            Ok(Some(status)) => {
                return match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => ExitStatus::Code(code),
                    (None, Some(signal)) => ExitStatus::Signal(signal),
                    (None, None) => ExitStatus::Code(UNKNOWN_EXIT_CODE),
                };
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            // It was reaped by somebody else, so it is dead; how is not known.
            Err(_) => return ExitStatus::Code(UNKNOWN_EXIT_CODE),
        }
    }
}

/// What a process is said to have ended with when nobody could find out.
const UNKNOWN_EXIT_CODE: i32 = 255;
