//! Every text that the programs can print, in one file, for review: `tests/messages.txt`.
//!
//! A message names the thing, the reason and the remedy, in an operator's words: docs/style.md. A new text is added to
//! the file by `SNAPSHOTS=overwrite cargo test --test messages`, and read there, among its neighbours, before it is
//! committed. Names of operations ("read MTU of") stand in the list too: an error begins with "cannot", and ends with
//! the kernel's reason and a hint.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use snapbox::{assert_data_eq, file};

/// The directories whose texts are listed: the parts of the library that messages come from, and the programs.
const SOURCES: [&str; 2] = ["src", "containers/src"];

/// Directories that are left out. The kernel modules print nothing themselves, and the texts of the simulated
/// kernel are FreeBSD's.
const LEFT_OUT: [&str; 3] = ["src/sim", "src/kernel", "src/testdata"];

/// Macros and methods whose texts appear only if the program has a defect.
const FOR_DEFECTS: [&str; 11] = [
    "panic",
    "unreachable",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "expect",
    "expect_err",
    "debug_struct",
    "include_str",
];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let beneath = path.strip_prefix(top).unwrap();
        if LEFT_OUT.iter().any(|left_out| beneath.starts_with(left_out)) {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The text of a literal, on one line. Escapes stay as they are written, except escaped quotes and escaped line
/// ends.
fn text(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        return Some(raw.trim_matches('#').trim_matches('"').replace('\n', "\\n"));
    }
    let inside = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::new();
    let mut rest = inside.chars().peekable();
    while let Some(next) = rest.next() {
        match (next, rest.peek()) {
            ('\\', Some('\n')) => while rest.next_if(|next| next.is_whitespace()).is_some() {},
            ('\\', Some('"')) => text.extend(rest.next()),
            ('\n', _) => text.push_str("\\n"),
            _ => text.push(next),
        }
    }
    Some(text)
}

/// Whether a text has at least two words, and so is written for a person.
fn is_read(text: &str) -> bool {
    text.trim().contains(' ') && text.chars().filter(|c| c.is_alphabetic()).count() > 3
}

/// Collects the texts of a file, in their order.
fn texts(tokens: TokenStream, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Literal(literal) => {
                found.extend(text(&literal.to_string()).filter(|text| is_read(text)));
            }
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                // Inner attributes, `#![...]`, are skipped, too.
                tokens.next_if(|next| matches!(next, TokenTree::Punct(mark) if mark.as_char() == '!'));
                let Some(TokenTree::Group(attribute)) = tokens.next_if(
                    |next| matches!(next, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket),
                ) else {
                    continue;
                };
                let said = attribute.stream().to_string().replace(' ', "");
                if said.starts_with("error(") {
                    texts(attribute.stream(), found);
                } else if said == "cfg(test)" {
                    // Skips the item, up to its body or its semicolon.
                    for token in tokens.by_ref() {
                        match token {
                            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
                            TokenTree::Punct(mark) if mark.as_char() == ';' => break,
                            _ => {}
                        }
                    }
                }
            }
            TokenTree::Ident(name) if FOR_DEFECTS.iter().any(|defect| name == defect) => {
                tokens.next_if(|next| matches!(next, TokenTree::Punct(mark) if mark.as_char() == '!'));
                tokens.next_if(|next| matches!(next, TokenTree::Group(_)));
            }
            TokenTree::Group(group) => texts(group.stream(), found),
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

#[test]
fn every_message_is_on_the_list() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for directory in SOURCES {
        sources(&top.join(directory), &mut files);
    }
    files.sort();
    let mut list = String::new();
    for path in files {
        let source = fs::read_to_string(&path).unwrap();
        let tokens: TokenStream =
            source.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut found = Vec::new();
        texts(tokens, &mut found);
        let mut written = Vec::new();
        for text in found {
            if written.is_empty() {
                writeln!(list, "\n{}", path.strip_prefix(top).unwrap().display()).unwrap();
            }
            if !written.contains(&text) {
                writeln!(list, "    {text}").unwrap();
                written.push(text);
            }
        }
    }
    assert_data_eq!(list.trim_start().to_owned(), file!["messages.txt": Text].raw());
}
