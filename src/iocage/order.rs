//! The properties `depends` and `priority`: the order in which jails are started.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::name::JailName;
use crate::error::Error;

/// The property `depends`: the jails that have to be started before this jail, as words of a command line: a name,
/// a UUID or its beginning, or a TAG. [`Store::resolve`](super::store::Store::resolve) finds them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Depends(pub Vec<String>);

/// Reads names separated by blanks or commas, or `none`.
impl FromStr for Depends {
    type Err = Error;

    fn from_str(text: &str) -> Result<Depends, Error> {
        if text.trim() == "none" {
            return Ok(Depends::default());
        }
        let words = text.split([' ', '\t', ',']).filter(|word| !word.is_empty());
        let checked = |word: &str| match JailName::check_word(word) {
            Ok(()) => Ok(word.to_owned()),
            Err(error) => Err(Error::of_value(word, format!("depends on no jail: {error}"))),
        };
        Ok(Depends(words.map(checked).collect::<Result<_, _>>()?))
    }
}

impl fmt::Display for Depends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        f.write_str(&self.0.join(" "))
    }
}

/// The values that the order of starts depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rank {
    /// The jail.
    pub name: JailName,
    /// Smaller is earlier.
    pub priority: u32,
    /// The jails that have to be started before.
    pub depends: Depends,
}

/// The error for jails that wait for each other: each for the next, and the last for the first.
fn circle(names: &[JailName]) -> Error {
    let ring = names.iter().chain(names.first()).map(JailName::as_str).collect::<Vec<_>>().join(" -> ");
    let reason = format!("the jails {ring} depend on each other in a circle");
    Error::invalid(ring, reason, "take one out of the other's `depends`")
}

/// Sorts jails into waves. When a wave is up, all jails of the next wave may be started at the same time: the jails
/// that a jail depends on are in earlier waves. Within a wave jails are sorted by priority, and then by name.
///
/// Dependencies that are not in `ranks` are ignored: such jails are up already, or were not asked for.
///
/// # Errors
///
/// Jails wait for each other. The message names them in the order in which they wait.
pub fn waves(ranks: &[Rank]) -> Result<Vec<Vec<JailName>>, Error> {
    let mut left: BTreeMap<&JailName, &Rank> = ranks.iter().map(|rank| (&rank.name, rank)).collect();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let mut ready: Vec<&Rank> =
            left.values().copied().filter(|rank| waiting(rank, &left).next().is_none()).collect();
        if ready.is_empty() {
            return Err(cycle(&left));
        }
        ready.sort_by_key(|rank| (rank.priority, &rank.name));
        for rank in &ready {
            left.remove(&rank.name);
        }
        waves.push(ready.into_iter().map(|rank| rank.name.clone()).collect());
    }
    Ok(waves)
}

/// The jails in `left` that a jail waits for.
fn waiting<'a>(
    rank: &'a Rank,
    left: &BTreeMap<&'a JailName, &'a Rank>,
) -> impl Iterator<Item = &'a JailName> {
    let named = |word: &String| left.keys().copied().find(|name| name.as_str() == word);
    rank.depends.0.iter().filter_map(named)
}

/// Every jail in `left` waits for another jail, so a path from any of them ends in a circle.
fn cycle(left: &BTreeMap<&JailName, &Rank>) -> Error {
    let mut path: Vec<&JailName> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut at = *left.keys().next().expect("somebody is waiting");
    while seen.insert(at) {
        path.push(at);
        at = waiting(left[at], left).next().expect("everybody is waiting");
    }
    let start = path.iter().position(|name| *name == at).expect("it was seen");
    circle(&path[start..].iter().map(|name| (*name).clone()).collect::<Vec<_>>())
}

/// The turn of a jail among jails that are started one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turn {
    /// The jail.
    pub name: JailName,
    /// The jails that have to be up at this turn. Each has had its own turn before, or does not exist.
    pub depends: Vec<JailName>,
    /// The circle that the jail is part of, which prevents its start.
    pub circle: Option<Error>,
}

/// Puts the jails `wanted`, and all jails that they depend on, into a sequence. A jail comes after the jails that
/// it depends on. Otherwise the order of `wanted` is kept.
///
/// `depends` returns what a jail depends on. It returns `None` for a jail that does not exist, which gets no turn.
/// Jails that depend on each other in a circle get a turn, where that is reported, and do not hinder other jails.
pub fn sequence(
    wanted: &[JailName],
    mut depends: impl FnMut(&JailName) -> Option<Vec<JailName>>,
) -> Vec<Turn> {
    let mut line = Line { turns: Vec::new(), seen: BTreeSet::new(), circles: Vec::new() };
    for name in wanted {
        line.queue(name, &mut Vec::new(), &mut depends);
    }
    let Line { mut turns, circles, .. } = line;
    for turn in &mut turns {
        turn.circle = circles.iter().find(|names| names.contains(&turn.name)).map(|names| circle(names));
    }
    turns
}

/// The sequence as far as it is built.
struct Line {
    turns: Vec<Turn>,
    seen: BTreeSet<JailName>,
    circles: Vec<Vec<JailName>>,
}

