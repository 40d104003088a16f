//! Whatever a file holds, reading it ends without a panic, and every fault has its place.

use proptest::prelude::*;

use super::*;

/// Words that mean something in a scenario file, to mutate towards the interesting.
fn fragment() -> impl Strategy<Value = String> {
    let words = [
        "n0",
        "\"n0..n7\"",
        "\"all\"",
        "\"m0\"",
        "[",
        "]",
        "{",
        "}",
        ",",
        "=",
        "\"",
        "#",
        "\n",
        "[[network.group]]",
        "[steps]",
        "run",
        "wait",
        "\"converged\"",
        "within",
        "\"1s\"",
        "\"\"",
        "-1",
        "0",
        "1e9",
        "99999999999999999999",
        "true",
        "mine",
        "on",
        "as",
        "\"split\"",
        "é",
        "\u{0}",
        "heal",
        "fund",
        "\"alice\"",
        "coins",
        "topology",
        "0.1",
        "count = 1000000000",
        "strategy = \"hostile\"",
        ".",
        "..",
        "2026-01-01",
    ];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

fn mutation() -> impl Strategy<Value = (prop::sample::Index, prop::sample::Index, String)> {
    (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        prop_oneof![fragment(), ".{0,5}"],
    )
}

/// Replaces some of the text's characters by others.
fn mutate(text: &str, (at, length, by): &(prop::sample::Index, prop::sample::Index, String)) -> String {
    let characters: Vec<char> = text.chars().collect();
    let start = at.index(characters.len() + 1);
    let end = (start + length.index(24)).min(characters.len());
    let (before, after) = (&characters[..start], &characters[end..]);
    before
        .iter()
        .copied()
        .chain(by.chars())
        .chain(after.iter().copied())
        .collect()
}

proptest! {
    #[test]
    fn a_mutated_file_is_read_or_refused_with_places(mutations in prop::collection::vec(mutation(), 1..6)) {
        let source = mutations.iter().fold(SAMPLE.to_owned(), |text, one| mutate(&text, one));
        if let Err(errors) = read(&source) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                let lines = source.split('\n').count();
                prop_assert!((1..=lines).contains(&usize::try_from(error.line).expect("small")), "{error}");
                prop_assert!(error.to_string().starts_with("x.toml:"));
            }
        }
    }

    #[test]
    fn any_override_is_taken_or_refused(key in "[a-z.-]{0,20}|network\\.(nodes|link|topology)(\\.latency)?|steps.run|chain.retarget", value in ".{0,12}") {
        let overrides = Overrides { seed: None, set: vec![(key, value)] };
        if let Err(errors) = parse("x.toml", SAMPLE, &overrides) {
            prop_assert!(!errors.is_empty());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(source in "\\PC{0,200}") {
        prop_assert!(read(&source).is_err());
    }
}
