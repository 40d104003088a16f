//! Prints the digests that `tests/golden/digests.txt` is to hold. `cargo xtask bless` writes them there.

mod digests;

use std::path::Path;

fn main() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    print!("{}", digests::of_scenarios(&scenarios));
}
