//! The client's two pipes, whatever they are: FIFOs, sockets, files or terminals.
//!
//! Invariant: the description that we inherited is never changed. `O_NONBLOCK` on it would hold
//! for the client or the terminal too, and outlive us. A FIFO is opened anew, a socket is asked
//! not to block call by call, anything else gets a thread that may block.

use super::sys::watch_readiness;
use super::{CHUNK_BYTES, TransportEvent};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncWrite, Interest};
use tokio::net::unix::pipe;
use tokio::sync::mpsc::{Sender, UnboundedSender, unbounded_channel};

enum Kind {
    Fifo,
    Socket,
    Other,
}

fn kind(fd: BorrowedFd<'_>) -> io::Result<Kind> {
    Ok(match FileType::from_raw_mode(fstat(fd)?.st_mode) {
        FileType::Fifo => Kind::Fifo,
        FileType::Socket => Kind::Socket,
        FileType::RegularFile
        | FileType::Directory
        | FileType::Symlink
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => Kind::Other,
    })
}

/// Opens a FIFO anew, so that its flags are ours alone.
fn reopen(fd: BorrowedFd<'_>, mode: OFlags) -> Option<OwnedFd> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    open(
        path,
        mode | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .ok()
}

/// Reads the client's input from now on.
///
/// # Errors
/// Standard input can't be used at all.
pub fn start_input(fd: &impl AsFd, events: Sender<TransportEvent>) -> io::Result<()> {
    let fd = fd.as_fd();
    match kind(fd)? {
        Kind::Fifo => {
            if let Some(own) = reopen(fd, OFlags::RDONLY) {
                tokio::spawn(read_fifo(pipe::Receiver::from_owned_fd(own)?, events));
                return Ok(());
            }
        }
        Kind::Socket => {
            tokio::spawn(read_socket(
                watch_readiness(fd.try_clone_to_owned()?, Interest::READABLE)?,
                events,
            ));
            return Ok(());
        }
        Kind::Other => {}
    }
    let own = fd.try_clone_to_owned()?;
    thread::Builder::new()
        .name("client-input".to_owned())
        .spawn(move || {
            read_blocking(&own, &events);
        })?;
    Ok(())
}

async fn read_fifo(input: pipe::Receiver, events: Sender<TransportEvent>) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while input.readable().await.is_ok() {
        match input.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                let bytes = buffer[..length].to_vec();
                if events
                    .send(TransportEvent::ClientInput(bytes))
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
    let _ = events.send(TransportEvent::ClientInputEnded).await;
}

async fn read_socket(input: AsyncFd<OwnedFd>, events: Sender<TransportEvent>) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Ok(mut guard) = input.readable().await {
        let received = guard.try_io(|fd| {
            let (length, _) = recv(fd.get_ref(), &mut buffer[..], RecvFlags::DONTWAIT)?;
            Ok(length)
        });
        match received {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(length)) => {
                let bytes = buffer[..length].to_vec();
                if events
                    .send(TransportEvent::ClientInput(bytes))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(_would_block) => {}
        }
    }
    let _ = events.send(TransportEvent::ClientInputEnded).await;
}

fn read_blocking(input: &OwnedFd, events: &Sender<TransportEvent>) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        match rustix::io::read(input, &mut buffer[..]) {
            Ok(0) => break,
            Ok(length) => {
                let bytes = buffer[..length].to_vec();
                if events
                    .blocking_send(TransportEvent::ClientInput(bytes))
                    .is_err()
                {
                    return;
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => break,
        }
    }
    let _ = events.blocking_send(TransportEvent::ClientInputEnded);
}

/// What is to be written to the client.
pub struct ClientOutput {
    sink: Sink,
    /// Staged by the turn; whole lines.
    staged: Vec<u8>,
    waiting: VecDeque<u8>,
    broken: bool,
}

enum Sink {
    Fifo(pipe::Sender),
    /// Watched only while something waits: the client's every read would wake us otherwise.
    Socket {
        socket: OwnedFd,
        watch: Option<AsyncFd<OwnedFd>>,
    },
    /// A thread writes, and tells of each piece that it has written.
    Thread {
        pieces: UnboundedSender<Vec<u8>>,
        unwritten: usize,
    },
}

/// So much is written to the client at once: a list of every server's tools in one piece, however
/// busy the machine is with starting them.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// Lets the pipe hold more. Where it may not, the client is written to in more pieces.
#[cfg(target_os = "linux")]
fn widen(pipe: &OwnedFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
}

#[cfg(not(target_os = "linux"))]
fn widen(_: &OwnedFd) {}

