//! Small trees as perfect heaps: walked without a pointer, a branch that depends on the data, or a bounds check.
//!
//! The children of the place `p` are `2 p` and `2 p + 1`, the root is 1, and every walk takes all levels: a leaf further up is
//! repeated below. Places and features are counted to 64, so that masking them costs less than checking them, and eight walks
//! at a time hide each other's loads: of several candidates through one tree, or of few through several.

use crate::forest::tree::Node;
use crate::forest::tree::Tree;

/// The most levels of splits.
const LEVELS: u32 = 6;
/// Places of a level of leaves, and the most features.
pub(super) const PLACES: usize = 1 << LEVELS;
const MASK: usize = PLACES - 1;

/// Rows that are walked at a time.
pub(super) const MOST_ROWS: usize = 8;

/// A row with room for every feature there may be.
pub(super) type Row = [f32; PLACES];

/// A tree of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heap {
    features: [u8; PLACES],
    thresholds: [f32; PLACES],
    leaves: [f32; PLACES],
}

impl Heap {
    /// `tree`, whose nodes are in `nodes`, over `width` features; `None` when it has too many levels or features.
    pub(super) fn of(tree: Tree, nodes: &[Node], width: usize) -> Option<Self> {
        if tree.depth() > LEVELS || width > PLACES {
            return None;
        }
        let mut heap = Self {
            features: [0; PLACES],
            thresholds: [0.0; PLACES],
            leaves: [0.0; PLACES],
        };
        heap.fill(1, 0, &nodes[tree.root() as usize..], width);
        Some(heap)
    }

    /// Puts the node at `index` of `nodes`, and what is below it, to `place`.
    fn fill(&mut self, place: usize, index: usize, nodes: &[Node], width: usize) {
        let node = nodes[index];
        if place >= PLACES {
            self.leaves[place - PLACES] = node.threshold;
            return;
        }
        let (mut left, mut right) = (index, index);
        if !node.is_leaf(width) {
            self.features[place] = node.feature as u8;
            self.thresholds[place] = node.threshold;
            (left, right) = (usize::from(node.left), usize::from(node.left) + 1);
        }
        self.fill(2 * place, left, nodes, width);
        self.fill(2 * place + 1, right, nodes, width);
    }
}

/// Adds to `sums` what `heaps` say of each of `rows`, in the order of the heaps.
pub(super) fn add(heaps: &[Heap], rows: &[&Row], sums: &mut [f32]) {
    let (mut rows, mut sums) = (rows, sums);
    while !rows.is_empty() && rows.len() <= sums.len() {
        let count = 1 << rows.len().min(MOST_ROWS).ilog2();
        let (some, rest) = rows.split_at(count);
        let (own, others) = sums.split_at_mut(count);
        match count {
            1 => walk::<1, 8>(heaps, some, own),
            2 => walk::<2, 4>(heaps, some, own),
            4 => walk::<4, 2>(heaps, some, own),
            _ => walk::<8, 1>(heaps, some, own),
        }
        (rows, sums) = (rest, others);
    }
}

/// The same of exactly so many rows, so many heaps at a time.
fn walk<const ROWS: usize, const HEAPS: usize>(heaps: &[Heap], rows: &[&Row], sums: &mut [f32]) {
    let (Some(rows), Some(sums)) = (rows.first_chunk::<ROWS>(), sums.first_chunk_mut::<ROWS>()) else {
        return;
    };
    let mut groups = heaps.chunks_exact(HEAPS);
    for group in &mut groups {
        if let Some(group) = group.first_chunk::<HEAPS>() {
            step::<ROWS, HEAPS>(group, rows, sums);
        }
    }
    for heap in groups.remainder() {
        step::<ROWS, 1>(std::array::from_ref(heap), rows, sums);
    }
}

#[inline(always)]
fn step<const ROWS: usize, const HEAPS: usize>(heaps: &[Heap; HEAPS], rows: &[&Row; ROWS], sums: &mut [f32; ROWS]) {
    let mut places = [[1_usize; ROWS]; HEAPS];
    for _ in 0..LEVELS {
        for (heap, places) in heaps.iter().zip(&mut places) {
            for (row, place) in rows.iter().zip(places) {
                let at = *place & MASK;
                let is_left = row[usize::from(heap.features[at]) & MASK] < heap.thresholds[at];
                *place = 2 * at + usize::from(!is_left);
            }
        }
    }
    for (heap, places) in heaps.iter().zip(&places) {
        for (sum, place) in sums.iter_mut().zip(places) {
            *sum += heap.leaves[place & MASK];
        }
    }
}
