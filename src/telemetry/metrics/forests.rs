//! The metrics of pools whose selector learns.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::NoLabelSet;
use prometheus_client::metrics::MetricType;

use crate::config::ModelUse;
use crate::generation::Generation;
use crate::generation::ServedPool;
use crate::generation::Tally;
use crate::selection::Charge;
use crate::telemetry::Delay;
use crate::telemetry::Progress;
use crate::telemetry::ProgressBoard;
use crate::telemetry::metrics::Page;
use crate::telemetry::metrics::counter;
use crate::telemetry::metrics::truth;
use crate::telemetry::names;
use crate::telemetry::names::Name;

impl Page<'_> {
    pub(super) fn forests(&mut self, board: &ProgressBoard) -> fmt::Result {
        let now = self.now;
        self.charges()?;
        self.progress_gauge(board, names::FOREST_ROWS, |it| Some(it.rows as f64))?;
        self.progress_gauge(board, names::FOREST_SKILL, |it| it.skill)?;
        self.progress_gauge(board, names::FOREST_MODEL_AGE, |it| {
            Some(now.since(it.model_since?).as_secs_f64())
        })?;
        self.progress_gauge(board, names::FOREST_RETRAIN_DURATION, |it| {
            Some(it.last_retrain?.as_secs_f64())
        })?;
        self.progress_counters(board, names::FOREST_RETRAINS, |it| {
            vec![
                ("outcome", "done", it.retrains),
                ("outcome", "error", it.errors),
                ("outcome", "panic", it.panics),
            ]
        })?;
        self.progress_counters(board, names::FOREST_DELAYS, |it| {
            let count = |delay: Delay| it.delays.get(delay as usize).copied().unwrap_or_default();
            Delay::ALL.map(|delay| ("reason", delay.name(), count(delay))).to_vec()
        })?;
        let generation = Arc::clone(&self.generation);
        let mut family = self.family(names::FOREST_SAVE_FAILURES, MetricType::Counter)?;
        for (pool, progress) in progresses(&generation, board) {
            counter(&mut family, &[("pool", pool)], progress.save_failures)?;
        }
        Ok(())
    }

    fn charges(&mut self) -> fmt::Result {
        let generation = Arc::clone(&self.generation);
        let mut family = self.family(names::FOREST_CHARGE, MetricType::Gauge)?;
        for served in generation.pools.iter().filter(|it| it.model_use == ModelUse::Learned) {
            let actual = served.model.charge();
            for charge in Charge::ALL {
                let labels = [("pool", served.pool.name()), ("charge", charge.name())];
                family.encode_family(&labels)?.encode_gauge(&truth(charge == actual))?;
            }
        }
        Ok(())
    }

    fn progress_gauge(
        &mut self,
        board: &ProgressBoard,
        name: Name,
        value: impl Fn(&Progress) -> Option<f64>,
    ) -> fmt::Result {
        let generation = Arc::clone(&self.generation);
        let mut family = self.family(name, MetricType::Gauge)?;
        for (pool, progress) in progresses(&generation, board) {
            if let Some(value) = value(&progress) {
                family.encode_family(&[("pool", pool)])?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }

    /// A counter for each (label, its value, count) of each pool.
    fn progress_counters(
        &mut self,
        board: &ProgressBoard,
        name: Name,
        counts: impl Fn(&Progress) -> Vec<(&'static str, &'static str, u64)>,
    ) -> fmt::Result {
        let generation = Arc::clone(&self.generation);
        let mut family = self.family(name, MetricType::Counter)?;
        for (pool, progress) in progresses(&generation, board) {
            for (label, value, count) in counts(&progress) {
                counter(&mut family, &[("pool", pool), (label, value)], count)?;
            }
        }
        Ok(())
    }

    pub(super) fn proposals(&mut self) -> fmt::Result {
        let generation = Arc::clone(&self.generation);
        let mut family = self.family(names::SHADOW_PROPOSALS, MetricType::Counter)?;
        for (served, tally) in asked(&generation) {
            let proposals = tally.proposals();
            for (agrees, count) in [("yes", proposals.agreed), ("no", proposals.disagreed)] {
                let pool = ("pool", served.pool.name());
                counter(&mut family, &[pool, ("agrees", agrees)], count)?;
            }
        }
        let mut family = self.family(names::SHADOW_GAIN, MetricType::Counter)?;
        for (served, tally) in asked(&generation) {
            family
                .encode_family(&[("pool", served.pool.name())])?
                .encode_counter::<NoLabelSet, f64, u64>(&tally.proposals().gain, None)?;
        }
        Ok(())
    }
}

/// The pools that learn, or have learned, with their progress.
fn progresses<'g>(
    generation: &'g Generation,
    board: &'g ProgressBoard,
) -> impl Iterator<Item = (&'g str, Progress)> + 'g {
    let names = generation.pools.iter().map(|served| served.pool.name());
    names.filter_map(|name| Some((name, board.of(name)?)))
}

/// The tallies of selectors that were asked without being obeyed.
fn asked(generation: &Generation) -> impl Iterator<Item = (&ServedPool, &Tally)> {
    let tallies = generation
        .pools
        .iter()
        .flat_map(|served| served.tallies.iter().map(move |tally| (served, &**tally)));
    tallies.filter(|(_, tally)| tally.proposals().agreement().is_some())
}
