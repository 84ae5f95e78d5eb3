//! Reading JSON, with the place of errors.

use serde::de::DeserializeOwned;

/// Reads a value from text.
///
/// # Errors
///
/// Returns what is wrong in words: the path of the field, the reason, line and column.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| {
        // If a field is missing, the place is the end of its object.
        let of_object = error.to_string().starts_with("missing field");
        let path = path_at(text, error.line(), error.column(), of_object);
        if path.is_empty() { error.to_string() } else { format!("{path}: {error}") }
    })
}

/// Returns the path of the field that is being read at a place, such as `networks.podman.interface_name`.
fn path_at(text: &[u8], line: usize, column: usize, of_object: bool) -> String {
    let mut path: Vec<Option<String>> = Vec::new();
    let mut string: Option<Vec<u8>> = None;
    // The string that was read last. If a colon follows, it is a key.
    let mut last = String::new();
    let mut escaped = false;
    let (mut at_line, mut at_column) = (1, 0);
    for byte in text {
        if *byte == b'\n' {
            (at_line, at_column) = (at_line + 1, 0);
        } else {
            at_column += 1;
        }
        if (at_line, at_column) > (line, column) {
            break;
        }
        if let Some(read) = &mut string {
            match byte {
                _ if escaped => {
                    escaped = false;
                    read.push(*byte);
                }
                b'\\' => escaped = true,
                b'"' => {
                    last = String::from_utf8_lossy(read).into_owned();
                    string = None;
                }
                other => read.push(*other),
            }
            continue;
        }
        match byte {
            b'"' => string = Some(Vec::new()),
            b'{' | b'[' => path.push(None),
            b'}' | b']' if (at_line, at_column) < (line, column) => drop(path.pop()),
            b'}' | b']' if of_object => {
                if let Some(key) = path.last_mut() {
                    *key = None;
                }
            }
            b':' => {
                if let Some(key) = path.last_mut() {
                    *key = Some(std::mem::take(&mut last));
                }
            }
            b',' if (at_line, at_column) < (line, column) => {
                if let Some(key) = path.last_mut() {
                    *key = None;
                }
            }
            _ => {}
        }
    }
    path.into_iter().flatten().collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(rename = "networks")]
        _networks: BTreeMap<String, Inner>,
        #[serde(rename = "list", default)]
        _list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[serde(rename = "mtu")]
        _mtu: u32,
    }

    fn wrong(text: &str) -> String {
        read::<Outer>(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn an_error_names_the_field() {
        let begins = |text: &str, with: &str| assert!(wrong(text).starts_with(with), "{}", wrong(text));
        begins(
            r#"{"networks": {"a": {"mtu": 1}, "b": {"mtu": "x"}}}"#,
            "networks.b.mtu: invalid type: string",
        );
        begins("{\"networks\":\n {\"a\\\"b\": {\"mtu\": -5}}}", "networks.a\"b.mtu: invalid value");
        begins(r#"{"networks": {}, "list": [{"mtu": 1}, {"mtu": true}]}"#, "list.mtu: invalid type: boolean");
        begins(r#"{"networks": 7}"#, "networks: invalid type: integer");
        begins(r#"{"networks": {"a": {"x": 1}}}"#, "networks.a: missing field `mtu`");
        assert!(wrong(r#"{"networks": {"a": {}}}"#).contains("missing field `mtu`"));
        assert!(wrong("").contains("EOF"));
        assert!(wrong("no").contains("expected"));
    }
}
