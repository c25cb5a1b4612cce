//! Reading and hashing on one thread, stepping on another.

use super::{Go, ReplayError};
use crate::journal::{Ending, Entry, ReadError, Reader};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Entries handed over at once, and how many such batches may wait.
const BATCH: usize = 512;
const BATCHES_WAITING: usize = 8;

/// What comes from the reading thread.
pub(super) enum Arrival<'a> {
    Entry(&'a Entry),
    Ended(Result<Ending, ReadError>),
}

enum Parcel {
    Entries(Vec<Entry>),
    Ended(Result<Ending, ReadError>),
}

/// Calls `take` with each entry, and with the end, until it says to stop.
pub(super) fn read_beside(
    reader: Reader,
    mut take: impl FnMut(Arrival<'_>) -> Result<Go, ReplayError>,
) -> Result<(), ReplayError> {
    std::thread::scope(|scope| {
        let (parcels, arriving) = sync_channel(BATCHES_WAITING);
        scope.spawn(move || read(reader, &parcels));
        // Leaving drops the receiving end, which ends the reading thread.
        for parcel in arriving {
            match parcel {
                Parcel::Entries(entries) => {
                    for entry in &entries {
                        if take(Arrival::Entry(entry))? == Go::Stop {
                            return Ok(());
                        }
                    }
                }
                Parcel::Ended(end) => {
                    take(Arrival::Ended(end))?;
                    return Ok(());
                }
            }
        }
        Ok(())
    })
}

fn read(mut reader: Reader, parcels: &SyncSender<Parcel>) {
    let mut entries = Vec::with_capacity(BATCH);
    let end = loop {
        match reader.next_entry() {
            Ok(Some(entry)) => {
                entries.push(entry);
                if entries.len() == BATCH {
                    let full = std::mem::replace(&mut entries, Vec::with_capacity(BATCH));
                    if parcels.send(Parcel::Entries(full)).is_err() {
                        return;
                    }
                }
            }
            Ok(None) => break Ok(reader.into_ending()),
            Err(error) => break Err(error),
        }
    };
    // Nobody listens any more if the run was stopped.
    if parcels.send(Parcel::Entries(entries)).is_ok() {
        let _ = parcels.send(Parcel::Ended(end));
    }
}
