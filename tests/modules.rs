//! The dependencies between the program's modules.

/// Commands may use shared modules. No two commands use each other, directly or through a third module.
#[test]
fn no_command_uses_one_that_uses_it() {
    use std::collections::{BTreeMap, BTreeSet};

    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/jailwire/commands");
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the commands").map(|entry| entry.expect("an entry").path())
    {
        let name = entry.file_stem().expect("a name").to_str().expect("ASCII").to_owned();
        if entry.is_file() && name != "mod" {
            let text = std::fs::read_to_string(&entry).expect("text");
            let mut used = BTreeSet::new();
            for line in text.lines() {
                // The forms are `use super::{a, b};`, `use super::a::B;`, and a path in the code.
                for (at, _) in line.match_indices("super::") {
                    let names = line[at + "super::".len()..].trim_start_matches('{');
                    let names = names.split('}').next().unwrap_or_default();
                    let first = |name: &str| name.trim().split("::").next().map(str::to_owned);
                    let several = line.contains("super::{");
                    used.extend(
                        names.split(',').take(if several { usize::MAX } else { 1 }).filter_map(first),
                    );
                }
            }
            uses.insert(name, used);
        }
    }
    let known: BTreeSet<String> = uses.keys().cloned().collect();
    uses.values_mut().for_each(|used| used.retain(|name| known.contains(name)));
    assert!(uses["restart"].contains("bulk") && uses["bulk"].contains("jobs"), "{uses:?}");
    // Modules that use only removed modules are removed, again and again. A circle stays.
    while let Some(free) = uses.iter().find(|(_, used)| used.is_empty()).map(|(name, _)| name.clone()) {
        uses.remove(&free);
        uses.values_mut().for_each(|used| _ = used.remove(&free));
    }
    assert!(uses.is_empty(), "in a circle, or behind one: {uses:?}");
}
