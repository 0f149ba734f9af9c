//! Which candidates all trees are asked about: all of them while they are few, else those that the first trees hold for the best.
//!
//! The trees of a ranker stand in stages, and the first of them say most. So of many candidates a quarter of the trees sorts out
//! most, and what time there is goes to those that may still win (Cambazoglu and others: Early exit optimizations for
//! additive machine learned ranking systems, WSDM 2010, section 3).

use crate::forest::Forest;
use crate::forest::Rows;
use crate::units::Draws;

/// The most candidates that all trees are asked about.
const MOST: usize = 8;
/// One in so many trees is asked about all candidates.
const FIRST_SHARE: usize = 4;
/// Sets these draws apart from those that ties are broken with and samples taken.
const SALT: u64 = 0x7d3c_05a9_e1f2_66b1;

/// What a candidate is compared by, the lower the better: its score, then its requests in flight.
pub(crate) type Rank = (f32, f32);

/// The places of the candidates that all trees were asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shortlist {
    places: [usize; MOST],
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
        if count <= MOST {
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

    /// The places, best first where there were too many.
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
            places: [0; MOST],
            len: 0,
        };
        let mut ranks = [(f32::INFINITY, f32::INFINITY); MOST];
        let start = Draws::new(draw ^ SALT).below(count);
        for place in (start..count).chain(0..start) {
            let own = rank(place);
            let better = ranks[..list.len].partition_point(|other| *other <= own);
            if better < MOST {
                list.len = (list.len + 1).min(MOST);
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
    forest.tree_count().div_ceil(FIRST_SHARE)
}

/// Turns the sums over the first trees at `places`, at most [`MOST`], into what all trees say.
fn complete(forest: &Forest, rows: &Rows, places: &[usize], sums: &mut [f32]) {
    let mut own = [0.0; MOST];
    for (own, place) in own.iter_mut().zip(places) {
        *own = sums[*place];
    }
    let count = places.len().min(MOST);
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
