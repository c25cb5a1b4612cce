//! The names that the client sees: `<server>__<tool>`.

/// Stands between server and tool. Server names neither hold it nor end in `_`, so the first one
/// in a name is it.
pub const SEPARATOR: &str = "__";

/// Clients reject longer names.
pub const MAX_CHARACTERS: usize = 64;

/// Hexadecimal digits of an alias that tell names with the same begin apart.
const DIGEST_CHARACTERS: usize = 8;

/// A tool's name as the client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownName {
    /// `<server>__<tool>`.
    Qualified(String),
    /// What stands for a longer one. The same name has the same alias in every run.
    Alias(String),
}

impl ShownName {
    /// The name, for keeps.
    pub fn into_string(self) -> String {
        match self {
            Self::Qualified(name) | Self::Alias(name) => name,
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Qualified(name) | Self::Alias(name) => name,
        }
    }
}

/// The name under which a server's tool is shown.
pub fn qualify(server: &str, tool: &str) -> ShownName {
    let full = format!("{server}{SEPARATOR}{tool}");
    if full.chars().count() <= MAX_CHARACTERS {
        return ShownName::Qualified(full);
    }
    let digest = blake3::hash(full.as_bytes()).to_hex();
    let kept = MAX_CHARACTERS - 1 - DIGEST_CHARACTERS;
    let mut alias: String = full.chars().take(kept).collect();
    alias.push('_');
    alias.extend(digest.chars().take(DIGEST_CHARACTERS));
    ShownName::Alias(alias)
}

/// The server and the tool that a name speaks of. An alias gives its server only; which tool it
/// stands for, the catalogue knows.
pub fn split(shown: &str) -> Option<(&str, &str)> {
    shown.split_once(SEPARATOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_separator_counts() {
        assert_eq!(split("files__read__all"), Some(("files", "read__all")));
        assert_eq!(split("files___private"), Some(("files", "_private")));
        assert_eq!(split("files"), None);
        assert_eq!(qualify("files", "read").as_str(), "files__read");
    }

    #[test]
    fn a_name_of_64_characters_stays_and_a_longer_one_gets_a_stable_alias() {
        let longest = qualify("s", &"t".repeat(61));
        assert_eq!(
            longest,
            ShownName::Qualified(format!("s__{}", "t".repeat(61)))
        );

        let alias = qualify("s", &"t".repeat(62));
        assert_eq!(
            alias,
            ShownName::Alias(format!("s__{}_65760727", "t".repeat(52)))
        );
        let other = qualify("s", &format!("{}u", "t".repeat(62)));
        assert_ne!(alias, other, "names with the same begin stay apart");
        assert_eq!(split(alias.as_str()).map(|(server, _)| server), Some("s"));
    }

    #[test]
    fn characters_are_counted_and_cut_whole() {
        assert!(matches!(
            qualify("s", &"é".repeat(61)),
            ShownName::Qualified(_)
        ));
        let alias = qualify("s", &"😀".repeat(80));
        assert_eq!(alias.as_str().chars().count(), MAX_CHARACTERS);
    }
}
