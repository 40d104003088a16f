//! `docs/RPC.md` has a row for each method, with its parameters, and none for others.

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_page_lists_the_methods_that_help_lists() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/RPC.md");
    let page = std::fs::read_to_string(path).expect("the page can be read");
    let table = page.split("## Methods").nth(1).expect("a section on methods");
    let table = table.split("\n## ").next().expect("a split has a first part");
    let rows: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(usage, _)| usage)
        .collect();
    let methods = rpc::methods::all();
    let usages: BTreeSet<String> = methods.iter().map(rpc::methods::Method::usage).collect();
    let usages: BTreeSet<&str> = usages.iter().map(String::as_str).collect();
    assert_eq!(rows, usages, "the page and `help` differ");
    assert_eq!(usages.len(), methods.len(), "two methods of one name");
}
