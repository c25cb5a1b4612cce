//! What the world reports of a server's process, turned into the machine's events.

use super::complaints::{Fault, Seen};
use super::flood;
use super::front::{Cancelled, Front, Interest, Reply, Unusable};
use super::session::{self, Heard};
use super::turn::{About, Changes, Server};
use super::{Engine, ServerId, World};
use crate::wire::envelope::Request;
use crate::wire::jsonrpc::ErrorCode;
use crate::wire::line::{Line, LineSplitter};
use crate::wire::oversized::Oversized;
use rea_fsm::{
    CallId, EventKind, ExitStatus, Generation, Ignored, IoErrorKind, Leaf, ReplyKind, Report,
    SpawnFailure, Unasked,
};
use tracing::debug;

/// How much of a stray line is shown.
const GARBAGE_SHOWN_BYTES: usize = 200;

/// A report about one life of a server's process.
#[derive(Debug)]
pub enum ServerReport<'a> {
    /// It runs.
    Spawned {
        /// Its process id.
        pid: u32,
    },
    /// It does not.
    SpawnFailed(SpawnFailure),
    /// The next bytes of its standard output.
    Output(&'a [u8]),
    /// Its standard output has ended.
    OutputEnded,
    /// Its standard input can't be written.
    InputBroken,
    /// It is gone, with everything read that it wrote.
    Exited {
        /// How it ended.
        status: ExitStatus,
        /// Calls that it provably never read, ascending.
        unread: Vec<CallId>,
        /// The end of its standard error, redacted; may be empty.
        last_words: String,
    },
}

impl<W: World> Engine<W> {
    /// Takes in one report.
    pub fn report(
        &mut self,
        server: ServerId,
        generation: Generation,
        report: ServerReport<'_>,
        front: &mut impl Front,
    ) {
        let report = match report {
            ServerReport::Spawned { pid } => {
                self.runs(server, generation, Some(pid));
                Report::SpawnOk { pid }
            }
            ServerReport::SpawnFailed(failure) => Report::SpawnFailed { failure },
            ServerReport::Output(bytes) => {
                return self.output(server, generation, Some(bytes), front);
            }
            ServerReport::OutputEnded => {
                self.output(server, generation, None, front);
                Report::StdoutEof {}
            }
            ServerReport::InputBroken => Report::StdinBroken {},
            ServerReport::Exited {
                status,
                unread,
                last_words,
            } => {
                self.output(server, generation, None, front);
                self.servers[server.index()].last_words = last_words;
                self.runs(server, generation, None);
                Report::Exited { status, unread }
            }
        };
        self.child(server, generation, report, About::default(), front);
    }

    /// Takes note of the process of the server's present life.
    fn runs(&mut self, server: ServerId, generation: Generation, pid: Option<u32>) {
        let server = &mut self.servers[server.index()];
        if server.session.generation == Some(generation) {
            server.pid = pid;
            self.changed(Changes::Visible);
        }
    }

    fn complain(&mut self, server: ServerId, fault: Fault) {
        let seen = self.servers[server.index()].session.complaints.add(fault);
        self.changed(match seen {
            Seen::First => Changes::Visible,
            Seen::Before => Changes::Numbers,
        });
    }

    pub(super) fn child(
        &mut self,
        server: ServerId,
        generation: Generation,
        report: Report,
        about: About<'_>,
        front: &mut impl Front,
    ) -> Option<Ignored> {
        self.apply(
            server,
            EventKind::Child { generation, report },
            about,
            front,
        )
    }

