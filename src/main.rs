//! The `rea` command.

use clap::{Parser, Subcommand};
use rea::cli::place::Place;
use rea::cli::{demo, explain, freeze, replay, serve, status};
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
    Status(status::StatusArgs),
    Freeze(freeze::FreezeArgs),
    Unfreeze(freeze::UnfreezeArgs),
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
        Command::Serve(_)
        | Command::Status(_)
        | Command::Freeze(_)
        | Command::Unfreeze(_)
        | Command::Demo(_)
        | Command::DemoServer(_) => ExitCode::FAILURE,
    };
    let result = match command {
        Command::Serve(args) => serve::run(&args),
        Command::Status(args) => status::run(&args, &mut io::stdout().lock()),
        Command::Freeze(args) => freeze::freeze(&args, &mut io::stdout().lock()),
        Command::Unfreeze(args) => freeze::unfreeze(&args, &mut io::stdout().lock()),
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

fn run_replay(args: &replay::ReplayArgs) -> anyhow::Result<ExitCode> {
    let events_dir = Place::find(args.root.as_deref())?.events();
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

fn present(place: &Place) -> explain::Present {
    let (session, others) = status::shown_first(place);
    explain::Present {
        frozen: place.frozen(),
        session,
        others,
        columns: status::columns(),
    }
}

fn run_explain(args: &explain::ExplainArgs) -> anyhow::Result<ExitCode> {
    let place = Place::find(args.root.as_deref())?;
    explain::run(
        args,
        &place.events(),
        &place.state.join(serve::LOGS_FOLDER),
        &present(&place),
        &mut io::stdout().lock(),
        &mut io::stderr().lock(),
    )
}
