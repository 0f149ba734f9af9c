//! How good forecasts of classes are: the usual scores, each over weighted rows, so that a resample is a set of weights.
//!
//! Written here and held against scikit-learn (`integration/fixtures/scikit.py`), because linfa's own swap precision
//! and recall for arrays and lose area under the ROC curve where many scores are zero.

/// Probabilities of the classes of some rows, and what they were.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Forecasts {
    /// How many classes there are.
    pub(crate) classes: usize,
    /// Row by row the probability of each class.
    pub(crate) shares: Vec<f64>,
    /// The class of each row.
    pub(crate) labels: Vec<usize>,
    /// Which fold each row was tested in: each has a model of its own, whose probabilities rank no others' rows.
    pub(crate) folds: Vec<usize>,
}

impl Forecasts {
    /// No rows yet, of `classes` classes.
    pub(crate) fn new(classes: usize) -> Self {
        Self {
            classes,
            ..Self::default()
        }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The probabilities of one row.
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.shares[row * self.classes..][..self.classes]
    }

    /// The class that each row is taken for: the most probable one, of equals the first.
    pub(crate) fn votes(&self) -> Vec<usize> {
        (0..self.len()).map(|row| largest(self.row(row))).collect()
    }

    /// The rows in the order that `places` gives, which may repeat or leave out.
    pub(crate) fn ordered(&self, places: &[usize]) -> Self {
        Self {
            classes: self.classes,
            shares: places.iter().flat_map(|&row| self.row(row).iter().copied()).collect(),
            labels: places.iter().map(|&row| self.labels[row]).collect(),
            folds: places.iter().map(|&row| self.folds[row]).collect(),
        }
    }

    /// The mean of -ln of the probability that was given to what came true.
    ///
    /// A probability is taken to be no further than `f64::EPSILON` from 0 and 1, or one such row would decide alone.
    pub(crate) fn log_loss(&self) -> f64 {
        let loss = |row: usize| {
            let share = self.row(row)[self.labels[row]];
            -share.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
        };
        (0..self.len()).map(loss).sum::<f64>() / self.len() as f64
    }

    /// The rows of each fold by how probable each class was said to be, for the areas under their ROC curves.
    pub(crate) fn rankings(&self) -> Vec<Ranking> {
        let folds = self.folds.iter().max().map_or(0, |last| last + 1);
        let of_fold = |fold| (0..self.classes).map(move |class| Ranking::new(self, class, fold));
        (0..folds).flat_map(of_fold).collect()
    }
}

/// The place of the largest of `shares`, of equals the first.
fn largest(shares: &[f64]) -> usize {
    let mut best = 0;
    for (place, share) in shares.iter().enumerate() {
        if *share > shares[best] {
            best = place;
        }
    }
    best
}

/// How often each class was taken for each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Confusion {
    classes: usize,
    /// What was the case, then what it was taken for.
    counts: Vec<f64>,
}

