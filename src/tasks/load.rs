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
use crate::config::Problem;
use crate::config::SelectorType;
use crate::forest::MAGIC;
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
/// Bytes of a model file: more than a gateway would want to hold, and a bound for what a mistyped path can take.
const LONGEST_MODEL: u64 = 256 << 20;
/// Names that cannot be resolved: after so many the others are not asked for, since each may take seconds.
const MOST_UNRESOLVED: usize = 8;

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
    /// The file says something that cannot be meant, or names what is not there.
    #[error("{}", with_count(.0))]
    Invalid(ConfigErrors),
    /// The parts do not fit together.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {fault}; {}", fault.remedy(path))]
pub struct ReadModelError {
    /// The file.
    pub path: String,
    /// What is wrong with it.
    pub fault: ModelFault,
}

/// What is wrong with a model file.
#[derive(Debug, thiserror::Error)]
pub enum ModelFault {
    /// It cannot be read.
    #[error("cannot be read: {cause}")]
    Unreadable {
        /// What the system says.
        cause: std::io::Error,
        /// What it was wanted for.
        model_use: ModelUse,
    },
    /// It is longer than any model.
    #[error("longer than {LONGEST_MODEL} bytes")]
    TooLong,
    /// It is not a model that this program can use.
    #[error(transparent)]
    Invalid(#[from] ModelError),
    /// It is a model for another selector.
    #[error("the model is {found}, and this selector asks {wanted}")]
    OtherKind {
        /// What it holds.
        found: ModelKind,
        /// What the selector asks.
        wanted: &'static str,
    },
    /// It was distilled, and the selector would go on learning.
    #[error("the model was distilled and stays as it is")]
    Distilled,
    /// It scores by other features.
    #[error("the model looks at other features than this release")]
    OtherFeatures,
}

impl ModelFault {
    /// What to do about it in the file at `path`.
    #[must_use]
    pub fn remedy(&self, path: &str) -> String {
        match self {
            Self::Unreadable {
                model_use: ModelUse::Learned,
                ..
            } => "check the path, or leave the model out",
            Self::Unreadable { .. } => return format!("train one with `sylvan train DATA.csv --out {path}`"),
            Self::TooLong => "no model is: name another file",
            Self::Invalid(error) => error.remedy(),
            Self::OtherKind { .. } => "name another file, or another selector",
            Self::Distilled => "write `learn: off`, or leave the model out to learn one anew",
            Self::OtherFeatures => "make it again with this release",
        }
        .to_owned()
    }
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

    /// Resolves and reads what `config`, which `text` says, names, and builds the generation after `previous`.
    ///
    /// # Errors
    /// When names cannot be resolved, models cannot be used, or the parts do not fit together.
    pub fn build(&self, config: Config, text: &str, previous: Option<&Generation>) -> Result<Generation, LoadError> {
        let (addresses, unresolved) = addresses(&config);
        let (models, unusable) = models(&config, &self.registry);
        let problems = [unresolved, unusable].concat();
        if !problems.is_empty() {
            return Err(LoadError::Invalid(self.refused(text, &problems)));
        }
        let materials = Materials {
            addresses,
            models,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        };
        Ok(Generation::build(
            Arc::new(config),
            &materials,
            &self.registry,
            previous,
        )?)
    }

