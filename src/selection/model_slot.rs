//! The one place where a pool's current model is, swapped while requests read it, and whether it is trusted.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwapOption;

use crate::forest::Model;
use crate::forest::ModelKind;
use crate::selection::features::View;

/// A pool's current model. It is carried from one generation of the configuration to the next, so that a new model
/// does not count as a change of configuration.
#[derive(Debug, Default)]
pub struct ModelSlot {
    held: ArcSwapOption<Held>,
    /// The [`Charge`] that the learner last gave, by its place in [`Charge::ALL`].
    trust: AtomicU8,
}

#[derive(Debug)]
struct Held {
    model: Arc<Model>,
    /// What it sees, if it scores single backends by features of this build.
    view: Option<View>,
}

/// A model that scores single backends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranker<'a> {
    pub(crate) model: &'a Model,
    pub(crate) view: View,
}

/// Whether the forest is in charge, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// It is.
    InCharge,
    /// There is no model yet.
    NoModel,
    /// The model is of another kind, or sees other features than this build.
    OtherModel,
    /// Too few outcomes are known to learn from.
    FewRows,
    /// The model is too new: too few of its forecasts have been compared with what came.
    Unproven,
    /// Its forecasts of late were hardly better than none.
    NoSkill,
}

impl Charge {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 6] = [
        Self::InCharge,
        Self::NoModel,
        Self::OtherModel,
        Self::FewRows,
        Self::Unproven,
        Self::NoSkill,
    ];

    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InCharge => "in_charge",
            Self::NoModel => "no_model",
            Self::OtherModel => "other_model",
            Self::FewRows => "few_rows",
            Self::Unproven => "unproven",
            Self::NoSkill => "no_skill",
        }
    }
}

/// Says to an operator why the forest is not in charge.
impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InCharge => "the forest is in charge",
            Self::NoModel => "there is no model yet",
            Self::OtherModel => "the model is of another kind or sees other features; remove it or train it again",
            Self::FewRows => "too few outcomes are known to learn from",
            Self::Unproven => "the model is too new to be trusted",
            Self::NoSkill => "the model's forecasts were hardly better than none",
        })
    }
}

impl ModelSlot {
    /// Puts `model` in charge.
    pub fn put(&self, model: Arc<Model>) {
        let view = ranker_view(&model);
        self.held.store(Some(Arc::new(Held { model, view })));
    }

    /// Says how far a ranker is to be trusted from now on; entirely, until something else is said.
    pub fn trust(&self, charge: Charge) {
        self.trust.store(charge as u8, Ordering::Relaxed);
    }

    /// Whether a ranker is in charge, and why not.
    #[must_use]
    pub fn charge(&self) -> Charge {
        charge(self.held.load().as_deref(), self.said())
    }

    /// The model in charge.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Model>> {
        self.held.load().as_ref().map(|held| Arc::clone(&held.model))
    }

    /// Reads the model in charge without counting a reference.
    pub fn with<T>(&self, read: impl FnOnce(Option<&Model>) -> T) -> T {
        read(self.held.load().as_ref().map(|held| &*held.model))
    }

    /// Reads the ranker that there is, and whether it is in charge, without counting a reference.
    pub(crate) fn with_ranker<T>(&self, read: impl FnOnce(Charge, Option<Ranker<'_>>) -> T) -> T {
        let held = self.held.load();
        let ranker = held.as_ref().and_then(|held| {
            Some(Ranker {
                model: &held.model,
                view: held.view?,
            })
        });
        read(charge(held.as_deref(), self.said()), ranker)
    }

    fn said(&self) -> Charge {
        let code = usize::from(self.trust.load(Ordering::Relaxed));
        Charge::ALL.get(code).copied().unwrap_or(Charge::InCharge)
    }
}

/// What `model` sees, if it scores single backends by features of this build.
#[must_use]
pub fn ranker_view(model: &Model) -> Option<View> {
    View::of(model.forest().schema()).filter(|_| model.kind() == ModelKind::Ranker)
}

/// What cannot be used is not in charge, whatever the learner said.
fn charge(held: Option<&Held>, said: Charge) -> Charge {
    match held {
        None if said == Charge::FewRows => said,
        None => Charge::NoModel,
        Some(held) if held.view.is_none() => Charge::OtherModel,
        Some(_) => said,
    }
}
