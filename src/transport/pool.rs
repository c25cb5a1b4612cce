//! The processes: one for each server at most, with their pipes and the order of their deaths.

use super::process::{Death, Output, Process, Written};
use super::spawner::{ChildCommand, Spawner, Started};
use super::stderr_file::StderrFiles;
use super::{CHUNK_BYTES, PoolIndex, TransportEvent};
use rea_fsm::{CallId, ExitStatus, Generation, Signal};
use rustix::process::{WaitOptions, kill_process_group, waitpid};
use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::unix::pipe;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;
use tracing::warn;

/// How long the rest of a dead process's output is waited for while somebody else holds it open.
const OUTPUT_AFTER_DEATH: Duration = Duration::from_millis(200);

/// What the pool reports of one process.
#[derive(Debug)]
pub struct ProcessReport {
    /// Whose.
    pub server: PoolIndex,
    /// Of which life.
    pub generation: Generation,
    /// What.
    pub kind: ReportKind,
}

/// What happened to a process.
#[derive(Debug)]
pub enum ReportKind {
    /// It runs.
    Started {
        /// Its process id.
        pid: u32,
    },
    /// It could not be started.
    NotStarted(io::Error),
    /// It wrote this.
    Output(Vec<u8>),
    /// Its output has ended.
    OutputEnded,
    /// It can't be written to.
    InputBroken,
    /// It is gone. The last report.
    Exited {
        /// How it ended.
        status: ExitStatus,
        /// Calls that it provably never read.
        unread: Vec<CallId>,
        /// The last lines of its standard error.
        last_words: Vec<String>,
    },
}

/// Whether a server's output is read. Where it is not, its pipe fills and holds it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It is.
    On,
    /// Not now.
    Paused,
}

struct Slot {
    name: String,
    spawner: Spawner,
    process: Option<Process>,
    reading: watch::Sender<Reading>,
}

/// Every server's process.
pub struct Pool {
    slots: Vec<Slot>,
    events: Sender<TransportEvent>,
    stderr_files: StderrFiles,
    reports: VecDeque<ProcessReport>,
}

impl Pool {
    /// Servers without processes.
    ///
    /// # Errors
    /// A server's thread can't be started.
    pub fn new(
        names: impl IntoIterator<Item = String>,
        events: &Sender<TransportEvent>,
        stderr_files: StderrFiles,
    ) -> io::Result<Self> {
        let mut slots = Vec::new();
        for (index, name) in (0..).zip(names) {
            let spawner = Spawner::start(index, events.clone())?;
            slots.push(Slot {
                name,
                spawner,
                process: None,
                reading: watch::Sender::new(Reading::On),
            });
        }
        Ok(Self {
            slots,
            events: events.clone(),
            stderr_files,
            reports: VecDeque::new(),
        })
    }

    /// Starts a process.
    pub fn spawn(&mut self, server: PoolIndex, generation: Generation, command: ChildCommand) {
        if let Err(error) = self.slots[server as usize]
            .spawner
            .spawn(generation, command)
        {
            self.report(server, generation, ReportKind::NotStarted(error));
        }
    }

    fn process(&mut self, server: PoolIndex, generation: Generation) -> Option<&mut Process> {
        self.slots[server as usize]
            .process
            .as_mut()
            .filter(|process| process.generation == generation)
    }

    /// Stages a line.
    pub fn push(
        &mut self,
        server: PoolIndex,
        generation: Generation,
        line: &[u8],
        call: Option<CallId>,
    ) {
        if let Some(process) = self.process(server, generation) {
            process.push(line, call);
        }
    }

    /// The call was answered.
    pub fn settled(&mut self, server: PoolIndex, generation: Generation, call: CallId) {
        if let Some(process) = self.process(server, generation) {
            process.settled(call);
        }
    }

    /// Closes a process's stdin once everything staged is written.
    pub fn close_stdin(&mut self, server: PoolIndex, generation: Generation) {
        if let Some(process) = self.process(server, generation) {
            process.close_stdin();
        }
    }

    /// Signals a process's whole group.
    pub fn signal(&mut self, server: PoolIndex, generation: Generation, signal: Signal) {
        if let Some(process) = self.process(server, generation) {
            process.signal(signal);
        }
    }

    /// Stops or goes on reading a server's output.
    pub fn set_reading(&mut self, server: PoolIndex, reading: Reading) {
        self.slots[server as usize].reading.send_if_modified(|now| {
            let changes = *now != reading;
            *now = reading;
            changes
        });
    }

    /// Writes what can be written now.
    pub fn flush(&mut self) {
        for (server, slot) in (0..).zip(&mut self.slots) {
            if let Some(process) = &mut slot.process {
                let written = process.flush();
                let report = after_write(&written, server, &slot.name, process.generation);
                self.reports.extend(report);
            }
        }
    }

