//! Every seed of the fuzz targets, findings among them.

use std::fs;
use std::path::Path;

fn check_all(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/seeds")
        .join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the target has seeds") {
        let path = entry.expect("a folder can be read").path();
        let input = fs::read(&path).expect("a seed can be read");
        // Shown if the check fails.
        eprintln!("{}", path.display());
        check(&input);
        count += 1;
    }
    assert!(count >= 10, "{target} has {count} seeds");
}

#[test]
fn lines() {
    check_all("lines", crate::lines::check);
}

#[test]
fn envelope() {
    check_all("envelope", crate::envelope::check);
}

#[test]
fn request_state() {
    check_all("request_state", crate::request_state::check);
}

#[test]
fn era() {
    check_all("era", crate::era::check);
}
