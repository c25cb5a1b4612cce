//! `${NAME}` in the values of a server's `env`.
//!
//! ```text
//! value := (literal | "${" NAME "}")*        NAME := [A-Za-z_][A-Za-z0-9_]*
//! ```
//!
//! A `$` anywhere else is a plain character. Invariant: what a variable expands to is never looked at again, so a
//! host value with `${…}` in it stays as it is.
//!
//! Absent on purpose: `$NAME`, defaults, command substitution, recursion, escapes.

use std::ffi::{OsStr, OsString};
use std::fmt;

/// A value with its variables found, ready to be filled in.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

/// Why a value is no template. Never holds more of the value than the name in question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `${` without `}`.
    #[error("\"${{\" is not closed: write ${{NAME}}")]
    Unterminated,
    /// `${}`.
    #[error("\"${{}}\" names no variable: write ${{NAME}}")]
    Empty,
    /// A name with a character that names can't have.
    #[error(
        "the name after \"${{{legal}\" has the character {character:?}: a name is letters, digits and \"_\", \
         not starting with a digit; defaults and nesting are not supported"
    )]
    IllegalName {
        /// The part of the name before the character.
        legal: String,
        /// The first character that is not allowed.
        character: char,
    },
}

impl Template {
    /// Finds the variables of `value`.
    ///
    /// # Errors
    /// The first `${` that is malformed.
    pub fn parse(value: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = value;
        while let Some((literal, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').ok_or(TemplateError::Unterminated)?;
            check_name(name)?;
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The variables it refers to, in order, with repetitions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// Puts the values in. A variable without a value becomes nothing: the caller has refused it before.
    pub(super) fn fill<'a>(&'a self, value_of: impl Fn(&'a str) -> Option<&'a OsStr>) -> OsString {
        let mut filled = OsString::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => filled.push(text),
                Part::Variable(name) => filled.push(value_of(name).unwrap_or_default()),
            }
        }
        filled
    }

    /// The value as it was written. It may be a secret.
    pub fn as_written(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Variable(name) => format!("${{{name}}}"),
        });
        parts.collect()
    }
}

/// Literals may hold secrets that somebody wrote into the file, so only the names are shown.
impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Template")?;
        formatter.debug_list().entries(self.names()).finish()
    }
}

/// Whether `name` is a variable's name in this grammar.
pub(super) fn is_variable_name(name: &str) -> bool {
    check_name(name).is_ok()
}

fn check_name(name: &str) -> Result<(), TemplateError> {
    if name.is_empty() {
        return Err(TemplateError::Empty);
    }
    let illegal = name.char_indices().find(|&(index, character)| {
        let starts = character.is_ascii_alphabetic() || character == '_';
        !(starts || (index > 0 && character.is_ascii_digit()))
    });
    match illegal {
        None => Ok(()),
        Some((index, character)) => Err(TemplateError::IllegalName {
            legal: name[..index].to_owned(),
            character,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(value: &str) -> String {
        let host = |name: &str| match name {
            "USER" => Some(OsStr::new("ada")),
            "NESTED" => Some(OsStr::new("${USER}")),
            "EMPTY" => Some(OsStr::new("")),
            _ => None,
        };
        Template::parse(value)
            .unwrap()
            .fill(host)
            .into_string()
            .unwrap()
    }

    #[test]
    fn variables_are_replaced_and_the_rest_kept() {
        assert_eq!(fill("hello ${USER}, ${USER}!"), "hello ada, ada!");
        assert_eq!(fill("[${EMPTY}]"), "[]");
        assert_eq!(fill(""), "");
    }

    #[test]
    fn a_dollar_elsewhere_is_a_plain_character() {
        assert_eq!(
            fill("$USER $ $$ $(date) {USER} }"),
            "$USER $ $$ $(date) {USER} }"
        );
        assert_eq!(fill("$${USER}"), "$ada");
    }

    #[test]
    fn what_a_variable_holds_is_not_expanded_again() {
        assert_eq!(fill("${NESTED}"), "${USER}");
    }

    #[test]
    fn errors_name_the_fault() {
        let error = |value: &str| Template::parse(value).unwrap_err().to_string();
        assert_eq!(error("a ${USER"), "\"${\" is not closed: write ${NAME}");
        assert_eq!(error("${}"), "\"${}\" names no variable: write ${NAME}");
        assert_eq!(
            error("${USER:-secret}"),
            "the name after \"${USER\" has the character ':': a name is letters, digits and \"_\", \
             not starting with a digit; defaults and nesting are not supported"
        );
        for value in ["${1ST}", "${A-B}", "${ A }", "${${USER}}", "${é}"] {
            assert!(
                matches!(
                    Template::parse(value),
                    Err(TemplateError::IllegalName { .. })
                ),
                "{value}"
            );
        }
    }

    #[test]
    fn an_error_never_repeats_a_default_that_may_be_a_secret() {
        assert!(
            !Template::parse("${A:-hunter2}")
                .unwrap_err()
                .to_string()
                .contains("hunter2")
        );
    }

    #[test]
    fn debug_shows_names_and_no_literal() {
        assert_eq!(
            format!("{:?}", Template::parse("hunter2 ${USER}").unwrap()),
            "Template[\"USER\"]"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_value_without_an_opening_is_literal(value in "[^$]*(\\$[^{$])*") {
            let template = Template::parse(&value).unwrap();
            prop_assert_eq!(template.fill(|_| None).into_string().unwrap(), value);
        }

        #[test]
        fn any_text_parses_or_names_a_fault(value in "[${}A-Z1 ]{0,40}") {
            if let Ok(template) = Template::parse(&value) {
                prop_assert!(template.names().all(is_variable_name));
            }
        }
    }
}
