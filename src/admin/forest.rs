//! What the API says of a pool whose selector learns: whether the forest chooses, why not, and how its learning goes.

use serde::Serialize;

use crate::config::Mode;
use crate::config::ModelUse;
use crate::config::Selector;
use crate::generation::Proposals;
use crate::generation::ServedPool;
use crate::telemetry::Progress;
use crate::units::Timestamp;

#[derive(Debug, Serialize)]
pub(super) struct ForestView {
    /// Whether the forest is in charge, or the reason why not, as in the metrics.
    charge: &'static str,
    /// The same, for people.
    because: String,
    mode: &'static str,
    learning: Option<LearningView>,
    /// What it would have done, where it has only been asked.
    shadow: Option<ShadowView>,
}

#[derive(Debug, Serialize)]
struct LearningView {
    rows: usize,
    skill: Option<f64>,
    /// How many models there have been.
    models: u64,
    model_age_seconds: Option<f64>,
    retrains: u64,
    errors: u64,
    panics: u64,
    last_retrain_ms: Option<f64>,
    /// Why a retraining that is due waits.
    waits_because: Option<String>,
    saved_seconds_ago: Option<f64>,
    save_failures: u64,
}

#[derive(Debug, Serialize)]
struct ShadowView {
    agreed: u64,
    disagreed: u64,
    agreement: Option<f64>,
    /// The part of the latency that the forest thinks it would have saved.
    estimated_gain: Option<f64>,
}

/// The view of `served`, whose selector is written as `selector`; `None` when it does not learn.
pub(super) fn forest_view(
    served: &ServedPool,
    selector: &Selector,
    progress: Option<Progress>,
    now: Timestamp,
) -> Option<ForestView> {
    if served.model_use != ModelUse::Learned {
        return None;
    }
    let charge = served.model.charge();
    let proposals = served.tallies.last().map(|tally| tally.proposals());
    Some(ForestView {
        charge: charge.name(),
        because: charge.to_string(),
        mode: match selector.learning.mode {
            Mode::Active => "active",
            Mode::Shadow => "shadow",
        },
        learning: progress
            .filter(|_| served.notebook.is_some())
            .map(|progress| learning_view(&progress, now)),
        shadow: proposals
            .filter(|proposals| selector.learning.mode == Mode::Shadow && proposals.agreement().is_some())
            .map(shadow_view),
    })
}

fn learning_view(progress: &Progress, now: Timestamp) -> LearningView {
    let ago = |at: Timestamp| now.since(at).as_secs_f64();
    LearningView {
        rows: progress.rows,
        skill: progress.skill,
        models: progress.models,
        model_age_seconds: progress.model_since.map(ago),
        retrains: progress.retrains,
        errors: progress.errors,
        panics: progress.panics,
        last_retrain_ms: progress.last_retrain.map(|took| took.as_secs_f64() * 1e3),
        waits_because: progress.delay.map(|delay| delay.to_string()),
        saved_seconds_ago: progress.saved_at.map(ago),
        save_failures: progress.save_failures,
    }
}

fn shadow_view(proposals: Proposals) -> ShadowView {
    ShadowView {
        agreed: proposals.agreed,
        disagreed: proposals.disagreed,
        agreement: proposals.agreement(),
        estimated_gain: proposals.estimated_gain(),
    }
}
