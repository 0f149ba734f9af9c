//! What a forest's features are called, in order, and a short digest of that.
//!
//! A forest sees numbers without names. The digest in a model file is what keeps a model from being fed
//! columns that it was not trained on.

use sha2::Digest;
use sha2::Sha256;

/// The metrics of one backend, in the order that the paper's table has them.
pub const METRICS: [&str; 4] = ["cpu_percent", "ram_percent", "bytes_sent", "bytes_recv"];

/// The ordered names of a forest's features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema(Vec<String>);

impl Schema {
    /// The most features that a node can address; one more slot is the leaves' own.
    pub const MAX_FEATURES: usize = u16::MAX as usize - 1;

    /// A schema of `names`, or `None` when there are none or more than [`Self::MAX_FEATURES`].
    #[must_use]
    pub fn new(names: Vec<String>) -> Option<Self> {
        (1..=Self::MAX_FEATURES).contains(&names.len()).then_some(Self(names))
    }

    /// The features of the classifier of `backends` backends: the four [`METRICS`] of each, by `server_id`
    /// (`cpu_percent_0`, `ram_percent_0`, ..., `bytes_recv_1`). `None` for none or too many backends.
    #[must_use]
    pub fn joint(backends: usize) -> Option<Self> {
        if backends > Self::MAX_FEATURES {
            return None;
        }
        let names = (0..backends).flat_map(|id| METRICS.map(|metric| format!("{metric}_{id}")));
        Self::new(names.collect())
    }

    /// The names in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// How many features there are; never zero.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.len()
    }

    /// The first eight bytes of SHA-256 over the names, each ended by a zero byte.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hasher = Sha256::new();
        for name in &self.0 {
            hasher.update(name.as_bytes());
            hasher.update([0]);
        }
        hasher
            .finalize()
            .iter()
            .take(8)
            .fold(0, |digest, &byte| digest << 8 | u64::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(names: &[&str]) -> Schema {
        Schema::new(names.iter().map(ToString::to_string).collect()).unwrap()
    }

    #[test]
    fn order_and_boundaries_of_names_change_the_digest() {
        let digest = schema(&["a", "b"]).digest();
        assert_ne!(digest, schema(&["b", "a"]).digest());
        assert_ne!(digest, schema(&["ab"]).digest());
        assert_eq!(digest, schema(&["a", "b"]).digest());
    }

    #[test]
    fn joint_features_are_the_four_metrics_of_each_backend() {
        let joint = Schema::joint(2).unwrap();
        assert_eq!(joint.width(), 8);
        assert_eq!(joint.names()[0], "cpu_percent_0");
        assert_eq!(joint.names()[7], "bytes_recv_1");
    }

    #[test]
    fn a_schema_has_features_and_not_too_many() {
        assert_eq!(Schema::new(vec![]), None);
        assert_eq!(Schema::joint(0), None);
        assert_eq!(Schema::joint(20_000), None);
        assert_eq!(Schema::joint(usize::MAX), None);
    }
}
