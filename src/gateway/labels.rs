//! What the log calls a tool: its name without secrets.

use super::client::TextFilter;
use crate::publish::redact::bounded;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// So many names are remembered. Whoever calls more of them is answered all the same.
const REMEMBERED_MAX: usize = 1_000;
/// A name is the client's own affair, and can be of any length; nobody reads more of it than this.
const LABEL_BYTES_MAX: usize = 256;

/// Looking a name through costs as much as relaying its call: each is looked through once.
#[derive(Debug, Default)]
pub(super) struct Labels(RefCell<BTreeMap<String, Rc<str>>>);

impl Labels {
    pub(super) fn of(&self, name: &str, redact: &TextFilter) -> Rc<str> {
        if name.len() > LABEL_BYTES_MAX {
            return label(name, redact);
        }
        let mut remembered = self.0.borrow_mut();
        if let Some(label) = remembered.get(name) {
            return Rc::clone(label);
        }
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        let label = label(name, redact);
        remembered.insert(name.to_owned(), Rc::clone(&label));
        label
    }
}

/// What the log calls something that is not likely to come again.
pub(super) fn label(name: &str, redact: &TextFilter) -> Rc<str> {
    bounded(&redact(name), LABEL_BYTES_MAX).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_name_is_looked_through_once_and_made_up_ones_take_no_room() {
        let looked = Rc::new(Cell::new(0));
        let counted = Rc::clone(&looked);
        let redact: TextFilter = Box::new(move |text| {
            counted.set(counted.get() + 1);
            text.replace("hush", "[REDACTED]")
        });
        let labels = Labels::default();
        for _ in 0..3 {
            assert_eq!(&*labels.of("hush_tool", &redact), "[REDACTED]_tool");
        }
        assert_eq!(looked.get(), 1);
        for number in 0..3 * REMEMBERED_MAX {
            labels.of(&number.to_string(), &redact);
        }
        assert!(labels.0.borrow().len() <= REMEMBERED_MAX);
        let long = labels.of(&"x".repeat(10 << 20), &redact);
        assert!(long.len() < 2 * LABEL_BYTES_MAX);
        let kept = labels.0.borrow();
        assert!(kept.keys().all(|name| name.len() <= LABEL_BYTES_MAX));
    }
}
