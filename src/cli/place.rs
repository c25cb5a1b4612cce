//! Which project a command is about, and where its gateways write.

use super::environment;
use super::serve::EVENTS_FOLDER;
use crate::config::halt::{self, Halt};
use crate::config::policy::Policy;
use crate::config::registry::{Registry, RegistryError};
use crate::config::root::{FOLDER, Root};
use crate::config::state_dir::StateDir;
use crate::live_state;
use crate::publish::redact::{REDACTED, Redactor};
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
        let state = state_of(&root);
        Ok(Self { root, state })
    }

    /// Whether somebody has frozen the project's gateways; the reason without what looks like a secret.
    pub fn halt(&self) -> Halt {
        match halt::check_all(&StateDir::all(&self.root, &environment::text)) {
            Halt::Present { reason } => Halt::Present {
                reason: self.redacted(&reason),
            },
            found @ (Halt::Absent | Halt::Unknown { .. }) => found,
        }
    }

    /// Why the project's gateways are frozen, if they are.
    pub fn frozen(&self) -> Option<String> {
        match self.halt() {
            Halt::Absent => None,
            Halt::Present { reason } if reason.is_empty() => Some("no reason is given".to_owned()),
            Halt::Present { reason } => Some(reason),
            Halt::Unknown { error } => Some(format!(".rea/HALT can't be looked for ({error})")),
        }
    }

    /// A text without what looks like a secret. Values that only a server is given are not known here.
    pub fn redacted(&self, text: &str) -> String {
        let policy = self.policy().unwrap_or_default();
        match Redactor::new() {
            Ok(redactor) => redactor
                .with_patterns(&policy.redact.patterns)
                .redact(text)
                .into_owned(),
            // Nothing is shown that was not looked through.
            Err(_) => REDACTED.to_owned(),
        }
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

/// The folder that a gateway which lives uses, or the one that was used last.
fn state_of(root: &Root) -> Utf8PathBuf {
    let folders = StateDir::all(root, &environment::text);
    let by_use = |folder: &Utf8PathBuf| {
        let is_used = live_state::read(folder).is_anybody_alive();
        let files = [live_state::STATE_FILE, EVENTS_FOLDER];
        let changed = files
            .iter()
            .filter_map(|name| folder.join(name).metadata().ok()?.modified().ok())
            .max();
        (is_used, changed)
    };
    let project = root.path.join(FOLDER);
    if folders.len() == 1 {
        return project;
    }
    folders.into_iter().max_by_key(by_use).unwrap_or(project)
}
