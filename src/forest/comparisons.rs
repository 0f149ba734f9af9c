//! Decisions to learn from: the candidates of each side by side, and what each would have cost.

use crate::forest::GrowError;
use crate::forest::Rows;
use crate::forest::Samples;
use crate::forest::Schema;

/// Candidates of decisions, one after another, each with its label. Only differences within a decision count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decisions {
    values: Vec<f32>,
    comparisons: Comparisons,
}

/// The labels of decisions, without what was seen of the candidates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparisons {
    labels: Vec<f32>,
    /// How many candidates each decision has.
    sizes: Vec<u16>,
}

impl Decisions {
    /// Decisions whose candidates were seen like this, row by row.
    #[must_use]
    pub fn new(values: Vec<f32>, comparisons: Comparisons) -> Self {
        Self { values, comparisons }
    }

    /// How many candidates each decision has, their labels, and what was seen of them.
    #[must_use]
    pub fn parts(&self) -> (&[u16], &[f32], &[f32]) {
        (&self.comparisons.sizes, &self.comparisons.labels, &self.values)
    }

    /// Adds a decision among `rows` with these labels; of the longer one the rest is left out.
    pub fn push(&mut self, rows: &Rows, labels: &[f32]) {
        let count = rows.len().min(labels.len()).min(usize::from(u16::MAX));
        for row in 0..count {
            self.values.extend_from_slice(rows.row(row));
        }
        self.comparisons.labels.extend_from_slice(&labels[..count]);
        self.comparisons.sizes.push(count as u16);
    }

    /// Adds all of `other`.
    pub fn append(&mut self, mut other: Self) {
        self.values.append(&mut other.values);
        self.comparisons.labels.append(&mut other.comparisons.labels);
        self.comparisons.sizes.append(&mut other.comparisons.sizes);
    }

    /// The first `count` decisions, and the others.
    #[must_use]
    pub fn split(mut self, count: usize) -> (Self, Self) {
        let Comparisons { labels, sizes } = &mut self.comparisons;
        let sizes = sizes.split_off(count.min(sizes.len()));
        let others = sizes.iter().map(|size| usize::from(*size)).sum::<usize>();
        let width = self.values.len() / labels.len().max(1);
        let labels = labels.split_off(labels.len() - others);
        let values = self.values.split_off(self.values.len() - others * width);
        let comparisons = Comparisons { labels, sizes };
        (self, Self { values, comparisons })
    }

    /// Those among at most `most` candidates, and the others.
    #[must_use]
    pub fn divided(&self, most: usize) -> (Self, Self) {
        let mut divided = (Self::default(), Self::default());
        for (values, labels) in self.each() {
            let of = if labels.len() <= most {
                &mut divided.0
            } else {
                &mut divided.1
            };
            of.values.extend_from_slice(values);
            of.comparisons.labels.extend_from_slice(labels);
            of.comparisons.sizes.push(labels.len() as u16);
        }
        divided
    }

    /// Of each decision what was seen, candidate by candidate, and the labels.
    pub fn each(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        let width = self.values.len() / self.candidates().max(1);
        let mut values = &self.values[..];
        self.comparisons.each(&self.comparisons.labels).map(move |labels| {
            let (own, rest) = values.split_at(labels.len() * width);
            values = rest;
            (own, labels)
        })
    }

    /// How many decisions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.comparisons.sizes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many candidates they have together.
    #[must_use]
    pub fn candidates(&self) -> usize {
        self.comparisons.labels.len()
    }

    /// What was seen, by `schema`, and what is to be made of it.
    ///
    /// # Errors
    /// When there is nothing, a number is not finite, or rows are of another width.
    pub fn into_samples(self, schema: Schema) -> Result<(Samples, Comparisons), GrowError> {
        Ok((Samples::new(schema, self.values)?, self.comparisons))
    }
}

impl Comparisons {
    /// Decisions of so many candidates each, with these labels; `None` when there are not as many.
    #[must_use]
    pub fn new(labels: Vec<f32>, sizes: Vec<u16>) -> Option<Self> {
        let count: usize = sizes.iter().map(|size| usize::from(*size)).sum();
        (count == labels.len()).then_some(Self { labels, sizes })
    }

