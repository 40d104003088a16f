//! Prints the digests that `tests/golden/digests.txt` is to hold. `cargo xtask bless` writes them there.

#[path = "../tests/whole/digests.rs"]
mod digests;
#[path = "../tests/whole/files.rs"]
mod files;

fn main() {
    print!("{}", digests::of_scenarios());
}
