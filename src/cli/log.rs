//! Which event log a command is about.

use super::serve::EVENTS_FOLDER;
use crate::config::root::FOLDER;
use crate::journal::{LogFiles, ReadError};
use camino::Utf8Path;

/// The log that was asked for: a file, or the newest of a folder, which may be a project's too. The
/// project's newest if none was.
///
/// # Errors
/// There is none.
pub(super) fn find(
    asked_for: Option<&Utf8Path>,
    events_dir: &Utf8Path,
) -> Result<LogFiles, ReadError> {
    match (LogFiles::find(asked_for.unwrap_or(events_dir)), asked_for) {
        // Nobody has named the folder: that it is not there means that nothing was written yet.
        (Err(ReadError::NotFound { path, .. }), None) => Err(ReadError::NoLogs { directory: path }),
        (Err(error @ ReadError::NoLogs { .. }), Some(folder)) => {
            let below = [
                folder.join(FOLDER).join(EVENTS_FOLDER),
                folder.join(EVENTS_FOLDER),
            ];
            match below.iter().find(|folder| folder.is_dir()) {
                Some(events) => LogFiles::find(events),
                None => Err(error),
            }
        }
        (found, _) => found,
    }
}
