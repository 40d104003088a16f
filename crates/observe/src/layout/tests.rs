//! Nothing is drawn twice, and nothing is lost without being counted.

use proptest::prelude::*;

use super::*;
use crate::testing::{Sketch, any_tree};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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
