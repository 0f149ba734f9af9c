//! Reports side by side: by scenario, against the best classical selector there, and over all scenarios.

use crate::simulation::report::Figures;
use crate::simulation::report::Report;

/// The selectors that need no learning: the yardstick. `marginal_cost` is none, since it cannot be had.
const CLASSICAL: [&str; 10] = [
    "round_robin",
    "random",
    "least_requests",
    "p2c",
    "peak_ewma",
    "peak_ewma_all",
    "ewma",
    "c3",
    "load_weighted",
    "hash",
];

/// All reports of a suite, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Each scenario, with each selector in it.
    pub scenarios: Vec<(String, Vec<Relative>)>,
    /// Each selector over all scenarios: geometric means, and its worst ratios.
    pub overall: Vec<Overall>,
}

/// A selector in a scenario, over the seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Relative {
    /// Its name.
    pub selector: String,
    /// Latencies are geometric means over the seeds, the others arithmetic ones.
    pub figures: Figures,
    /// Mean latency over that of the best classical selector; `None` when there was none.
    pub mean_ratio: Option<f64>,
    /// The same of the 99th percentiles.
    pub p99_ratio: Option<f64>,
}

/// A selector over all scenarios.
#[derive(Clone, Debug, PartialEq)]
pub struct Overall {
    /// Its name.
    pub selector: String,
    /// Geometric mean of its ratios of mean latency.
    pub mean_ratio: f64,
    /// The largest of them.
    pub worst_mean_ratio: f64,
    /// Geometric mean of its ratios of 99th percentiles.
    pub p99_ratio: f64,
    /// The largest of them.
    pub worst_p99_ratio: f64,
}

/// Compares `reports`, which are in the order of scenarios and selectors.
#[must_use]
pub fn compare(reports: &[Report]) -> Comparison {
    let scenarios: Vec<(String, Vec<Relative>)> = reports
        .chunk_by(|one, other| one.scenario == other.scenario)
        .map(|reports| (reports[0].scenario.clone(), within(reports)))
        .collect();
    let overall = scenarios.first().map_or_else(Vec::new, |(_, selectors)| {
        selectors
            .iter()
            .filter_map(|first| overall(&first.selector, &scenarios))
            .collect()
    });
    Comparison { scenarios, overall }
}

/// The selectors in one scenario.
fn within(reports: &[Report]) -> Vec<Relative> {
    let by_selector = reports.chunk_by(|one, other| one.selector == other.selector);
    let mut selectors: Vec<Relative> = by_selector
        .map(|reports| Relative {
            selector: reports[0].selector.clone(),
            figures: over_seeds(reports),
            mean_ratio: None,
            p99_ratio: None,
        })
        .collect();
    let best_mean = best(&selectors, |figures| figures.mean_ms);
    let best_p99 = best(&selectors, |figures| figures.p99_ms);
    for selector in &mut selectors {
        selector.mean_ratio = best_mean.map(|best| selector.figures.mean_ms / best);
        selector.p99_ratio = best_p99.map(|best| selector.figures.p99_ms / best);
    }
    selectors
}

fn best(selectors: &[Relative], figure: fn(&Figures) -> f64) -> Option<f64> {
    let classical = selectors.iter().filter(|it| CLASSICAL.contains(&it.selector.as_str()));
    classical
        .map(|it| figure(&it.figures))
        .filter(|figure| figure.is_finite())
        .min_by(f64::total_cmp)
}

fn over_seeds(reports: &[Report]) -> Figures {
    let geometric = |figure: fn(&Figures) -> f64| geometric_mean(reports.iter().map(|it| figure(&it.figures)));
    let count = reports.len() as f64;
    let arithmetic = |figure: fn(&Figures) -> f64| reports.iter().map(|it| figure(&it.figures)).sum::<f64>() / count;
    Figures {
        mean_ms: geometric(|figures| figures.mean_ms),
        p50_ms: geometric(|figures| figures.p50_ms),
        p95_ms: geometric(|figures| figures.p95_ms),
        p99_ms: geometric(|figures| figures.p99_ms),
        p999_ms: geometric(|figures| figures.p999_ms),
        error_rate: arithmetic(|figures| figures.error_rate),
        goodput_rps: arithmetic(|figures| figures.goodput_rps),
    }
}

/// `selector` over all scenarios; `None` when one of them has nothing to compare it with.
fn overall(selector: &str, scenarios: &[(String, Vec<Relative>)]) -> Option<Overall> {
    let of_selector = |selectors: &Vec<Relative>| selectors.iter().find(|it| it.selector == selector).cloned();
    let all: Vec<Relative> = scenarios
        .iter()
        .map(|(_, selectors)| of_selector(selectors))
        .collect::<Option<_>>()?;
    let means: Vec<f64> = all.iter().map(|it| it.mean_ratio).collect::<Option<_>>()?;
    let p99s: Vec<f64> = all.iter().map(|it| it.p99_ratio).collect::<Option<_>>()?;
    Some(Overall {
        selector: selector.to_owned(),
        mean_ratio: geometric_mean(means.iter().copied()),
        worst_mean_ratio: means.iter().copied().fold(0.0, f64::max),
        p99_ratio: geometric_mean(p99s.iter().copied()),
        worst_p99_ratio: p99s.iter().copied().fold(0.0, f64::max),
    })
}

fn geometric_mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    libm::exp(values.map(libm::log).sum::<f64>() / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(scenario: &str, selector: &str, seed: u64, mean_ms: f64) -> Report {
        let figures = Figures {
            mean_ms,
            p50_ms: 1.0,
            p95_ms: 2.0,
            p99_ms: 2.0 * mean_ms,
            p999_ms: 4.0,
            error_rate: 0.5,
            goodput_rps: 10.0,
        };
        let (scenario, selector) = (scenario.to_owned(), selector.to_owned());
        Report {
            scenario,
            selector,
            seed,
            requests: 1,
            figures,
            curve_ms: Vec::new(),
            shares: Vec::new(),
        }
    }

    #[test]
    fn ratios_are_to_the_best_classical_selector_of_each_scenario() {
        let reports = [
            report("even", "least_requests", 0, 10.0),
            report("even", "round_robin", 0, 20.0),
            report("even", "marginal_cost", 0, 5.0),
            report("odd", "least_requests", 0, 80.0),
            report("odd", "round_robin", 0, 10.0),
            report("odd", "marginal_cost", 0, 5.0),
        ];
        let shown: Vec<String> = compare(&reports)
            .overall
            .iter()
            .map(|it| format!("{} {:.3} {:.3}", it.selector, it.mean_ratio, it.worst_mean_ratio))
            .collect();
        assert_eq!(
            shown,
            [
                "least_requests 2.828 8.000",
                "round_robin 1.414 2.000",
                "marginal_cost 0.500 0.500"
            ]
        );
    }

    #[test]
    fn latencies_over_seeds_are_geometric_means() {
        let reports = [report("even", "p2c", 0, 10.0), report("even", "p2c", 1, 40.0)];
        let comparison = compare(&reports);
        assert!((comparison.scenarios[0].1[0].figures.mean_ms - 20.0).abs() < 1e-9);
    }

    #[test]
    fn without_a_classical_selector_there_are_no_ratios() {
        let comparison = compare(&[report("even", "marginal_cost", 0, 10.0)]);
        assert_eq!(comparison.scenarios[0].1[0].mean_ratio, None);
        assert!(comparison.overall.is_empty());
    }
}
