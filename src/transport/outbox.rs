//! What is to be written to one server, and how far it was.
//!
//! Lines are staged, then written in batches without blocking. The offset at which each call's
//! line ends is remembered until the call is settled, so that a dead process's unread input can be
//! told call by call.

use rea_fsm::CallId;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use tokio::net::unix::pipe;

/// Written parts are dropped from the front only when they are worth moving the rest.
const COMPACT_BYTES: usize = 1 << 20;

/// No more than this may wait beside the calls, whose bytes the machine counts: two lines of the
/// greatest length. More piles up only before a process that does not read.
const OTHERS_BYTES_MAX: u64 = 64 << 20;

/// Staged lines towards one process.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    buffer: VecDeque<u8>,
    /// Offset in the stream of the buffer's first byte: how much was written.
    written: u64,
    /// Where each unsettled call's line ends in the stream.
    ends: BTreeMap<CallId, u64>,
    /// Calls that are not wholly written: where each line ends, and its bytes.
    calls_waiting: VecDeque<(u64, u64)>,
    calls_waiting_bytes: u64,
}

impl Outbox {
    /// Stages one line.
    pub(super) fn push(&mut self, line: &[u8], call: Option<CallId>) {
        self.buffer.extend(line);
        self.buffer.push_back(b'\n');
        if let Some(call) = call {
            let end = self.written + self.buffer.len() as u64;
            let bytes = line.len() as u64 + 1;
            self.ends.insert(call, end);
            self.calls_waiting.push_back((end, bytes));
            self.calls_waiting_bytes += bytes;
        }
    }

    /// Whether more waits than may: the process does not read.
    pub(super) fn is_overfull(&self) -> bool {
        let waiting = self.buffer.len() as u64;
        waiting.saturating_sub(self.calls_waiting_bytes) > OTHERS_BYTES_MAX
    }

    /// Nothing more is written.
    pub(super) fn give_up(&mut self) {
        self.buffer = VecDeque::new();
        self.calls_waiting.clear();
        self.calls_waiting_bytes = 0;
    }

    /// The call was answered.
    pub(super) fn settled(&mut self, call: CallId) {
        self.ends.remove(&call);
    }

    /// Whether there is anything to write.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The calls whose line a reader did not read to its end, when `unread_bytes` of what was
    /// written still lie in the pipe; ascending.
    pub(super) fn unread(&self, unread_bytes: u64) -> Vec<CallId> {
        let read = self.written.saturating_sub(unread_bytes);
        self.ends
            .iter()
            .filter(|(_, end)| **end > read)
            .map(|(call, _)| *call)
            .collect()
    }

    /// Writes what can be written now.
    ///
    /// # Errors
    /// The pipe is broken.
    pub(super) fn flush(&mut self, pipe: &pipe::Sender) -> io::Result<()> {
        while !self.buffer.is_empty() {
            let (front, back) = self.buffer.as_slices();
            match pipe.try_write_vectored(&[IoSlice::new(front), IoSlice::new(back)]) {
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until more can be written, and writes it.
    pub(super) fn poll_flush(
        &mut self,
        pipe: &mut pipe::Sender,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.buffer.is_empty() {
            let (front, _) = self.buffer.as_slices();
            match Pin::new(&mut *pipe).poll_write(cx, front) {
                Poll::Ready(Ok(written)) => self.advance(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, written: usize) {
        self.buffer.drain(..written);
        self.written += written as u64;
        while let Some((end, bytes)) = self.calls_waiting.front()
            && *end <= self.written
        {
            self.calls_waiting_bytes -= bytes;
            self.calls_waiting.pop_front();
        }
        if self.buffer.is_empty() && self.buffer.capacity() > COMPACT_BYTES {
            self.buffer.shrink_to(COMPACT_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_as_read_only_with_its_newline() {
        let mut outbox = Outbox::default();
        outbox.push(b"1234", Some(CallId(1)));
        outbox.push(b"567", Some(CallId(2)));
        outbox.advance(9);
        assert_eq!(outbox.unread(0), []);
        assert_eq!(outbox.unread(1), [CallId(2)]);
        assert_eq!(outbox.unread(4), [CallId(2)]);
        assert_eq!(outbox.unread(5), [CallId(1), CallId(2)]);
    }

    #[test]
    fn what_waits_beside_calls_is_bounded_and_calls_do_not_count() {
        let mut outbox = Outbox::default();
        let mebibyte = vec![b'x'; 1 << 20];
        for call in 1..=40 {
            outbox.push(&mebibyte, Some(CallId(call)));
        }
        assert!(!outbox.is_overfull());
        for _ in 0..63 {
            outbox.push(&mebibyte, None);
        }
        assert!(!outbox.is_overfull());
        outbox.push(&mebibyte, None);
        assert!(outbox.is_overfull());
        outbox.advance(41 * ((1 << 20) + 1));
        assert!(!outbox.is_overfull(), "one of them is written");
    }

    #[test]
    fn what_was_never_written_was_never_read() {
        let mut outbox = Outbox::default();
        outbox.push(b"1234", Some(CallId(1)));
        outbox.push(b"5678", Some(CallId(2)));
        outbox.advance(7);
        assert_eq!(outbox.unread(0), [CallId(2)]);
        outbox.settled(CallId(2));
        assert_eq!(outbox.unread(0), []);
    }
}
