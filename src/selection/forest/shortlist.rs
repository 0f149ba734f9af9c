//! Which candidates all trees are asked about: all of them while they are few, else those that the first trees hold for the best.
//!
//! The trees of a ranker stand in stages, and the first of them say most. So of many candidates a few trees sort out
//! most, and what time there is goes to those that may still win (Cambazoglu and others: Early exit optimizations for
//! additive machine learned ranking systems, WSDM 2010, section 3).

use crate::forest::FEW;
use crate::forest::FIRST_TREES;
use crate::forest::Forest;
use crate::forest::Rows;
use crate::units::Draws;

/// Sets these draws apart from those that ties are broken with and samples taken.
const SALT: u64 = 0x7d3c_05a9_e1f2_66b1;

/// What a candidate is compared by, the lower the better: its score, then its requests in flight.
pub(crate) type Rank = (f32, f32);

/// The places of the candidates that all trees were asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shortlist {
    places: [usize; FEW],
    len: usize,
}

impl Shortlist {
    /// Writes what `forest` says of `rows` to `estimates`, but only of those that are on the list. `rank` turns the estimate of the row at a place into its rank; between equals `draw` decides.
    pub(crate) fn of(
        forest: &Forest,
        rows: &Rows,
        draw: u64,
        estimates: &mut [f32],
        rank: impl Fn(usize, f32) -> Rank,
    ) -> Self {
        let count = rows.len().min(estimates.len());
        if count <= FEW {
            forest.score(rows, estimates);
            return Self {
                places: std::array::from_fn(|place| place),
                len: count,
            };
        }
        let sums = &mut estimates[..count];
        sums.fill(0.0);
        forest.add(0..first(forest), rows, 0..count, sums);
        let list = Self::lowest(count, draw, |place| rank(place, forest.mean(sums[place])));
        complete(forest, rows, list.places(), sums);
        list
    }

    /// The places, best first by the first trees where there were too many.
    pub(crate) fn places(&self) -> &[usize] {
        &self.places[..self.len]
    }

    /// Makes the estimate of the row at `place` what all trees say, whether it is on the list or not.
    pub(crate) fn complete(&self, forest: &Forest, rows: &Rows, place: usize, estimates: &mut [f32]) {
        if !self.places().contains(&place) {
            complete(forest, rows, &[place], estimates);
        }
    }

    /// The lowest by `rank` of the places below `count`, looked at from a place on that chance names.
    fn lowest(count: usize, draw: u64, rank: impl Fn(usize) -> Rank) -> Self {
        let mut list = Self {
            places: [0; FEW],
            len: 0,
        };
        let mut ranks = [(f32::INFINITY, f32::INFINITY); FEW];
        let start = Draws::new(draw ^ SALT).below(count);
        for place in (start..count).chain(0..start) {
            let own = rank(place);
            let better = ranks[..list.len].partition_point(|other| *other <= own);
            if better < FEW {
                list.len = (list.len + 1).min(FEW);
                ranks[better..list.len].rotate_right(1);
                list.places[better..list.len].rotate_right(1);
                (ranks[better], list.places[better]) = (own, place);
            }
        }
        list
    }
}

/// How many trees are asked about all candidates.
fn first(forest: &Forest) -> usize {
    FIRST_TREES.min(forest.tree_count())
}

/// Turns the sums over the first trees at `places`, at most [`FEW`], into what all trees say.
fn complete(forest: &Forest, rows: &Rows, places: &[usize], sums: &mut [f32]) {
    let mut own = [0.0; FEW];
    for (own, place) in own.iter_mut().zip(places) {
        *own = sums[*place];
    }
    let count = places.len().min(FEW);
    forest.add(
        first(forest)..forest.tree_count(),
        rows,
        places.iter().copied(),
        &mut own[..count],
    );
    for (own, place) in own.iter().zip(places) {
        sums[*place] = forest.mean(*own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::Boosting;
    use crate::forest::Decisions;
    use crate::forest::GrowParams;
    use crate::forest::Schema;
    use crate::forest::grow_ranker;

    /// A forest of sixteen trees that has learned what three numbers add up to, and candidates that it can be asked about.
    fn forest_and_rows(candidates: usize) -> (Forest, Rows) {
        let mut draws = Draws::new(7);
        let mut rows = Rows::new(3, candidates);
        let mut decisions = Decisions::default();
        for _ in 0..500 {
            rows.clear();
            (0..candidates).for_each(|_| rows.add().fill_with(|| draws.fraction() as f32));
            let labels: Vec<f32> = rows.iter().map(|row| row.iter().sum()).collect();
            decisions.push(&rows, &labels);
        }
        let schema = Schema::new(["a", "b", "c"].map(str::to_owned).to_vec()).unwrap();
        let (samples, comparisons) = decisions.into_samples(schema).unwrap();
        let params = GrowParams {
            trees: 16,
            ..GrowParams::default()
        };
        let forest = grow_ranker(
            &samples,
            &comparisons,
            &params.boosted(Boosting::new(16, 0.3)),
            1,
            |_, estimate| estimate,
        )
        .unwrap();
        (forest, rows)
    }

    #[test]
    fn those_on_the_list_are_scored_by_all_trees_and_the_others_when_asked_for() {
        let (forest, rows) = forest_and_rows(20);
        let (mut whole, mut found) = ([0.0; 20], [0.0; 20]);
        forest.score(&rows, &mut whole);
        let list = Shortlist::of(&forest, &rows, 5, &mut found, |_, estimate| (estimate, 0.0));
        assert_eq!(list.places().len(), FEW);
        for &place in list.places() {
            assert_eq!(found[place], whole[place], "the same bits");
        }
        let lowest = (0..20)
            .min_by(|one, other| whole[*one].total_cmp(&whole[*other]))
            .unwrap();
        assert!(list.places().contains(&lowest));
        for place in 0..20 {
            list.complete(&forest, &rows, place, &mut found);
        }
        assert_eq!(found, whole);
    }

    /// The places of the lowest of these, for the request with this draw.
    fn lowest(scores: &[f32], draw: u64) -> Vec<usize> {
        let list = Shortlist::lowest(scores.len(), draw, |place| (scores[place], 0.0));
        list.places().to_vec()
    }

    #[test]
    fn the_lowest_are_on_the_list_best_first() {
        let scores: Vec<f32> = (0..40_u16).map(|place| f32::from(place * 7 % 40)).collect();
        let list = lowest(&scores, 3);
        let found: Vec<f32> = list.iter().map(|place| scores[*place]).collect();
        assert_eq!(found, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    }

    #[test]
    fn among_equals_chance_decides_who_is_on_the_list() {
        let mut met = [false; 32];
        for draw in 0..500 {
            lowest(&[1.0; 32], draw).iter().for_each(|place| met[*place] = true);
        }
        assert_eq!(met, [true; 32]);
    }
}
