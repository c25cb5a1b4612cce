//! The `rea` command.

use camino::Utf8PathBuf;
use clap::{Parser, Subcommand};
use rea::cli::replay::{self, Progress, ReplayArgs};
use std::io::{IsTerminal, stderr, stdout};
use std::process::ExitCode;

/// One MCP server in front of many.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Replay(ReplayArgs),
}

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            use std::io::Write;
            // Nobody is left to tell if stderr is gone.
            let _ = writeln!(stderr(), "rea: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Replay(args) => {
            let root = args.root.clone().unwrap_or_else(|| Utf8PathBuf::from("."));
            let events = root.join(".rea/events");
            let progress = if stderr().is_terminal() && !stdout().is_terminal() {
                Progress::Shown
            } else {
                Progress::Hidden
            };
            replay::run(args, &events, &mut stdout(), &mut stderr(), progress)
        }
    }
}