    /// Waits until a pipe takes more, and writes it; ready when something is to be reported.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for (server, slot) in (0..).zip(&mut self.slots) {
            if let Some(process) = &mut slot.process
                && let Poll::Ready(written) = process.poll_flush(cx)
            {
                let report = after_write(&written, server, &slot.name, process.generation);
                self.reports.extend(report);
            }
        }
        if self.reports.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }

    /// Takes in what the tasks and threads say about processes; the client's events are not ours.
    pub fn handle(&mut self, event: TransportEvent) {
        match event {
            TransportEvent::Signalled
            | TransportEvent::ClientInput(_)
            | TransportEvent::ClientInputEnded
            | TransportEvent::ClientWritten(_) => {}
            TransportEvent::Started(server, generation, started) => {
                self.started(server, generation, started);
            }
            TransportEvent::NotStarted(server, generation, error) => {
                self.report(server, generation, ReportKind::NotStarted(error));
            }
            TransportEvent::Output(server, generation, bytes) => {
                self.report(server, generation, ReportKind::Output(bytes));
            }
            TransportEvent::OutputEnded(server, generation)
            | TransportEvent::OutputGivenUp(server, generation) => {
                self.output_ended(server, generation);
            }
            TransportEvent::LeaderDied(server, generation, status) => {
                self.leader_died(server, generation, status);
            }
        }
    }

    /// The next thing to tell the engine.
    pub fn next_report(&mut self) -> Option<ProcessReport> {
        self.reports.pop_front()
    }

    fn report(&mut self, server: PoolIndex, generation: Generation, kind: ReportKind) {
        self.reports.push_back(ProcessReport {
            server,
            generation,
            kind,
        });
    }

    fn started(&mut self, server: PoolIndex, generation: Generation, started: Started) {
        let pid = started.pid;
        let pipes = (|| {
            Ok::<_, io::Error>((
                pipe::Sender::from_owned_fd(started.stdin)?,
                pipe::Receiver::from_owned_fd(started.stdout)?,
                pipe::Receiver::from_owned_fd(started.stderr)?,
            ))
        })();
        let (stdin, stdout, stderr) = match pipes {
            Ok(pipes) => pipes,
            Err(error) => {
                let _ = kill_process_group(pid, rustix::process::Signal::KILL);
                let _ = waitpid(Some(pid), WaitOptions::empty());
                return self.report(server, generation, ReportKind::NotStarted(error));
            }
        };
        let slot = &mut self.slots[server as usize];
        let (tail_sender, tail) = watch::channel(VecDeque::new());
        let files = self.stderr_files.clone();
        slot.reading.send_replace(Reading::On);
        let reader = read(
            server,
            generation,
            stdout,
            self.events.clone(),
            slot.reading.subscribe(),
        );
        let tasks = [
            tokio::spawn(reader),
            tokio::spawn(files.follow(slot.name.clone(), stderr, tail_sender)),
        ];
        slot.process = Some(Process::new(generation, pid, stdin, tasks, tail));
        let pid = u32::try_from(pid.as_raw_nonzero().get()).unwrap_or(0);
        self.report(server, generation, ReportKind::Started { pid });
    }

    fn leader_died(&mut self, server: PoolIndex, generation: Generation, status: ExitStatus) {
        let events = self.events.clone();
        let Some(process) = self.process(server, generation) else {
            return;
        };
        process.bury(status);
        match process.output() {
            Output::Ended => self.exited(server),
            Output::Open => {
                tokio::spawn(async move {
                    tokio::time::sleep(OUTPUT_AFTER_DEATH).await;
                    let _ = events
                        .send(TransportEvent::OutputGivenUp(server, generation))
                        .await;
                });
            }
        }
    }

    fn output_ended(&mut self, server: PoolIndex, generation: Generation) {
        let Some(process) = self.process(server, generation) else {
            return;
        };
        let is_buried = process.is_buried();
        if process.end_output() == Output::Open {
            self.report(server, generation, ReportKind::OutputEnded);
        }
        if is_buried {
            self.exited(server);
        }
    }

    fn exited(&mut self, server: PoolIndex) {
        let Some(process) = self.slots[server as usize].process.take() else {
            return;
        };
        let generation = process.generation;
        if let Some((Death { status, unread }, last_words)) = process.last_words() {
            self.report(
                server,
                generation,
                ReportKind::Exited {
                    status,
                    unread,
                    last_words,
                },
            );
        }
    }
}

impl Drop for Pool {
    /// The last resort: nothing outlives the gateway, whatever ends it.
    fn drop(&mut self) {
        for process in self.slots.iter().filter_map(|slot| slot.process.as_ref()) {
            process.signal(Signal::Kill);
        }
    }
}

/// What writing came to, if it has to be reported.
fn after_write(
    written: &Written,
    server: PoolIndex,
    name: &str,
    generation: Generation,
) -> Option<ProcessReport> {
    match written {
        Written::Fine => return None,
        Written::Broken => {}
        Written::Overfull => warn!(
            event = "downstream.not_reading",
            server_name = name,
            "it does not read what it is sent, and too much waits for it"
        ),
    }
    Some(ProcessReport {
        server,
        generation,
        kind: ReportKind::InputBroken,
    })
}

async fn read(
    server: PoolIndex,
    generation: Generation,
    stdout: pipe::Receiver,
    events: Sender<TransportEvent>,
    mut reading: watch::Receiver<Reading>,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        if reading
            .wait_for(|reading| *reading == Reading::On)
            .await
            .is_err()
            || stdout.readable().await.is_err()
        {
            break;
        }
        match stdout.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                let bytes = buffer[..length].to_vec();
                if events
                    .send(TransportEvent::Output(server, generation, bytes))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    let _ = events
        .send(TransportEvent::OutputEnded(server, generation))
        .await;
}