impl ClientOutput {
    /// Writes to this from now on.
    ///
    /// # Errors
    /// Standard output can't be used at all.
    pub fn new(fd: &impl AsFd, events: &Sender<TransportEvent>) -> io::Result<Self> {
        let fd = fd.as_fd();
        let sink = match kind(fd)? {
            Kind::Fifo => match reopen(fd, OFlags::WRONLY) {
                Some(own) => {
                    widen(&own);
                    Sink::Fifo(pipe::Sender::from_owned_fd(own)?)
                }
                None => thread_sink(fd, events)?,
            },
            Kind::Socket => Sink::Socket {
                socket: fd.try_clone_to_owned()?,
                watch: None,
            },
            Kind::Other => thread_sink(fd, events)?,
        };
        Ok(Self {
            sink,
            staged: Vec::new(),
            waiting: VecDeque::new(),
            broken: false,
        })
    }

    /// Where a turn stages its lines.
    pub const fn staged(&mut self) -> &mut Vec<u8> {
        &mut self.staged
    }

    /// Whether nobody reads any more.
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// How much was staged and not yet written.
    pub fn pending_bytes(&self) -> usize {
        let with_thread = match &self.sink {
            Sink::Fifo(_) | Sink::Socket { .. } => 0,
            Sink::Thread { unwritten, .. } => *unwritten,
        };
        self.staged.len() + self.waiting.len() + with_thread
    }

    /// Writes what was staged, as far as it can be written now.
    pub fn flush(&mut self) {
        if self.broken {
            self.staged.clear();
            self.waiting.clear();
            return;
        }
        if let Sink::Thread { pieces, unwritten } = &mut self.sink {
            if !self.staged.is_empty() {
                *unwritten += self.staged.len();
                self.broken = pieces.send(std::mem::take(&mut self.staged)).is_err();
            }
            return;
        }
        if self.waiting.is_empty() {
            // The common case copies nothing: what the pipe takes at once is never held.
            let mut written = 0;
            while written < self.staged.len() {
                match self.sink.try_write(&self.staged[written..]) {
                    Ok(length) => written += length,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(_) => {
                        self.broken = true;
                        return self.flush();
                    }
                }
            }
            self.waiting.extend(&self.staged[written..]);
        } else {
            self.waiting.extend(&self.staged);
        }
        self.staged.clear();
        self.staged.shrink_to(1 << 20);
    }

    /// The thread that writes has written a piece, or found that nobody reads.
    pub fn written(&mut self, piece: Result<usize, Unread>) {
        match (piece, &mut self.sink) {
            (Ok(bytes), Sink::Thread { unwritten, .. }) => *unwritten -= bytes.min(*unwritten),
            (Ok(_), Sink::Fifo(_) | Sink::Socket { .. }) => {}
            (Err(Unread), _) => self.broken = true,
        }
    }

    /// Waits until more can be written, and writes it. Ready when everything is, or when nobody
    /// reads any more; never if nothing waits.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.waiting.is_empty() {
            return Poll::Pending;
        }
        while !self.waiting.is_empty() {
            let (front, _) = self.waiting.as_slices();
            if let Ok(length) = ready!(self.sink.poll_write(cx, front)) {
                self.waiting.drain(..length);
            } else {
                self.broken = true;
                self.waiting.clear();
            }
        }
        self.waiting.shrink_to(1 << 20);
        if let Sink::Socket { watch, .. } = &mut self.sink {
            *watch = None;
        }
        Poll::Ready(())
    }
}

impl Sink {
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Fifo(pipe) => pipe.try_write(bytes),
            Self::Socket { socket, .. } => Ok(send(socket, bytes, SEND_FLAGS)?),
            Self::Thread { .. } => Ok(0),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Fifo(pipe) => Pin::new(pipe).poll_write(cx, bytes),
            Self::Socket { socket, watch } => loop {
                let watch = match watch {
                    Some(watch) => watch,
                    None => watch.insert(watch_readiness(socket.try_clone()?, Interest::WRITABLE)?),
                };
                let mut guard = ready!(watch.poll_write_ready(cx))?;
                match guard.try_io(|fd| Ok(send(fd.get_ref(), bytes, SEND_FLAGS)?)) {
                    Ok(result) => return Poll::Ready(result),
                    Err(_would_block) => {}
                }
            },
            Self::Thread { .. } => Poll::Pending,
        }
    }
}

const SEND_FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// Nobody reads the client's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread;

fn thread_sink(fd: BorrowedFd<'_>, events: &Sender<TransportEvent>) -> io::Result<Sink> {
    let own = fd.try_clone_to_owned()?;
    let events = events.clone();
    let (pieces, mut inbox) = unbounded_channel::<Vec<u8>>();
    thread::Builder::new()
        .name("client-output".to_owned())
        .spawn(move || {
            while let Some(piece) = inbox.blocking_recv() {
                let written = write_all(&own, &piece)
                    .map(|()| piece.len())
                    .map_err(|_| Unread);
                if events
                    .blocking_send(TransportEvent::ClientWritten(written))
                    .is_err()
                    || written.is_err()
                {
                    return;
                }
            }
        })?;
    Ok(Sink::Thread {
        pieces,
        unwritten: 0,
    })
}

fn write_all(fd: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
