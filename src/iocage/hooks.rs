//! The properties `exec_*`: commands on the host and in the jail.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::Error;

/// A command that iocage runs on the host: `exec_prestart` and its siblings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hook {
    /// No program. `/usr/bin/true`, the default, always ends with status 0, and is not run.
    Nothing,
    /// One word: a program that is run without a shell.
    Program(PathBuf),
    /// Several words: a line for `/bin/sh -c`. The words are joined with single blanks.
    ///
    /// As in iocage, one level of quotes is removed first. Text that the shell has to see in quotes needs two
    /// levels of quotes, or a script.
    Shell(String),
}

/// A command that is run in the jail: `exec_start` and `exec_stop`. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(Vec<String>);

fn missing(text: &str) -> Error {
    Error::of_value(text, "a command is missing: use /usr/bin/true to do nothing")
}

impl Hook {
    /// Returns the program and arguments to run, if any.
    pub fn arguments(&self) -> Option<Vec<String>> {
        match self {
            Hook::Nothing => None,
            Hook::Program(path) => Some(vec![path.to_string_lossy().into_owned()]),
            Hook::Shell(line) => Some(vec!["/bin/sh".into(), "-c".into(), line.clone()]),
        }
    }
}

impl FromStr for Hook {
    type Err = Error;

    fn from_str(text: &str) -> Result<Hook, Error> {
        let mut words = words(text)?;
        Ok(match words.len() {
            0 => return Err(missing(text)),
            1 if words[0] == "/usr/bin/true" || words[0] == "none" => Hook::Nothing,
            1 => Hook::Program(words.remove(0).into()),
            _ => Hook::Shell(words.join(" ")),
        })
    }
}

impl Command {
    /// Returns the program and its arguments.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for Command {
    type Err = Error;

    fn from_str(text: &str) -> Result<Command, Error> {
        match words(text)? {
            words if words.is_empty() || words[0].is_empty() => Err(missing(text)),
            words => Ok(Command(words)),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// Returns the first character with a special meaning for a shell outside of quotes. Returns `None` if there is no
/// such character.
pub(super) fn unquoted_sign(text: &str) -> Option<String> {
    let (outside, _) = apart(text);
    let at = outside.find([';', '&', '|', '<', '>', '`', '$'])?;
    let sign = &outside[at..];
    let length = if sign.starts_with("&&") || sign.starts_with("||") { 2 } else { 1 };
    let word = if sign.starts_with('$') { sign.split(' ').next().unwrap_or(sign) } else { &sign[..length] };
    Some(word.to_owned())
}

/// Whether the quoted text has another meaning without its quotes.
pub(super) fn loses_quotes(text: &str) -> bool {
    let (_, inside) = apart(text);
    inside.contains([' ', '\t', ';', '&', '|', '<', '>', '`', '$', '*', '?', '(', ')', '\'', '"'])
}

/// Separates the text outside of quotes from the text in quotes or after a backslash.
fn apart(text: &str) -> (String, String) {
    let (mut outside, mut inside) = (String::new(), String::new());
    let mut quote = None;
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match (quote, next) {
            (None, '\\') => inside.extend(rest.next()),
            (None, '\'' | '"') => quote = Some(next),
            (None, other) => outside.push(other),
            (Some(open), close) if open == close => quote = None,
            (Some('"'), '\\') => inside.extend(rest.next()),
            (Some(_), other) => inside.push(other),
        }
    }
    (outside, inside)
}

/// Splits a line at blanks as a shell does, with single quotes, double quotes and backslashes.
fn words(text: &str) -> Result<Vec<String>, Error> {
    if text.contains(['\n', '\r', '\0']) {
        let reason = format!("`{}` is more than one line", text.escape_debug());
        return Err(Error::of_value(text, format!("{reason}: put it into a script and name that")));
    }
    let open = || {
        let reason = format!("`{}` has a quote or a backslash that nothing follows", text.escape_debug());
        Error::of_value(text, format!("{reason}: close it"))
    };
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match next {
            ' ' | '\t' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(rest.next().ok_or_else(open)?),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or_else(open)? {
                        '\'' => break,
                        inside => word.push(inside),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or_else(open)? {
                        '"' => break,
                        '\\' => match rest.next().ok_or_else(open)? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        inside => word.push(inside),
                    }
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_word_is_run_and_more_go_to_the_shell() {
        assert_eq!("/usr/bin/true".parse(), Ok(Hook::Nothing));
        assert_eq!("/root/up.sh".parse(), Ok(Hook::Program("/root/up.sh".into())));
        assert_eq!("logger  up && true".parse(), Ok(Hook::Shell("logger up && true".into())));
        let hook: Hook = "echo 'a  b'".parse().unwrap();
        assert_eq!(hook.arguments().unwrap(), ["/bin/sh", "-c", "echo a  b"]);
        assert!("".parse::<Hook>().is_err());
    }

    #[test]
    fn signs_for_a_shell_are_found_outside_of_quotes() {
        for (text, sign) in [
            ("/bin/sh /etc/rc && touch /x", Some("&&")),
            ("/bin/sh /etc/rc; x", Some(";")),
            ("a | b", Some("|")),
            ("a > /dev/null", Some(">")),
            ("a $HOME/x b", Some("$HOME/x")),
            ("/bin/sh -c 'a && b'", None),
            ("/bin/sh -c \"a; b\"", None),
            ("a \\; b", None),
            ("/bin/sh /etc/rc", None),
        ] {
            assert_eq!(unquoted_sign(text).as_deref(), sign, "{text}");
        }
        assert!(loses_quotes("logger 'a  b'") && loses_quotes("sh -c \"a; b\""));
        assert!(!loses_quotes("logger 'a' && b"));
    }

    #[test]
    fn splits_as_a_shell_does() {
        let split = |text: &str| text.parse::<Command>().map(|command| command.words().to_vec());
        assert_eq!(split("/bin/sh /etc/rc").unwrap(), ["/bin/sh", "/etc/rc"]);
        assert_eq!(split(r#"a "b c" 'd "e' f\ g "\"h\n""#).unwrap(), ["a", "b c", "d \"e", "f g", "\"h\\n"]);
        assert_eq!(split("a '' b").unwrap(), ["a", "", "b"]);
        for text in ["", "   ", "''", "a 'b", "a \"b", "a \\", "a \"\\", "a\nb", "a\0b"] {
            assert!(split(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(command in "[a-z/]{1,8}( [a-z/=-]{1,8}){0,4}") {
            let parsed: Command = command.parse().unwrap();
            prop_assert_eq!(parsed.to_string().parse(), Ok(parsed));
        }

        #[test]
        fn no_text_is_too_strange(text in ".*", quotes in "[a '\"\\\\]{0,12}") {
            let _ = (text.parse::<Hook>(), text.parse::<Command>(), quotes.parse::<Command>());
        }
    }
}
