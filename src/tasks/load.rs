//! From a path to a generation: the file is read, names are resolved, models are read, everything is checked.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config;
use crate::config::Config;
use crate::config::ConfigErrors;
use crate::config::Learn;
use crate::config::ModelUse;
use crate::config::SelectorType;
use crate::forest::Model;
use crate::forest::ModelError;
use crate::forest::ModelKind;
use crate::forest::decode;

use crate::generation::BuildError;
use crate::generation::Generation;
use crate::generation::Materials;
use crate::selection::Registry;
use crate::selection::View;
use crate::selection::ranker_view;

/// The path that means standard input, which can be read only once.
pub const STANDARD_INPUT: &str = "-";
/// What `config` reads at most is 1 MiB; one byte more is enough for it to say so.
const LONGEST_FILE: u64 = 1 << 20;

/// A variable of the environment, if it is set.
pub type Variable = fn(&str) -> Option<String>;

/// Where a configuration comes from, and what it may name.
#[derive(Debug)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Looks up `${VAR}`.
    pub variable: Variable,
    /// The selector types.
    pub registry: Registry,
}

/// Why a configuration cannot be put in charge.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {cause}; check the path, its permissions, and that it is UTF-8 text")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file says something that cannot be meant.
    #[error("{}", with_count(.0))]
    Invalid(ConfigErrors),
    /// A name cannot be resolved.
    #[error("pools.{pool}.backends: `{address}` cannot be resolved: {cause}; check the name, or write an IP address")]
    Unresolved {
        /// The pool that names it.
        pool: String,
        /// The address as written.
        address: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A model file cannot be used.
    #[error("pools.{pool}.selector.model: {cause}")]
    Model {
        /// The pool that names it.
        pool: String,
        /// Why.
        cause: ReadModelError,
    },
    /// The parts do not fit together.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadModelError {
    /// It cannot be read.
    #[error("{path}: cannot be read: {cause}; {}", missing_model_remedy(path, *model_use))]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        cause: std::io::Error,
        /// What it was wanted for.
        model_use: ModelUse,
    },
    /// It is not a model that this program can use.
    #[error("{path}: {cause}")]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: ModelError,
    },
    /// It is a model for another selector.
    #[error("{path}: the model is {found}, and this selector asks {wanted}; name another file, or another selector")]
    OtherKind {
        /// The file.
        path: String,
        /// What it holds.
        found: ModelKind,
        /// What the selector asks.
        wanted: &'static str,
    },
    /// It was distilled, and the selector would go on learning.
    #[error("{path}: the model was distilled and stays as it is; write `learn: off`, or remove `model` to learn anew")]
    Distilled {
        /// The file.
        path: String,
    },
    /// It scores by other features.
    #[error("{path}: the model looks at other features than this release; make it again with this release")]
    OtherFeatures {
        /// The file.
        path: String,
    },
}

impl Source {
    /// Reads the file and checks what it says; nothing is resolved yet.
    ///
    /// # Errors
    /// When it cannot be read, or says something that cannot be meant.
    pub fn parse(&self) -> Result<(config::Checked, String), LoadError> {
        let unreadable = |cause| LoadError::Unreadable {
            path: self.path.display().to_string(),
            cause,
        };
        let text = read_text(&self.path).map_err(unreadable)?;
        let name = self.path.display().to_string();
        let source = config::Source {
            name: &name,
            text: &text,
        };
        let selectors: Vec<SelectorType<'_>> = self.registry.types().collect();
        let checked = config::parse(source, &self.variable, &selectors).map_err(LoadError::Invalid)?;
        Ok((checked, text))
    }

    /// Resolves and reads what `config` names, and builds the generation after `previous`.
    ///
    /// # Errors
    /// When a name cannot be resolved, a model cannot be used, or the parts do not fit together.
    pub fn build(&self, config: Config, previous: Option<&Generation>) -> Result<Generation, LoadError> {
        let materials = Materials {
            addresses: addresses(&config)?,
            models: models(&config, &self.registry)?,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        };
        Ok(Generation::build(
            Arc::new(config),
            &materials,
            &self.registry,
            previous,
        )?)
    }
}

fn with_count(errors: &ConfigErrors) -> String {
    let plural = if errors.count() == 1 { "" } else { "s" };
    format!("{errors}\n{} error{plural}", errors.count())
}

fn missing_model_remedy(path: &str, model_use: ModelUse) -> String {
    match model_use {
        ModelUse::Learned => "check the path, or remove `model`: the selector learns one of its own".to_owned(),
        ModelUse::Never | ModelUse::Required => format!("train one with `sylvan train DATA.csv --out {path}`"),
    }
}

