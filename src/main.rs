//! The `rea` command.

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Parser, Subcommand};
use rea::cli::{demo, environment, explain, replay, serve};
use rea::config::root::Root;
use rea::config::state_dir::StateDir;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// One MCP server in front of many: supervises them, passes everything through, never runs a call
/// twice that must not be, and can replay every decision
#[derive(Parser)]
#[command(name = "rea", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Replay(replay::ReplayArgs),
    Explain(explain::ExplainArgs),
    Demo(demo::DemoArgs),
    #[command(hide = true)]
    DemoServer(demo::server::DemoServerArgs),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let on_error = match &command {
        // To a script, an error of its own is a log that can't be read.
        Command::Replay(_) | Command::Explain(_) => replay::Verdict::Unreadable.into(),
        Command::Serve(_) | Command::Demo(_) | Command::DemoServer(_) => ExitCode::FAILURE,
    };
    let result = match command {
        Command::Serve(args) => serve::run(&args),
        Command::Replay(args) => run_replay(&args),
        Command::Explain(args) => run_explain(&args),
        Command::Demo(args) => demo::run(&args, &mut io::stdout().lock()),
        Command::DemoServer(args) => demo::server::run(&args)
            .map(|()| ExitCode::SUCCESS)
            .map_err(Into::into),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell if stderr is gone.
            let _ = writeln!(io::stderr(), "rea: {error:#}");
            on_error
        }
    }
}

/// Where the gateways of a project keep what they write.
fn state_dir(root: Option<&Utf8Path>) -> anyhow::Result<Utf8PathBuf> {
    let here = std::env::current_dir().context("the working directory can't be found")?;
    let root = Root::find(root, &environment::text, &here)?;
    Ok(StateDir::existing(&root, &environment::text))
}

fn run_replay(args: &replay::ReplayArgs) -> anyhow::Result<ExitCode> {
    let events_dir = state_dir(args.root.as_deref())?.join(serve::EVENTS_FOLDER);
    let progress = if io::stderr().is_terminal() && !io::stdout().is_terminal() {
        replay::Progress::Shown
    } else {
        replay::Progress::Hidden
    };
    replay::run(
        args,
        &events_dir,
        &mut io::stdout().lock(),
        &mut io::stderr().lock(),
        progress,
    )
}

fn run_explain(args: &explain::ExplainArgs) -> anyhow::Result<ExitCode> {
    let state_dir = state_dir(args.root.as_deref())?;
    explain::run(
        args,
        &state_dir.join(serve::EVENTS_FOLDER),
        &state_dir.join(explain::LOGS_FOLDER),
        &mut io::stdout().lock(),
        &mut io::stderr().lock(),
    )
}
