//! Each server's standard error, line by line into a bounded file of its own.
//!
//! Files are written by one thread, which a disk that hangs may hold up: servers and calls are not
//! held up with it. Each server has room for so many lines in its queue, so that one's noise is never
//! another's loss. A server that is faster than the disk waits for it, a moment; on a disk that takes
//! nothing lines are dropped, and the file says how many.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::watch;

/// What a file may grow to; then it is moved aside, replacing the one moved aside before.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// What is kept of one line, without its secrets.
const LINE_BYTES_MAX: usize = 16 << 10;
/// How many lines of one process may wait for the disk.
const QUEUE_LINES_MAX: usize = 512;
/// How long a process waits for the disk before its lines are dropped.
const DISK_ANSWERS_WITHIN: Duration = Duration::from_millis(250);
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How many lines are kept for the error that is made of a death.
const TAIL_LINES_MAX: usize = 5;
const TAIL_LINE_BYTES_MAX: usize = 300;

/// How long the disk has for what waits when the gateway ends.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Takes secrets out of lines.
pub trait LineFilter: Send + Sync {
    /// The line without its secrets, then cut to about so many bytes. In this order, since the head of a secret that a
    /// cut has left looks like none.
    fn filter(&self, line: &str, bytes_max: usize) -> String;

    /// How much of a line has to be known for that; what is behind it changes nothing.
    fn line_bytes_needed(&self, bytes_max: usize) -> usize;
}

/// The last lines that a process wrote to its standard error.
pub(super) type Tail = watch::Receiver<VecDeque<String>>;

/// Where servers' standard error goes.
#[derive(Clone)]
pub struct StderrFiles {
    lines: Sender<Line>,
    folder: Utf8PathBuf,
    session: String,
    filter: Arc<dyn LineFilter>,
}

/// A line on its way into its file.
struct Line {
    path: Utf8PathBuf,
    text: String,
    /// How many lines of its process are on their way.
    waiting: Arc<AtomicUsize>,
}

/// The lines of one process on their way, and those that did not get there.
struct Queue {
    lines: Sender<Line>,
    path: Utf8PathBuf,
    waiting: Arc<AtomicUsize>,
    dropped: u64,
    /// Whether the disk has let it wait in vain, and has taken nothing since.
    hangs: bool,
}

impl Queue {
    async fn push(&mut self, text: String) {
        if !self.has_room().await {
            self.dropped += 1;
            return;
        }
        self.tell_dropped();
        self.send(text);
    }

    async fn has_room(&mut self) -> bool {
        let mut waited = Duration::ZERO;
        while self.waiting.load(Ordering::Acquire) >= QUEUE_LINES_MAX {
            if self.hangs || waited >= DISK_ANSWERS_WITHIN {
                self.hangs = true;
                return false;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
        self.hangs = false;
        true
    }

    fn tell_dropped(&mut self) {
        if self.dropped > 0 {
            let dropped = std::mem::take(&mut self.dropped);
            self.send(format!("[rea: {dropped} lines were dropped here]"));
        }
    }

    fn send(&self, text: String) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let line = Line {
            path: self.path.clone(),
            text,
            waiting: Arc::clone(&self.waiting),
        };
        // The thread ends after everybody who sends.
        let _ = self.lines.send(line);
    }
}

impl Drop for Queue {
    /// What was dropped last is told too.
    fn drop(&mut self) {
        self.tell_dropped();
    }
}

/// Waits, when it is dropped, until the lines that were taken are written. To be dropped after
/// everything that follows a server's standard error.
#[derive(Debug)]
pub struct LastLines(Receiver<()>);

impl Drop for LastLines {
    fn drop(&mut self) {
        // Nothing is ever sent: it is the thread's end that ends the wait.
        let _ = self.0.recv_timeout(LAST_LINES);
    }
}

/// What the file of a server is called in a session.
pub fn file_name(server: &str, session: &str) -> String {
    format!("{server}.{session}.log")
}

impl StderrFiles {
    /// Files in `folder`, named after the server and this session.
    ///
    /// # Errors
    /// The thread that writes them can't be started.
    pub fn start(
        folder: &Utf8Path,
        session: &str,
        filter: Arc<dyn LineFilter>,
    ) -> io::Result<(Self, LastLines)> {
        let (lines, inbox) = channel();
        let (thread_lives, thread_ended) = channel();
        thread::Builder::new()
            .name("stderr-files".to_owned())
            .spawn(move || {
                let _thread_lives = thread_lives;
                write_all(&inbox);
            })?;
        let files = Self {
            lines,
            folder: folder.to_owned(),
            session: session.to_owned(),
            filter,
        };
        Ok((files, LastLines(thread_ended)))
    }