impl Confusion {
    /// Nothing counted yet, of `classes` classes.
    pub(crate) fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0.0; classes * classes],
        }
    }

    /// The rows of these classes, each taken for its vote.
    pub(crate) fn of(classes: usize, labels: &[usize], votes: impl IntoIterator<Item = usize>) -> Self {
        let mut confusion = Self::new(classes);
        for (&label, vote) in labels.iter().zip(votes) {
            confusion.add(label, vote, 1.0);
        }
        confusion
    }

    /// For each class, how many of its rows were taken for each; parts of rows are left out.
    pub(crate) fn rows(&self) -> Vec<Vec<u64>> {
        let row = |label| (0..self.classes).map(|vote| self.at(label, vote) as u64).collect();
        (0..self.classes).map(row).collect()
    }

    /// Counts a row of the class `label` that was taken for `vote`.
    pub(crate) fn add(&mut self, label: usize, vote: usize, weight: f64) {
        self.counts[label * self.classes + vote] += weight;
    }

    /// Counts what `other` has counted, `weight` times.
    pub(crate) fn merge(&mut self, other: &Self, weight: f64) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += weight * more;
        }
    }

    /// How often a row of the class `label` was taken for `vote`.
    pub(crate) fn at(&self, label: usize, vote: usize) -> f64 {
        self.counts[label * self.classes + vote]
    }

    /// The share of rows that were taken for what they were.
    pub(crate) fn accuracy(&self) -> f64 {
        self.right() / self.total()
    }

    /// The mean of the recalls of the classes that occur.
    pub(crate) fn balanced_accuracy(&self) -> f64 {
        mean((0..self.classes).filter_map(|class| self.recall(class)))
    }

    /// The share of the rows of `class` that were taken for it; `None` where it does not occur.
    pub(crate) fn recall(&self, class: usize) -> Option<f64> {
        let of_class = self.labelled(class);
        (of_class > 0.0).then(|| self.at(class, class) / of_class)
    }

    /// The mean F1 of the classes that occur or were voted for.
    pub(crate) fn macro_f1(&self) -> f64 {
        let f1 = |class: usize| {
            let seen = self.labelled(class) + self.voted(class);
            (seen > 0.0).then(|| 2.0 * self.at(class, class) / seen)
        };
        mean((0..self.classes).filter_map(f1))
    }

    /// Matthews' correlation of votes and classes, from -1 to 1; 0 where either is always the same (Gorodkin: Comparing
    /// two K-category assignments by a K-category correlation coefficient, 2004).
    pub(crate) fn correlation(&self) -> f64 {
        let total = self.total();
        let sum = |of: &dyn Fn(usize) -> f64| (0..self.classes).map(of).sum::<f64>();
        let both = sum(&|class| self.labelled(class) * self.voted(class));
        let spread = |of: &dyn Fn(usize) -> f64| total * total - sum(&|class| of(class).powi(2));
        let scale = (spread(&|class| self.labelled(class)) * spread(&|class| self.voted(class))).sqrt();
        if scale > 0.0 {
            (self.right() * total - both) / scale
        } else {
            0.0
        }
    }

    fn total(&self) -> f64 {
        self.counts.iter().sum()
    }

    fn right(&self) -> f64 {
        (0..self.classes).map(|class| self.at(class, class)).sum()
    }

    fn labelled(&self, class: usize) -> f64 {
        (0..self.classes).map(|vote| self.at(class, vote)).sum()
    }

    fn voted(&self, class: usize) -> f64 {
        (0..self.classes).map(|label| self.at(label, class)).sum()
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// The rows of a fold from the one that most probably is of a class to the one that least is.
#[derive(Clone, Debug)]
pub(crate) struct Ranking {
    /// Rows that are equally probable stand together.
    groups: Vec<Vec<(usize, bool)>>,
}

impl Ranking {
    fn new(forecasts: &Forecasts, class: usize, fold: usize) -> Self {
        let share = |row: usize| forecasts.row(row)[class];
        let mut rows: Vec<usize> = (0..forecasts.len())
            .filter(|&row| forecasts.folds[row] == fold)
            .collect();
        rows.sort_by(|&a, &b| share(b).total_cmp(&share(a)));
        let is = |&row: &usize| (row, forecasts.labels[row] == class);
        let groups = rows.chunk_by(|&a, &b| share(a) == share(b));
        Self {
            groups: groups.map(|group| group.iter().map(is).collect()).collect(),
        }
    }

    /// The area under the ROC curve, each row counting `weight` times: how often a row of the class stands before one
    /// that is not, those of equal probability counting half. `None` without either.
    pub(crate) fn area(&self, weight: impl Fn(usize) -> f64) -> Option<f64> {
        let (mut hits, mut misses, mut area) = (0.0, 0.0, 0.0);
        for group in &self.groups {
            let (hit, miss) = weigh(group, &weight);
            area += miss * (hits + hit / 2.0);
            hits += hit;
            misses += miss;
        }
        (hits > 0.0 && misses > 0.0).then(|| area / (hits * misses))
    }

    /// The ROC curve from (0, 0) to (1, 1): the share of other rows and that of the class which stand before a place.
    fn curve(&self) -> Vec<(f64, f64)> {
        let mut points = vec![(0.0, 0.0)];
        let (mut hits, mut misses) = (0.0, 0.0);
        for group in &self.groups {
            let (hit, miss) = weigh(group, &|_| 1.0);
            (hits, misses) = (hits + hit, misses + miss);
            points.push((misses, hits));
        }
        points.iter().map(|(x, y)| (x / misses, y / hits)).collect()
    }
}

fn weigh(group: &[(usize, bool)], weight: &impl Fn(usize) -> f64) -> (f64, f64) {
    group.iter().fold((0.0, 0.0), |(hit, miss), &(row, is)| {
        let weight = weight(row);
        if is { (hit + weight, miss) } else { (hit, miss + weight) }
    })
}

/// The mean over folds and classes of the area under the ROC curve of a class against the rest, those without one left
/// out.
pub(crate) fn mean_area(rankings: &[Ranking], weight: impl Fn(usize) -> f64) -> Option<f64> {
    let areas: Vec<f64> = rankings.iter().filter_map(|ranking| ranking.area(&weight)).collect();
    (!areas.is_empty()).then(|| mean(areas.into_iter()))
}

/// Places on the axis of a mean ROC curve, beside its begin.
const CURVE_STEPS: usize = 50;

/// The mean over folds and classes of the ROC curve of a class against the rest: the share of a class that stands before 0, 2, ... 100 % of
/// the other rows. Empty where no class has one.
pub(crate) fn mean_curve(rankings: &[Ranking]) -> Vec<f64> {
    let has_area = |ranking: &&Ranking| ranking.area(|_| 1.0).is_some();
    let curves: Vec<_> = rankings.iter().filter(has_area).map(Ranking::curve).collect();
    if curves.is_empty() {
        return Vec::new();
    }
    let at = |step: usize| {
        mean(
            curves
                .iter()
                .map(|curve| height(curve, step as f64 / CURVE_STEPS as f64)),
        )
    };
    (0..=CURVE_STEPS).map(at).collect()
}

/// How high `curve`, which goes from left to right, is at `x`; where it rises there, its upper end.
fn height(curve: &[(f64, f64)], x: f64) -> f64 {
    let after = curve.partition_point(|point| point.0 <= x);
    match (curve.get(after.wrapping_sub(1)), curve.get(after)) {
        (Some(left), Some(right)) => left.1 + (right.1 - left.1) * (x - left.0) / (right.0 - left.0),
        (Some(last), None) => last.1,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests;
