//! A selector of any type for the pool of a `rig`.

use std::sync::Arc;

use sylvan::pool::Pool;
use sylvan::selection::ForestOptions;
use sylvan::selection::LearnerPreset;
use sylvan::selection::LeastRequests;
use sylvan::selection::ModelSlot;
use sylvan::selection::Registry;
use sylvan::selection::Selector;
use sylvan::selection::SelectorContext;
use sylvan::selection::shipped_model;

use crate::learned::full_learner;
use crate::rig::NOW;

/// The selector of type `name` for `pool`; a forest's model is in charge. `forest` has the one that comes with the program,
/// `forest_online` one that was learned.
pub(crate) fn selector(name: &str, pool: &Pool) -> Arc<dyn Selector> {
    let model = Arc::new(ModelSlot::default());
    let kind = match name {
        "forest_online" => {
            // Growing one takes seconds without optimisation, and only a forest asks for it.
            let learned = full_learner(LearnerPreset::Standard).retrain(NOW);
            model.put(learned.expect("noise makes a forest"));
            "forest"
        }
        "forest" => {
            model.put(shipped_model());
            name
        }
        _ => name,
    };
    let fallback: Arc<dyn Selector> = Arc::new(LeastRequests::of_all());
    let registry = Registry::default();
    let kind = registry.get(kind).expect("a registered selector");
    (kind.build)(&SelectorContext {
        members: pool.members(),
        model: &model,
        fallback: &fallback,
        forest: ForestOptions::online(),
    })
}
