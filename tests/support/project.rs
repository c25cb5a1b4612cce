//! A folder with a registry in it.

use super::{Gateway, Streams, processes};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use tempfile::TempDir;

pub const REA: &str = env!("CARGO_BIN_EXE_rea");

/// Short where a test waits for it, long where waiting would hide a fault.
const DEFAULTS: &str = "restart_window: 1s, lock_base: 1s, stdin_close_grace: 200ms, \
                        term_grace: 200ms, kill_grace: 500ms";

/// What scripted servers have in common: `answer LINE RESULT` answers a request (its `"id"` is taken
/// for the last one in the line); `greet LINE` does
/// so for the handshake and the listing of one tool `t`, and says whether it was one of these.
const SCRIPT_WORDS: &str = r#"
answer() {
    id=${1##*\"id\":}; id=${id%%[,\}]*}
    printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$2"
}
greet() {
    case $1 in
    *'"initialize"'*) answer "$1" '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}' ;;
    *'"tools/list"'*) answer "$1" '{"tools":[{"name":"t","inputSchema":{"type":"object"}}]}' ;;
    *'"ping"'*) answer "$1" '{}' ;;
    *'"notifications/'*) ;;
    *) return 1 ;;
    esac
}
done='{"content":[{"type":"text","text":"done"}]}'
"#;

/// A project's folder. Every process that works in it ends with it.
pub struct Project {
    folder: TempDir,
    pub root: Utf8PathBuf,
    head: String,
    defaults: String,
    servers: String,
}

impl Project {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let root = base.join("project");
        fs::create_dir(&root).unwrap();
        Self {
            folder,
            root,
            head: String::new(),
            defaults: DEFAULTS.to_owned(),
            servers: String::new(),
        }
    }

    /// A line of the registry's top.
    pub fn with(mut self, line: &str) -> Self {
        writeln!(self.head, "{line}").unwrap();
        self
    }

    /// More numbers for every server; the later one of a key has to be the only one.
    pub fn with_defaults(mut self, numbers: &str) -> Self {
        write!(self.defaults, ", {numbers}").unwrap();
        self
    }

    /// A server with any command. `more` is what else its entry holds, as `key: value, …`.
    pub fn server(mut self, name: &str, command: &[&str], more: &str) -> Self {
        let (program, args) = command.split_first().unwrap();
        let comma = if more.is_empty() { "" } else { ", " };
        writeln!(
            self.servers,
            "  - {{name: {name}, command: {}, args: {}{comma}{more}}}",
            json!(program),
            json!(args)
        )
        .unwrap();
        self
    }

    /// The server that is built into the binary. It records its calls.
    pub fn demo(self, name: &str) -> Self {
        self.demo_with(name, &[], "")
    }

    pub fn demo_with(self, name: &str, args: &[&str], more: &str) -> Self {
        let record = format!("{name}.calls");
        let mut command = vec![REA, "demo-server", "--record", &record];
        command.extend(args);
        self.server(name, &command, more)
    }

    /// A server written in shell: `body` runs with the words of [`SCRIPT_WORDS`]. `$REA` is our
    /// binary.
    pub fn script(self, name: &str, body: &str, more: &str) -> Self {
        let file = self.base().join(format!("{name}.sh"));
        fs::write(&file, format!("REA='{REA}'\n{SCRIPT_WORDS}\n{body}\n")).unwrap();
        // Most of them say nothing to what they don't know, and would be waited for.
        let comma = if more.is_empty() { "" } else { ", " };
        let more = format!("protocol: legacy{comma}{more}");
        self.server(name, &["sh", file.as_str()], &more)
    }

    /// Where files lie that are none of the project's.
    pub fn base(&self) -> &Utf8Path {
        self.root.parent().unwrap()
    }

    pub fn state(&self) -> Utf8PathBuf {
        self.root.join(".rea")
    }

    pub fn write_registry(&self) {
        fs::create_dir_all(self.state()).unwrap();
        let text = format!(
            "version: \"1\"\n{}defaults: {{{}}}\nservers:\n{}",
            self.head, self.defaults, self.servers
        );
        fs::write(self.state().join("registry.yaml"), text).unwrap();
    }

    /// `rea serve` in the project's folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(REA);
        command.arg("serve").current_dir(&self.root);
        for name in ["REA_ROOT", "REA_LOG_LEVEL", "RUST_LOG"] {
            command.env_remove(name);
        }
        command
    }

    /// A gateway whose client has said hello.
    pub fn serve(&self) -> Gateway<'_> {
        let mut gateway = self.start();
        gateway.hello();
        gateway
    }

    /// A gateway that has heard nothing yet.
    pub fn start(&self) -> Gateway<'_> {
        self.start_as(self.command())
    }

    pub fn start_as(&self, command: Command) -> Gateway<'_> {
        self.write_registry();
        Gateway::start(self, command, Streams::default())
    }

    /// The calls that a server of this name has recorded.
    pub fn calls(&self, name: &str) -> Vec<String> {
        let record = fs::read_to_string(self.root.join(format!("{name}.calls")));
        record
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    pub fn stderr_path(&self) -> Utf8PathBuf {
        self.base().join("stderr.jsonl")
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(self.stderr_path()).unwrap_or_default()
    }

    /// Every file of a folder of the state, with its text.
    pub fn state_files(&self, folder: &str) -> Vec<(Utf8PathBuf, String)> {
        let Ok(entries) = self.state().join(folder).read_dir_utf8() else {
            return Vec::new();
        };
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().into_path())
            .filter_map(|path| {
                let text = fs::read(&path).ok()?;
                Some((path, String::from_utf8_lossy(&text).into_owned()))
            })
            .collect();
        files.sort();
        files
    }

    /// The text of the newest event log.
    pub fn log(&self) -> String {
        let mut logs = self.state_files("events");
        logs.retain(|(path, _)| path.extension() == Some("jsonl"));
        logs.pop().map(|(_, text)| text).unwrap_or_default()
    }

    /// Replays the newest log: its exit code, its table and its summary.
    pub fn replay(&self) -> (i32, String, String) {
        let output = Command::new(REA)
            .args(["replay", "--root", self.root.as_str()])
            .env_remove("REA_ROOT")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        (code, text(output.stdout), text(output.stderr))
    }

    pub fn assert_replays(&self) {
        let (code, table, summary) = self.replay();
        assert_eq!(code, 0, "{summary}\n{table}");
        assert!(summary.contains("identical"), "{summary}");
    }

    pub fn assert_nothing_is_left(&self) {
        let left: Vec<_> = processes::in_folder(self.root.as_std_path())
            .into_iter()
            .map(|pid| (pid, processes::command_line(pid)))
            .collect();
        assert!(left.is_empty(), "still there: {left:?}");
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // A process may start another between the look and the signal.
        for _ in 0..10 {
            let left = processes::in_folder(self.folder.path().canonicalize().unwrap().as_path());
            if left.is_empty() {
                return;
            }
            for pid in left {
                processes::kill(pid);
                // One of ours is reaped by whoever started it; until then it counts as gone.
            }
        }
    }
}
