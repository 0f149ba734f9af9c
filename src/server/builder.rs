//! Puts a gateway together from another program.

use std::path::PathBuf;
use std::sync::Arc;

use crate::selection::Registry;
use crate::selection::Selector;
use crate::selection::SelectorContext;
use crate::server::Gateway;
use crate::server::StartError;
use crate::tasks::load::Source;
use crate::tasks::load::Variable;

/// A gateway that is being put together.
#[derive(Debug)]
pub struct Builder {
    path: PathBuf,
    variable: Variable,
    registry: Registry,
}

impl Builder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            variable: |_| None,
            registry: Registry::default(),
        }
    }

    /// Makes a selector type known, so that a pool's `selector: NAME` finds it.
    #[must_use]
    pub fn selector(
        mut self,
        name: &str,
        build: impl Fn(&SelectorContext<'_>) -> Arc<dyn Selector> + Send + Sync + 'static,
    ) -> Self {
        self.registry.add(name, build);
        self
    }

    /// Looks up `${VAR}` in the configuration with `variable`; without it no variable is set.
    #[must_use]
    pub fn variables(mut self, variable: Variable) -> Self {
        self.variable = variable;
        self
    }

    /// Reads the configuration and takes the sockets.
    ///
    /// # Errors
    /// When the configuration cannot be put in charge or a socket cannot be had.
    pub fn start(self) -> Result<Gateway, StartError> {
        Gateway::start(self.into_source())
    }

    /// Where the configuration comes from, for a look without a gateway.
    #[must_use]
    pub fn into_source(self) -> Source {
        Source {
            path: self.path,
            variable: self.variable,
            registry: self.registry,
        }
    }
}
