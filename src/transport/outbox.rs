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

/// Staged lines towards one process.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    buffer: VecDeque<u8>,
    /// Offset in the stream of the buffer's first byte: how much was written.
    written: u64,
    /// Where each unsettled call's line ends in the stream.
    ends: BTreeMap<CallId, u64>,
}

impl Outbox {
    /// Stages one line.
    pub(super) fn push(&mut self, line: &[u8], call: Option<CallId>) {
        self.buffer.extend(line);
        self.buffer.push_back(b'\n');
        if let Some(call) = call {
            self.ends
                .insert(call, self.written + self.buffer.len() as u64);
        }
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
