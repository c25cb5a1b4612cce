//! Hands states to the thread that writes them, and never waits for it.

use super::writer::{Counts, Writer};
use super::{LiveState, session};
use crate::config::state_dir::StateDir;
use camino::Utf8PathBuf;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long the disk has for the last state when the gateway ends.
const LAST_STATE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(5);

/// Takes states in.
#[derive(Debug)]
pub struct Publisher {
    states: SyncSender<Box<LiveState>>,
    counts: Arc<Counts>,
}

/// Waits, when it is dropped, until the last state is written; not for ever. Then the session gives up
/// its place. To be dropped after the [`Publisher`], and after everybody who writes into the session's
/// folder.
#[derive(Debug)]
pub struct LastState {
    state_dir: Utf8PathBuf,
    session_id: String,
    end: Receiver<()>,
}

impl Drop for LastState {
    fn drop(&mut self) {
        // Nothing is ever sent: it is the thread's end that ends the wait.
        let _ = self.end.recv_timeout(LAST_STATE);
        session::leave(&self.state_dir, &self.session_id);
    }
}

impl Publisher {
    /// States of this session, in this folder. The session takes its place there as soon as it can.
    ///
    /// # Errors
    /// There can be no thread.
    pub fn start(state_dir: &StateDir, session_id: &str) -> io::Result<(Self, LastState)> {
        let (states, arriving) = sync_channel(1);
        let (ended, end) = channel();
        let counts = Arc::new(Counts::default());
        let writer = Writer::new(state_dir, session_id, Arc::clone(&counts));
        thread::Builder::new()
            .name("live-state".to_owned())
            .spawn(move || write_all(writer, &arriving, ended))?;
        let last_state = LastState {
            state_dir: state_dir.path().to_owned(),
            session_id: session_id.to_owned(),
            end,
        };
        Ok((Self { states, counts }, last_state))
    }

    /// Publishes a state, unless the one before is still waiting for the disk: then it comes back.
    ///
    /// # Errors
    /// The state that was not taken.
    pub fn publish(&self, state: Box<LiveState>) -> Result<(), Box<LiveState>> {
        match self.states.try_send(state) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(state)) => Err(state),
            // Nobody is left to write it.
            Err(TrySendError::Disconnected(_)) => Ok(()),
        }
    }

    /// Publishes the last state. A disk that hangs is not waited for any longer than
    /// [`LastState`] does.
    pub fn finish(self, mut state: Box<LiveState>) {
        let until = Instant::now() + LAST_STATE;
        while let Err(back) = self.publish(state) {
            if Instant::now() >= until {
                return;
            }
            state = back;
            thread::sleep(PAUSE);
        }
    }

    /// Where files lie that this session has not finished writing.
    pub fn unfinished(state_dir: &StateDir, session_id: &str) -> Utf8PathBuf {
        session::folder_of(state_dir.path(), session_id)
    }

    /// How often files were written.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }
}

fn write_all(writer: Writer, arriving: &Receiver<Box<LiveState>>, ended: Sender<()>) {
    writer.run(arriving);
    drop(ended);
}
