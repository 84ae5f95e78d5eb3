//! Bytes from a running kernel, for tests.

/// Returns the vector of this name.
pub fn vector(name: &str) -> Vec<u8> {
    let text = include_str!("freebsd-15.1.txt");
    let mut lines = text.lines().skip_while(|line| line.strip_prefix("== ") != Some(name));
    assert!(lines.next().is_some(), "there is no vector {name}");
    let digits: String = lines.take_while(|line| !line.starts_with("== ")).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}

/// Several vectors, joined.
pub fn vectors(names: &[&str]) -> Vec<u8> {
    names.iter().flat_map(|name| vector(name)).collect()
}