    /// Bytes of a server's output, or its end: what was held back is then a line too.
    fn output(
        &mut self,
        server: ServerId,
        generation: Generation,
        bytes: Option<&[u8]>,
        front: &mut impl Front,
    ) {
        let session = &mut self.servers[server.index()].session;
        if session.generation != Some(generation) {
            return;
        }
        let idle = LineSplitter::new(session.splitter.max_line_bytes());
        let mut splitter = std::mem::replace(&mut session.splitter, idle);
        let limit = splitter.max_line_bytes() as u64;
        let on_line = |line: Line<'_>| match line {
            Line::Text(line) => self.line(server, generation, line, front),
            Line::Oversized(line) => self.oversized(server, generation, &line, limit, front),
        };
        match bytes {
            Some(bytes) => splitter.push(bytes, on_line),
            None => splitter.finish(on_line),
        }
        self.servers[server.index()].session.splitter = splitter;
    }

    fn line(
        &mut self,
        server: ServerId,
        generation: Generation,
        line: &[u8],
        front: &mut impl Front,
    ) {
        let Server {
            downstream,
            session,
            flood,
            name,
            ..
        } = &mut self.servers[server.index()];
        let known_faults = session.complaints.kinds();
        let heard = session.hear(line, downstream.questions(), self.now);
        if session.complaints.kinds() > known_faults {
            self.changes = Changes::Visible;
        }
        if let Heard::Notice(notification) = &heard
            && front.interest(server, notification) == Interest::None
        {
            return self.alive(server, generation, front);
        }
        let calls = downstream.conn().calls();
        if heard.is_unsolicited(calls) {
            let fault = heard.is_answer().then_some(Fault::UnawaitedAnswer);
            let verdict = flood.message(self.now, name);
            if let Some(fault) = fault {
                debug!(event = "downstream.unawaited_answer", server_name = name);
                self.complain(server, fault);
            }
            if verdict == flood::Verdict::Dropped {
                self.complain(server, Fault::Flood);
                return self.dropped(server, generation, heard);
            }
        }
        self.heard(server, generation, line, heard, Unusable::Malformed, front);
    }

    /// What is too much is dropped, but whoever asks gets an answer.
    fn dropped(&mut self, server: ServerId, generation: Generation, heard: Heard<'_>) {
        let answer = match heard {
            Heard::Question(request) => {
                session::unanswered(&request.id.to_owned(), Unasked::TooMany)
            }
            Heard::Write(answer) => answer,
            Heard::Report(_)
            | Heard::Reply { .. }
            | Heard::Unusable { .. }
            | Heard::Progress { .. }
            | Heard::NextPage(_)
            | Heard::Notice(_)
            | Heard::Withdrawal { .. }
            | Heard::Other
            | Heard::Garbage
            | Heard::Nothing => return,
        };
        self.world.write(server, generation, &answer, None);
    }

    /// Passes on what a line means. `unusable` is why, should it answer a call and be of no use.
    fn heard(
        &mut self,
        server: ServerId,
        generation: Generation,
        line: &[u8],
        heard: Heard<'_>,
        unusable: Unusable,
        front: &mut impl Front,
    ) {
        match heard {
            Heard::Report(report) => {
                self.child(server, generation, report, About::default(), front);
            }
            Heard::Reply {
                call,
                kind,
                id_at,
                untyped_at,
            } => {
                let reply = Some(Reply::Line {
                    line,
                    id_at: (id_at.start, id_at.end),
                    untyped_at,
                });
                let bytes = line.len() as u64;
                let report = Report::Reply {
                    call,
                    reply: kind,
                    bytes,
                };
                self.child(
                    server,
                    generation,
                    report,
                    About {
                        reply,
                        ..About::default()
                    },
                    front,
                );
            }
            Heard::Unusable { call } => {
                let code = match unusable {
                    Unusable::Oversized { .. } => ErrorCode::TooLarge,
                    Unusable::Malformed => ErrorCode::Unreadable,
                };
                let report = Report::Reply {
                    call,
                    reply: ReplyKind::RpcError {
                        code: code.number(),
                    },
                    bytes: line.len() as u64,
                };
                let about = About {
                    reply: Some(Reply::Unusable(unusable)),
                    ..About::default()
                };
                self.child(server, generation, report, about, front);
            }
            Heard::Progress { call, token } => {
                front.progressed(server, call, line, token, &mut self.world);
                // A call that has become a task is no call any more.
                if self.downstream(server).conn().calls().get(call).is_none() {
                    return self.alive(server, generation, front);
                }
                let report = Report::Progress { call };
                self.child(server, generation, report, About::default(), front);
            }
            Heard::Write(answer) | Heard::NextPage(answer) => {
                self.world.write(server, generation, &answer, None);
                self.alive(server, generation, front);
            }
            Heard::Notice(notification) => {
                front.noticed(server, line, &notification, &mut self.world);
                self.alive(server, generation, front);
            }
            Heard::Question(request) => self.question(server, generation, line, &request, front),
            Heard::Withdrawal { question, id } => {
                let report = Report::Withdrew { question };
                let about = About {
                    withdrawn: Some((question, Cancelled::new(line, id))),
                    ..About::default()
                };
                self.child(server, generation, report, about, front);
                self.servers[server.index()]
                    .session
                    .questions
                    .take(question);
            }
            Heard::Other => self.alive(server, generation, front),
            Heard::Nothing => {}
            Heard::Garbage => {
                self.complain(server, Fault::StrayOutput);
                let shown = &line[..line.len().min(GARBAGE_SHOWN_BYTES)];
                debug!(
                    event = "downstream.stray_output",
                    server_name = self.name(server),
                    "skipped a line that is no message: {}",
                    String::from_utf8_lossy(shown)
                );
            }
        }
    }

    /// The server asks its client something; the machine decides how, or that it can't.
    fn question(
        &mut self,
        server: ServerId,
        generation: Generation,
        line: &[u8],
        request: &Request<'_>,
        front: &mut impl Front,
    ) {
        let asks = self.introduction.asks;
        let session = &mut self.servers[server.index()].session;
        let Some(question) = session.questions.put(request, line) else {
            let line = session::unanswered(&request.id.to_owned(), Unasked::TooMany);
            self.world.write(server, generation, &line, None);
            return self.alive(server, generation, front);
        };
        let report = Report::Asked { question, asks };
        if self
            .child(server, generation, report, About::default(), front)
            .is_some()
        {
            self.servers[server.index()]
                .session
                .questions
                .take(question);
        }
    }

    /// A message that the machine need not know about proves that the server lives, which counts
    /// only while that is in question.
    fn alive(&mut self, server: ServerId, generation: Generation, front: &mut impl Front) {
        if self.downstream(server).leaf() == Leaf::Suspect {
            self.child(
                server,
                generation,
                Report::Alive {},
                About::default(),
                front,
            );
        }
    }

    fn oversized(
        &mut self,
        server: ServerId,
        generation: Generation,
        line: &Oversized<'_>,
        limit: u64,
        front: &mut impl Front,
    ) {
        debug!(
            event = "downstream.oversized_line",
            server_name = self.name(server),
            bytes = line.bytes
        );
        self.complain(server, Fault::OversizedLine);
        let now = self.now;
        let session = &mut self.servers[server.index()].session;
        let heard = session.hear_oversized(line, now);
        let unusable = Unusable::Oversized { limit };
        self.heard(server, generation, line.head, heard, unusable, front);
        let kind = IoErrorKind::OversizedLine;
        self.child(
            server,
            generation,
            Report::IoErr { kind },
            About::default(),
            front,
        );
    }
}
