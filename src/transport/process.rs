//! One process: its pipes, what is staged for it, and what is known of its death.
//!
//! Invariant: a group is never signalled once its leader is reaped, because its number may then
//! belong to somebody else. Whether the leader is reaped is whether `death` is known.

use super::outbox::Outbox;
use super::stderr_file::Tail;
use rea_fsm::{CallId, ExitStatus, Generation, Signal};
use rustix::process::{Pid, WaitOptions, kill_process_group, waitpid};
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::unix::pipe;
use tokio::task::JoinHandle;

/// How long the rest of a dead process's standard error is read, if its end does not come.
const STDERR_AFTER_DEATH: Duration = Duration::from_secs(1);

/// A process that was started.
pub(super) struct Process {
    pub(super) generation: Generation,
    pid: Pid,
    input: Input,
    outbox: Outbox,
    output: Output,
    tasks: [JoinHandle<()>; 2],
    tail: Tail,
    death: Option<Death>,
}

enum Input {
    Open(pipe::Sender),
    /// Closed as soon as everything staged is written.
    Closing(pipe::Sender),
    /// Nothing can be written, but the kernel still knows what was not read.
    Broken(pipe::Sender),
    Closed,
}

/// Whether everything that the process wrote has been read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Open,
    Ended,
}

/// How a process ended, and what it never read.
pub(super) struct Death {
    pub(super) status: ExitStatus,
    pub(super) unread: Vec<CallId>,
}

/// What writing came to.
pub(super) enum Written {
    /// What could be written is.
    Fine,
    /// Nobody reads any more; told once.
    Broken,
    /// More waits to be read than may; nothing more is written, and it is told once.
    Overfull,
}

impl Process {
    /// `tasks` read its output and its standard error, and end with it.
    pub(super) fn new(
        generation: Generation,
        pid: Pid,
        stdin: pipe::Sender,
        tasks: [JoinHandle<()>; 2],
        tail: Tail,
    ) -> Self {
        Self {
            generation,
            pid,
            input: Input::Open(stdin),
            outbox: Outbox::default(),
            output: Output::Open,
            tasks,
            tail,
            death: None,
        }
    }

    /// Stages a line. Of a process that can't be written to, calls are kept: they were never read.
    pub(super) fn push(&mut self, line: &[u8], call: Option<CallId>) {
        match self.input {
            Input::Open(_) | Input::Closing(_) => self.outbox.push(line, call),
            Input::Broken(_) if call.is_some() => self.outbox.push(line, call),
            Input::Broken(_) | Input::Closed => {}
        }
    }

    /// The call was answered.
    pub(super) fn settled(&mut self, call: CallId) {
        self.outbox.settled(call);
    }

    pub(super) fn close_stdin(&mut self) {
        self.input = match std::mem::replace(&mut self.input, Input::Closed) {
            Input::Open(_) | Input::Closing(_) if self.outbox.is_empty() => Input::Closed,
            Input::Open(pipe) | Input::Closing(pipe) => Input::Closing(pipe),
            Input::Broken(pipe) => Input::Broken(pipe),
            Input::Closed => Input::Closed,
        };
    }

    pub(super) fn flush(&mut self) -> Written {
        let result = match &self.input {
            Input::Open(pipe) | Input::Closing(pipe) => self.outbox.flush(pipe),
            Input::Broken(_) | Input::Closed => Ok(()),
        };
        self.after_write(&result)
    }

    /// Waits until the pipe takes more, and writes it; never if nothing waits.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Written> {
        if self.outbox.is_empty() {
            return Poll::Pending;
        }
        let result = match &mut self.input {
            Input::Open(pipe) | Input::Closing(pipe) => self.outbox.poll_flush(pipe, cx),
            Input::Broken(_) | Input::Closed => Poll::Pending,
        };
        result.map(|result| self.after_write(&result))
    }

    fn after_write(&mut self, result: &io::Result<()>) -> Written {
        let is_overfull = result.is_ok() && self.outbox.is_overfull();
        if result.is_err() || is_overfull {
            self.outbox.give_up();
            self.input = match std::mem::replace(&mut self.input, Input::Closed) {
                Input::Open(pipe) | Input::Closing(pipe) | Input::Broken(pipe) => {
                    Input::Broken(pipe)
                }
                Input::Closed => Input::Closed,
            };
            return if is_overfull {
                Written::Overfull
            } else {
                Written::Broken
            };
        }
        if matches!(self.input, Input::Closing(_)) && self.outbox.is_empty() {
            self.input = Input::Closed;
        }
        Written::Fine
    }

    /// Signals the whole group. One that is dead has been killed already.
    pub(super) fn signal(&self, signal: Signal) {
        if self.death.is_some() {
            return;
        }
        let signal = match signal {
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        // A group that is gone needs no signal.
        let _ = kill_process_group(self.pid, signal);
    }

    /// The leader is dead and not reaped. The order matters: what was not read is asked while the
    /// pipe is there; the group is killed while its number can't belong to anybody else; then the
    /// leader is reaped.
    pub(super) fn bury(&mut self, status: ExitStatus) {
        let unread = match &self.input {
            Input::Open(pipe) | Input::Closing(pipe) | Input::Broken(pipe) => {
                self.outbox.unread(unread_bytes(pipe))
            }
            Input::Closed => Vec::new(),
        };
        self.signal(Signal::Kill);
        let _ = waitpid(Some(self.pid), WaitOptions::empty());
        self.input = Input::Closed;
        self.death = Some(Death { status, unread });
    }

    pub(super) const fn is_buried(&self) -> bool {
        self.death.is_some()
    }

    pub(super) const fn output(&self) -> Output {
        self.output
    }

    /// Everything that it wrote was read; whether that is news.
    pub(super) fn end_output(&mut self) -> Output {
        std::mem::replace(&mut self.output, Output::Ended)
    }

    /// How it ended, and the last lines of its standard error. Nobody listens to it from
    /// here on; its standard error is still read to its end, for the file.
    pub(super) fn last_words(self) -> Option<(Death, Vec<String>)> {
        let [output, stderr] = self.tasks;
        output.abort();
        // What it has written to its standard error is in the pipe, and may be the reason of its death.
        // Somebody else may hold the other end for ever.
        tokio::spawn(async move {
            let stop = stderr.abort_handle();
            if tokio::time::timeout(STDERR_AFTER_DEATH, stderr)
                .await
                .is_err()
            {
                stop.abort();
            }
        });
        let words = self.tail.borrow().iter().cloned().collect();
        self.death.map(|death| (death, words))
    }
}

/// How much of what was written a dead reader has left in the pipe.
#[cfg(target_os = "linux")]
fn unread_bytes(pipe: &pipe::Sender) -> u64 {
    rustix::io::ioctl_fionread(pipe).unwrap_or(0)
}

/// Only Linux tells it at the writing end; elsewhere everything written may have been read.
#[cfg(not(target_os = "linux"))]
fn unread_bytes(_: &pipe::Sender) -> u64 {
    0
}
