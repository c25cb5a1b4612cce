//! How a server is started: its command found, its environment complete, or the reason why not.

use crate::config::child_env::{ChildEnv, MissingEnv, child_env};
use crate::config::command::{CommandError, resolve};
use crate::config::secret::Secret;
use crate::config::server::Server;
use crate::transport::ChildCommand;
use camino::Utf8PathBuf;
use rea_fsm::{BlockReason, SpawnFailure};
use std::ffi::{OsStr, OsString};

/// What is known of starting one server.
pub(super) struct Launch {
    command: String,
    args: Vec<String>,
    cwd: Utf8PathBuf,
    env: Result<ChildEnv, MissingEnv>,
}

impl Launch {
    /// Takes the environment as it is now; the command is looked for at each start.
    pub(super) fn new(server: &Server, host: &dyn Fn(&str) -> Option<OsString>) -> Self {
        Self {
            command: server.command.clone(),
            args: server.args.clone(),
            cwd: server.cwd.clone(),
            env: child_env(&server.env_passthrough, &server.env, host),
        }
    }

    /// The secret values that the server is given.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.env.iter().flat_map(|env| &env.secrets)
    }

    /// What to run.
    pub(super) fn command(&self) -> Result<ChildCommand, SpawnFailure> {
        let env = self.env.as_ref().map_err(|missing| {
            SpawnFailure::Blocked(BlockReason::MissingEnv {
                names: missing.names.clone(),
            })
        })?;
        let path = env
            .variables
            .get(OsStr::new("PATH"))
            .map(OsString::as_os_str);
        let program = resolve(&self.command, path, &self.cwd).map_err(|error| {
            let detail = error.to_string();
            SpawnFailure::Blocked(match error {
                CommandError::NoFolder { .. } => BlockReason::BadWorkingDirectory { detail },
                CommandError::NotExecutable { .. } => BlockReason::NotExecutable { detail },
                CommandError::NoFile { .. }
                | CommandError::NotInPath { .. }
                | CommandError::NoPath { .. }
                | CommandError::NotUtf8 { .. } => BlockReason::CommandNotFound { detail },
            })
        })?;
        Ok(ChildCommand {
            program,
            args: self.args.clone(),
            env: env.variables.clone(),
            cwd: self.cwd.clone(),
        })
    }
}