    /// Follows one process's standard error until it ends or the task is aborted.
    pub(super) async fn follow(
        self,
        server: String,
        stderr: pipe::Receiver,
        tail: watch::Sender<VecDeque<String>>,
    ) {
        let mut queue = Queue {
            lines: self.lines.clone(),
            path: self.folder.join(file_name(&server, &self.session)),
            waiting: Arc::default(),
            dropped: 0,
            hangs: false,
        };
        let mut reader = BufReader::new(stderr);
        let mut line = Vec::new();
        loop {
            let bytes_needed = self.filter.line_bytes_needed(LINE_BYTES_MAX);
            let Ok(Some(())) = next_line(&mut reader, &mut line, bytes_needed).await else {
                return;
            };
            // Bytes that are no text become longer by this, never shorter: what is needed stays there.
            let text = String::from_utf8_lossy(&line);
            let text = self.filter.filter(&text, LINE_BYTES_MAX);
            tail.send_modify(|tail| {
                if tail.len() == TAIL_LINES_MAX {
                    tail.pop_front();
                }
                tail.push_back(cut(&text, TAIL_LINE_BYTES_MAX).to_owned());
            });
            queue.push(text).await;
        }
    }
}

/// Reads a line without its newline, of which no more than the limit is kept.
async fn next_line(
    reader: &mut BufReader<pipe::Receiver>,
    line: &mut Vec<u8>,
    bytes_max: usize,
) -> io::Result<Option<()>> {
    line.clear();
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            return Ok((!line.is_empty()).then_some(()));
        }
        let (piece, used, ended) = match memchr::memchr(b'\n', available) {
            Some(end) => (&available[..end], end + 1, true),
            None => (available, available.len(), false),
        };
        let room = bytes_max.saturating_sub(line.len()).min(piece.len());
        line.extend_from_slice(&piece[..room]);
        reader.consume(used);
        if ended {
            return Ok(Some(()));
        }
    }
}

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

struct OpenFile {
    file: File,
    bytes: u64,
}

/// Trouble with one file is no other file's, and nobody's but the person's who reads it: a line
/// that can't be written is lost.
fn write_all(inbox: &Receiver<Line>) {
    let mut files: BTreeMap<Utf8PathBuf, OpenFile> = BTreeMap::new();
    for Line {
        path,
        mut text,
        waiting,
    } in inbox
    {
        text.push('\n');
        waiting.fetch_sub(1, Ordering::AcqRel);
        let Ok(open) = ensure_open(&mut files, &path) else {
            continue;
        };
        if open.file.write_all(text.as_bytes()).is_ok() {
            open.bytes += text.len() as u64;
        }
        if open.bytes > FILE_BYTES_MAX {
            files.remove(&path);
            let _ = std::fs::rename(&path, path.with_extension("log.1"));
        }
    }
}

fn ensure_open<'a>(
    files: &'a mut BTreeMap<Utf8PathBuf, OpenFile>,
    path: &Utf8Path,
) -> io::Result<&'a mut OpenFile> {
    if !files.contains_key(path) {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)?;
        let bytes = file.metadata()?.len();
        files.insert(path.to_owned(), OpenFile { file, bytes });
    }
    files
        .get_mut(path)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}
