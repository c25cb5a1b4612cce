//! What servers have seen with their own eyes, and nobody else can know.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Shared by every process of a run.
pub(crate) type Shared = Rc<RefCell<Witness>>;

#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// How often a call was read that brought nothing back.
    pub(crate) executed: BTreeMap<u64, u32>,
    /// How often a call was read that brought this state back.
    pub(crate) resumed: BTreeMap<String, u32>,
    /// Questions that were answered, and how often.
    pub(crate) answered: BTreeMap<String, u32>,
    /// Questions that the gateway refused.
    pub(crate) refused: BTreeSet<String>,
    pub(crate) questions: u64,
    pub(crate) withdrawn: u64,
    pub(crate) deaths_while_asking: u64,
}

impl Witness {
    /// A mark that stands in one question alone, and has to stand in its answer.
    pub(crate) fn mark(&mut self) -> String {
        self.questions += 1;
        format!("mark-{}", self.questions)
    }

    pub(crate) fn answer(&mut self, mark: &str, echo: Option<&str>) {
        assert_eq!(
            echo,
            Some(mark),
            "an answer that belongs to another question"
        );
        let count = self.answered.entry(mark.to_owned()).or_default();
        *count += 1;
        assert_eq!(*count, 1, "{mark} was answered twice");
    }
}
