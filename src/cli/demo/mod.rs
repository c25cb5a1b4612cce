//! `rea demo`: the real gateway over servers that misbehave, told as it happens, then replayed.

mod client;
pub mod server;

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use client::Client;
use serde_json::json;
use std::fs;
use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Show in a few seconds what the gateway does when servers crash and flap, then replay it
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  rea demo --keep /tmp/rea-demo")]
pub struct DemoArgs {
    /// Leave the registry, the log and the servers' records in this new or empty folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<Utf8PathBuf>,
}

/// The flapping server is given so many deaths; then it is good.
const FLAPS: u32 = 2;
const RECOVERY_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Runs the demonstration and tells it to `out`.
///
/// # Errors
/// Something did not happen as it should have, or a file could not be written.
pub fn run(args: &DemoArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut listener = Listener { out, gone: false };
    match play(args, &mut listener) {
        // Whoever has seen enough and goes away (`| head`) is no error.
        Err(_) if listener.gone => Ok(ExitCode::SUCCESS),
        played => played,
    }
}

/// Whoever is told, as long as they listen.
struct Listener<'a> {
    out: &'a mut dyn Write,
    gone: bool,
}

impl Listener<'_> {
    fn note<T>(&mut self, told: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &told {
            self.gone |= error.kind() == io::ErrorKind::BrokenPipe;
        }
        told
    }
}

impl Write for Listener<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let told = self.out.write(text);
        self.note(told)
    }

    fn flush(&mut self) -> io::Result<()> {
        let told = self.out.flush();
        self.note(told)
    }
}

fn play(args: &DemoArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let (root, temporary) = if let Some(keep) = &args.keep {
        (keep.clone(), None)
    } else {
        let temporary = Scratch::new()?;
        (temporary.0.clone(), Some(temporary))
    };
    let program = std::env::current_exe().context("this program can't find itself")?;
    let program = Utf8PathBuf::try_from(program)?;
    prepare(&root, &program)?;
    tell(&root, &program, out)?;
    writeln!(
        out,
        "\nNow the log of all that is replayed: every event through the same machine again."
    )?;
    out.flush()?;
    let replay = Command::new(&program)
        .args(["replay", "--root", root.as_str()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    write!(out, "  {}", String::from_utf8_lossy(&replay.stderr))?;
    ensure!(
        replay.status.success(),
        "the replay did not come to the same"
    );
    match temporary {
        Some(_) => writeln!(
            out,
            "\nSee it event by event: rea demo --keep DIR; rea replay --root DIR"
        )?,
        None => writeln!(out, "\nSee it event by event: rea replay --root {root}")?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A folder that is removed with everything in it.
struct Scratch(Utf8PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        let base = Utf8PathBuf::try_from(std::env::temp_dir())?;
        let path = base.join(format!("rea-demo-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("{path} can't be made"))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left-overs in the system's own temporary folder are swept by the system.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn prepare(root: &Utf8Path, program: &Utf8Path) -> anyhow::Result<()> {
    let registry = root.join(crate::config::root::REGISTRY);
    ensure!(
        !registry.exists(),
        "{registry} is there already: --keep takes a new or empty folder"
    );
    fs::create_dir_all(root.join(crate::config::root::FOLDER))?;
    let program = serde_json::to_string(program.as_str())?;
    let text = format!(
        "version: \"1\"
defaults: {{restart_window: 1s, lock_base: 1s, handshake_timeout: 2s, term_grace: 200ms, kill_grace: 200ms, stdin_close_grace: 200ms}}
servers:
  - name: good
    command: {program}
    args: [demo-server]
  - name: fragile
    command: {program}
    args: [demo-server, --record, calls-of-fragile.txt]
  - name: flapping
    command: {program}
    args: [demo-server, --flap, \"{FLAPS}\", --count-file, starts-of-flapping.txt]
"
    );
    fs::write(&registry, text).with_context(|| format!("{registry} can't be written"))
}

fn tell(root: &Utf8Path, program: &Utf8Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut gateway = Command::new(program);
    gateway
        .args(["serve", "--root", root.as_str()])
        .stderr(Stdio::null());
    let mut client = Client::start(&mut gateway)?;
    writeln!(
        out,
        "A gateway runs (process {}), with three servers behind it.",
        client.pid()
    )?;
    let hello = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "rea-demo", "version": env!("CARGO_PKG_VERSION") },
    });
    client.request("initialize", &hello)?;
    client.notify("notifications/initialized")?;
    let tools = client.request("tools/list", &json!({}))?;
    let count = tools["result"]["tools"].as_array().map_or(0, Vec::len);
    writeln!(out, "  Its client sees one server with {count} tools.")?;

    writeln!(out, "\nA call:")?;
    let answer = client.call("good__echo", &json!({ "hello": "world" }))?;
    writeln!(out, "  good__echo answers: {}", answer.text)?;

    writeln!(
        out,
        "\nA call that ends its server in the middle of its work:"
    )?;
    let answer = client.call("fragile__crash", &json!({}))?;
    ensure!(
        answer.facts["executed"] == "maybe",
        "the lost call was not told of: {}",
        answer.text
    );
    writeln!(out, "  {}", answer.text)?;
    let answer = client.call("fragile__echo", &json!({ "still": "there" }))?;
    writeln!(
        out,
        "  The server was started again; fragile__echo answers: {}",
        answer.text
    )?;
    let record = fs::read_to_string(root.join("calls-of-fragile.txt"))?;
    let crashes = record.lines().filter(|tool| *tool == "crash").count();
    ensure!(crashes == 1, "the lost call ran {crashes} times");
    writeln!(
        out,
        "  Its own record says that the lost call ran {crashes} time: it was not repeated."
    )?;

    writeln!(
        out,
        "\nA server that dies again and again is locked, so that it can't do harm:"
    )?;
    let answer = client.call("flapping__echo", &json!({}))?;
    ensure!(
        answer.facts["reason"] == "flap_locked",
        "it was not locked: {}",
        answer.text
    );
    writeln!(out, "  {}", answer.text)?;
    let waited = recover(&mut client)?;
    writeln!(
        out,
        "  {:.1} s later it has recovered by itself, and answers.",
        waited.as_secs_f64()
    )?;

    writeln!(out, "\nThe client goes away:")?;
    let status = client.finish()?;
    ensure!(status.success(), "the gateway ended with {status}");
    writeln!(
        out,
        "  The gateway has ended every server and itself ({status})."
    )?;
    Ok(())
}

fn recover(client: &mut Client) -> anyhow::Result<Duration> {
    let began = Instant::now();
    loop {
        let answer = client.call("flapping__echo", &json!({}))?;
        if answer.facts.is_null() {
            return Ok(began.elapsed());
        }
        ensure!(
            began.elapsed() < RECOVERY_WITHIN,
            "it has not recovered: {}",
            answer.text
        );
        sleep(LOOK_AGAIN);
    }
}
