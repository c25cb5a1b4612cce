//! What servers offered when they were last seen, kept on disk from one session to the next.
//!
//! ```text
//! engine: a list has arrived ──▶ Keeper (a thread): encode ──▶ <state>/catalogue/<server>.json
//! the next session ──▶ load ──▶ the client is served from it until the server says otherwise
//! ```
//!
//! Invariants: a file is replaced whole or not at all; one that can't be read, is of another format,
//! or belongs to another configuration of the server is as good as none; entries come back byte
//! for byte; nothing is kept that holds a secret.

mod file;
mod keeper;

pub use file::{ConfigDigest, Remembered, decode, encode};
pub use keeper::{HoldsSecret, Keeper, LastCatalogues};

use crate::config::state_dir::private_file;
use camino::Utf8Path;
use std::io::Read;

/// Below the state folder.
pub const CATALOGUE_FOLDER: &str = "catalogue";

/// A larger file is not read: no session of ours writes one.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// What is remembered of a server with this configuration, if anything is.
pub fn load(folder: &Utf8Path, server: &str, config: &ConfigDigest) -> Option<Remembered> {
    let path = folder.join(file_name(server));
    let file = private_file().read(true).open(path).ok()?;
    let found = file.metadata().ok()?;
    if !found.is_file() || found.len() > FILE_BYTES_MAX {
        return None;
    }
    // In one read: clients wait for this.
    let mut text = String::with_capacity(usize::try_from(found.len()).ok()? + 1);
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    decode(&text, server, config)
}

fn file_name(server: &str) -> String {
    format!("{server}.json")
}
