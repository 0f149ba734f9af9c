//! A forest with what is needed to serve it: what it is for, what to put in for a missing feature, and where it
//! came from.

use std::fmt;

use thiserror::Error;

use crate::forest::FEW;
use crate::forest::Forest;
use crate::forest::Schema;

/// What a forest was grown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelKind {
    /// Votes on which of this many backends is the best, from the metrics of all of them.
    Classifier {
        /// How many backends a pool must have; at least 2.
        backends: usize,
    },
    /// Tells from one backend's metrics which backend they are of: the paper's table, taken literally. Serves nothing.
    Reproduction,
    /// Scores one backend at a time.
    Ranker,
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classifier { backends } => write!(f, "a classifier for {backends} backends"),
            Self::Reproduction => f.write_str("a reproduction of the paper's table"),
            Self::Ranker => f.write_str("a ranker of single backends"),
        }
    }
}

/// Where a model came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Training {
    /// How many rows it was grown from.
    pub rows: u64,
    /// The seed of every draw.
    pub seed: u64,
    /// SHA-256 of the data files, one after another, in hexadecimal.
    pub data_digest: String,
    /// The command line.
    pub command: String,
    /// How rows became what it was grown on, as JSON; empty where they were taken as they are. Serving needs none of it.
    pub pipeline: String,
}

/// A forest ready to serve. It cannot be built from parts that do not fit together.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    kind: ModelKind,
    forest: Forest,
    among_many: Option<Forest>,
    fills: Vec<f32>,
    training: Training,
}

/// Why a model cannot be used. Where it lies is for the reader of the file to say.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ModelError {
    /// Other bytes than a model file's.
    #[error("this is not a Sylvan model file")]
    NotAModel,
    /// A format of another release.
    #[error("the model is of format {found}, and this build reads formats up to {known}")]
    Version {
        /// The file's format.
        found: u32,
        /// The newest format of this build.
        known: u32,
    },
    /// The bytes are not those that were written.
    #[error("the model file is cut short or altered: its checksum does not match")]
    Checksum,
    /// The checksum holds, the content makes no sense.
    #[error("the model file is malformed: {0}")]
    Malformed(String),
    /// A model that no pool can use.
    #[error("the model is {0}, which cannot serve a pool")]
    Unservable(ModelKind),
    /// A pool of another size.
    #[error("the model is for {model} backends, the pool has {pool}")]
    Backends {
        /// How many backends the model knows.
        model: usize,
        /// How many the pool has.
        pool: usize,
    },
}

impl ModelError {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotAModel => "name a file that `sylvan train` or `sylvan distil` made",
            Self::Version { .. } => "make the model again with this build",
            Self::Checksum => "copy it again, or make it again",
            Self::Malformed(_) => "make it again",
            Self::Unservable(_) => "train on a data set that the gateway recorded",
            Self::Backends { .. } => "train it on this pool's data set",
        }
    }
}

impl Model {
    /// A model of `forest`; `fills` holds for each feature what stands in for a missing value.
    ///
    /// # Errors
    /// When `fills` or `forest` do not fit the features or outputs of `kind`.
    pub fn new(kind: ModelKind, forest: Forest, fills: Vec<f32>, training: Training) -> Result<Self, ModelError> {
        let malformed = |what: &str| Err(ModelError::Malformed(what.into()));
        if fills.len() != forest.schema().width() || !fills.iter().all(|fill| fill.is_finite()) {
            return malformed("each feature needs a finite value to stand in for a missing one");
        }
        let fits = match kind {
            ModelKind::Classifier { backends } => {
                backends > 1
                    && forest.outputs() == backends
                    && Schema::joint(backends).is_some_and(|joint| joint.digest() == forest.schema().digest())
            }
            ModelKind::Reproduction => forest.outputs() > 1,
            ModelKind::Ranker => forest.outputs() == 1,
        };
        if fits {
            Ok(Self {
                kind,
                forest,
                among_many: None,
                fills,
                training,
            })
        } else {
            malformed("features or classes of another kind")
        }
    }

    /// The same ranker with another forest for decisions among more than [`FEW`] candidates.
    ///
    /// # Errors
    /// When this is no ranker, or `forest` is none or sees other features.
    pub fn with_among_many(self, forest: Forest) -> Result<Self, ModelError> {
        let is_alike = self.kind == ModelKind::Ranker
            && forest.outputs() == self.forest.outputs()
            && forest.schema().digest() == self.forest.schema().digest();
        if !is_alike {
            return Err(ModelError::Malformed(
                "the forest for many candidates is of another kind".into(),
            ));
        }
        Ok(Self {
            among_many: Some(forest),
            ..self
        })
    }

    /// What the forest was grown for.
    #[must_use]
    pub fn kind(&self) -> ModelKind {
        self.kind
    }

    /// The forest itself.
    #[must_use]
    pub fn forest(&self) -> &Forest {
        &self.forest
    }

    /// The forest that decides among so many candidates.
    #[must_use]
    pub fn forest_among(&self, candidates: usize) -> &Forest {
        self.among_many().filter(|_| candidates > FEW).unwrap_or(&self.forest)
    }

    /// The forest for decisions among more than [`FEW`] candidates, if it is another one.
    #[must_use]
    pub fn among_many(&self) -> Option<&Forest> {
        self.among_many.as_ref()
    }

    /// For each feature what stands in for a missing value.
    #[must_use]
    pub fn fills(&self) -> &[f32] {
        &self.fills
    }

    /// Where the model came from.
    #[must_use]
    pub fn training(&self) -> &Training {
        &self.training
    }

    /// Whether a pool of `backends` backends can be served by this model's vote.
    ///
    /// # Errors
    /// When it is no classifier, or one for another number of backends.
    pub fn check_pool(&self, backends: usize) -> Result<(), ModelError> {
        match self.kind {
            ModelKind::Classifier { backends: model } if model == backends => Ok(()),
            ModelKind::Classifier { backends: model } => Err(ModelError::Backends { model, pool: backends }),
            kind => Err(ModelError::Unservable(kind)),
        }
    }

    /// The class the forest votes for: of a classifier, the backend with that `server_id`. Allocates nothing.
    ///
    /// `features` are in the order of the schema; what is missing or not finite there is filled.
    #[must_use]
    pub fn vote(&self, features: &[f32]) -> usize {
        let known = |feature: usize| features.get(feature).copied().filter(|value| value.is_finite());
        self.forest
            .vote_by(|feature| known(feature).unwrap_or(self.fills[feature]))
    }
}
