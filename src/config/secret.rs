//! A value that must never be shown.
//!
//! Invariant: only [`Secret::expose`] gives the text, so every place that could leak it can be found by that name.
//! Absent on purpose: `Display`, `Serialize`, and a `Debug` that shows the value or its length.

use std::fmt;

/// The value of a variable that is classed as a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// Takes the value in.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself: for the child's environment and for the redactor.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// Whether a variable of this name holds a secret, by its name alone.
pub fn is_secret_name(name: &str) -> bool {
    const MARKS: [&str; 5] = ["TOKEN", "KEY", "SECRET", "PASSWORD", "CREDENTIAL"];
    let name = name.to_ascii_uppercase();
    MARKS.iter().any(|mark| name.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        let shown = format!("{:?}", Some(Secret::new("hunter2hunter2")));
        assert_eq!(shown, "Some(Secret(..))");
    }

    #[test]
    fn names_are_classed_without_regard_to_case() {
        for name in [
            "GITHUB_TOKEN",
            "api_key",
            "clientSecret",
            "DB_PASSWORD",
            "Aws_Credentials",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["PATH", "HOME", "LANG", "DATABASE_HOST", "TOKE"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
