//! What `sylvan demo` runs: the sample shop, and the paper in one command.
//!
//! [`run`] starts two uneven shops and a gateway as processes of their own, sends them seeded traffic under round
//! robin, trains the paper's classifier on what the gateway recorded, rewrites one word of its configuration while
//! traffic flows, and measures again; then once more for the forest with the model that comes with the program.

pub mod cores;
mod measure;
mod outcome;
pub mod shop;
mod stage;

use std::path::PathBuf;
use std::time::Duration;

use crate::process::ProcessError;
use crate::report::Look;

pub use outcome::Outcome;
pub use outcome::Phase;

use crate::demo::measure::Meter;
use crate::demo::stage::Stage;

/// The share of what round robin can carry that the first comparison runs at; the paper's policy still holds there.
const MODERATE_LOAD: f64 = 0.62;
/// The share for the second comparison, where it herds.
const HIGH_LOAD: f64 = 0.9;

/// How a demo is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the configuration, the data set, the model and the logs are written.
    pub directory: PathBuf,
    /// Whether it should end within 40 s instead of about two minutes.
    pub quick: bool,
    /// How progress is shown.
    pub look: Look,
}

/// How long each part of a demo takes.
#[derive(Clone, Copy, Debug)]
struct Lengths {
    saturation: Duration,
    moderate: Duration,
    high: Duration,
}

impl Lengths {
    const FULL: Self = Self::seconds([4, 20, 10]);
    const QUICK: Self = Self::seconds([1, 4, 2]);

    const fn seconds([saturation, moderate, high]: [u64; 3]) -> Self {
        Self {
            saturation: Duration::from_secs(saturation),
            moderate: Duration::from_secs(moderate),
            high: Duration::from_secs(high),
        }
    }
}

/// A demo that has been played; what it started runs until this is dropped.
#[derive(Debug)]
pub struct Demo {
    /// What was measured.
    pub outcome: Outcome,
    stage: Stage,
}

impl Demo {
    /// Where the gateway listens: clients' address and the admin listener's.
    #[must_use]
    pub fn addresses(&self) -> (String, String) {
        (
            format!("http://{}", self.stage.web()),
            format!("http://{}", self.stage.admin()),
        )
    }
}

/// Plays the demo.
///
/// # Errors
/// When a process cannot be started, the gateway refuses the configuration, or nothing could be learnt.
pub async fn run(options: &Options) -> Result<Demo, DemoError> {
    let lengths = if options.quick { Lengths::QUICK } else { Lengths::FULL };
    let stage = Stage::set(&options.directory).await?;
    let meter = Meter::new(options.look, lengths);
    let capacity = meter.capacity(&stage).await?;
    let rates = [capacity * MODERATE_LOAD, capacity * HIGH_LOAD];
    let round_robin = meter.measure(&stage, "round_robin", rates, Some(capacity)).await?;
    let training = stage.train().await?;
    let to_classifier = meter.swap(&stage, ["round_robin", "classifier"], rates[0]).await?;
    let classifier = meter.measure(&stage, "classifier", rates, None).await?;
    let to_forest = meter.swap(&stage, ["classifier", "forest"], rates[0]).await?;
    let forest = meter.measure(&stage, "forest", rates, None).await?;
    let outcome = Outcome {
        phases: vec![round_robin, classifier, forest],
        swap: to_classifier.and(to_forest),
        training,
        files: stage.files(),
    };
    Ok(Demo { outcome, stage })
}

/// Why a demo could not be played.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file could not be had.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A process could not be had.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The admin listener could not be asked.
    #[error("the gateway's admin listener: {0}")]
    Admin(String),
    /// Nothing could be learnt.
    #[error("training failed:\n{0}")]
    Training(ProcessError),
}

impl DemoError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |cause| Self::Io { what, cause }
    }
}
