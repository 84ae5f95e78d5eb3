//! Reads typed values out of properties, and collects the problems.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::problem::{Level, Problem};
use crate::iocage::properties::Properties;
use crate::iocage::property::{Builtin, Kind, boolean};

/// Reads typed values out of properties. A value that cannot be read is a problem, and its built-in default is
/// used, so that all other properties are checked too.
pub(super) struct Reader<'a> {
    pub properties: &'a Properties,
    pub problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub fn new(properties: &'a Properties) -> Reader<'a> {
        Reader { properties, problems: Vec::new() }
    }

    pub fn problem(&mut self, level: Level, about: impl Into<String>, message: impl fmt::Display) {
        let about = about.into();
        // The value comes from defaults.json, and not from the file that the error names.
        let is_default = self.properties.is_default(&about);
        let message = if is_default { format!("defaults.json: {message}") } else { message.to_string() };
        self.problems.push(Problem { level, about, message });
    }

    pub fn error(&mut self, about: impl Into<String>, message: impl fmt::Display) {
        self.problem(Level::Error, about, message);
    }

    pub fn warn(&mut self, about: impl Into<String>, message: impl fmt::Display) {
        self.problem(Level::Warning, about, message);
    }

    /// Removes repeated problems: some properties are read in more than one place.
    pub fn told_once(&mut self) {
        let problems = std::mem::take(&mut self.problems);
        for problem in problems {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    /// Returns a property's text; the built-in default's where a file has something that is not text.
    pub fn text(&mut self, name: &str) -> Cow<'a, str> {
        match self.properties.value(name) {
            Ok(value) => value.map(|(text, _)| text).unwrap_or_default(),
            Err(error) => {
                self.error(name, error);
                builtin(self.properties, name).into()
            }
        }
    }

    /// Returns a boolean.
    pub fn flag(&mut self, name: &str) -> bool {
        let text = self.text(name);
        boolean(&text).unwrap_or_else(|| {
            self.error(name, format!("`{}` is neither on nor off: say one", text.escape_debug()));
            false
        })
    }

    /// Reads a value from text. Returns `None` if the text is wrong.
    pub fn read<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let text = self.text(name);
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.error(name, error);
                None
            }
        }
    }

    /// Reads a value from text, or `none`.
    pub fn optional<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        if matches!(self.text_quietly(name).as_str(), "none" | "") { None } else { self.read(name) }
    }

    /// Reads a value from text. If the text is wrong, returns the built-in default.
    pub fn read_or_builtin<T>(&mut self, name: &str) -> T
    where
        T: FromStr<Err: fmt::Display + fmt::Debug>,
    {
        self.read(name)
            .unwrap_or_else(|| builtin(self.properties, name).parse().expect("defaults are values"))
    }

    /// Returns a whole number in the range that the table has for the property.
    pub fn number<T: TryFrom<i64>>(&mut self, name: &str) -> T {
        let property = self.properties.find(name).expect("only the table's properties are read");
        let Kind::Integer(least, most) = property.kind else { unreachable!("{name} is a number") };
        let text = self.text(name);
        let number = match text.trim().parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                let text = text.escape_debug();
                self.error(name, format!("`{text}` is not a whole number from {least} to {most}: give one"));
                builtin(self.properties, name).parse().expect("defaults are values")
            }
        };
        T::try_from(number).ok().expect("the table's range fits the type")
    }

    /// Returns the text of a property whose problems are reported elsewhere.
    pub fn text_quietly(&self, name: &str) -> String {
        self.properties.value(name).ok().flatten().map(|(text, _)| text.trim().to_owned()).unwrap_or_default()
    }
}

fn builtin(properties: &Properties, name: &str) -> &'static str {
    match properties.find(name).map(|property| property.builtin) {
        Some(Builtin::Text(text)) => text,
        _ => "none",
    }
}
