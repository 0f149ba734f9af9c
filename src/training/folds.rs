//! Cross-validation as a model is used: it learns from earlier rows and is tested on later ones, and every fold has its
//! share of each class.
//!
//! The rows of each class are parted in time; fold by fold, the next part of every class is tested by what was learned
//! from all parts before. Where the classes change with time, their parts do not end at the same moment: training rows
//! from behind the first tested one are left out, unless too little would be left of a class.

/// How often something is fitted and tested.
pub(crate) const FOLDS: usize = 5;
/// A class with fewer rows cannot be in every part.
pub(crate) const LEAST_PER_CLASS: usize = FOLDS + 1;

/// Rows to learn from and rows to be tested on, both in the order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fold {
    /// What is learned from.
    pub(crate) trained: Vec<usize>,
    /// What is tested on.
    pub(crate) tested: Vec<usize>,
    /// Rows that would have been learned from, but are later than the first tested one.
    pub(crate) left_out: usize,
    /// Rows that are learned from although they are later: without them little would be left of a class.
    pub(crate) later: usize,
}

/// The folds of rows in the order of time with these `labels`, each class having [`LEAST_PER_CLASS`] rows or more.
pub(crate) fn folds(labels: &[usize], classes: usize) -> Vec<Fold> {
    let of_class = |class: usize| (0..labels.len()).filter(|&row| labels[row] == class).collect();
    let by_class: Vec<Vec<usize>> = (0..classes).map(of_class).collect();
    (1..=FOLDS).map(|part| fold(&by_class, part)).collect()
}

fn fold(by_class: &[Vec<usize>], part: usize) -> Fold {
    let end = |rows: &Vec<usize>, part: usize| rows.len() * part / (FOLDS + 1);
    let taken = |from: usize, to: usize| {
        let part = |rows: &Vec<usize>| rows[end(rows, from)..end(rows, to)].to_vec();
        let mut taken: Vec<usize> = by_class.iter().flat_map(part).collect();
        taken.sort_unstable();
        taken
    };
    let (mut trained, tested) = (taken(0, part), taken(part, part + 1));
    let first = tested.first().copied().unwrap_or_default();
    let keeps_enough = |rows: &Vec<usize>| {
        let learned = &rows[..end(rows, part)];
        2 * learned.partition_point(|&row| row < first) >= learned.len()
    };
    let later = trained.len() - trained.partition_point(|&row| row < first);
    let is_cut = by_class.iter().all(keeps_enough);
    if is_cut {
        trained.truncate(trained.len() - later);
    }
    let (left_out, later) = if is_cut { (later, 0) } else { (0, later) };
    Fold {
        trained,
        tested,
        left_out,
        later,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Draws;

    /// A tenth of the rows are of class 1.
    fn labels(count: usize) -> Vec<usize> {
        let mut draws = Draws::new(1);
        (0..count).map(|_| usize::from(draws.below(10) == 0)).collect()
    }

    #[test]
    fn what_is_learned_from_is_earlier_than_what_is_tested() {
        for fold in folds(&labels(1200), 2) {
            assert!(fold.trained.iter().max() < fold.tested.iter().min());
            assert_eq!(fold.later, 0);
            assert!(fold.left_out < 200, "{}", fold.left_out);
        }
    }

    #[test]
    fn every_fold_has_its_share_of_each_class() {
        let labels = labels(1200);
        let rare = labels.iter().sum::<usize>();
        let folds = folds(&labels, 2);
        for fold in &folds {
            let own: usize = fold.tested.iter().map(|&row| labels[row]).sum();
            assert!(own.abs_diff(rare / 6) <= 1, "{own} of {rare}");
        }
        let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.tested.clone()).collect();
        tested.sort_unstable();
        tested.dedup();
        assert_eq!(tested.len(), folds.iter().map(|fold| fold.tested.len()).sum::<usize>());
        assert!((990..=1002).contains(&tested.len()), "{}", tested.len());
    }

    #[test]
    fn classes_that_never_meet_are_learned_all_the_same() {
        let labels: Vec<usize> = (0..120).map(|row| row / 60).collect();
        for fold in folds(&labels, 2) {
            assert!(fold.trained.iter().any(|&row| labels[row] == 1));
            assert!(fold.later > 0 && fold.left_out == 0);
        }
    }

    #[test]
    fn the_fewest_rows_still_put_each_class_everywhere() {
        let labels: Vec<usize> = (0..LEAST_PER_CLASS * 2).map(|row| row % 2).collect();
        for fold in folds(&labels, 2) {
            let has = |rows: &[usize], class| rows.iter().any(|&row| labels[row] == class);
            assert!((0..2).all(|class| has(&fold.trained, class) && has(&fold.tested, class)));
        }
    }
}
