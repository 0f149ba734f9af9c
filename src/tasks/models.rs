//! Watches the model files and swaps in what changed, as the configuration is watched and swapped.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use crate::config;
use crate::generation::Current;
use crate::generation::Generation;
use crate::generation::ServedPool;
use crate::shutdown::Shutdown;
use crate::shutdown::stopped;
use crate::tasks::load::read_pool_model;
use crate::telemetry::Telemetry;

const POLL: Duration = Duration::from_secs(1);

/// What tells one content of a file from another without reading it.
type Stamp = Option<(SystemTime, u64)>;

/// The loop: looks at each model file that the generation in charge names, and puts a changed one in charge.
pub async fn run(current: Arc<Current>, telemetry: Arc<Telemetry>, mut shutdown: Shutdown) {
    let mut seen: BTreeMap<PathBuf, Stamp> = stamps(&current.take());
    let mut polls = tokio::time::interval(POLL);
    loop {
        tokio::select! {
            () = stopped(&mut shutdown) => return,
            _ = polls.tick() => {
                let generation = current.take();
                let stamps = stamps(&generation);
                for (path, _) in stamps.iter().filter(|(path, stamp)| seen.get(*path).is_some_and(|it| it != *stamp)) {
                    tokio::task::block_in_place(|| swap_all(path, &generation, &telemetry));
                }
                seen = stamps;
            }
        }
    }
}

fn stamps(generation: &Generation) -> BTreeMap<PathBuf, Stamp> {
    let paths = generation
        .config
        .pools
        .iter()
        .filter_map(|pool| pool.selector.model.clone());
    paths.map(|path| (path.clone(), stamp(&path))).collect()
}

fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn swap_all(path: &Path, generation: &Generation, telemetry: &Telemetry) {
    for (served, pool) in generation.pools.iter().zip(&generation.config.pools) {
        if pool.selector.model.as_deref() == Some(path) {
            swap(path, &pool.selector, served, telemetry);
        }
    }
}

fn swap(path: &Path, selector: &config::Selector, served: &ServedPool, telemetry: &Telemetry) {
    let pool = served.pool.name();
    match read_pool_model(path, selector, served.model_use) {
        Ok(model) => {
            served.model.put(Arc::new(model));
            // Choices made from the metrics with the old model are made anew.
            served.pool.end_metrics_round();
            log::info!(pool; "model {} is in charge", path.display());
        }
        Err(error) => {
            telemetry.model_failures.increment();
            log::error!(pool; "model not swapped, the one before stays in charge: {error}");
        }
    }
}
