//! The tests with public servers and clients, from `cargo test`: they need npm, pip and the network, so they are run when
//! asked for. `tests/real/README.md` tells more.

use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs npm, pip and the network: cargo test --test real_servers -- --ignored --nocapture"]
fn real_servers_and_clients_work_through_the_gateway() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real");
    let installed = Command::new("bash")
        .arg(folder.join("setup.sh"))
        .status()
        .unwrap();
    assert!(
        installed.success(),
        "the installation ends with {installed}"
    );
    let tests = Command::new("python3")
        .arg(folder.join("run.py"))
        .args(["--rea", env!("CARGO_BIN_EXE_rea")])
        .status()
        .unwrap();
    assert!(tests.success(), "the tests end with {tests}");
}
