//! `decision_log`: where a selector that learns keeps what it decided, and why.

use std::ops::RangeInclusive;

use crate::config::DecisionLog;
use crate::config::ModelUse;
use crate::config::SelectorType;
use crate::config::check::gateway;
use crate::config::read::Section;
use crate::units::Share;

/// A sixteenth of it must hold a model of any size that is learned.
const SIZE: RangeInclusive<u64> = 8 << 20..=1 << 40;
const DEFAULT_SIZE: u64 = 64 << 20;

/// The setting in `section`, whose type is `selector_type` if that is known.
pub(super) fn decision_log(section: &Section<'_>, selector_type: Option<&SelectorType<'_>>) -> Option<DecisionLog> {
    if let Some(stranger) = selector_type.filter(|known| known.model != ModelUse::Learned) {
        let because = format!("is for a selector that learns, and `{}` does not", stranger.name);
        section.inapplicable("decision_log", &because);
        return None;
    }
    section.optional("decision_log")?.section(|section| {
        let dir = section.required("dir", "state/decisions").and_then(gateway::path);
        let max_size = section.or("max_size", DEFAULT_SIZE, |node| node.size(SIZE));
        let sample = section.or("sample", default_sample(), |node| node.share(Share::NONE));
        Some(DecisionLog {
            dir: dir?,
            max_size,
            sample,
        })
    })?
}

/// At a thousand requests a second, ten rows of a kilobyte or two: the 64 MiB reach back for an hour.
fn default_sample() -> Share {
    Share::new(0.01).expect("a hundredth is between 0 and 1")
}
