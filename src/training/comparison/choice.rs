//! Which method to take, and why.

use crate::training::comparison::MethodSummary;
use crate::training::contenders::Method;
use crate::training::examples::Input;

/// The name of the method to take of `methods`, which learned from `input`, and the reason in one sentence; `None` when
/// none has scores.
///
/// The best balanced accuracy wins. Chance decides between those whose difference to it may be none, so of them the one
/// is taken that the gateway can serve.
pub(super) fn choose(methods: &[MethodSummary], input: Input<'_>) -> Option<(String, String)> {
    let best = best(methods)?;
    let served = methods.iter().find(|method| method.name == SERVED);
    let chosen = served.filter(|served| served.is_level()).unwrap_or(best);
    let serves = match input {
        Input::Table(_) => "the gateway serves",
        Input::Decisions(_) => "nearest to what the `forest` selector learns with is",
    };
    let reason = if chosen.name == best.name {
        leads(best, methods) + &behind(best, served, serves)
    } else {
        format!(
            "{} has the best balanced accuracy, but chance could explain its lead, and {serves} {SERVED}",
            best.name
        )
    };
    Some((chosen.name.clone(), reason + doubt(methods)))
}

/// The method that the gateway serves where a model is trained.
const SERVED: &str = Method::RandomForest.name();
/// What every method has to beat.
const LEAST: &str = Method::MostFrequent.name();

/// The one with the best balanced accuracy; of equal ones that which is served, or else the first.
pub(super) fn best(methods: &[MethodSummary]) -> Option<&MethodSummary> {
    let score = |method: &MethodSummary| method.scores.as_ref().map(|scores| scores.balanced_accuracy);
    let rank = |method| (score(method), method.name == SERVED);
    let scored = methods.iter().filter(|method| score(method).is_some());
    scored.reduce(|best, other| if rank(other) > rank(best) { other } else { best })
}

fn leads(best: &MethodSummary, methods: &[MethodSummary]) -> String {
    let is_rival = |method: &&MethodSummary| method.is_level() && method.name != best.name && method.name != LEAST;
    let rivals = methods.iter().filter(is_rival).map(|method| method.name.as_str());
    let rivals = rivals.collect::<Vec<_>>().join(", ");
    if rivals.is_empty() {
        "the best balanced accuracy, by more than chance explains".to_owned()
    } else {
        format!("the best balanced accuracy, level with {rivals} within chance")
    }
}

/// How far the one that is served is behind `best`.
fn behind(best: &MethodSummary, served: Option<&MethodSummary>, serves: &str) -> String {
    match served.and_then(MethodSummary::difference) {
        Some([difference, ..]) if best.name != SERVED => {
            format!("; {serves} {SERVED}, which is {:.3} behind", -difference)
        }
        _ => String::new(),
    }
}

/// Whether anything was learned at all.
fn doubt(methods: &[MethodSummary]) -> &'static str {
    let is_level = methods.iter().any(|method| method.name == LEAST && method.is_level());
    if is_level {
        "; but chance could explain that it is better than naming the most frequent class: record longer"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::comparison::MethodScores;
    use crate::training::dataset::Origin;
    use crate::training::dataset::Skipped;
    use crate::training::dataset::Table;
    use crate::training::decisions::Decisions;

    /// A method with a balanced accuracy, and the interval of its difference to the best.
    fn method(name: &str, balanced_accuracy: f64, difference: [f64; 3]) -> MethodSummary {
        let scores = MethodScores {
            balanced_accuracy,
            against_best: difference,
            ..MethodScores::default()
        };
        MethodSummary {
            name: name.to_owned(),
            rows: 10,
            scores: Some(scores),
            failure: None,
        }
    }

    fn table() -> Table {
        Table {
            origin: Origin::Recorded,
            rows: vec![],
            skipped: Skipped::default(),
            ignored: vec![],
        }
    }

    #[track_caller]
    fn check(methods: &[MethodSummary], chosen: &str, why: &str) {
        let (name, reason) = choose(methods, Input::Table(&table())).unwrap();
        assert_eq!(name, chosen);
        assert!(reason.contains(why), "{reason}");
    }

    #[test]
    fn the_best_is_taken_unless_chance_could_explain_its_lead() {
        let forest = |difference| method("random_forest", 0.7, difference);
        let nearest = method("k_nearest", 0.72, [0.0; 3]);
        check(
            &[forest([-0.02, -0.05, 0.01]), nearest.clone()],
            "random_forest",
            "chance could explain",
        );
        check(
            &[forest([-0.02, -0.03, -0.01]), nearest],
            "k_nearest",
            "which is 0.020 behind",
        );
        check(
            &[
                method("random_forest", 0.8, [0.0; 3]),
                method("adaboost", 0.79, [-0.01, -0.02, 0.01]),
            ],
            "random_forest",
            "level with adaboost",
        );
        check(
            &[
                method("random_forest", 0.8, [0.0; 3]),
                method("adaboost", 0.6, [-0.2, -0.3, -0.1]),
            ],
            "random_forest",
            "by more than chance",
        );
    }

    #[test]
    fn nothing_is_served_that_learned_from_a_decision_log() {
        let nearest = method("k_nearest", 0.72, [0.0; 3]);
        let decisions = Decisions::default();
        for low in [-0.01, 0.01] {
            let forest = method("random_forest", 0.7, [-0.02, -0.05, low]);
            let (_, reason) = choose(&[forest, nearest.clone()], Input::Decisions(&decisions)).unwrap();
            assert!(!reason.contains("the gateway serves"), "{reason}");
            assert!(
                reason.contains("the `forest` selector learns with is random_forest"),
                "{reason}"
            );
        }
    }

    #[test]
    fn of_equal_ones_the_one_that_is_served_is_the_best() {
        let methods = ["decision_tree", "random_forest", "adaboost"].map(|name| method(name, 0.8, [0.0; 3]));
        assert_eq!(best(&methods).unwrap().name, "random_forest");
    }

    #[test]
    fn a_choice_that_is_no_better_than_the_most_frequent_class_says_so() {
        check(
            &[
                method("most_frequent", 0.5, [-0.01, -0.02, 0.01]),
                method("random_forest", 0.51, [0.0; 3]),
            ],
            "random_forest",
            "record longer",
        );
    }

    #[test]
    fn nothing_is_chosen_where_nothing_could_be_fitted() {
        let failed = MethodSummary {
            scores: None,
            failure: Some("why".to_owned()),
            ..method("adaboost", 0.0, [0.0; 3])
        };
        assert_eq!(choose(&[failed], Input::Table(&table())), None);
    }
}
