//! The settings of a selector that learns.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::Learn;
use crate::config::Learning;
use crate::config::Mode;
use crate::config::ModelUse;
use crate::config::Preset;
use crate::config::SelectorType;
use crate::config::error::quoted;
use crate::config::read::Located;
use crate::config::read::Section;
use crate::units::Share;

const MODES: [(&str, Mode); 2] = [("active", Mode::Active), ("shadow", Mode::Shadow)];
const PRESETS: [(&str, Preset); 3] = [
    ("auto", Preset::Auto),
    ("small", Preset::Small),
    ("standard", Preset::Standard),
];
const EVERY: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3_600);
/// How to write `learn`.
const LEARN: &str = "`off`, `online` or `{ every: 10s }`";

impl Default for Learning {
    /// Serves with a model that stays as it is.
    fn default() -> Self {
        Self {
            mode: Mode::Active,
            explore: Share::NONE,
            preset: Preset::Auto,
            learn: Learn::Off,
        }
    }
}

impl Learning {
    /// Serves, and learns from one exploring request in a thousand.
    #[must_use]
    pub fn online() -> Self {
        Self {
            explore: Share::new(0.001).expect("a thousandth is between 0 and 1"),
            learn: Learn::Online(None),
            ..Self::default()
        }
    }
}

/// The settings in `section`, whose type is `selector_type` if that is known.
pub(super) fn learning(section: &Section<'_>, selector_type: Option<&SelectorType<'_>>) -> Learning {
    if let Some(stranger) = selector_type.filter(|known| known.model != ModelUse::Learned) {
        let because = format!("is for a selector that learns, and `{}` does not", stranger.name);
        for key in ["mode", "explore", "preset", "learn"] {
            section.inapplicable(key, &because);
        }
        return Learning::default();
    }
    let learning = Learning {
        mode: section.or("mode", Mode::Active, |node| node.choice(&MODES)),
        explore: explore(section),
        preset: section.or("preset", Preset::Auto, |node| node.choice(&PRESETS)),
        learn: section.optional("learn").map_or(Learn::Off, |node| {
            // What was meant cannot be said; that it was to stay as it is, is the least likely.
            learn(node).unwrap_or(Learn::Online(None))
        }),
    };
    refuse_idle_keys(section, &learning);
    match learning {
        Learning { learn: Learn::Off, .. } => Learning {
            explore: Share::NONE,
            ..learning
        },
        learning => learning,
    }
}

fn explore(section: &Section<'_>) -> Share {
    section.or("explore", Learning::online().explore, |node| node.share(Share::NONE))
}

fn learn(node: Located<'_>) -> Option<Learn> {
    if node.is_section() {
        return node.section(|section| {
            let every = section.optional("every").and_then(|node| node.duration(EVERY));
            Learn::Online(every)
        });
    }
    let text = node.word(LEARN)?;
    match text {
        "off" => return Some(Learn::Off),
        "online" => return Some(Learn::Online(None)),
        _ => {}
    }
    node.refuse(format!("`learn` cannot be {}", quoted(text)), format!("write {LEARN}"));
    None
}

/// Keys that would do nothing beside the others.
fn refuse_idle_keys(section: &Section<'_>, learning: &Learning) {
    match learning {
        Learning { learn: Learn::Off, .. } => {
            section.inapplicable("explore", "is what a learner learns from: it needs `learn: online`");
            section.inapplicable("preset", "says how much is learned: it needs `learn: online`");
        }
        Learning { mode: Mode::Shadow, .. } => section.inapplicable(
            "explore",
            "is for `mode: active`; in shadow mode the fallback chooses alone",
        ),
        _ => {}
    }
}