/// Reads a model file for a selector that uses it so.
///
/// # Errors
/// When it cannot be read, is damaged, or is of no use to the selector.
pub fn read_model(path: &Path, model_use: ModelUse) -> Result<Model, ReadModelError> {
    let name = || path.display().to_string();
    let unreadable = |cause| ReadModelError::Unreadable {
        path: name(),
        cause,
        model_use,
    };
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let invalid = |cause| ReadModelError::Invalid { path: name(), cause };
    let model = decode(&bytes).map_err(invalid)?;
    match (model_use, model.kind()) {
        (_, kind @ ModelKind::Reproduction) => Err(invalid(ModelError::Unservable(kind))),
        (ModelUse::Learned, ModelKind::Ranker) if ranker_view(&model).is_some() => Ok(model),
        (ModelUse::Learned, ModelKind::Ranker) => Err(ReadModelError::OtherFeatures { path: name() }),
        (ModelUse::Learned, found) => Err(ReadModelError::OtherKind {
            path: name(),
            found,
            wanted: "a ranker of single backends",
        }),
        // One for another number of backends is let in: its selector falls back and says so.
        (_, ModelKind::Classifier { .. }) => Ok(model),
        (_, found) => Err(ReadModelError::OtherKind {
            path: name(),
            found,
            wanted: "a classifier",
        }),
    }
}

/// Reads the model file of a pool's selector, which uses it so.
///
/// # Errors
/// As [`read_model`], and when the selector cannot go on from it.
pub fn read_pool_model(path: &Path, selector: &config::Selector, model_use: ModelUse) -> Result<Model, ReadModelError> {
    let model = read_model(path, model_use)?;
    let is_learned_on = model_use == ModelUse::Learned && selector.learning.learn != Learn::Off;
    if is_learned_on && ranker_view(&model) == Some(View::Compared) {
        return Err(ReadModelError::Distilled {
            path: path.display().to_string(),
        });
    }
    Ok(model)
}

/// The text of `path`; `-` is standard input.
pub(super) fn read_text(path: &Path) -> std::io::Result<String> {
    if path == Path::new(STANDARD_INPUT) {
        read_bounded(std::io::stdin())
    } else {
        read_bounded(std::fs::File::open(path)?)
    }
}

/// Reads no more than what is refused for its length anyway: a file that grows without end must not take the memory.
fn read_bounded(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(LONGEST_FILE + 1).read_to_string(&mut text)?;
    Ok(text)
}

fn addresses(config: &Config) -> Result<BTreeMap<String, SocketAddr>, LoadError> {
    let mut addresses = BTreeMap::new();
    for pool in &config.pools {
        let written = pool
            .backends
            .iter()
            .flat_map(|backend| [Some(&backend.address), backend.metrics.as_ref()]);
        for address in written.flatten() {
            let unresolved = |cause| LoadError::Unresolved {
                pool: pool.name.clone(),
                address: address.clone(),
                cause,
            };
            addresses.insert(address.clone(), resolve(address).map_err(unresolved)?);
        }
    }
    Ok(addresses)
}

fn resolve(address: &str) -> std::io::Result<SocketAddr> {
    address
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| std::io::Error::other("the name has no address"))
}

fn models(config: &Config, registry: &Registry) -> Result<BTreeMap<PathBuf, Arc<Model>>, LoadError> {
    let mut models = BTreeMap::new();
    for pool in &config.pools {
        if let Some(path) = &pool.selector.model {
            let model_use = registry
                .get(&pool.selector.kind)
                .map_or(ModelUse::Never, |kind| kind.model);
            let model = read_pool_model(path, &pool.selector, model_use).map_err(|cause| LoadError::Model {
                pool: pool.name.clone(),
                cause,
            })?;
            models.insert(path.clone(), Arc::new(model));
        }
    }
    Ok(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said about the file at `path` of this repository when it is used so.
    #[track_caller]
    fn check(path: &str, model_use: ModelUse, expected: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let said = read_model(&path, model_use).map_or_else(|error| error.to_string(), |_| "ok".to_owned());
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn a_selector_is_given_only_models_that_it_can_ask() {
        check("models/shop.forest", ModelUse::Required, "ok");
        check("models/shop.forest", ModelUse::Learned, "this selector asks a ranker");
        check("models/paper-table.forest", ModelUse::Required, "cannot serve a pool");
        check("models/shop.md", ModelUse::Learned, "not a Sylvan model file");
    }

    #[test]
    fn a_model_that_is_not_there_is_made_or_left_out() {
        check("no/such.forest", ModelUse::Required, "sylvan train DATA.csv --out");
        check("no/such.forest", ModelUse::Learned, "remove `model`");
    }
}
