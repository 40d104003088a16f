//! Nothing is drawn twice, and nothing is lost without being counted.

use chain::Work;
use chain::uint::U256;
use proptest::prelude::*;

use super::*;
use crate::limits::TREE_PICTURES;
use crate::testing::{Sketch, any_tree, id};

/// The blocks of a tree, the genesis block first, in the order of `priorities` but none before its parent.
fn blocks_of(tree: &[(String, usize)], priorities: &[u32]) -> Vec<TreeBlock> {
    let mut blocks = vec![TreeBlock {
        id: id("0"),
        parent: None,
        height: 0,
        work: Work::ZERO,
    }];
    let mut places = vec![Some(0); 1];
    places.resize(tree.len() + 1, None);
    while let Some(next) = (0..tree.len())
        .filter(|at| places[at + 1].is_none() && places[tree[*at].1].is_some())
        .min_by_key(|at| priorities[*at])
    {
        let parent = places[tree[next].1].expect("it was looked for");
        let height = blocks[parent].height + 1;
        places[next + 1] = Some(blocks.len());
        blocks.push(TreeBlock {
            id: id(&tree[next].0),
            parent: Some(parent),
            height,
            work: Work(U256::from(u64::from(height))),
        });
    }
    blocks
}

fn grown(blocks: &[TreeBlock]) -> Tree {
    let mut tree = Tree::new();
    blocks.iter().for_each(|block| tree.push(*block));
    tree
}

/// The lines of a tree, by the names of their blocks.
fn lines(tree: &Tree, blocks: &[TreeBlock]) -> BTreeSet<Vec<BlockId>> {
    let name = |place: usize| blocks[place].id;
    let lines = tree.lines(name).into_iter();
    lines
        .map(|(_, line)| line.blocks.iter().map(|place| name(*place as usize)).collect())
        .collect()
}