    fn refused(&self, text: &str, problems: &[Problem]) -> ConfigErrors {
        let name = self.path.display().to_string();
        let source = config::Source { name: &name, text };
        let selectors: Vec<SelectorType<'_>> = self.registry.types().collect();
        config::refused(source, &self.variable, &selectors, problems)
    }
}

fn with_count(errors: &ConfigErrors) -> String {
    let plural = if errors.count() == 1 { "" } else { "s" };
    format!("{errors}\n{} error{plural}", errors.count())
}

/// Reads a model file for a selector that uses it so.
///
/// # Errors
/// When it cannot be read, is damaged, or is of no use to the selector.
pub fn read_model(path: &Path, model_use: ModelUse) -> Result<Model, ReadModelError> {
    usable_model(path, model_use).map_err(|fault| fault_of(path, fault))
}

fn fault_of(path: &Path, fault: ModelFault) -> ReadModelError {
    ReadModelError {
        path: path.display().to_string(),
        fault,
    }
}

fn usable_model(path: &Path, model_use: ModelUse) -> Result<Model, ModelFault> {
    let bytes = bytes_of_model(path).map_err(|cause| ModelFault::Unreadable { cause, model_use })?;
    if bytes.len() as u64 > LONGEST_MODEL {
        return Err(ModelFault::TooLong);
    }
    let model = decode(&bytes)?;
    match (model_use, model.kind()) {
        (_, kind @ ModelKind::Reproduction) => Err(ModelError::Unservable(kind).into()),
        (ModelUse::Learned, ModelKind::Ranker) if ranker_view(&model).is_some() => Ok(model),
        (ModelUse::Learned, ModelKind::Ranker) => Err(ModelFault::OtherFeatures),
        (ModelUse::Learned, found) => Err(ModelFault::OtherKind {
            found,
            wanted: "a ranker of single backends",
        }),
        // One for another number of backends is let in: its selector falls back and says so.
        (_, ModelKind::Classifier { .. }) => Ok(model),
        (_, found) => Err(ModelFault::OtherKind {
            found,
            wanted: "a classifier",
        }),
    }
}

/// The file's bytes, or its first ones when it begins as no model does, or is longer than any: a path that was mistyped
/// must not take the memory.
pub(crate) fn bytes_of_model(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut bytes)?;
    if bytes == MAGIC {
        file.take(LONGEST_MODEL).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Reads the model file of a pool's selector, which uses it so.
///
/// # Errors
/// As [`read_model`], and when the selector cannot go on from it.
pub fn read_pool_model(path: &Path, selector: &config::Selector, model_use: ModelUse) -> Result<Model, ReadModelError> {
    let model = read_model(path, model_use)?;
    let is_learned_on = model_use == ModelUse::Learned && selector.learning.learn != Learn::Off;
    if is_learned_on && ranker_view(&model) == Some(View::Compared) {
        return Err(fault_of(path, ModelFault::Distilled));
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

/// What `config` names resolved, and what could not be.
fn addresses(config: &Config) -> (BTreeMap<String, SocketAddr>, Vec<Problem>) {
    let (mut addresses, mut problems) = (BTreeMap::new(), Vec::new());
    for (path, address) in config.pools.iter().flat_map(written_addresses) {
        match resolve(address) {
            Ok(resolved) => drop(addresses.insert(address.to_owned(), resolved)),
            Err(cause) => problems.push(Problem {
                path,
                message: format!("`{address}` cannot be resolved: {cause}"),
                remedy: "check the name, or write an IP address".to_owned(),
            }),
        }
        if problems.len() == MOST_UNRESOLVED {
            break;
        }
    }
    (addresses, problems)
}

/// Every `host:port` that `pool` names, and the way to it.
fn written_addresses(pool: &config::Pool) -> impl Iterator<Item = (Vec<String>, &str)> {
    pool.backends.iter().enumerate().flat_map(move |(place, backend)| {
        let place = place.to_string();
        let metrics = backend.metrics.as_deref().map(|metrics| ("metrics", metrics));
        [Some(("address", backend.address.as_str())), metrics]
            .into_iter()
            .flatten()
            .map(move |(key, address)| (path_in(pool, ["backends", &place, key]), address))
    })
}

/// The way to something in `pool`.
fn path_in<const STEPS: usize>(pool: &config::Pool, steps: [&str; STEPS]) -> Vec<String> {
    ["pools", &pool.name]
        .into_iter()
        .chain(steps)
        .map(str::to_owned)
        .collect()
}

fn resolve(address: &str) -> std::io::Result<SocketAddr> {
    address
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| std::io::Error::other("the name has no address"))
}

/// The models that `config` names, and what is wrong with those that cannot be used.
fn models(config: &Config, registry: &Registry) -> (BTreeMap<PathBuf, Arc<Model>>, Vec<Problem>) {
    let (mut models, mut problems) = (BTreeMap::new(), Vec::new());
    for pool in &config.pools {
        let Some(path) = &pool.selector.model else {
            continue;
        };
        let model_use = registry
            .get(&pool.selector.kind)
            .map_or(ModelUse::Never, |kind| kind.model);
        match read_pool_model(path, &pool.selector, model_use) {
            Ok(model) => drop(models.insert(path.clone(), Arc::new(model))),
            Err(ReadModelError { path, fault }) => problems.push(Problem {
                path: path_in(pool, ["selector", "model"]),
                message: format!("{path}: {fault}"),
                remedy: fault.remedy(&path),
            }),
        }
    }
    (models, problems)
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
        check("/dev/zero", ModelUse::Learned, "not a Sylvan model file");
    }

    /// What is found once that is looked for which the file `text`, in itself a good one, names.
    fn named_in_vain(text: &str) -> Vec<config::Finding> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("gateway.yaml");
        std::fs::write(&path, text).unwrap();
        let source = Source {
            path,
            variable: |_| Some("a-token-that-is-long-enough-for-it".to_owned()),
            registry: Registry::default(),
        };
        let (checked, text) = source.parse().unwrap();
        match source.build(checked.config, &text, None) {
            Err(LoadError::Invalid(found)) => found.errors,
            other => panic!("it names what is not there: {other:?}"),
        }
    }

    #[test]
    fn all_that_a_file_names_in_vain_is_told_in_one_pass_with_its_places() {
        const FILE: &str = "version: 1\nadmin: { bind: 127.0.0.1:0, token: \"${TOKEN}\" }\n\
            listeners: [{ name: web, bind: 127.0.0.1:0 }]\nroutes: [{ name: all, pool: a }, { name: b, pool: b }]\npools:\n  \
            a:\n    backends: [{ address: \"127.0.0.1:1\" }]\n    selector: { type: forest, model: no/such.forest }\n  \
            b: { backends: [{ address: \"127.0.0.1:1\" }], selector: { type: forest, model: /dev/zero } }\n  \
            c: { backends: [{ address: \"127.0.0.1:1\" }], metrics_source: { type: agent, port: 1 }, selector: classifier }\n\
            runtime: { state_dir: no/such }\n";
        let found = named_in_vain(FILE);
        let told: Vec<_> = found
            .iter()
            .map(|it| (it.line, it.column, it.path.as_str(), it.message.as_str()))
            .collect();
        let missing = "no/such.forest: cannot be read: No such file or directory (os error 2)";
        let other = "/dev/zero: this is not a Sylvan model file";
        let own = "no/such/c.forest: cannot be read: No such file or directory (os error 2)";
        let expected = [
            (8, 38, "pools.a.selector.model", missing),
            (9, 81, "pools.b.selector.model", other),
            // It is not written there, but follows from what is.
            (10, 100, "pools.c.selector", own),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_secret_on_the_line_of_what_is_named_in_vain_is_not_shown() {
        const TOKEN: &str = "0123456789abcdef0123456789abcdef";
        let file = format!(
            "{{ version: 1, listeners: [{{ name: web, bind: '127.0.0.1:0' }}], routes: [{{ name: all, pool: a }}],\n  \
             admin: {{ bind: '127.0.0.1:0', token: {TOKEN} }}, \
             pools: {{ a: {{ backends: [{{ address: '127.0.0.1:1' }}], selector: {{ type: forest, model: no/such }} }} }} }}\n"
        );
        let found = named_in_vain(&file);
        let shown = found[0].excerpt.as_deref().unwrap();
        assert!(shown.contains("no/such") && shown.contains("****"), "{shown}");
        assert!(!shown.contains(TOKEN), "{shown}");
    }

    #[test]
    fn a_model_that_is_not_there_is_made_or_left_out() {
        check("no/such.forest", ModelUse::Required, "sylvan train DATA.csv --out");
        check("no/such.forest", ModelUse::Learned, "leave the model out");
    }
}
