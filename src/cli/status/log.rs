//! The end of the newest event log: when something was recorded last, and whether its chain holds.

use crate::cli::place::Place;
use crate::journal::{Tail, tail_of_newest};

/// What is said of the log. One that can't be read is as good as none: the state file says why.
pub(super) fn look(place: &Place) -> Option<Tail> {
    tail_of_newest(&place.events()).ok().flatten()
}
