//! What training does to pools that serve, with real generations, decisions and files, and the time as told.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::config::SelectorType;
use crate::config::Source;
use crate::forest::GrowError;
use crate::forest::Model;
use crate::generation::Materials;
use crate::pool::Verdict;
use crate::selection::Charge;
use crate::selection::LearnerPreset;
use crate::selection::Reason;
use crate::selection::Registry;
use crate::selection::RequestFacts;
use crate::telemetry::Progress;
use crate::units::Draws;

/// Requests a second; few enough for each to be learned from.
const RATE: u64 = 20;
/// How long a new learner takes to be in charge here.
const SCHOOL_SECONDS: u64 = 40;

/// Pools that serve two backends each, the first of them slow for every other ten seconds.
struct Site {
    directory: TempDir,
    retrainer: Retrainer,
    now: Timestamp,
    sequence: u64,
    selectors: Vec<String>,
}

impl Site {
    fn new(selectors: &[&str]) -> Self {
        Self::at(tempfile::tempdir().unwrap(), selectors, &Materials::default())
    }

    fn at(directory: TempDir, selectors: &[&str], materials: &Materials) -> Self {
        let current = Current::new(generation(&directory, selectors, materials, None));
        Self {
            directory,
            retrainer: Retrainer::new(Arc::new(current), Arc::default(), study),
            now: Timestamp::from_seconds(1e9),
            sequence: 0,
            selectors: selectors.iter().map(ToString::to_string).collect(),
        }
    }

    /// A pool that has learned, with its forest in charge.
    fn taught() -> Self {
        let mut site = Self::new(&["{ type: forest, learn: { every: 5s } }"]);
        site.pass(SCHOOL_SECONDS);
        assert_eq!(site.charge(), Charge::InCharge, "{:?}", site.progress());
        site
    }

    /// The same pools as another process finds them.
    fn restarted(mut self) -> Self {
        for pupil in self.retrainer.pupils.values_mut() {
            pupil.save(self.now);
        }
        let selectors: Vec<&str> = self.selectors.iter().map(String::as_str).collect();
        Self::at(self.directory, &selectors, &Materials::default())
    }

    fn reload(&mut self, selectors: &[&str]) {
        let before = self.retrainer.current.take();
        let next = generation(&self.directory, selectors, &Materials::default(), Some(&before));
        self.retrainer.current.put(next);
    }

    /// Lets seconds pass with requests and looks; how many requests were not decided by the model.
    fn pass(&mut self, seconds: u64) -> u64 {
        let mut others = 0;
        for _ in 0..seconds {
            let generation = self.retrainer.current.take();
            for _ in 0..RATE {
                self.now = self.now.plus(Duration::from_millis(1000 / RATE));
                self.sequence += 1;
                for served in &generation.pools {
                    others += u64::from(self.serve(served) != Reason::Model);
                }
            }
            self.retrainer.look(self.now);
        }
        others
    }

    fn serve(&self, served: &ServedPool) -> Reason {
        let facts = RequestFacts {
            sequence: self.sequence,
            draw: Draws::new(self.sequence).next(),
            ..RequestFacts::default()
        };
        let snapshot = served.pool.snapshot(self.now);
        let choice = served.selector.select(&snapshot, &facts).expect("a backend");
        served.decided(&choice);
        let lesson = served.note(&snapshot, &facts, &choice);
        let mut attempt = served
            .pool
            .begin(choice.backend, facts.route_class, self.now)
            .expect("it exists");
        let is_slow = choice.backend.position() == 0 && self.now.seconds() % 20.0 < 10.0;
        let end = self.now.plus(Duration::from_millis(if is_slow { 60 } else { 10 }));
        attempt.answered(end);
        let outcome = attempt.finish(Verdict::Success, end);
        if let Some((notebook, lesson)) = served.notebook.as_ref().zip(lesson) {
            notebook.record(lesson, &outcome);
        }
        choice.reason
    }

    fn charge(&self) -> Charge {
        self.retrainer.current.look().pools[0].model.charge()
    }

    fn model(&self) -> Option<Arc<Model>> {
        self.retrainer.current.look().pools[0].model.current()
    }

    fn progress(&self) -> Progress {
        self.retrainer.telemetry.progress.of("p0").unwrap_or_default()
    }
}

