//! Reads the file. Errors are tolerated, because a jail has to be stopped even if its file was cut short.

use super::JailConf;

/// A piece of a `jail.conf(5)`.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    /// One of `{ } ; , =`.
    Mark(char),
    /// `+=`.
    Append,
}

impl JailConf {
    /// Reads what there is to be read. What does not make sense is passed over.
    pub fn read(text: &str) -> JailConf {
        let mut conf = JailConf::default();
        let mut statement: Vec<Token> = Vec::new();
        for token in (Tokens { rest: text }) {
            match token {
                Token::Mark('{') => {
                    if let [.., Token::Text(name)] = statement.as_slice() {
                        conf.name.clone_from(name);
                    }
                    statement.clear();
                }
                Token::Mark(';' | '}') => conf.take(std::mem::take(&mut statement)),
                token => statement.push(token),
            }
        }
        // If the file was cut short, the last value may be incomplete, and is left out.
        conf
    }

    /// Reads `NAME`, `NAME = VALUE, ...` or `NAME += VALUE, ...`.
    fn take(&mut self, statement: Vec<Token>) {
        let mut tokens = statement.into_iter();
        let Some(Token::Text(name)) = tokens.next() else { return };
        if name == "*" || name.starts_with('$') {
            return;
        }
        match tokens.next() {
            None => self.entry(&name).clear(),
            Some(Token::Mark('=')) => self.entry(&name).clear(),
            Some(Token::Append) => {}
            Some(_) => return,
        }
        for token in tokens {
            if let Token::Text(value) = token {
                self.push(&name, value);
            }
        }
    }
}

/// Splits a text into tokens.
struct Tokens<'a> {
    rest: &'a str,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blanks();
        let first = self.rest.chars().next()?;
        if let '{' | '}' | ';' | ',' | '=' = first {
            self.advance(1);
            return Some(Token::Mark(first));
        }
        if self.rest.starts_with("+=") {
            self.advance(2);
            return Some(Token::Append);
        }
        let mut text = String::new();
        // Adjacent strings are one string.
        while let Some(next) = self.rest.chars().next() {
            match next {
                '"' | '\'' => {
                    self.advance(1);
                    self.quoted(next, &mut text);
                }
                '{' | '}' | ';' | ',' | '=' | '#' => break,
                _ if next.is_whitespace()
                    || ["+=", "//", "/*"].iter().any(|mark| self.rest.starts_with(mark)) =>
                {
                    break;
                }
                _ => {
                    text.push(next);
                    self.advance(next.len_utf8());
                }
            }
        }
        Some(Token::Text(text))
    }
}

impl Tokens<'_> {
    fn advance(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    /// Skips blanks and the three kinds of comments.
    fn skip_blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let end = match self.rest {
                rest if rest.starts_with('#') || rest.starts_with("//") => rest.find('\n'),
                rest if rest.starts_with("/*") => rest[2..].find("*/").map(|at| at + 4),
                _ => return,
            };
            self.advance(end.unwrap_or(self.rest.len()));
        }
    }

    /// Reads to the closing quote, and decodes the escapes.
    fn quoted(&mut self, quote: char, text: &mut String) {
        let mut rest = self.rest.chars();
        while let Some(next) = rest.next() {
            match next {
                _ if next == quote => break,
                '\\' => {
                    let Some(escaped) = rest.next() else { break };
                    text.push(match escaped {
                        'a' => '\x07',
                        'b' => '\x08',
                        'f' => '\x0c',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'v' => '\x0b',
                        '0'..='7' => {
                            let mut code = escaped as u32 - '0' as u32;
                            for _ in 0..2 {
                                let Some(digit) = rest.clone().next().and_then(|c| c.to_digit(8)) else {
                                    break;
                                };
                                code = code * 8 + digit;
                                rest.next();
                            }
                            char::from((code & 0xff) as u8)
                        }
                        other => other,
                    });
                }
                next => text.push(next),
            }
        }
        self.rest = rest.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_iocage_writes() {
        let text = "\"ioc-proxy\" {\n\tip4.addr += \"em0|192.0.2.40/24\";\n\tip4.addr += \"192.0.2.41\";\n\tip6.addr += \"em0|2001:db8::40/64\";\n\tip4 = \"new\";\n\tpath = \"/iocage/jails/proxy/root\";\n\tdevfs_ruleset = \"1003\";\n\tmount.fstab = \"/iocage/jails/proxy/fstab\";\n\thost.domainname = \"\";\n\tpersist;\n}\n";
        let conf = JailConf::read(text);
        assert_eq!(conf.name(), "ioc-proxy");
        let ip4: Vec<_> = conf.ip4_addresses().iter().map(ToString::to_string).collect();
        assert_eq!(ip4, ["em0|192.0.2.40/24", "192.0.2.41"]);
        assert_eq!(conf.ip6_addresses()[0].interface.unwrap().as_str(), "em0");
        assert_eq!(conf.path().unwrap().to_str(), Some("/iocage/jails/proxy/root"));
        assert_eq!(conf.devfs_ruleset(), Some(1003));
        assert_eq!(conf.fstab().unwrap().to_str(), Some("/iocage/jails/proxy/fstab"));
        assert_eq!(conf.value("host.domainname"), Some(""));
        assert_eq!(conf.values("persist"), Some(&[][..]));
        assert!(!conf.is_vnet());
        assert_eq!(conf.to_string(), text);
    }

    #[test]
    fn reads_what_people_write() {
        let conf = JailConf::read(
            "# mine\n* { }\nioc-x { // here\n vnet; /* or\n there */ path=/a; exec.start = '/bin/sh', \"b\" \"c\";\n ip4.addr = \"em0|10.0.0.1/24 vhid 1, bogus\"; $v = 1; }",
        );
        assert_eq!((conf.name(), conf.is_vnet(), conf.value("path")), ("ioc-x", true, Some("/a")));
        assert_eq!(conf.values("exec.start").unwrap(), ["/bin/sh", "b", "c"]);
        assert_eq!(conf.ip4_addresses().len(), 1);
    }

    #[test]
    fn half_a_file_is_half_understood() {
        let conf =
            JailConf::read("\"ioc-x\" {\n\tip4.addr += \"em0|10.0.0.1/24\";\n\tip4.addr += \"em0|10.0");
        assert_eq!(conf.ip4_addresses().len(), 1);
        assert_eq!(JailConf::read("").name(), "");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(name in ".{0,9}", parameters in prop::collection::btree_map("[a-z]{1,5}(\\.[a-z]{1,5})?", prop::collection::vec(".{0,9}", 0..3), 0..5)) {
            let mut conf = JailConf { name, ..JailConf::default() };
            for (parameter, values) in parameters {
                conf.entry(&parameter).extend(values);
            }
            prop_assert_eq!(JailConf::read(&conf.to_string()), conf);
        }

        #[test]
        fn no_file_is_too_strange(text in ".*", pieces in "([a-z.0-9\"'{};=+,/*#\\\\$ \n]){0,40}") {
            for text in [text, pieces] {
                let conf = JailConf::read(&text);
                let _ = (conf.ip4_addresses(), conf.ip6_addresses(), conf.devfs_ruleset());
            }
        }
    }
}
