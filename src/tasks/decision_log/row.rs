//! A row of a decision log: one JSON object, described in docs/decision-log.md.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error;

use crate::pool::BackendIndex;
use crate::pool::Outcome;
use crate::pool::Pool;
use crate::selection::Charge;
use crate::selection::Reason;
use crate::selection::Settled;
use crate::selection::Sight;
use crate::selection::View;

/// Counts the shapes that rows have had.
const VERSION: u32 = 1;
/// A feature that a backend alone does not have.
const COMPARED_ONLY: &str = "ln_load";

/// A decision as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The shape of the row.
    pub version: u32,
    /// When it was made, in seconds since the Unix epoch.
    pub time: f64,
    /// The pool's name.
    pub pool: String,
    /// The name of the selector's type.
    pub selector: String,
    /// The request's number, in hexadecimal.
    pub request: String,
    /// 1 for the request's first attempt.
    pub attempt: usize,
    /// The name of its route.
    pub route: String,
    /// The number that the pool has given to requests of its kind.
    pub route_class: usize,
    /// What chance there was in it, in hexadecimal.
    pub draw: String,
    /// Why, as in the metrics.
    pub reason: String,
    /// Whether the forest was in charge, and why not.
    pub charge: String,
    /// Which model was, if one was.
    pub model: Option<String>,
    /// The address of the backend that was chosen.
    pub chosen: String,
    /// In shadow mode, the address of the one that the forest would have chosen.
    pub proposal: Option<String>,
    /// The backends that the forest selector looks at, in order.
    pub candidates: Vec<Candidate>,
    /// What became of the attempt.
    pub outcome: Option<Ending>,
}

/// A candidate as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its address.
    pub backend: String,
    /// Its weight over the pool's mean weight.
    pub weight: f32,
    /// What a forest sees of it.
    pub features: Seen,
}

/// Features, written as an object of their names.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Which ones.
    pub view: View,
    /// In the order of the view's names.
    pub values: Vec<f32>,
}

/// An outcome as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// How it ended, as in the metrics.
    pub verdict: String,
    /// From dispatch to the first byte of the response, in milliseconds.
    pub latency_ms: Option<f64>,
    /// How slow that was, as selectors learn it.
    pub slowness: Option<f32>,
}

/// Why a line is no row that can be explained.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// It was torn, or never was one.
    #[error("no row of a decision log: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Another release wrote it.
    #[error(
        "a row of version {0}, and this release reads version {VERSION}; explain it with the release that wrote it"
    )]
    Version(u32),
    /// It names a draw, a reason or the like that there is not.
    #[error("`{key}` cannot be `{value}`; another release may have written it")]
    Unknown {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
    },
}

