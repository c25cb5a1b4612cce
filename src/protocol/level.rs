//! How grave what a server tells is, and so how loud a server may be.

/// How grave a message of a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// All is well.
    Info,
    /// All is well, and that is worth a word.
    Notice,
    /// Something may go wrong.
    Warning,
    /// Something has.
    Error,
    /// A part does not work.
    Critical,
    /// Somebody has to act.
    Alert,
    /// Nothing works.
    Emergency,
}

impl Level {
    const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// All names, the least grave first.
    pub const NAMES: [&'static str; 8] = [
        "debug",
        "info",
        "notice",
        "warning",
        "error",
        "critical",
        "alert",
        "emergency",
    ];

    /// The level of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_its_name_and_they_are_ordered_by_gravity() {
        for (level, name) in Level::ALL.into_iter().zip(Level::NAMES) {
            assert_eq!(level.name(), name);
            assert_eq!(Level::named(name), Some(level));
        }
        assert!(Level::ALL.is_sorted());
        assert_eq!(Level::named("loud"), None);
    }
}
