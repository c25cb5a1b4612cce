//! Requests that can't be passed on before more is known of the servers: whose an unlisted resource
//! is, or whether a server has states of its own. While servers are still starting they wait, as
//! lists do and no longer than those; then they are passed on with what is known.

use super::catalogue::Latecomers;
use super::client::{Client, Ending};
use super::speaker::Sender;
use crate::engine::{Engine, World};
use crate::protocol::method;
use crate::wire::envelope::{self, Message, Request};
use crate::wire::request_id::RequestId;
use rea_fsm::Millis;

/// So many requests may wait, with so many bytes together; more are passed on at once.
const REQUESTS_MAX: usize = 1_000;
const BYTES_MAX: usize = 16 << 20;

/// Not enough is known yet, and somebody may still say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotYet;

#[derive(Debug)]
struct Waits {
    line: Vec<u8>,
    client_id: RequestId,
    sender: Sender,
    until: Millis,
}

/// What waits, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    requests: Vec<Waits>,
    bytes: usize,
    /// A server has said something of itself, or will not.
    has_news: bool,
}

impl Waiting {
    pub(super) const fn count(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn next_due(&self) -> Option<Millis> {
        self.requests.iter().map(|request| request.until).min()
    }

    /// More is known of a server than before.
    pub(super) const fn look_again(&mut self) {
        self.has_news = true;
    }

    /// Takes away the latest request with this id. Whether there was one.
    pub(super) fn give_up(&mut self, client_id: &RequestId) -> bool {
        let mut requests = self.requests.iter();
        let Some(at) = requests.rposition(|request| request.client_id == *client_id) else {
            return false;
        };
        let given_up = self.requests.remove(at);
        self.bytes -= given_up.line.len();
        true
    }

    fn has_room_for(&self, line: &[u8]) -> bool {
        self.requests.len() < REQUESTS_MAX && self.bytes + line.len() <= BYTES_MAX
    }
}

impl Client {
    /// Passes a request on, or lets it wait until it is known where to.
    pub(super) fn pass_on<W: World>(
        &mut self,
        line: &[u8],
        request: &Request<'_>,
        sender: &Sender,
        engine: &mut Engine<W>,
    ) {
        let latecomers = if self.waiting.has_room_for(line) {
            Latecomers::Awaited
        } else {
            Latecomers::Ignored
        };
        if let Err(NotYet) = self.try_to_pass_on(line, request, sender, latecomers, engine) {
            self.waiting.bytes += line.len();
            self.waiting.requests.push(Waits {
                line: line.to_vec(),
                client_id: request.id.to_owned(),
                sender: sender.clone(),
                until: self.now().plus(self.notices.list_budget_ms()),
            });
        }
    }

    fn try_to_pass_on<W: World>(
        &mut self,
        line: &[u8],
        request: &Request<'_>,
        sender: &Sender,
        latecomers: Latecomers,
        engine: &mut Engine<W>,
    ) -> Result<(), NotYet> {
        match request.method.as_ref() {
            method::LISTEN => self.listen(request, latecomers, engine),
            _ => self.relay(line, request, sender, latecomers, engine),
        }
    }

    /// Passes on what need not wait any longer.
    pub(super) fn settle_waiting<W: World>(&mut self, ending: Ending, engine: &mut Engine<W>) {
        let now = self.now();
        let is_due = self.waiting.next_due().is_some_and(|due| now >= due);
        let has_news = std::mem::take(&mut self.waiting.has_news);
        if self.waiting.requests.is_empty() || !(is_due || has_news || ending == Ending::Yes) {
            return;
        }
        for waits in std::mem::take(&mut self.waiting.requests) {
            let latecomers = if ending == Ending::Yes || now >= waits.until {
                Latecomers::Ignored
            } else {
                Latecomers::Awaited
            };
            // It was read as a request when it came.
            let passed_on = match envelope::parse(&waits.line) {
                Ok(Message::Request(request)) => {
                    self.try_to_pass_on(&waits.line, &request, &waits.sender, latecomers, engine)
                }
                Ok(Message::Notification(_) | Message::Response(_)) | Err(_) => Ok(()),
            };
            match passed_on {
                Ok(()) => self.waiting.bytes -= waits.line.len(),
                Err(NotYet) => self.waiting.requests.push(waits),
            }
        }
    }
}
