//! The end of a gap: the torn part is cut off, and one record says what is missing.

use super::{Journal, State};
use crate::journal::format::{Continues, Gap, Note, Snapshots};
use std::io;
use std::task::Poll;

impl Journal {
    /// Tries to end the gap.
    pub(super) fn recover(&mut self, machines: &dyn Fn() -> Snapshots) {
        let mended = self.mend_file();
        let State::Gap(lost) = &mut self.state else {
            return;
        };
        match mended {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return self.lose(&error),
            Poll::Pending => {
                lost.tried = self.at;
                return;
            }
        }
        let gap = Gap {
            first: lost.first,
            last: self.seq - 1,
            reason: lost.reason.clone(),
            snapshots: machines(),
        };
        if self.file_bytes == 0 {
            let continues = (self.file > 1).then_some(Continues {
                seq: gap.first,
                chain: self.written_chain,
                snapshots: None,
            });
            let header = self.header(continues);
            self.encoder.header(&header);
        }
        self.encoder.note(self.seq, self.at, &Note::Gap(gap));
        let gap_seq = self.seq;
        self.seq += 1;
        self.write_batch();
        if self.unwritten == self.seq {
            self.state = State::Writing;
        } else {
            // It was never written, so its number is still free.
            self.seq = gap_seq;
        }
    }

    /// A file that ends in a whole line. The one before does so too: what stands torn in front of
    /// another file would be corruption to every reader.
    fn mend_file(&mut self) -> Poll<io::Result<()>> {
        if let Some(sink) = &mut self.sink
            && sink.is_open()
        {
            if let Err(error) = sink.cut(self.file_bytes) {
                return Poll::Ready(Err(error));
            }
            if !self.is_overgrown() {
                return Poll::Ready(Ok(()));
            }
        }
        self.switch_file()
    }
}
