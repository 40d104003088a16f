//! Style that a program can see. `docs/TESTING.md` lists what is held here.

use std::collections::BTreeSet;

use crate::files::{Source, root, rust_files};

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 70;

#[test]
fn files_fit_a_sitting() {
    for Source { path, text } in rust_files() {
        let lines = text.lines().count();
        assert!(
            lines <= MAX_FILE_LINES,
            "{path} has {lines} lines, the limit is {MAX_FILE_LINES}: one noun per file"
        );
    }
}

#[test]
fn functions_fit_a_screen() {
    for Source { path, text } in rust_files() {
        for (line, name, length) in functions(&text) {
            assert!(
                length <= MAX_FUNCTION_LINES,
                "{path}:{line}: {name} has {length} lines, the limit is {MAX_FUNCTION_LINES}"
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for Source { path, text } in rust_files() {
        assert!(text.starts_with("//!"), "{path} does not begin with //!");
    }
}

#[test]
fn nothing_is_left_unfinished_or_hidden() {
    let words = [
        "todo!(",
        "unimplemented!(",
        "dbg!(",
        "#[ignore",
        "FIXME",
        "XXX",
        "#[allow(",
    ];
    for Source { path, text } in rust_files() {
        for word in words.iter().filter(|_| !path.ends_with("tidy.rs")) {
            assert!(!text.contains(word), "{path} contains {word}");
        }
    }
}

#[test]
fn every_limit_is_named_by_a_test() {
    let sources = rust_files();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let tests = sources.iter().map(|source| tested(source, &sources));
    let named: BTreeSet<&str> = tests.flat_map(|text| text.split(|c| !is_part(c))).collect();
    for Source { path, text } in sources.iter().filter(|source| source.path.ends_with("src/limits.rs")) {
        for limit in text.lines().filter_map(limit_name) {
            assert!(named.contains(limit), "{path}: no test names {limit}");
        }
    }
}

/// The name of a limit that a line defines.
fn limit_name(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("const ")?;
    rest.split(':').next().filter(|name| name.starts_with("MAX_"))
}

/// What of a file is a test: all of it in a folder or module of tests, else what stands at its end.
fn tested<'a>(source: &'a Source, all: &[Source]) -> &'a str {
    let Source { path, text } = source;
    let (folder, name) = path.rsplit_once('/').expect("a file in a folder");
    let stem = name.trim_end_matches(".rs");
    let is_declared = |parent: &Source| {
        let is_parent = parent.path == format!("{folder}.rs") || parent.path == format!("{folder}/lib.rs");
        is_parent && parent.text.contains(&format!("#[cfg(test)]\nmod {stem};"))
    };
    if path.split('/').any(|part| part == "tests" || part == "tests.rs") || all.iter().any(is_declared) {
        return text;
    }
    text.find("#[cfg(test)]\nmod ").map_or("", |place| &text[place..])
}

#[test]
fn no_crate_is_called_a_drawer() {
    for name in ["common", "utils", "util", "helpers", "misc"] {
        for Source { path, .. } in rust_files() {
            let drawer = path.split('/').any(|part| part == name || part == format!("{name}.rs"));
            assert!(!drawer, "{path} is a drawer; name it after what it holds");
        }
    }
}

#[test]
fn documents_link_to_files_that_exist() {
    let mut pages = vec![root().join("README.md")];
    pages.extend(markdown(&root().join("docs")));
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("a page can be read");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().expect("a split has a first part");
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let path = page.parent().expect("a page is in a folder").join(file);
            assert!(
                path.exists(),
                "{} links to {file}, which does not exist",
                page.display()
            );
        }
    }
}

fn markdown(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(folder).expect("docs can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            pages.extend(markdown(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages
}

/// Functions of formatted source: line, name and length. A body ends at the brace in the column its `fn` begins in.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let closes = |line: &&str| line.starts_with(&format!("{}}}", " ".repeat(indent)));
        let one_line = line.ends_with('}') || line.ends_with(';');
        let length = if one_line {
            1
        } else {
            lines[index..].iter().position(closes).map_or(1, |end| end + 1)
        };
        found.push((index + 1, name, length));
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    for word in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    Some(name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

#[test]
fn the_length_of_a_function_is_counted_to_its_closing_brace() {
    let text = "fn short() {}\n\npub(crate) const fn long(\n    a: u32,\n) -> u32 {\n    if a > 1 {\n    }\n    a\n}\n";
    let expected = vec![(1, "short".to_owned(), 1), (3, "long".to_owned(), 7)];
    assert_eq!(functions(text), expected);
}
