//! Flat trees: eight bytes a node.
//!
//! A split sends `row[feature] < threshold` to `left` and everything else (NaN too) to `left + 1`. A leaf points to
//! itself and has the number of features in place of one.

/// A split or a leaf of a flat tree.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct Node {
    /// A split's threshold; a leaf's value.
    pub(crate) threshold: f32,
    /// The feature a split compares; a leaf has their number.
    pub(crate) feature: u16,
    /// Where smaller values go, counted from the tree's root; `left + 1` is where the others go. A leaf has itself.
    pub(crate) left: u16,
}

/// Where a tree's nodes lie in the forest's array. Built by [`Tree::check`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    root: u32,
    depth: u32,
}

/// Why nodes are not a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The offending node, counted from the root.
    pub(crate) node: usize,
}

impl Tree {
    /// The most levels of splits that a tree's 16-bit child indices can address.
    pub(crate) const MAX_DEPTH: usize = 15;
    /// The nodes of a full tree of that depth.
    pub(crate) const MAX_NODES: usize = u16::MAX as usize;

    /// The tree that `nodes` are, `root` being where they start in the forest's array, for rows of `width` features.
    ///
    /// Children must lie behind their parent and inside the tree, so that every walk ends in a leaf; leaves are finite.
    pub(crate) fn check(nodes: &[Node], root: u32, width: usize) -> Result<Self, Malformed> {
        if nodes.is_empty() || nodes.len() > Self::MAX_NODES {
            return Err(Malformed { node: 0 });
        }
        let mut depths = vec![0; nodes.len()];
        for (index, node) in nodes.iter().enumerate() {
            let depth = depths[index];
            match node
                .children(index, width, nodes.len())
                .ok_or(Malformed { node: index })?
            {
                Children::None => (),
                Children::From(left) => depths[left..left + 2].fill(depth + 1),
            }
        }
        let depth = depths.into_iter().max().unwrap_or(0);
        Ok(Self { root, depth })
    }

    /// Where the tree starts in the forest's array.
    pub(crate) fn root(self) -> u32 {
        self.root
    }

    /// How many levels of splits it has.
    pub(crate) fn depth(self) -> u32 {
        self.depth
    }

    /// The leaf that the row behind `value` lands on; for rows that are looked at once, without the extra slot.
    pub(crate) fn leaf(self, nodes: &[Node], width: usize, value: impl Fn(usize) -> f32) -> f32 {
        let root = self.root as usize;
        let mut node = nodes[root];
        while usize::from(node.feature) < width {
            node = nodes[root + node.child(value(usize::from(node.feature)))];
        }
        node.threshold
    }
}

enum Children {
    None,
    From(usize),
}

impl Node {
    /// The leaf at `index` of its tree with the value `value`.
    pub(crate) fn leaf(value: f32, index: u16, width: u16) -> Self {
        Self {
            threshold: value,
            feature: width,
            left: index,
        }
    }

    /// Whether this is a leaf of a forest over `width` features.
    pub(crate) fn is_leaf(self, width: usize) -> bool {
        usize::from(self.feature) == width
    }

    /// Where a split sends `value`, its feature's; counted from the root.
    pub(crate) fn child(self, value: f32) -> usize {
        usize::from(self.left) + usize::from(!is_left(value, self.threshold))
    }

    /// Where the children of the node at `index` of `count` are; `None` when it can be no node of a tree.
    fn children(self, index: usize, width: usize, count: usize) -> Option<Children> {
        let left = usize::from(self.left);
        if self.is_leaf(width) {
            return (left == index && self.threshold.is_finite()).then_some(Children::None);
        }
        let inside = left > index && left + 1 < count;
        (usize::from(self.feature) < width && inside && !self.threshold.is_nan()).then_some(Children::From(left))
    }
}

/// The one comparison of a split: smaller goes left.
fn is_left(value: f32, threshold: f32) -> bool {
    value < threshold
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::heap;
    use crate::forest::heap::Heap;
    use crate::forest::heap::PLACES;

    const WIDTH: usize = 2;

    fn split(feature: u16, threshold: f32, left: u16) -> Node {
        Node {
            threshold,
            feature,
            left,
        }
    }

    fn leaf(value: f32, index: u16) -> Node {
        Node::leaf(value, index, 2)
    }

    fn stump() -> Vec<Node> {
        vec![split(0, 0.5, 1), leaf(10.0, 1), leaf(20.0, 2)]
    }

    #[track_caller]
    fn check(nodes: &[Node], row: [f32; 2], expected: f32) {
        let tree = Tree::check(nodes, 0, WIDTH).unwrap();
        assert_eq!(tree.leaf(nodes, WIDTH, |feature| row[feature]), expected);
        let mut long = [0.0; PLACES];
        long[..WIDTH].copy_from_slice(&row);
        let heap = Heap::of(tree, nodes, WIDTH).unwrap();
        for count in 0..20 {
            let mut sums = vec![1.0; count];
            heap::add(&vec![heap.clone(); 9], &vec![&long; count], &mut sums);
            assert_eq!(sums, vec![1.0 + 9.0 * expected; count]);
        }
    }

    #[track_caller]
    fn refused(nodes: &[Node], node: usize) {
        assert_eq!(Tree::check(nodes, 0, WIDTH), Err(Malformed { node }));
    }

    #[test]
    fn a_node_is_eight_bytes() {
        assert_eq!(size_of::<Node>(), 8);
    }

    #[test]
    fn smaller_goes_left_and_the_threshold_itself_right() {
        check(&stump(), [0.4, 0.0], 10.0);
        check(&stump(), [0.5, 0.0], 20.0);
        check(&stump(), [f32::NEG_INFINITY, 0.0], 10.0);
        check(&stump(), [f32::NAN, 0.0], 20.0);
    }

    #[test]
    fn a_walk_that_arrives_early_stays_on_its_leaf() {
        let lopsided = [
            split(0, 0.5, 1),
            leaf(10.0, 1),
            split(1, 0.5, 3),
            leaf(20.0, 3),
            leaf(30.0, 4),
        ];
        check(&lopsided, [0.0, 9.0], 10.0);
        check(&lopsided, [1.0, 0.0], 20.0);
        check(&lopsided, [1.0, 1.0], 30.0);
    }

    #[test]
    fn nodes_that_lead_out_of_the_tree_are_refused() {
        refused(&[], 0);
        refused(&[split(0, 0.5, 1), leaf(1.0, 1)], 0);
        refused(&[split(0, 0.5, 0), leaf(1.0, 1)], 0);
        refused(&[split(0, f32::NAN, 1), leaf(1.0, 1), leaf(1.0, 2)], 0);
        refused(&[split(3, 0.5, 1), leaf(1.0, 1), leaf(1.0, 2)], 0);
        refused(&[split(0, 0.5, 1), leaf(f32::NAN, 1), leaf(1.0, 2)], 1);
        refused(&[split(0, 0.5, 1), leaf(1.0, 1), leaf(1.0, 1)], 2);
        refused(&[leaf(f32::NEG_INFINITY, 0)], 0);
    }
}
