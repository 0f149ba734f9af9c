//! How a forest selector is set up.

use std::sync::Arc;

use crate::config::Learn;
use crate::config::Learning;
use crate::config::Mode;
use crate::config::Preset;
use crate::selection::Explore;
use crate::selection::Fallback;
use crate::selection::Forest;
use crate::selection::LearnerPreset;
use crate::selection::Selector;
use crate::selection::SelectorContext;
use crate::selection::Shadow;
use crate::selection::forest::WithoutModel;
use crate::units::Share;

/// With no more cores than this a machine has little to spare for learning.
const FEW_CORES: usize = 4;

/// How a forest selector is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForestOptions {
    /// Whether it serves, or its fallback does and it is noted what the forest would have done.
    pub mode: Mode,
    /// The share of the requests that explore, in active mode.
    pub explore: Share,
    /// How it learns while it serves; `None` for a model that stays as it is.
    pub learn: Option<LearnerPreset>,
}

impl ForestOptions {
    /// What `learn: online` means where there are cores to spare.
    #[must_use]
    pub fn online() -> Self {
        Self::new(&Learning::online(), usize::MAX)
    }

    /// What a configuration means that says nothing.
    #[must_use]
    pub fn frozen() -> Self {
        Self::new(&Learning::default(), usize::MAX)
    }

    /// As `learning` says, on a machine with this many cores.
    #[must_use]
    pub fn new(learning: &Learning, cores: usize) -> Self {
        let preset = match learning.preset {
            Preset::Small => LearnerPreset::Small,
            Preset::Auto if cores <= FEW_CORES => LearnerPreset::Small,
            Preset::Auto | Preset::Standard => LearnerPreset::Standard,
        };
        Self {
            mode: learning.mode,
            explore: learning.explore,
            learn: (learning.learn != Learn::Off).then_some(preset),
        }
    }
}

/// The selector that `context` asks for.
pub(crate) fn build(context: &SelectorContext<'_>) -> Arc<dyn Selector> {
    let options = context.forest;
    let without_model = match options.learn {
        Some(_) => WithoutModel::Base,
        None => WithoutModel::Nobody,
    };
    let forest = Forest::new(Arc::clone(context.model), without_model);
    let fallback = Arc::clone(context.fallback);
    match options.mode {
        Mode::Active => Arc::new(Explore::new(options.explore, Fallback::new(forest, fallback))),
        Mode::Shadow => Arc::new(Shadow::new(fallback, forest)),
    }
}
