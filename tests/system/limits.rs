//! Every cap is tested: one that no test names may be wrong, or do nothing, and nobody would know.

use crate::files::{Source, rust_files};

/// The names of the caps of a crate, from its `limits.rs`.
fn caps(limits: &Source) -> Vec<String> {
    let declared = limits.text.lines().filter_map(|line| line.strip_prefix("pub const "));
    declared
        .filter(|rest| rest.starts_with("MAX_"))
        .filter_map(|rest| rest.split(':').next())
        .map(str::to_owned)
        .collect()
}

/// Every cap, and the folder of its crate.
fn every_cap(sources: &[Source]) -> impl Iterator<Item = (&str, String)> {
    sources.iter().flat_map(|source| {
        let name = source.path.strip_suffix("/src/limits.rs");
        name.into_iter()
            .flat_map(|name| caps(source).into_iter().map(move |cap| (name, cap)))
    })
}

/// The part of a file that is tests: all of it below `tests`, and what follows `#[cfg(test)]` elsewhere.
fn tests(source: &Source) -> &str {
    let is_test = source
        .path
        .split('/')
        .any(|part| part == "tests" || part == "tests.rs" || part == "model.rs");
    if is_test {
        return &source.text;
    }
    source
        .text
        .split_once("#[cfg(test)]\nmod tests {")
        .map_or("", |(_, tests)| tests)
}

/// Whether a text has this word, and not only as part of a longer one.
fn names(text: &str, word: &str) -> bool {
    let is_part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    text.match_indices(word)
        .any(|(at, _)| !is_part(text[..at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next()))
}

#[test]
fn every_cap_is_named_by_a_test_of_its_crate() {
    let sources = rust_files();
    let is_tested = |name: &str, cap: &str| {
        let own = sources
            .iter()
            .filter(|source| source.path.starts_with(&format!("{name}/")) || source.path.starts_with("tests/"));
        own.map(tests).any(|text| names(text, cap))
    };
    let untested: Vec<String> = every_cap(&sources)
        .filter(|(name, cap)| !is_tested(name, cap))
        .map(|(name, cap)| format!("{name} {cap}"))
        .collect();
    assert!(every_cap(&sources).count() > 100, "caps are found");
    assert!(untested.is_empty(), "no test names these caps: {untested:#?}");
}