    /// How many candidates the largest decision has.
    #[must_use]
    pub fn most(&self) -> usize {
        self.sizes.iter().copied().max().unwrap_or_default().into()
    }

    /// Of each decision the `most` candidates with the lowest of `ranks`, which has one for each; and which they are.
    pub(crate) fn lowest(&self, ranks: &[f32], most: usize) -> (Vec<usize>, Self) {
        let mut rows = Vec::with_capacity(ranks.len());
        let mut sizes = Vec::with_capacity(self.sizes.len());
        for own in self.each(&(0..ranks.len()).collect::<Vec<_>>()) {
            let mut own = own.to_vec();
            own.sort_by(|one, other| ranks[*one].total_cmp(&ranks[*other]));
            own.truncate(most);
            own.sort_unstable();
            sizes.push(own.len() as u16);
            rows.extend(own);
        }
        let labels = rows.iter().map(|&row| self.labels[row]).collect();
        (rows, Self { labels, sizes })
    }

    /// The label of every candidate.
    #[must_use]
    pub fn labels(&self) -> &[f32] {
        &self.labels
    }

    /// The candidates of each decision, out of `of_all`, which has one item for each.
    pub fn each<'a, T>(&self, mut of_all: &'a [T]) -> impl Iterator<Item = &'a [T]> {
        self.sizes.iter().map_while(move |size| {
            let (own, rest) = of_all.split_at_checked(usize::from(*size))?;
            of_all = rest;
            Some(own)
        })
    }

    /// Takes from the number of each candidate the mean of its decision.
    pub(crate) fn centre(&self, mut numbers: &mut [f32]) {
        for size in &self.sizes {
            let Some((own, rest)) = numbers.split_at_mut_checked(usize::from(*size)) else {
                return;
            };
            let mean = own.iter().sum::<f32>() / own.len().max(1) as f32;
            own.iter_mut().for_each(|number| *number -= mean);
            numbers = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions() -> Decisions {
        let mut rows = Rows::new(1, 3);
        let mut decisions = Decisions::default();
        for labels in [&[1.0, 3.0][..], &[5.0, 5.0, 8.0]] {
            rows.clear();
            labels.iter().for_each(|label| rows.add().copy_from_slice(&[*label]));
            decisions.push(&rows, labels);
        }
        decisions
    }

    #[test]
    fn numbers_are_centred_within_their_decision() {
        let mut numbers = decisions().comparisons.labels;
        decisions().comparisons.centre(&mut numbers);
        assert_eq!(numbers, [-1.0, 1.0, -1.0, -1.0, 2.0]);
    }

    #[test]
    fn of_each_decision_the_lowest_stay() {
        let comparisons = decisions().comparisons;
        let (rows, few) = comparisons.lowest(&[2.0, 1.0, 3.0, 0.0, 0.0], 2);
        assert_eq!(rows, [0, 1, 3, 4]);
        assert_eq!(few, Comparisons::new(vec![1.0, 3.0, 5.0, 8.0], vec![2, 2]).unwrap());
        assert_eq!(comparisons.lowest(&[0.0; 5], 3), (vec![0, 1, 2, 3, 4], comparisons));
    }

    #[test]
    fn decisions_among_few_and_among_many_are_divided() {
        let (few, many) = decisions().divided(2);
        assert_eq!(few.parts(), (&[2][..], &[1.0, 3.0][..], &[1.0, 3.0][..]));
        assert_eq!(many.parts(), (&[3][..], &[5.0, 5.0, 8.0][..], &[5.0, 5.0, 8.0][..]));
        assert_eq!(decisions().divided(3), (decisions(), Decisions::default()));
    }

    #[test]
    fn decisions_stay_apart_when_they_are_put_together() {
        let mut both = decisions();
        both.append(decisions());
        assert_eq!((both.len(), both.candidates()), (4, 10));
        let (samples, comparisons) = both.into_samples(Schema::new(vec!["x".to_owned()]).unwrap()).unwrap();
        assert_eq!(samples.count(), 10);
        let sizes: Vec<usize> = comparisons.each(comparisons.labels()).map(<[f32]>::len).collect();
        assert_eq!(sizes, [2, 3, 2, 3]);
    }
}
