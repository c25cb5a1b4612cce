//! A disk that hangs, fails or is full, and a clock that is set, for one gateway alone.

use super::Project;
use camino::Utf8PathBuf;
use std::fs;
use std::process::Command;
use std::sync::OnceLock;

/// What stands between the gateway and its system. It says nothing until it is told to.
pub struct Preload {
    control: Utf8PathBuf,
}

impl Preload {
    /// Stands between `command` and its system.
    pub fn before(project: &Project, command: &mut Command) -> Self {
        let control = project.base().join("control");
        fs::write(&control, "").unwrap();
        command
            .env("LD_PRELOAD", library())
            .env("REA_TEST_CONTROL", &control);
        Self { control }
    }

    /// From now on, until something else is said; see `preload.c`.
    pub fn say(&self, rules: &str) {
        // Whole or not at all: it is read at every call.
        let next = self.control.with_extension("next");
        fs::write(&next, rules).unwrap();
        fs::rename(next, &self.control).unwrap();
    }
}

/// Compiled once for each program of tests.
fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = env!("CARGO_TARGET_TMPDIR");
        let library = format!("{folder}/preload-{}.so", std::process::id());
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/preload.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o", &library, source])
            .status();
        assert!(
            compiled.is_ok_and(|status| status.success()),
            "cc compiles {source}"
        );
        library
    })
}