impl Row {
    /// The row of `settled`, whose decision `selector` made with the model of this digest.
    #[must_use]
    pub fn new(settled: &Settled, selector: &str, model: Option<&str>) -> Self {
        let decision = &settled.decision;
        let address = |index| address(&decision.pool, index);
        let candidates = decision.candidates.iter();
        Self {
            version: VERSION,
            time: rounded(decision.at.seconds(), 1e6),
            pool: decision.pool.name().to_owned(),
            selector: selector.to_owned(),
            request: format!("{:016x}", settled.occasion.request),
            attempt: decision.request.tried.len() + 1,
            route: settled.occasion.route.clone(),
            route_class: decision.request.route_class.number(),
            draw: format!("{:016x}", decision.request.draw),
            reason: decision.choice.reason.name().to_owned(),
            charge: decision.charge.name().to_owned(),
            model: model.map(str::to_owned),
            chosen: address(decision.choice.backend),
            proposal: decision.choice.proposal.map(|proposal| address(proposal.backend)),
            candidates: candidates
                .map(|(index, sight)| Candidate::new(address(*index), decision.view, sight))
                .collect(),
            outcome: settled.outcome.as_ref().map(Ending::new),
        }
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When `line` is none, or one that another release wrote.
    pub fn parse(line: &str) -> Result<Self, RowError> {
        let row: Self = serde_json::from_str(line)?;
        if row.version != VERSION {
            return Err(RowError::Version(row.version));
        }
        row.draw()?;
        row.reason()?;
        row.charge()?;
        let is_odd = |it: &&Candidate| !(it.weight > 0.0 && it.weight.is_finite());
        if let Some(odd) = row.candidates.iter().find(is_odd) {
            return Err(unknown("weight", &odd.weight.to_string()));
        }
        if let Some(other) = row.candidates.iter().find(|it| it.features.view != row.view()) {
            return Err(unknown("backend", &other.backend));
        }
        Ok(row)
    }

    /// The row as a line, with its newline.
    #[must_use]
    pub fn line(&self) -> String {
        // Texts and numbers always become JSON.
        let json = serde_json::to_string(self).unwrap_or_default();
        json + "\n"
    }

    /// What chance there was in the decision.
    ///
    /// # Errors
    /// When it is not a number.
    pub fn draw(&self) -> Result<u64, RowError> {
        u64::from_str_radix(&self.draw, 16).map_err(|_| unknown("draw", &self.draw))
    }

    /// Why the backend was chosen.
    ///
    /// # Errors
    /// When this release knows no such reason.
    pub fn reason(&self) -> Result<Reason, RowError> {
        let known = Reason::ALL.into_iter().find(|reason| reason.name() == self.reason);
        known.ok_or_else(|| unknown("reason", &self.reason))
    }

    /// Whether the forest was in charge, and why not.
    ///
    /// # Errors
    /// When this release knows no such thing.
    pub fn charge(&self) -> Result<Charge, RowError> {
        let known = Charge::ALL.into_iter().find(|charge| charge.name() == self.charge);
        known.ok_or_else(|| unknown("charge", &self.charge))
    }

    /// What was known of each candidate.
    #[must_use]
    pub fn sights(&self) -> Vec<Sight> {
        let sight = |candidate: &Candidate| Sight {
            weight: candidate.weight,
            features: candidate.features.values.clone(),
        };
        self.candidates.iter().map(sight).collect()
    }

    /// The view that its candidates were seen in.
    #[must_use]
    pub fn view(&self) -> View {
        self.candidates.first().map_or(View::Alone, |it| it.features.view)
    }
}

impl Candidate {
    fn new(backend: String, view: View, sight: &Sight) -> Self {
        Self {
            backend,
            weight: sight.weight,
            features: Seen {
                view,
                values: sight.features.clone(),
            },
        }
    }
}

impl Ending {
    fn new(outcome: &Outcome) -> Self {
        Self {
            verdict: outcome.verdict.name().to_owned(),
            latency_ms: outcome.latency.map(|latency| rounded(latency.as_secs_f64() * 1e3, 1e3)),
            slowness: outcome.slowness,
        }
    }
}

fn unknown(key: &'static str, value: &str) -> RowError {
    let value = value.to_owned();
    RowError::Unknown { key, value }
}

fn address(pool: &Pool, index: BackendIndex) -> String {
    pool.backend(index)
        .map(|backend| backend.address().to_owned())
        .unwrap_or_default()
}

fn rounded(number: f64, steps: f64) -> f64 {
    (number * steps).round() / steps
}

impl Serialize for Seen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.view.names().iter().zip(&self.values))
    }
}

/// The view is told by the names.
impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = BTreeMap::<String, f32>::deserialize(deserializer)?;
        let view = if written.contains_key(COMPARED_ONLY) {
            View::Compared
        } else {
            View::Alone
        };
        let value = |name: &&str| {
            let value = written.get(*name).filter(|value| value.is_finite());
            let value = value.ok_or_else(|| D::Error::custom(format!("no number for the feature `{name}`")))?;
            Ok(*value)
        };
        let values = view.names().iter().map(value).collect::<Result<_, _>>()?;
        Ok(Self { view, values })
    }
}
