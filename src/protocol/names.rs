//! The names under which a client sees tools: `<server>__<tool>`.

/// Clients refuse longer names.
pub const NAME_CHARS_MAX: usize = 64;
const SEPARATOR: &str = "__";
const HASH_CHARS: usize = 8;

/// The name that a client is shown: the tool's name with its server's in front, or a short alias
/// that stays the same from session to session if that is too long.
pub fn shown(server: &str, tool: &str) -> String {
    let full = format!("{server}{SEPARATOR}{tool}");
    if full.chars().count() <= NAME_CHARS_MAX {
        return full;
    }
    let hash = blake3::hash(full.as_bytes()).to_hex();
    let head: String = full.chars().take(NAME_CHARS_MAX - HASH_CHARS - 1).collect();
    format!("{head}_{}", &hash[..HASH_CHARS])
}

/// The server's and the tool's name: cut at the first separator.
pub fn split(shown: &str) -> Option<(&str, &str)> {
    shown.split_once(SEPARATOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_at_its_first_separator() {
        assert_eq!(split("files__read__all"), Some(("files", "read__all")));
        assert_eq!(split("read"), None);
        assert_eq!(shown("files", "read__all"), "files__read__all");
    }

    #[test]
    fn a_long_name_gets_a_short_alias_that_stays_the_same_and_differs_from_others() {
        let long = "x".repeat(80);
        let alias = shown("files", &long);
        assert_eq!(alias.chars().count(), NAME_CHARS_MAX);
        assert_eq!(alias, shown("files", &long));
        assert_ne!(alias, shown("files", &format!("{long}y")));
    }
}
