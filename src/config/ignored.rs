//! Keys of the reference gateway that are known and do nothing here.

use std::fmt;

/// A key that was read over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The key, with the maps around it where it needs them to be understood.
    pub key: &'static str,
    /// Where it stands.
    pub line: usize,
}

/// Every such key of one file: one warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredKeys {
    /// What the file is called.
    file: &'static str,
    /// In the order of the file; at least one.
    keys: Vec<Ignored>,
}

impl IgnoredKeys {
    /// The warning, if there is anything to warn of.
    pub(super) fn of(file: &'static str, mut keys: Vec<Ignored>) -> Option<Self> {
        keys.sort_by_key(|ignored| ignored.line);
        (!keys.is_empty()).then_some(Self { file, keys })
    }
}

impl fmt::Display for IgnoredKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} has keys without effect: ", self.file)?;
        for (index, Ignored { key, line }) in self.keys.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{key} (line {line})")?;
        }
        Ok(())
    }
}
