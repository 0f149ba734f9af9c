//! The one place where a pool's current model is, swapped while requests read it.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::forest::Model;

/// A pool's current model. It is carried from one generation of the configuration to the next, so that a new model
/// does not count as a change of configuration.
#[derive(Debug, Default)]
pub struct ModelSlot(ArcSwapOption<Model>);

impl ModelSlot {
    /// Puts `model` in charge.
    pub fn put(&self, model: Arc<Model>) {
        self.0.store(Some(model));
    }

    /// The model in charge.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Model>> {
        self.0.load_full()
    }

    /// Reads the model in charge without counting a reference.
    pub fn with<T>(&self, read: impl FnOnce(Option<&Model>) -> T) -> T {
        read(self.0.load().as_deref())
    }
}
