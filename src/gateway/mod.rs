//! The gateway: the client's side on one hand, the engine on the other, and one turn for both.
//!
//! Invariant: a turn takes in everything that was waiting before it fires a timer, and nothing
//! that it staged happens before the log is written. It is synchronous and knows neither tokio nor
//! processes: `rea serve` and the simulation drive the same turn.

mod answers;
mod catalogue;
mod client;
mod errors;
mod exchanges;
mod health;
mod held;
mod labels;
mod lifecycle;
mod listens;
mod live;
mod notices;
mod payloads;
mod policy;
mod questions;
mod requests;
mod routes;
mod speaker;
mod tasks;
mod waiting;

pub use client::{Client, ClientSetup, TextFilter};
pub use health::{Diagnostics, HEALTH_TOOL, PolicyFacts};
pub use lifecycle::Patience;
pub use live::Run;
pub use payloads::{Payloads, SecretFinder};
pub use policy::{Annotations, CallPolicy, ToolPolicy};

use crate::engine::{Changes, Engine, ServerId, ServerReport, World};
use crate::journal::{NotLogged, Note};
use crate::live_state::LiveState;
use crate::wire::line::{Line, LineSplitter};
use client::Ending;
use jiff::Timestamp;
use lifecycle::{Command, Lifecycle};
use rea_fsm::{Generation, Millis};

/// Something that was waiting.
#[derive(Debug)]
pub enum Input<'a> {
    /// The next bytes of the client's input.
    Client(&'a [u8]),
    /// The client's input has ended.
    ClientEnded,
    /// Nobody reads the client's output any more.
    ClientGone,
    /// A server's process reports.
    Server(ServerId, Generation, ServerReport<'a>),
    /// A signal asks the gateway to end.
    Signalled,
}

/// One client in front of many servers.
pub struct Gateway<W> {
    engine: Engine<W>,
    client: Client,
    lifecycle: Lifecycle,
    patience: Patience,
    splitter: LineSplitter,
}

impl<W: World> Gateway<W> {
    /// A gateway that has not begun.
    pub fn new(
        engine: Engine<W>,
        client: Client,
        patience: Patience,
        line_bytes_max: usize,
    ) -> Self {
        Self {
            engine,
            client,
            lifecycle: Lifecycle::new(),
            patience,
            splitter: LineSplitter::new(line_bytes_max),
        }
    }

    /// Begins a turn at this time.
    pub fn begin(&mut self, now: Millis) {
        self.engine.begin(now);
        self.client.begin(self.engine.now());
    }

    /// Takes in one thing that was waiting.
    pub fn take(&mut self, input: Input<'_>) {
        let now = self.engine.now();
        match input {
            Input::Client(bytes) => self.client_bytes(bytes),
            Input::ClientEnded => {
                self.client_line_ended();
                self.lifecycle.input_ended(now, self.patience);
            }
            Input::ClientGone => {
                let command = self.lifecycle.output_gone();
                self.obey(command);
            }
            Input::Server(server, generation, report) => {
                self.engine
                    .report(server, generation, report, &mut self.client);
            }
            Input::Signalled => {
                let command = self.lifecycle.signalled(now, self.patience);
                self.obey(command);
            }
        }
    }

    fn client_bytes(&mut self, bytes: &[u8]) {
        if self.lifecycle.is_ending() {
            return;
        }
        self.lifecycle.client_spoke(self.engine.now());
        self.client_lines(|splitter, hear| splitter.push(bytes, hear));
    }

    /// What stands behind the last newline is a message too.
    fn client_line_ended(&mut self) {
        if self.lifecycle.is_ending() {
            return;
        }
        self.client_lines(|splitter, hear| splitter.finish(hear));
    }

    /// Takes in the lines that the splitter makes of what it is given.
    fn client_lines(&mut self, split: impl FnOnce(&mut LineSplitter, &mut dyn FnMut(Line<'_>))) {
        let Self {
            splitter,
            client,
            engine,
            lifecycle,
            ..
        } = self;
        let limit = splitter.max_line_bytes() as u64;
        split(splitter, &mut |line| match line {
            Line::Text(line) => {
                if lifecycle.awaits_client() && Client::needs_servers(line) {
                    let command = lifecycle.servers_needed();
                    obey(command, client, engine);
                }
                client.hear(line, engine);
            }
            Line::Oversized(line) => client.hear_oversized(&line, limit, engine.world()),
        });
    }

    fn obey(&mut self, command: Option<Command>) {
        obey(command, &mut self.client, &mut self.engine);
    }

    /// Ends the turn: fires timers, writes the log, and lets everything staged happen.
    pub fn end(&mut self) {
        self.engine.fire_timers(&mut self.client);
        let now = self.engine.now();
        let command = self.lifecycle.tick(now, self.client.unanswered());
        self.obey(command);
        let ending = match self.lifecycle {
            Lifecycle::Stopping | Lifecycle::Killing { .. } => Ending::Yes,
            Lifecycle::Silence { .. }
            | Lifecycle::Prelude { .. }
            | Lifecycle::Running
            | Lifecycle::Ending { .. } => Ending::No,
        };
        self.client.settle(ending, &mut self.engine);
        self.engine.commit();
    }

    /// When the next turn is due, if nothing arrives before.
    pub fn next_due(&self) -> Option<Millis> {
        [
            self.engine.next_due(),
            self.client.next_due(),
            self.lifecycle.next_due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether it has ended: every server is gone.
    pub fn is_over(&self) -> bool {
        self.lifecycle
            .is_over(self.engine.now(), || self.engine.is_closed())
    }

    /// Takes note that the wall clock was set, which moves nothing: all that decides counts its own time.
    pub fn clock_was_set(&mut self, wall: Timestamp) {
        self.engine.note(&Note::Clock { wall });
    }

    /// The turn's time.
    pub const fn now(&self) -> Millis {
        self.engine.now()
    }

    /// What people are shown and that is not what it was when this was asked the last time.
    pub const fn take_changes(&mut self) -> Changes {
        self.engine.take_changes()
    }

    /// Everything that is published of this run, as it is now.
    pub fn live_state(&mut self) -> LiveState {
        live::state(&mut self.engine, &self.client)
    }

    /// How often each server was locked for dying too often.
    pub fn locks(&self) -> Vec<u64> {
        let servers = self.engine.servers();
        servers.map(|(id, _, _)| self.engine.locks(id)).collect()
    }

    /// How many records the log has had.
    pub fn records(&mut self) -> u64 {
        self.engine.log_health().records
    }

    /// The world, for whoever drives the turn.
    pub const fn world(&mut self) -> &mut W {
        self.engine.world()
    }

    /// The engine, to look at.
    pub const fn engine(&self) -> &Engine<W> {
        &self.engine
    }

    /// Ends the log.
    ///
    /// # Errors
    /// The log is required and its end could not be written.
    pub fn close(self) -> Result<(), NotLogged> {
        self.engine.close()
    }
}

fn obey<W: World>(command: Option<Command>, client: &mut Client, engine: &mut Engine<W>) {
    match command {
        Some(Command::Start) => engine.start(client),
        Some(Command::Stop(drain, why)) => {
            let reason = why.words().to_owned();
            engine.note(&Note::Halt { reason });
            engine.stop(drain, client);
        }
        Some(Command::Leave) => {
            engine.tell_orphans();
            client.give_up_waiting(engine);
        }
        None => {}
    }
}
