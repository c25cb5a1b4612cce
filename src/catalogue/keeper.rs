//! Writes the files, on a thread of its own: a disk that hangs holds up neither servers nor calls.

use super::file_name;
use atomicwrites::{AtomicFile, OverwriteBehavior::AllowOverwrite};
use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread;
use std::time::Duration;
use tracing::warn;

/// So many catalogues may wait for the disk; of more only the newest of each server does.
const QUEUE_MAX: usize = 16;

/// How long the disk has for what waits when the gateway ends.
const LAST_CATALOGUES: Duration = Duration::from_millis(500);

/// Takes catalogues in.
#[derive(Debug)]
pub struct Keeper {
    queue: SyncSender<(String, Vec<u8>)>,
    /// What found the queue full.
    waiting: BTreeMap<String, Vec<u8>>,
}

/// Waits, when it is dropped, until everything that was taken in is written. To be dropped after
/// the [`Keeper`].
#[derive(Debug)]
pub struct LastCatalogues(Receiver<()>);

impl Drop for LastCatalogues {
    fn drop(&mut self) {
        // Nothing is ever sent: it is the thread's end that ends the wait.
        let _ = self.0.recv_timeout(LAST_CATALOGUES);
    }
}

impl Keeper {
    /// Files in this folder.
    ///
    /// # Errors
    /// There can be no thread.
    pub fn start(folder: Utf8PathBuf) -> io::Result<(Self, LastCatalogues)> {
        let (queue, catalogues) = sync_channel(QUEUE_MAX);
        let (ended, end) = channel();
        thread::Builder::new()
            .name("catalogue".to_owned())
            .spawn(move || write_all(&folder, &catalogues, ended))?;
        let keeper = Self {
            queue,
            waiting: BTreeMap::new(),
        };
        Ok((keeper, LastCatalogues(end)))
    }

    /// Keeps a server's catalogue, in place of what was kept before.
    pub fn keep(&mut self, server: String, text: Vec<u8>) {
        self.waiting.insert(server, text);
        self.hand_over();
    }

    /// Hands over what found the queue full.
    pub fn hand_over(&mut self) {
        while let Some((server, text)) = self.waiting.pop_first() {
            match self.queue.try_send((server, text)) {
                Ok(()) => {}
                Err(TrySendError::Full((server, text))) => {
                    self.waiting.insert(server, text);
                    return;
                }
                // Nobody is left to write it.
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
}

fn write_all(folder: &Utf8PathBuf, catalogues: &Receiver<(String, Vec<u8>)>, ended: Sender<()>) {
    let mut failed = false;
    for (server, text) in catalogues {
        let path = folder.join(file_name(&server));
        let file = AtomicFile::new(&path, AllowOverwrite);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let written = file.write_with_options(|file| file.write_all(&text), options);
        if let Err(error) = written
            && !failed
        {
            // Said once: the lists are served all the same.
            failed = true;
            warn!(
                event = "gateway.catalogue_unwritten",
                "{path} can't be written: {error}; the next session begins without it"
            );
        }
    }
    drop(ended);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_last_catalogue_of_each_server_is_there_when_the_keeper_has_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("text");
        let (mut keeper, last) = Keeper::start(path.clone()).expect("a thread");
        for number in 0..100 {
            keeper.keep("a".to_owned(), format!("a{number}").into_bytes());
            keeper.keep("b".to_owned(), format!("b{number}").into_bytes());
        }
        while !keeper.waiting.is_empty() {
            keeper.hand_over();
        }
        drop(keeper);
        drop(last);
        for (name, text) in [("a", "a99"), ("b", "b99")] {
            let file = path.join(format!("{name}.json"));
            assert_eq!(std::fs::read_to_string(&file).expect("a file"), text);
            let mode = std::fs::metadata(&file)
                .expect("a file")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(path).expect("a folder").count(), 2);
    }
}