/// A generation of pools `p0`, `p1`... with these selectors.
fn generation(
    directory: &TempDir,
    selectors: &[&str],
    materials: &Materials,
    previous: Option<&Generation>,
) -> Generation {
    let state_dir = directory.path().join("state");
    let mut text = format!(
        "version: 1\nruntime: {{ state_dir: '{}', max_load: off, max_temperature: off }}\n",
        state_dir.display()
    );
    text += "listeners: [{ name: web, bind: \"127.0.0.1:8080\" }]\nroutes:\n";
    for position in 0..selectors.len() {
        let name = format!("{{ name: r{position}, match: {{ path_prefix: /{position} }}, pool: p{position} }}");
        text += &format!("  - {name}\n");
    }
    text += "pools:\n";
    for (position, selector) in selectors.iter().enumerate() {
        let backends = "[{ address: \"127.0.0.1:1\" }, { address: \"127.0.0.1:2\" }]";
        text += &format!("  p{position}: {{ backends: {backends}, selector: {selector}, slow_start: 0s }}\n");
    }
    let registry = Registry::default();
    let types: Vec<SelectorType<'_>> = registry.types().collect();
    let source = Source {
        name: "test.yaml",
        text: &text,
    };
    let config = config::parse(source, &|_| None, &types).unwrap().config;
    let mut materials = materials.clone();
    for address in ["127.0.0.1:1", "127.0.0.1:2"] {
        materials.addresses.insert(address.to_owned(), address.parse().unwrap());
    }
    Generation::build(Arc::new(config), &materials, &registry, previous).unwrap()
}

#[test]
fn a_forest_earns_its_charge_by_what_it_foresees() {
    let mut site = Site::new(&["{ type: forest, learn: online }"]);
    let charges: Vec<Charge> = (0..SCHOOL_SECONDS)
        .map(|_| {
            site.pass(1);
            site.charge()
        })
        .collect();
    let mut order = charges;
    order.dedup();
    let expected = [Charge::FewRows, Charge::NoModel, Charge::Unproven, Charge::InCharge];
    assert_eq!(order, expected);
    let progress = site.progress();
    assert!(progress.skill.unwrap() > 0.05 && progress.retrains >= 1 && progress.rows >= 300);
}

#[test]
fn a_training_that_panics_costs_the_forest_nothing() {
    let mut site = Site::taught();
    let before = site.progress();
    site.retrainer.study = |_, _, _, _| panic!("provoked by this test");
    let undecided = site.pass(30);
    assert!(undecided <= 5, "{undecided} requests without the model");
    assert_eq!(site.charge(), Charge::InCharge);
    assert!(site.progress().panics >= 1);
    assert_eq!(site.progress().retrains, before.retrains);
    site.retrainer.study = study;
    site.pass(10);
    assert!(site.progress().retrains > before.retrains, "it goes on afterwards");
}

#[test]
fn a_training_that_fails_costs_the_forest_nothing() {
    let mut site = Site::taught();
    site.retrainer.study = |_, _, _, _| Err(GrowError::Target { row: 1 });
    assert!(site.pass(10) <= 5);
    assert_eq!((site.charge(), site.progress().errors >= 1), (Charge::InCharge, true));
}

#[test]
fn what_was_learned_outlives_the_process() {
    let site = Site::taught();
    let (model, progress) = (site.model(), site.progress());
    let mut site = site.restarted();
    assert_eq!(site.model(), None);
    site.retrainer.look(site.now);
    // The model serves again, as soon as it has proved itself.
    assert_eq!((site.model(), site.charge()), (model, Charge::Unproven));
    assert_eq!(site.progress().rows, progress.rows);
    assert_eq!(site.progress().models, progress.models);
    site.pass(30);
    assert_eq!(site.charge(), Charge::InCharge);
    assert!(site.progress().models > progress.models);
}

#[test]
fn a_torn_state_is_set_aside_and_learned_anew() {
    let site = Site::taught();
    let mut site = site.restarted();
    let state = site.directory.path().join("state/p0.learned");
    let bytes = fs::read(&state).unwrap();
    fs::write(&state, &bytes[..bytes.len() / 2]).unwrap();
    site.retrainer.look(site.now);
    assert_eq!((site.charge(), site.progress().rows), (Charge::FewRows, 0));
    assert!(!state.exists() && state.with_extension("learned.refused").exists());
}

#[test]
fn a_state_directory_that_cannot_be_written_costs_a_count() {
    let mut site = Site::new(&["{ type: forest, learn: { every: 5s } }"]);
    fs::write(site.directory.path().join("state"), "a file is in the way").unwrap();
    site.pass(SCHOOL_SECONDS * 2);
    assert_eq!(site.charge(), Charge::InCharge);
    let progress = site.progress();
    assert!((1..=2).contains(&progress.save_failures), "{progress:?}");
    assert_eq!(progress.saved_at, None);
}

