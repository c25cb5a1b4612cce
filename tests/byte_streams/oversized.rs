//! Whose a line over the limit is, told by a reader of the whole line.

use crate::json::{is_string_or_number, members, named};
use rea::wire::envelope::Seeming;

/// A longer id is nobody's.
const ID_BYTES_MAX: usize = 512;

/// Its id, and whether it is a call. None if it is no object: then nobody says whose it is.
pub(crate) fn owner(line: &[u8]) -> Option<(Option<String>, Seeming)> {
    let members = members(std::str::from_utf8(line).ok()?)?;
    let id = match named(&members, "id").as_slice() {
        [id] if is_string_or_number(id) && id.len() <= ID_BYTES_MAX => Some((*id).to_owned()),
        _ => None,
    };
    let kind = if named(&members, "method").is_empty() {
        Seeming::Reply
    } else {
        Seeming::Call
    };
    Some((id, kind))
}
