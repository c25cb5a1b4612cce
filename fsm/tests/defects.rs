//! Each defect of the reference gateway that concerns the core, as a scenario. The rule that makes
//! it impossible is one function of what was observed; it holds for the machine, and a model of
//! the original, a few lines that decide as it did, breaks it in the same scenario.

mod defects {
    mod calls;
    mod circuit;
    mod original;
    mod processes;
}

#[allow(dead_code, reason = "these tests need only a part of the vocabulary")]
#[path = "rules/support/mod.rs"]
mod support;
