//! What the tests of the whole machine share: a world, the properties, coverage, and ways to run.
#![allow(dead_code, reason = "each test uses its part of this")]

pub(crate) mod benign;
pub(crate) mod bounds;
pub(crate) mod canonical;
pub(crate) mod checks;
pub(crate) mod coverage;
pub(crate) mod drive;
pub(crate) mod history;
pub(crate) mod offers;
pub(crate) mod rows;
pub(crate) mod search;
pub(crate) mod spaces;
pub(crate) mod tunings;
pub(crate) mod world;
