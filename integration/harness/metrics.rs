//! What `/metrics` says at a moment.

use std::collections::BTreeMap;

/// The samples of one scrape, by their names with labels as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Reads Prometheus text; fails on a line that is none.
    pub(crate) fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let parse = |line: &str| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        };
        Self(samples.map(parse).collect())
    }

    /// The sum of the samples of `name` that have all of `labels`, each written `key="value"`.
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let is_meant = |sample: &str| {
            let (family, rest) = sample.split_once('{').unwrap_or((sample, ""));
            family == name && labels.iter().all(|label| has_label(rest, label))
        };
        self.0
            .iter()
            .filter(|(sample, _)| is_meant(sample))
            .map(|(_, value)| value)
            .sum()
    }

    /// The sample that is called `name` and has no labels.
    pub(crate) fn value(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("no metric `{name}`"))
    }

    /// The names of all samples, with labels as written.
    pub(crate) fn samples(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Counters of `earlier` that are smaller or gone now.
    pub(crate) fn set_back_since<'a>(&self, earlier: &'a Self) -> Vec<&'a str> {
        let is_counter = |sample: &str| {
            let family = sample.split('{').next().unwrap_or_default();
            ["_total", "_bucket", "_count", "_sum"]
                .iter()
                .any(|end| family.ends_with(end))
        };
        let is_less = |sample: &String, before: f64| self.0.get(sample).is_none_or(|now| *now < before);
        let counters = earlier.0.iter().filter(|(sample, _)| is_counter(sample));
        counters
            .filter(|(sample, before)| is_less(sample, **before))
            .map(|(sample, _)| sample.as_str())
            .collect()
    }
}

fn has_label(labels: &str, label: &str) -> bool {
    labels.trim_end_matches('}').split(',').any(|it| it == label)
}
