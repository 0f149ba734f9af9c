//! The model that comes with the program: distilled from simulated worlds by `sylvan distil`, see models/default.md.

use std::sync::Arc;
use std::sync::LazyLock;

use crate::forest::Model;
use crate::forest::decode;

static SHIPPED: LazyLock<Arc<Model>> = LazyLock::new(|| {
    let bytes = include_bytes!("../../models/default.forest");
    Arc::new(decode(bytes).expect("a test reads what is shipped"))
});

/// The model that a forest selector serves with when it neither learns nor names one.
#[must_use]
pub fn shipped_model() -> Arc<Model> {
    Arc::clone(&SHIPPED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::encode;
    use crate::selection::View;
    use crate::selection::ranker_view;

    #[test]
    fn what_is_shipped_can_serve_any_pool_and_is_small() {
        let model = shipped_model();
        assert_eq!(ranker_view(&model), Some(View::Compared));
        assert!(encode(&model).len() <= 200_000);
    }
}