impl Line {
    /// Adds a jail after all jails that it depends on. `path` is the path of dependencies from a wanted jail to
    /// this jail.
    fn queue(
        &mut self,
        name: &JailName,
        path: &mut Vec<JailName>,
        depends: &mut impl FnMut(&JailName) -> Option<Vec<JailName>>,
    ) {
        if let Some(at) = path.iter().position(|before| before == name) {
            return self.circles.push(path[at..].to_vec());
        }
        if !self.seen.insert(name.clone()) {
            return;
        }
        let Some(needed) = depends(name) else { return };
        path.push(name.clone());
        for one in &needed {
            self.queue(one, path, depends);
        }
        path.pop();
        self.turns.push(Turn { name: name.clone(), depends: needed, circle: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The turns of `wanted`, given as `name: depends`.
    fn turns(jails: &[(&str, &str)], wanted: &[&str]) -> Vec<Turn> {
        let depends = |name: &JailName| {
            let (_, depends) = jails.iter().find(|(jail, _)| *jail == name.as_str())?;
            let words = depends.parse::<Depends>().unwrap().0;
            Some(words.iter().map(|word| JailName::new(word).unwrap()).collect())
        };
        let wanted: Vec<_> = wanted.iter().map(|name| JailName::new(name).unwrap()).collect();
        sequence(&wanted, depends)
    }

    fn names(turns: &[Turn]) -> String {
        turns.iter().map(|turn| turn.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_needed_is_started_first_and_only_once() {
        let jails = [("web", "db cache"), ("db", "none"), ("cache", "db"), ("mail", "gone")];
        assert_eq!(names(&turns(&jails, &["mail", "web", "db"])), "mail db cache web");
        assert_eq!(names(&turns(&jails, &["cache"])), "db cache");
        assert_eq!(names(&turns(&jails, &["gone"])), "");
    }

    #[test]
    fn jails_in_a_circle_do_not_keep_others_from_their_turn() {
        let jails = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "none"), ("e", "e")];
        let turns = turns(&jails, &["a", "d", "e"]);
        assert_eq!(names(&turns), "c b a d e");
        let circle = |name: &str| {
            let turn = turns.iter().find(|turn| turn.name.as_str() == name).unwrap();
            turn.circle.as_ref().map(Error::to_string).unwrap_or_default()
        };
        assert!(circle("b").contains("b -> c -> b") && circle("c").contains("b -> c -> b"));
        assert!(circle("e").contains("e -> e"));
        assert_eq!((circle("a"), circle("d")), (String::new(), String::new()));
    }

    fn rank(name: &str, priority: u32, depends: &str) -> Rank {
        Rank { name: JailName::new(name).unwrap(), priority, depends: depends.parse().unwrap() }
    }

    fn order(ranks: &[Rank]) -> Result<String, String> {
        let waves = waves(ranks).map_err(|cycle| cycle.to_string())?;
        let wave = |wave: &Vec<JailName>| wave.iter().map(JailName::as_str).collect::<Vec<_>>().join(" ");
        Ok(waves.iter().map(wave).collect::<Vec<_>>().join(" / "))
    }

    #[test]
    fn dependencies_come_first_and_priority_decides_the_rest() {
        let ranks = [
            rank("web", 1, "db cache"),
            rank("db", 50, "none"),
            rank("cache", 99, "db"),
            rank("a", 99, "gone"),
        ];
        assert_eq!(order(&ranks).unwrap(), "db a / cache / web");
    }

    #[test]
    fn circles_are_found_and_named() {
        let ranks = [rank("a", 1, "b"), rank("b", 1, "c"), rank("c", 1, "b"), rank("d", 1, "none")];
        let error = order(&ranks).unwrap_err();
        assert!(error.contains("b -> c -> b"), "{error}");
        assert!(order(&[rank("a", 1, "a")]).unwrap_err().contains("a -> a"));
    }

    #[test]
    fn reads_names_and_none() {
        assert_eq!("none".parse::<Depends>().unwrap().to_string(), "none");
        assert_eq!("  a, b  ".parse::<Depends>().unwrap().to_string(), "a b");
        for text in ["../a", "a/b", "ALL", "a\nb"] {
            assert!(text.parse::<Depends>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_turn_comes_once_and_after_those_it_needs(edges in prop::collection::vec((0usize..8, 0usize..8), 0..12)) {
            let name = |index: usize| JailName::new(&format!("j{index}")).unwrap();
            let all: Vec<_> = (0..8).map(name).collect();
            let turns = sequence(&all, |jail| {
                let index = all.iter().position(|one| one == jail)?;
                Some(edges.iter().filter(|edge| edge.0 == index).map(|edge| name(edge.1)).collect())
            });
            prop_assert_eq!(turns.len(), 8);
            for (at, turn) in turns.iter().enumerate().filter(|(_, turn)| turn.circle.is_none()) {
                for needed in &turn.depends {
                    prop_assert!(turns[..at].iter().any(|before| before.name == *needed));
                }
            }
        }

        #[test]
        fn every_jail_is_started_once_and_after_what_it_needs(edges in prop::collection::vec((0u32..8, 0u32..8), 0..12)) {
            let name = |index: u32| format!("j{index}");
            let ranks: Vec<_> = (0..8)
                .map(|index| {
                    let needs: Vec<_> = edges.iter().filter(|edge| edge.0 == index).map(|edge| name(edge.1)).collect();
                    rank(&name(index), index % 3, &needs.join(" "))
                })
                .collect();
            if let Ok(waves) = waves(&ranks) {
                let at = |name: &JailName| waves.iter().position(|wave| wave.contains(name)).unwrap();
                prop_assert_eq!(waves.iter().map(Vec::len).sum::<usize>(), 8);
                for rank in &ranks {
                    for needed in &rank.depends.0 {
                        prop_assert!(at(&JailName::new(needed).unwrap()) < at(&rank.name));
                    }
                }
            }
        }
    }
}
