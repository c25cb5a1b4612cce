//! Where the journal's bytes go: the seam between what is decided about them and the disk.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// A sequence of files, of which the last can be written.
pub trait Sink: Send {
    /// Whether there is a file to write to.
    fn is_open(&self) -> bool;

    /// One attempt at the end of the file, as write(2): fewer bytes may have got out.
    ///
    /// # Errors
    /// Whatever the system says; no file to write to is [`io::ErrorKind::NotFound`].
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Takes back everything behind the first `length` bytes of the file.
    ///
    /// # Errors
    /// Whatever the system says.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Asks for the file with that number; once it is there, it is the one written to, and
    /// empty. Never waits: ask again later.
    fn next_file(&mut self, number: u32) -> Poll<io::Result<()>>;

    /// Why what was written may not survive a loss of power, if that is so.
    fn sync_failure(&mut self) -> Option<io::Error>;

    /// Puts everything where it survives a loss of power. The only call that may wait.
    ///
    /// # Errors
    /// Whatever the system says.
    fn finish(&mut self) -> io::Result<()>;
}

/// Files in memory: for simulations, and for disks that fail as a test wants them to.
#[derive(Debug)]
pub struct Memory {
    shared: MemoryHandle,
}

/// The other end of a [`Memory`].
#[derive(Clone, Debug, Default)]
pub struct MemoryHandle(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    files: Vec<Vec<u8>>,
    /// How many more bytes fit, if there is a limit.
    room: Option<usize>,
    is_directory_sealed: bool,
    is_cut_refused: bool,
}

impl Memory {
    /// A disk that takes everything.
    pub fn new() -> (Self, MemoryHandle) {
        let handle = MemoryHandle::default();
        let memory = Self {
            shared: handle.clone(),
        };
        (memory, handle)
    }
}

impl MemoryHandle {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was written so far, a piece a file.
    pub fn files(&self) -> Vec<Vec<u8>> {
        self.disk().files.clone()
    }

    /// From now on so many bytes fit; none: all.
    pub fn set_room(&self, room: Option<usize>) {
        self.disk().room = room;
    }

    /// From now on no file can be made.
    pub fn seal_directory(&self) {
        self.disk().is_directory_sealed = true;
    }

    /// From now on nothing can be taken back.
    pub fn refuse_cut(&self) {
        self.disk().is_cut_refused = true;
    }

    /// The disk is well again.
    pub fn heal(&self) {
        let mut disk = self.disk();
        disk.room = None;
        disk.is_directory_sealed = false;
        disk.is_cut_refused = false;
    }
}

impl Sink for Memory {
    fn is_open(&self) -> bool {
        !self.shared.disk().files.is_empty()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.shared.disk();
        let fits = disk.room.map_or(bytes.len(), |room| room.min(bytes.len()));
        if fits == 0 && !bytes.is_empty() {
            return Err(rustix::io::Errno::NOSPC.into());
        }
        let file = disk.files.last_mut().ok_or(io::ErrorKind::NotFound)?;
        file.extend_from_slice(&bytes[..fits]);
        disk.room = disk.room.map(|room| room - fits);
        Ok(fits)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut disk = self.shared.disk();
        if disk.is_cut_refused {
            return Err(rustix::io::Errno::IO.into());
        }
        let file = disk.files.last_mut().ok_or(io::ErrorKind::NotFound)?;
        file.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }

    fn next_file(&mut self, _number: u32) -> Poll<io::Result<()>> {
        let mut disk = self.shared.disk();
        Poll::Ready(if disk.is_directory_sealed {
            Err(rustix::io::Errno::ROFS.into())
        } else {
            disk.files.push(Vec::new());
            Ok(())
        })
    }

    fn sync_failure(&mut self) -> Option<io::Error> {
        None
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
