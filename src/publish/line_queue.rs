//! Lines on their way to a descriptor that may not be read by anybody.
//!
//! ```text
//! push (never waits) → bounded queue → one thread → write(2), for as long as that takes
//! ```
//!
//! Invariant: `push` never waits for the reader. When the queue is full, lines are dropped and counted, and the count is
//! written before the next line that gets through. The descriptor's flags are never touched: it may belong to the
//! client or to a terminal as well.
//!
//! Absent on purpose: what a line says, and any promise that it arrives.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Lines that may wait.
pub const LINES_MAX: usize = 1_024;
/// Bytes that may wait.
pub const BYTES_MAX: usize = 1 << 20;
/// What an exit waits for the last lines.
pub const FLUSH: Duration = Duration::from_millis(200);

/// The writing end of the queue.
#[derive(Clone)]
pub struct LineQueue {
    shared: Arc<Shared>,
}

/// Ends the queue when dropped, and gives the last lines a moment.
pub struct FlushOnDrop {
    shared: Arc<Shared>,
}

/// Makes the line that tells how many were dropped.
pub type DroppedLine = Box<dyn Fn(u64) -> String + Send>;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to do for the thread.
    work: Condvar,
    /// The thread has ended.
    finished: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Waiting>,
    bytes: usize,
    /// Dropped since the last line that was taken in.
    dropped: u64,
    life: Life,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Life {
    #[default]
    Open,
    /// What waits is written, nothing more is taken in.
    Ending,
    /// The thread is gone.
    Ended,
}

struct Waiting {
    dropped_before: u64,
    line: String,
}

