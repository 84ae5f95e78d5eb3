//! The order of rows in tables, as in iocage.

/// The sort key of a jail or snapshot: a name, the kind of what stands behind the last `_`, the number or the text
/// there, and what stands behind a `/` there.
pub type Key = (String, u8, u64, String, String);

/// Splits a name from the number that `create -c` has added, so that web_2 comes before web_10. The name of a snapshot
/// can end with `/root`.
pub fn natural(name: &str) -> Key {
    let Some((head, tail)) = name.rsplit_once('_') else {
        return (name.to_owned(), 0, 0, String::new(), String::new());
    };
    let (tail, beneath) = tail.rsplit_once('/').unwrap_or((tail, ""));
    match tail.parse() {
        Ok(number) => (head.to_owned(), 1, number, String::new(), beneath.to_owned()),
        Err(_) => (head.to_owned(), 2, 0, tail.to_owned(), beneath.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn numbers_at_the_end_are_sorted_as_numbers() {
        let mut names = ["web_10", "web_2", "web", "a_b", "web_1", "web_shop"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["a_b", "web", "web_1", "web_2", "web_10", "web_shop"]);
    }

    /// The order of iocage: behind the last `_`, the text before `/` counts first.
    #[test]
    fn snapshots_are_sorted_as_in_iocage() {
        let mut names = ["day_10", "day_9/root", "day", "day_9", "day/root", "day_10/root"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["day", "day_9", "day_9/root", "day_10", "day_10/root", "day/root"]);
        let mut names = ["tank/j/a_b/root@one", "tank/j/a_b/root@try_1", "tank/j/a_b@one"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["tank/j/a_b/root@one", "tank/j/a_b@one", "tank/j/a_b/root@try_1"]);
    }
}
