//! Writes the files, on a thread of its own: neither a list of megabytes nor a disk that hangs holds
//! up servers or calls.

use super::file::{ConfigDigest, Remembered, encode};
use super::file_name;
use crate::config::state_dir::replace;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread;
use std::time::Duration;
use tracing::{info, warn};

/// So many catalogues may wait for the disk; of more only the newest of each server does.
const QUEUE_MAX: usize = 16;

/// How long the disk has for what waits when the gateway ends.
const LAST_CATALOGUES: Duration = Duration::from_millis(500);

/// Whether a text holds a secret.
pub type HoldsSecret = Box<dyn Fn(&str) -> bool + Send>;

/// What is to be kept of a server with this configuration.
type Kept = (ConfigDigest, Remembered);

/// Takes catalogues in.
#[derive(Debug)]
pub struct Keeper {
    queue: SyncSender<(String, Kept)>,
    /// What found the queue full.
    waiting: BTreeMap<String, Kept>,
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
    /// Files in this folder, and in `temporary` while they are being written. What holds a secret is
    /// not written.
    ///
    /// # Errors
    /// There can be no thread.
    pub fn start(
        folder: Utf8PathBuf,
        temporary: Utf8PathBuf,
        holds_secret: HoldsSecret,
    ) -> io::Result<(Self, LastCatalogues)> {
        let (queue, catalogues) = sync_channel(QUEUE_MAX);
        let (ended, end) = channel();
        thread::Builder::new()
            .name("catalogue".to_owned())
            .spawn(move || write_all(&folder, &temporary, &holds_secret, &catalogues, ended))?;
        let keeper = Self {
            queue,
            waiting: BTreeMap::new(),
        };
        Ok((keeper, LastCatalogues(end)))
    }

    /// Keeps a server's catalogue, in place of what was kept before.
    pub fn keep(&mut self, server: String, config: ConfigDigest, remembered: Remembered) {
        self.waiting.insert(server, (config, remembered));
        self.hand_over();
    }

    /// Hands over what found the queue full.
    pub fn hand_over(&mut self) {
        while let Some((server, kept)) = self.waiting.pop_first() {
            match self.queue.try_send((server, kept)) {
                Ok(()) => {}
                Err(TrySendError::Full((server, kept))) => {
                    self.waiting.insert(server, kept);
                    return;
                }
                // Nobody is left to write it.
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
}

fn write_all(
    folder: &Utf8Path,
    temporary: &Utf8Path,
    holds_secret: &HoldsSecret,
    catalogues: &Receiver<(String, Kept)>,
    ended: Sender<()>,
) {
    let mut failed = false;
    let mut told = BTreeSet::new();
    for (server, (config, remembered)) in catalogues {
        let text = encode(&config, &remembered);
        let path = folder.join(file_name(&server));
        // What holds a secret can't be kept without it: it would be another list. Nor can what
        // was kept before: that is not what the server offers any more.
        let written = if holds_secret(&String::from_utf8_lossy(&text)) {
            if told.insert(server.clone()) {
                info!(
                    event = "downstream.catalogue_not_kept",
                    server_name = server,
                    "its lists hold what looks like a secret; the next session begins without them"
                );
            }
            remove(&path)
        } else {
            replace(&path, temporary, &text)
        };
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

fn remove(path: &Utf8Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Lists;
    use crate::protocol::server_side::ServerOffer;
    use std::os::unix::fs::PermissionsExt;

    fn config() -> ConfigDigest {
        ConfigDigest::of(["command"])
    }

    fn said(instructions: &str) -> Remembered {
        Remembered {
            version: None,
            offer: ServerOffer {
                instructions: Some(instructions.to_owned()),
                ..ServerOffer::default()
            },
            lists: Lists::new(),
        }
    }

    #[test]
    fn the_last_catalogue_of_each_server_is_there_when_the_keeper_has_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("text");
        let is_secret: HoldsSecret = Box::new(|text| text.contains("hush"));
        let (mut keeper, last) =
            Keeper::start(path.clone(), path.clone(), is_secret).expect("a thread");
        for number in 0..100 {
            for name in ["a", "b"] {
                keeper.keep(name.to_owned(), config(), said(&format!("{name}{number}")));
            }
            keeper.keep("c".to_owned(), config(), said("hush"));
        }
        while !keeper.waiting.is_empty() {
            keeper.hand_over();
        }
        drop(keeper);
        drop(last);
        for (name, last) in [("a", "a99"), ("b", "b99")] {
            let file = path.join(format!("{name}.json"));
            let text = fs::read(&file).expect("a file");
            assert_eq!(text, encode(&config(), &said(last)));
            let mode = fs::metadata(&file).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(path).expect("a folder").count(), 2);
    }

    #[test]
    fn what_was_kept_is_gone_once_there_is_a_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("text");
        for (said_last, kept) in [("hush", 0), ("hush, hush", 0), ("hello", 1)] {
            let is_secret: HoldsSecret = Box::new(|text| text.contains("hush"));
            let (mut keeper, last) =
                Keeper::start(path.clone(), path.clone(), is_secret).expect("a thread");
            for instructions in ["hello", said_last] {
                keeper.keep("a".to_owned(), config(), said(instructions));
            }
            while !keeper.waiting.is_empty() {
                keeper.hand_over();
            }
            drop(keeper);
            drop(last);
            let files = fs::read_dir(&path).expect("a folder").count();
            assert_eq!(files, kept, "{said_last}");
        }
    }
}