#[test]
fn a_state_is_written_once_a_minute_at_most() {
    let mut site = Site::taught();
    let written = |site: &Site| {
        fs::metadata(site.directory.path().join("state/p0.learned"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let saved_at = site.progress().saved_at.unwrap();
    site.pass(59 - site.now.since(saved_at).as_secs().min(59));
    let (before, same) = (written(&site), site.progress().saved_at.unwrap());
    assert_eq!(same, saved_at);
    site.pass(10);
    assert!(site.progress().saved_at.unwrap() > same && written(&site) >= before);
}

#[test]
fn a_clock_that_jumps_takes_no_charge() {
    let mut site = Site::taught();
    let day = Duration::from_secs(86_400);
    site.retrainer.look(site.now.plus(day));
    assert_eq!(site.charge(), Charge::InCharge);
    // Back again, and further: nothing is due for a while, and everything goes on.
    site.now = Timestamp::from_nanos(site.now.nanos() - 2 * 86_400 * 1_000_000_000);
    assert!(site.pass(5) <= 5);
    assert_eq!(site.charge(), Charge::InCharge);
    site.now = site.now.plus(day * 10);
    let before = site.progress().retrains;
    site.pass(10);
    assert_eq!(site.charge(), Charge::InCharge);
    assert!(site.progress().retrains > before);
}

#[test]
fn options_that_change_keep_what_was_learned() {
    let mut site = Site::taught();
    let before = site.progress();
    site.reload(&["{ type: forest, preset: standard, explore: 1%, learn: online }"]);
    site.retrainer.look(site.now);
    assert_eq!((site.charge(), site.progress().rows), (Charge::InCharge, before.rows));
    let notebook = site.retrainer.current.look().pools[0].notebook.clone();
    assert_eq!(notebook.unwrap().preset(), LearnerPreset::Standard);
}

#[test]
fn a_forest_that_comes_back_knows_what_it_knew() {
    let mut site = Site::taught();
    let model = site.model();
    site.reload(&["least_requests"]);
    site.pass(3);
    assert_eq!(site.model(), None);
    site.reload(&["{ type: forest, learn: online }"]);
    site.retrainer.look(site.now);
    assert_eq!((site.model(), site.charge()), (model, Charge::InCharge));
}

#[test]
fn a_forest_that_only_watches_learns_too() {
    let mut site = Site::new(&["{ type: forest, mode: shadow, fallback: random, learn: online }"]);
    site.pass(SCHOOL_SECONDS * 2);
    assert_eq!(site.charge(), Charge::InCharge);
    let proposals = site.retrainer.current.look().pools[0].tallies[0].proposals();
    assert!(proposals.agreement().unwrap() < 0.9, "{proposals:?}");
    assert!(proposals.estimated_gain().unwrap() > 0.02, "{proposals:?}");
}

#[test]
fn training_takes_its_share_of_the_time_and_pools_take_turns() {
    let mut site = Site::new(&["{ type: forest, learn: online }"; 3]);
    while site.progress().rows < 300 {
        site.pass(1);
    }
    site.pass(1);
    let delays = |name: &str| site.retrainer.telemetry.progress.of(name).unwrap().delays;
    // All are due at once, and the first one's retraining leaves the others no time in the same look.
    assert_eq!((delays("p1"), delays("p2")), ([0, 0, 1], [0, 0, 1]));
    site.pass(20);
    for name in ["p0", "p1", "p2"] {
        assert!(
            site.retrainer.telemetry.progress.of(name).unwrap().retrains >= 1,
            "{name}"
        );
    }
}

#[test]
fn a_named_model_is_what_learning_starts_from() {
    let model = Site::taught().model().unwrap();
    let path = PathBuf::from("start.forest");
    let mut materials = Materials::default();
    materials.models.insert(path, Arc::clone(&model));
    let selector = "{ type: forest, model: start.forest, learn: { every: 20s } }";
    let mut site = Site::at(tempfile::tempdir().unwrap(), &[selector], &materials);
    site.pass(18);
    assert!(Arc::ptr_eq(&site.model().unwrap(), &model));
    assert_eq!(site.charge(), Charge::InCharge, "{:?}", site.progress());
    site.pass(10);
    let learned = site.model().unwrap();
    assert!(!Arc::ptr_eq(&learned, &model));
    // A reload of the same file does not bring the old model back.
    let before = site.retrainer.current.take();
    let next = generation(&site.directory, &[selector, "random"], &materials, Some(&before));
    site.retrainer.current.put(next);
    site.pass(1);
    assert!(Arc::ptr_eq(&site.model().unwrap(), &learned));
}

#[test]
fn a_frozen_forest_serves_its_model_and_learns_nothing() {
    let model = Site::taught().model().unwrap();
    let mut materials = Materials::default();
    materials.models.insert(PathBuf::from("own.forest"), Arc::clone(&model));
    let selector = "{ type: forest, model: own.forest, learn: off }";
    let mut site = Site::at(tempfile::tempdir().unwrap(), &[selector], &materials);
    assert_eq!(site.pass(20), 0);
    assert!(Arc::ptr_eq(&site.model().unwrap(), &model));
    assert_eq!(site.progress(), Progress::default());
    assert!(!site.directory.path().join("state").exists());
}

#[test]
fn a_pool_shows_no_model_of_a_selector_that_it_had_before() {
    let mut site = Site::new(&["forest"]);
    assert!(site.model().is_some());
    site.reload(&["round_robin"]);
    assert!(site.model().is_none());
    site.reload(&["forest"]);
    assert!(site.model().is_some());
}
