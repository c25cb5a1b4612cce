//! What the tests of the whole machine share: a world, the properties, coverage, and ways to run.
#![allow(dead_code, reason = "each test uses its part of this")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "what goes wrong here fails a test"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a property names what it speaks of; the rest is the other properties' business"
)]
#![allow(
    clippy::similar_names,
    reason = "`before` and `after` come in many forms"
)]

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
