//! The environment that the program was started in, as lookups for those who need it.

use std::ffi::OsString;

/// A variable's value, if it is text.
pub fn text(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A variable's value.
pub fn raw(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