/// The same by looking at everything: from each block that is not its parent's best child, best child on best child.
fn naive_lines(blocks: &[TreeBlock]) -> BTreeSet<Vec<BlockId>> {
    let rank = |place: usize| (blocks[place].work, std::cmp::Reverse(blocks[place].id));
    let children = |of: usize| (0..blocks.len()).filter(move |place| blocks[*place].parent == Some(of));
    fn best_above(
        place: usize,
        children: &dyn Fn(usize) -> Vec<usize>,
        rank: &dyn Fn(usize) -> (Work, std::cmp::Reverse<BlockId>),
    ) -> usize {
        let above = children(place)
            .into_iter()
            .map(|child| best_above(child, children, rank));
        above.max_by_key(|tip| rank(*tip)).unwrap_or(place)
    }
    let listed = |of: usize| children(of).collect::<Vec<_>>();
    let best_child = |of: usize| {
        listed(of)
            .into_iter()
            .max_by_key(|child| rank(best_above(*child, &listed, &rank)))
    };
    let begins = |place: &usize| {
        blocks[*place]
            .parent
            .is_none_or(|parent| best_child(parent) != Some(*place))
    };
    (0..blocks.len())
        .filter(begins)
        .map(|first| {
            std::iter::successors(Some(first), |at| best_child(*at))
                .map(|at| blocks[at].id)
                .collect()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A tree that grew block by block has the branches that a look at all of it gives, in whatever order its blocks came.
    #[test]
    fn a_tree_that_grew_is_the_one_that_is_there(tree in any_tree(), priorities: [u32; 20]) {
        let (one, other) = (blocks_of(&tree, &[0; 20]), blocks_of(&tree, &priorities));
        let expected = naive_lines(&one);
        prop_assert_eq!(lines(&grown(&one), &one), expected.clone());
        prop_assert_eq!(lines(&grown(&other), &other), expected);
    }

    /// Going back gives the tree that was.
    #[test]
    fn a_tree_as_it_was_is_one_that_grew_no_further(tree in any_tree(), every in 1..4_usize) {
        let blocks = blocks_of(&tree, &[0; 20]);
        let mut growth = Growth::with_pictures_every(every);
        blocks.iter().for_each(|block| growth.push(*block));
        for count in 1..=blocks.len() {
            let was = growth.at(count, |place| blocks[place]);
            prop_assert_eq!(lines(&was, &blocks), lines(&grown(&blocks[..count]), &blocks));
        }
    }

    #[test]
    fn every_block_is_drawn_or_counted_once(tree in any_tree()) {
        let sketch = Sketch::of_tree(&tree, &[0; 20]);
        let layout = Layout::of(sketch.collector.world(), View::default());
        prop_assert_eq!((layout.rows_left_out, layout.branches_left_out), (0, 0));
        let mut drawn = BTreeSet::new();
        let mut folded = 0;
        for row in &layout.rows {
            let blocks = row.cells.iter().filter(|cell| **cell == Cell::Block).count();
            match row.content {
                Content::Block { block, .. } => {
                    prop_assert_eq!(blocks, 1);
                    prop_assert!(drawn.insert(block), "{} is drawn twice", block);
                }
                Content::Fork => prop_assert_eq!(blocks, 0),
                Content::Fold { blocks } => folded += blocks,
            }
        }
        prop_assert_eq!(drawn.len() + folded, tree.len() + 1);
    }

    /// What is left out above is counted without being drawn.
    #[test]
    fn the_newest_rows_are_the_last_of_all(tree in any_tree(), rows in 1..12_usize) {
        let sketch = Sketch::of_tree(&tree, &[0; 20]);
        let all = Layout::of(sketch.collector.world(), View::default());
        let newest = Layout::of(sketch.collector.world(), View { rows, ..View::default() });
        let above = all.rows.len().saturating_sub(rows);
        prop_assert_eq!(newest.rows_left_out, above);
        prop_assert_eq!(&newest.rows[..], &all.rows[above..]);
    }

    /// A line that comes down from a row is taken up by the next.
    #[test]
    fn no_line_breaks_off(tree in any_tree()) {
        let sketch = Sketch::of_tree(&tree, &[0; 20]);
        let layout = Layout::of(sketch.collector.world(), View::default());
        for rows in layout.rows.windows(2) {
            for lane in 0..MAX_LANES {
                let cell = |row: &Row| row.cells.get(lane).copied().unwrap_or(Cell::Empty);
                let (above, below) = (cell(&rows[0]), cell(&rows[1]));
                let comes_down = !matches!(above, Cell::Empty | Cell::Across | Cell::Block);
                let is_taken_up = !matches!(below, Cell::Empty | Cell::Across | Cell::Begin | Cell::BeginLast);
                prop_assert!(!comes_down || is_taken_up, "{above:?} above {below:?} in lane {lane}");
            }
        }
    }
}

#[test]
fn a_view_around_forks_begins_below_the_oldest_that_is_open() {
    let mut sketch = Sketch::new(crate::testing::plan(2));
    assert_eq!(View::around(sketch.collector.forks()).from, Height(0));
    for block in ["a1", "a2", "a3"] {
        sketch.mine(0, block);
        sketch.connect(1, block);
    }
    sketch.mine(0, "a4");
    sketch.mine(1, "b4");
    sketch.mine(1, "b5");
    assert_eq!(View::around(sketch.collector.forks()).from, Height(2));
}

#[test]
fn pictures_of_a_long_tree_are_few_and_end_near_its_tip() {
    let mut growth = Growth::with_pictures_every(1);
    let block = |place: usize| TreeBlock {
        id: id(&format!("{place:x}")),
        parent: place.checked_sub(1),
        height: u32::try_from(place).expect("small"),
        work: Work(U256::from(place as u64)),
    };
    for place in 0..1_000 {
        growth.push(block(place));
        let counts: Vec<usize> = growth.pictures().collect();
        assert!(counts.len() <= TREE_PICTURES);
        assert!(
            counts.last().is_some_and(|last| place + 1 - last <= place / 2 + 1),
            "{place}: {counts:?}"
        );
        assert_eq!(growth.at(place + 1, block).len(), place + 1);
    }
}

#[test]
fn a_drawing_keeps_its_newest_rows_however_many_are_asked_for() {
    // A block beside each, so that nothing is folded: three rows for each height.
    let mut tree = Tree::new();
    let mut names = Vec::new();
    let mut push = |parent: Option<usize>, height: u32| {
        let name = id(&format!("{:x}", names.len()));
        tree.push(TreeBlock {
            id: name,
            parent,
            height,
            work: Work(U256::from(u64::from(height))),
        });
        names.push(name);
        names.len() - 1
    };
    let mut tip = push(None, 0);
    for height in 1..=1_000 {
        let parent = tip;
        tip = push(Some(parent), height);
        push(Some(parent), height);
    }
    let view = View {
        rows: usize::MAX,
        ..View::default()
    };
    let layout = Layout::of_tree((&tree, |place: usize| names[place]), [], view);
    assert_eq!(layout.rows.len(), MAX_ROWS);
    assert_eq!(layout.rows_left_out, 1 + 3 * 1_000 - MAX_ROWS);
}
