//! Is another selector worth it here? The same seeded traffic under each selector in turn, on live backends through a
//! live gateway, in slices that alternate, so that what drifts drifts for all of them. Other balancers can take turns.
//!
//! In the order of a run: [`Plan`] says what, `order` puts the slices in a row, `gateway` swaps the word in the
//! configuration and puts it back at the end, [`crate::traffic`] sends, `comparison` says what the slices prove.

mod comparison;
mod gateway;
mod order;
mod outcome;
mod student;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::clock;
use crate::config::ConfigErrors;
use crate::process::ProcessError;
use crate::report::Look;
use crate::report::progress::Progress;
use crate::traffic;
use crate::traffic::Arrivals;
use crate::traffic::Load;
use crate::traffic::Mix;
use crate::traffic::Rate;
use crate::traffic::Summary;
use crate::traffic::Target;

pub use comparison::Comparison;
pub use comparison::Interval;
pub use comparison::Verdict;
pub use outcome::Evaluation;
pub use outcome::Phase;

use comparison::compare;
use gateway::Gateway;
use order::Slice;

/// Connections that keep every backend busy at saturation.
const SATURATING_CONNECTIONS: usize = 32;
/// What a slice begins with at most and is not measured: averages of a few seconds follow the new selector.
const LEAD: Duration = Duration::from_secs(2);

/// Another balancer in front of the same backends, measured in the same slices.
#[derive(Clone, Debug)]
pub struct Rival {
    /// What the tables call it.
    pub name: String,
    /// Where it listens.
    pub target: Target,
}

/// What is evaluated, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The gateway's configuration; a running gateway reads this very file.
    pub configuration: PathBuf,
    /// The pool whose selector is swapped; the only one when `None`.
    pub pool: Option<String>,
    /// The selectors; everything else is compared with the first.
    pub selectors: Vec<String>,
    /// What takes turns with them.
    pub rivals: Vec<Rival>,
    /// Requests per second, well below what the backends can carry.
    pub rate: Rate,
    /// How long each selector is measured in all.
    pub duration: Duration,
    /// How long it is measured at a time.
    pub slice: Duration,
    /// How long each selector serves before anything is measured, so that those that learn have learned.
    pub warm_up: Duration,
    /// How long each selector is measured with all the traffic that it can take; zero for not at all.
    pub saturation: Duration,
    /// Decides arrival times and routes.
    pub seed: u64,
    /// What is asked for.
    pub mix: Mix,
}

/// Why nothing could be said.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The configuration lacks what an evaluation needs, or has too much of it.
    #[error("{0}")]
    Unfit(String),
    /// A file could not be had.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The gateway could not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The gateway's admin listener could not be asked, or it refused a selector.
    #[error("the gateway: {0}")]
    Gateway(String),
}

/// Evaluates `plan`; what `variable` says of the environment goes into the configuration.
///
/// The file of a gateway that runs already is as it was when this ends, whatever ends it.
///
/// # Errors
/// When the configuration is unfit, the gateway cannot be had, or it refuses a selector.
pub async fn run(
    plan: &Plan,
    variable: &(dyn Fn(&str) -> Option<String> + Sync),
    look: Look,
) -> Result<Evaluation, EvaluationError> {
    let mut gateway = Gateway::open(plan, variable).await?;
    let contenders = contenders(plan, gateway.web(), look);
    for contender in &contenders {
        contender.take_over(&mut gateway).await?;
        let name = format!("{}, warming up", contender.name);
        contender.open(&name, plan.warm_up, plan.seed).await;
    }
    let mut phases: Vec<Phase> = contenders.iter().map(|contender| Phase::new(contender.name)).collect();
    let start = clock::now();
    let blocks = order::blocks(plan.duration, plan.slice);
    for Slice { block, contender } in order::slices(blocks, contenders.len()) {
        let phase = &mut phases[contender];
        contenders[contender].take_over(&mut gateway).await?;
        phase.began.push(clock::now().since(start));
        contenders[contender].slice(phase, block, blocks, &gateway).await?;
    }
    let comparisons = phases.iter().skip(1).map(|phase| compare(phase, &phases[0])).collect();
    Ok(Evaluation {
        rate_rps: plan.rate.requests_per_second(),
        seed: plan.seed,
        phases,
        comparisons,
        backends: gateway.reading().await?.backends,
    })
}

/// Who takes turns: the gateway under one of the selectors, or a rival.
struct Contender<'a> {
    plan: &'a Plan,
    name: &'a str,
    target: Target,
    is_selector: bool,
    look: Look,
}

fn contenders(plan: &Plan, gateway: SocketAddr, look: Look) -> Vec<Contender<'_>> {
    let contender = |name, target, is_selector| Contender {
        plan,
        name,
        target,
        is_selector,
        look,
    };
    let selectors = plan
        .selectors
        .iter()
        .map(|name| contender(name, Target::new(gateway), true));
    let rivals = plan
        .rivals
        .iter()
        .map(|rival| contender(&rival.name, rival.target.clone(), false));
    selectors.chain(rivals).collect()
}

impl Contender<'_> {
    /// Sees that the gateway chooses as this contender does; a rival chooses by itself.
    async fn take_over(&self, gateway: &mut Gateway) -> Result<(), EvaluationError> {
        if self.is_selector {
            gateway.select(self.name).await?;
        }
        Ok(())
    }

    /// One slice of `phase`: a lead that is not measured, the rate, and saturation in its part.
    async fn slice(
        &self,
        phase: &mut Phase,
        block: u64,
        blocks: u64,
        gateway: &Gateway,
    ) -> Result<(), EvaluationError> {
        let name = format!("{}, slice {} of {blocks}", phase.selector, block + 1);
        // The traffic of a block is the same for every contender, that of two blocks differs.
        let seed = self.plan.seed.wrapping_add(block);
        self.open(&name, LEAD.min(self.plan.slice), seed ^ 1 << 63).await;
        let before = gateway.reading().await?;
        let summary = self.open(&name, self.plan.slice, seed).await;
        let mut reading = gateway.reading().await?.since(&before);
        if !self.is_selector {
            // The gateway knows only what it sent itself.
            reading.requests.clear();
        }
        let part = self.plan.saturation / u32::try_from(blocks).unwrap_or(u32::MAX);
        let saturated = if part.is_zero() {
            None
        } else {
            let load = Load::Closed {
                connections: SATURATING_CONNECTIONS,
            };
            Some(self.send(&name, load, part, seed).await)
        };
        phase.add(&summary, saturated.as_ref(), reading);
        Ok(())
    }

    async fn open(&self, name: &str, length: Duration, seed: u64) -> Summary {
        let load = Load::Open {
            rate: self.plan.rate,
            arrivals: Arrivals::Poisson,
        };
        self.send(name, load, length, seed).await
    }

    async fn send(&self, name: &str, load: Load, length: Duration, seed: u64) -> Summary {
        let plan = traffic::Plan {
            target: self.target.clone(),
            load,
            duration: length,
            seed,
            mix: self.plan.mix.clone(),
            max_connections: 512,
            timeout: Duration::from_secs(10),
        };
        let mut progress = Progress::new(self.look, name, length.as_millis() as u64);
        let pulse = |pulse: &traffic::Pulse| {
            let message = format!("p99 {:.1} ms, {} errors", pulse.p99_ms, pulse.errors);
            progress.update(pulse.elapsed.as_millis() as u64, &message, clock::now());
        };
        let summary = traffic::run(&plan, std::future::pending(), pulse).await;
        progress.finish(&format!("mean {:.1} ms", summary.latencies.mean_ms()));
        summary
    }
}