impl LineQueue {
    /// Starts the thread that writes to `sink`.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(
        sink: impl AsFd + Send + 'static,
        dropped_line: DroppedLine,
    ) -> io::Result<(Self, FlushOnDrop)> {
        let shared = Arc::new(Shared::default());
        let writer = Arc::clone(&shared);
        thread::Builder::new()
            .name("log-lines".to_owned())
            .spawn(move || {
                // A descriptor that takes nothing any more ends the thread: nobody is left to tell.
                let _ = write_lines(&writer, sink.as_fd(), &dropped_line);
                let mut state = writer.lock();
                state.life = Life::Ended;
                state.lines.clear();
                drop(state);
                writer.finished.notify_all();
            })?;
        Ok((
            Self {
                shared: Arc::clone(&shared),
            },
            FlushOnDrop { shared },
        ))
    }

    /// Takes a line, newline included, or counts it as dropped.
    pub fn push(&self, line: String) {
        let mut state = self.shared.lock();
        let fits = state.lines.len() < LINES_MAX && state.bytes + line.len() <= BYTES_MAX;
        if state.life != Life::Open || !fits {
            state.dropped += 1;
            return;
        }
        state.bytes += line.len();
        let dropped_before = std::mem::take(&mut state.dropped);
        state.lines.push_back(Waiting {
            dropped_before,
            line,
        });
        drop(state);
        self.shared.work.notify_one();
    }
}

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.life == Life::Open {
            state.life = Life::Ending;
        }
        self.shared.work.notify_one();
        // Whether it finished in time or not, the process goes on to its end.
        let _ = self
            .shared
            .finished
            .wait_timeout_while(state, FLUSH, |state| state.life != Life::Ended);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next line, or the last count of dropped ones, or `None` at the end.
    fn next(&self) -> Option<Waiting> {
        let mut state = self.lock();
        loop {
            if let Some(waiting) = state.lines.pop_front() {
                state.bytes -= waiting.line.len();
                return Some(waiting);
            }
            if state.life != Life::Open {
                let dropped_before = std::mem::take(&mut state.dropped);
                return (dropped_before > 0).then(|| Waiting {
                    dropped_before,
                    line: String::new(),
                });
            }
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn write_lines(
    shared: &Shared,
    sink: BorrowedFd<'_>,
    dropped_line: &DroppedLine,
) -> io::Result<()> {
    while let Some(Waiting {
        dropped_before,
        line,
    }) = shared.next()
    {
        if dropped_before > 0 {
            write_all(sink, dropped_line(dropped_before).as_bytes())?;
        }
        write_all(sink, line.as_bytes())?;
    }
    Ok(())
}

fn write_all(sink: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(sink, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            // Another owner of the same descriptor may have made it non-blocking.
            Err(Errno::AGAIN) => {
                match poll(&mut [PollFd::from_borrowed_fd(sink, PollFlags::OUT)], None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{PipeReader, PipeWriter, Read};
    use std::sync::mpsc;

    fn start() -> (LineQueue, FlushOnDrop, PipeReader) {
        let (reader, writer) = io::pipe().unwrap();
        let (queue, flush) = start_on(writer);
        (queue, flush, reader)
    }

    fn start_on(writer: PipeWriter) -> (LineQueue, FlushOnDrop) {
        LineQueue::start(writer, Box::new(|dropped| format!("dropped {dropped}\n"))).unwrap()
    }

    /// Runs something that must not wait for anybody, on a thread, so that a failure is no hang.
    fn without_waiting(action: impl FnOnce() + Send + 'static) {
        let (done, wait) = mpsc::channel();
        thread::spawn(move || {
            action();
            done.send(()).unwrap();
        });
        wait.recv_timeout(Duration::from_secs(20))
            .expect("it waited for a reader");
    }

    fn all(mut reader: PipeReader) -> String {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn lines_arrive_in_order() {
        let (queue, flush, reader) = start();
        (0..100).for_each(|number| queue.push(format!("{number}\n")));
        drop(flush);
        let expected: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        assert_eq!(all(reader).lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_exit_gives_the_last_lines_a_moment() {
        // A machine under load may take longer than that moment, though not each time.
        let in_time = (0..5).any(|_| {
            let (queue, flush, reader) = start();
            (0..1_000).for_each(|_| queue.push("four\n".to_owned()));
            drop(flush);
            // Nothing reads yet, so what is in the pipe now was written before the guard let go.
            rustix::io::ioctl_fionread(&reader).unwrap() == 5_000
        });
        assert!(in_time);
    }

    #[test]
    fn a_reader_that_never_reads_delays_nobody_and_every_line_is_accounted_for() {
        const PUSHED: u64 = 20_000;
        let (queue, flush, reader) = start();
        let pusher = queue.clone();
        without_waiting(move || {
            (0..PUSHED).for_each(|_| pusher.push(format!("{}\n", "x".repeat(99))));
        });
        without_waiting(move || drop(flush));
        let text = all(reader);
        let arrived = text.lines().filter(|line| line.starts_with('x')).count() as u64;
        let dropped: u64 = text
            .lines()
            .filter_map(|line| line.strip_prefix("dropped ")?.parse::<u64>().ok())
            .sum();
        assert!(dropped > 0);
        assert_eq!(arrived + dropped, PUSHED);
    }

    #[test]
    fn the_count_comes_before_the_next_line_that_gets_through() {
        let (queue, flush, mut reader) = start();
        // The thread may make room for the count in between, which is then told at once.
        while queue.shared.lock().dropped == 0 {
            queue.push(format!("{}\n", "x".repeat(999)));
        }
        // Make room for one more, then let it all out.
        let mut seen = vec![0; 100_000];
        reader.read_exact(&mut seen).unwrap();
        loop {
            queue.push("after\n".to_owned());
            if queue.shared.lock().dropped == 0 {
                break;
            }
            thread::yield_now();
        }
        let end = thread::spawn(move || all(reader));
        drop(flush);
        let text = end.join().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.last(), Some(&"after"));
        assert!(
            lines[lines.len() - 2].starts_with("dropped "),
            "{}",
            lines[lines.len() - 2]
        );
    }

    #[test]
    fn a_reader_that_is_gone_ends_the_thread_and_harms_nobody() {
        let (queue, flush, reader) = start();
        drop(reader);
        without_waiting(move || {
            (0..10_000).for_each(|_| queue.push("x\n".to_owned()));
            drop(flush);
        });
    }

    #[test]
    fn a_descriptor_that_somebody_made_non_blocking_loses_nothing() {
        let (reader, writer) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let (queue, flush) = start_on(writer);
        let lines = 1_000;
        (0..lines).for_each(|_| queue.push(format!("{}\n", "x".repeat(999))));
        let read = thread::spawn(move || all(reader));
        drop(flush);
        assert_eq!(read.join().unwrap().lines().count(), lines);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_flags_of_the_descriptor_stay() {
        let (reader, writer) = io::pipe().unwrap();
        let before = rustix::fs::fcntl_getfl(&writer).unwrap();
        let copy = writer.try_clone().unwrap();
        let (queue, flush) = start_on(writer);
        queue.push("x\n".to_owned());
        drop(flush);
        assert_eq!(rustix::fs::fcntl_getfl(&copy).unwrap(), before);
        drop((copy, reader));
    }
}
