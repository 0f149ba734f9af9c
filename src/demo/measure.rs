//! Traffic through the gateway, and what came of it.

use std::time::Duration;

use crate::clock;
use crate::demo::DemoError;
use crate::demo::Lengths;
use crate::demo::outcome::Load as Measured;
use crate::demo::outcome::Phase;
use crate::demo::outcome::Swap;
use crate::demo::stage::Reading;
use crate::demo::stage::Stage;
use crate::report::Look;
use crate::report::progress::Progress;
use crate::traffic;
use crate::traffic::Arrivals;
use crate::traffic::Load;
use crate::traffic::Mix;
use crate::traffic::Plan;
use crate::traffic::Rate;
use crate::traffic::Summary;
use crate::traffic::Target;

/// Enough to keep both shops busy, few enough that the queue in front of them stays short.
const SATURATING_CONNECTIONS: usize = 16;
/// The same arrivals and routes for every selector.
const SEED: u64 = 1;
/// Traffic flows this long around the rewriting of the word.
const SWAP_LENGTH: Duration = Duration::from_secs(3);

pub(super) struct Meter {
    look: Look,
    lengths: Lengths,
}

impl Meter {
    pub(super) fn new(look: Look, lengths: Lengths) -> Self {
        Self { look, lengths }
    }

    /// The most that gets through now, in answers per second.
    pub(super) async fn capacity(&self, stage: &Stage) -> Result<f64, DemoError> {
        let load = Load::Closed {
            connections: SATURATING_CONNECTIONS,
        };
        Ok(self
            .send(stage, "how much gets through", load, self.lengths.saturation)
            .await
            .goodput_rps())
    }

    /// The selector in charge at both `rates`, and at saturation unless that is known.
    pub(super) async fn measure(
        &self,
        stage: &Stage,
        selector: &str,
        rates: [f64; 2],
        capacity: Option<f64>,
    ) -> Result<Phase, DemoError> {
        let [moderate, high] = rates;
        let moderate = self
            .at_rate(
                stage,
                &format!("{selector}, moderate load"),
                moderate,
                self.lengths.moderate,
            )
            .await?;
        let high = self
            .at_rate(stage, &format!("{selector}, high load"), high, self.lengths.high)
            .await?;
        let throughput_rps = match capacity {
            Some(capacity) => capacity,
            None => self.capacity(stage).await?,
        };
        Ok(Phase {
            selector: selector.to_owned(),
            moderate,
            high,
            throughput_rps,
        })
    }

    /// Rewrites the selector's word while traffic flows, and waits until the gateway has taken it.
    pub(super) async fn swap(&self, stage: &Stage, [from, to]: [&str; 2], rate: f64) -> Result<Swap, DemoError> {
        let before = stage.reading().await?;
        let flowing = self.send(stage, "rewriting one word under load", open(rate), SWAP_LENGTH);
        let rewriting = async {
            tokio::time::sleep(SWAP_LENGTH / 3).await;
            stage.rewrite_selector(from, to)
        };
        let (summary, rewritten) = tokio::join!(flowing, rewriting);
        rewritten?;
        let after = stage.reading().await?;
        if after.generation <= before.generation {
            return Err(DemoError::Admin(
                "the rewritten configuration was not taken; see gateway.log".to_owned(),
            ));
        }
        Ok(Swap {
            requests: summary.requests,
            errors: summary.failures.total(),
        })
    }

    async fn at_rate(&self, stage: &Stage, name: &str, rate: f64, length: Duration) -> Result<Measured, DemoError> {
        let before = stage.reading().await?;
        let summary = self.send(stage, name, open(rate), length).await;
        let after = stage.reading().await?;
        Ok(Measured {
            rate_rps: rate,
            mean_ms: summary.latencies.mean_ms(),
            p50_ms: summary.latencies.quantile_ms(0.5),
            p95_ms: summary.latencies.quantile_ms(0.95),
            p99_ms: summary.latencies.quantile_ms(0.99),
            errors: summary.failures.total(),
            share: shares(&before, &after),
        })
    }

    async fn send(&self, stage: &Stage, name: &str, load: Load, length: Duration) -> Summary {
        let plan = Plan {
            target: Target::new(stage.web()),
            load,
            duration: length,
            seed: SEED,
            mix: Mix::shop("/").expect("the shop's own paths are paths"),
            max_connections: 512,
            timeout: Duration::from_secs(10),
        };
        let mut progress = Progress::new(self.look, name, length.as_secs());
        let pulse = |pulse: &traffic::Pulse| {
            let message = format!(
                "{:.0} answers/s, p99 {:.1} ms, {} errors",
                pulse.rate_rps, pulse.p99_ms, pulse.errors
            );
            progress.update(pulse.elapsed.as_secs(), &message, clock::now());
        };
        let summary = traffic::run(&plan, std::future::pending(), pulse).await;
        progress.finish(&format!("{:.0} answers/s", summary.goodput_rps()));
        summary
    }
}

fn open(rate: f64) -> Load {
    // A machine on which nothing gets through is still asked for something.
    let rate = Rate::per_second(rate.max(1.0)).expect("at least one a second is a rate");
    Load::Open {
        rate,
        arrivals: Arrivals::Poisson,
    }
}

/// Each backend's part of the requests between two readings.
fn shares(before: &Reading, after: &Reading) -> Vec<f64> {
    let served: Vec<f64> = after
        .requests
        .iter()
        .zip(&before.requests)
        .map(|(after, before)| after - before)
        .collect();
    let all: f64 = served.iter().sum();
    served.iter().map(|served| served / all.max(1.0)).collect()
}
