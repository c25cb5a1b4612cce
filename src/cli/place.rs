//! Which project a command is about, and where its gateways write.

use super::environment;
use super::serve::EVENTS_FOLDER;
use crate::config::halt::{self, Halt};
use crate::config::policy::Policy;
use crate::config::registry::{Registry, RegistryError};
use crate::config::root::Root;
use crate::config::state_dir::StateDir;
use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};

/// A project and its state folder. Nothing is made by looking.
#[derive(Debug)]
pub struct Place {
    /// The project.
    pub root: Root,
    /// Where gateways of it write.
    pub state: Utf8PathBuf,
}

impl Place {
    /// The project that `--root` names, or the one here.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn find(root: Option<&Utf8Path>) -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("the working directory can't be found")?;
        let root = Root::find(root, &environment::text, &here)?;
        let state = StateDir::existing(&root, &environment::text);
        Ok(Self { root, state })
    }

    /// Whether somebody has frozen the project's gateways.
    pub fn halt(&self) -> Halt {
        halt::check_all(&StateDir::all(&self.root, &environment::text))
    }

    /// What the registry says.
    ///
    /// # Errors
    /// It can't be used.
    pub fn registry(&self) -> Result<Registry, RegistryError> {
        Registry::load(&self.root, &environment::text)
    }

    /// What the project's policy says; nothing if it can't be read, which `rea serve` tells.
    pub fn policy(&self) -> Option<Policy> {
        Policy::load(&self.root).ok()
    }

    /// Where the event logs are: where the registry says, if there is one that can be read.
    pub fn events(&self) -> Utf8PathBuf {
        self.registry()
            .ok()
            .and_then(|registry| registry.journal.dir)
            .unwrap_or_else(|| self.state.join(EVENTS_FOLDER))
    }
}
