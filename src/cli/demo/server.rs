//! A small MCP server built into the binary, for the demonstration, tests and benchmarks: good by
//! nature, and bad in the ways that it is told to be.
//!
//! It is blocking and single-threaded on purpose: what a supervisor has to cope with is the
//! process, not its cleverness.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufWriter, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// How the server behaves.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DemoServerArgs {
    /// Die right after the handshake as many times as this, counted in `--count-file`
    #[arg(long, default_value_t = 0)]
    pub flap: u32,
    /// Where starts are counted
    #[arg(long)]
    pub count_file: Option<PathBuf>,
    /// Record the name of each tool that is called, one a line, before it runs
    #[arg(long)]
    pub record: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<String>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

/// Serves standard input until it ends.
///
/// # Errors
/// Standard input or output can't be used, or a file that was asked for can't be written.
pub fn run(args: &DemoServerArgs) -> io::Result<()> {
    let starts = count_start(args)?;
    let stdin = io::stdin().lock();
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut input = io::BufReader::with_capacity(1 << 16, stdin);
    let mut line = String::new();
    loop {
        line.clear();
        // Every answer is written at once, as servers do that are built on an SDK.
        out.flush()?;
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let Ok(request) = serde_json::from_str::<Request<'_>>(&line) else {
            continue;
        };
        let method = request.method.as_deref().unwrap_or_default();
        let Some(id) = request.id else {
            if method == "notifications/initialized" && starts <= args.flap {
                std::process::exit(FLAP_EXIT_CODE);
            }
            continue;
        };
        match method {
            "initialize" => reply(&mut out, id, &hello())?,
            "ping" => reply(&mut out, id, &json!({}))?,
            "tools/list" => reply(&mut out, id, &json!({ "tools": tools() }))?,
            "tools/call" => call(&mut out, id, request.params, args)?,
            _ => error(&mut out, id, -32601, "no such method")?,
        }
    }
}

const FLAP_EXIT_CODE: i32 = 7;
const CRASH_EXIT_CODE: i32 = 3;

fn count_start(args: &DemoServerArgs) -> io::Result<u32> {
    let Some(path) = &args.count_file else {
        return Ok(u32::MAX);
    };
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    file.write_all(b"start\n")?;
    let starts = std::fs::read_to_string(path)?.lines().count();
    Ok(u32::try_from(starts).unwrap_or(u32::MAX))
}

fn hello() -> Value {
    json!({
        "protocolVersion": "2025-11-25",
        "capabilities": { "tools": { "listChanged": true } },
        "serverInfo": { "name": "rea-demo-server", "version": env!("CARGO_PKG_VERSION") },
    })
}

fn tools() -> Value {
    json!([
        {
            "name": "echo",
            "description": "Gives back its arguments",
            "inputSchema": { "type": "object" },
            "annotations": { "readOnlyHint": true },
        },
        {
            "name": "slow",
            "description": "Takes `ms` milliseconds and reports progress if asked to",
            "inputSchema": { "type": "object", "properties": { "ms": { "type": "integer" } } },
        },
        {
            "name": "fail",
            "description": "Answers with a JSON-RPC error",
            "inputSchema": { "type": "object" },
        },
        {
            "name": "crash",
            "description": "Ends the server in the middle of the call",
            "inputSchema": { "type": "object" },
        },
    ])
}

fn call(
    out: &mut impl Write,
    id: &RawValue,
    params: Option<&RawValue>,
    args: &DemoServerArgs,
) -> io::Result<()> {
    #[derive(Default, Deserialize)]
    struct Params<'a> {
        #[serde(default)]
        name: String,
        #[serde(borrow, default)]
        arguments: Option<&'a RawValue>,
        #[serde(borrow, default, rename = "_meta")]
        meta: Option<&'a RawValue>,
    }
    let params: Params<'_> = params
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    if let Some(path) = &args.record {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?;
        writeln!(file, "{}", params.name)?;
    }
    let arguments = params.arguments.map_or("{}", RawValue::get);
    match params.name.as_str() {
        "echo" => {
            let text = serde_json::to_string(arguments)?;
            writeln!(
                out,
                r#"{{"jsonrpc":"2.0","id":{},"result":{{"content":[{{"type":"text","text":{text}}}]}}}}"#,
                id.get()
            )
        }
        "slow" => {
            let wait_ms = number(arguments, "ms");
            if let Some(token) = params
                .meta
                .and_then(|meta| member(meta.get(), "progressToken"))
            {
                let note = json!({
                    "jsonrpc": "2.0",
                    "method": "notifications/progress",
                    "params": { "progressToken": token, "progress": 1, "total": 2 },
                });
                writeln!(out, "{note}")?;
                out.flush()?;
            }
            thread::sleep(Duration::from_millis(wait_ms));
            reply(
                out,
                id,
                &json!({ "content": [{ "type": "text", "text": "done" }] }),
            )
        }
        "fail" => error(
            out,
            id,
            -32602,
            "Not connected: this text must not decide anything",
        ),
        "crash" => {
            out.flush()?;
            std::process::exit(CRASH_EXIT_CODE)
        }
        _ => error(out, id, -32602, "no such tool"),
    }
}

fn member(object: &str, key: &str) -> Option<Value> {
    serde_json::from_str::<Value>(object)
        .ok()?
        .get(key)
        .cloned()
}

fn number(object: &str, key: &str) -> u64 {
    member(object, key)
        .and_then(|value| value.as_u64())
        .unwrap_or(0)
}

fn reply(out: &mut impl Write, id: &RawValue, result: &Value) -> io::Result<()> {
    writeln!(
        out,
        r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#,
        id.get()
    )
}

fn error(out: &mut impl Write, id: &RawValue, code: i32, message: &str) -> io::Result<()> {
    let error = json!({ "code": code, "message": message });
    writeln!(
        out,
        r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#,
        id.get()
    )
}
