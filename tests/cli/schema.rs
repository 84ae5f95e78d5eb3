//! The part of JSON Schema that `docs/json.schema.json` uses: `$ref`, `type`, `enum`, `anyOf`, `items`, `required`,
//! `properties`, `additionalProperties`. Any other keyword fails the test, so that nothing is ignored.

use serde_json::Value;

/// The schema of all answers.
pub struct Schema(Value);

/// Keywords that do not constrain a value.
const SILENT: [&str; 2] = ["description", "$ref"];

impl Schema {
    /// Reads the documented schema.
    pub fn documented() -> Schema {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.schema.json");
        Schema(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    /// The commands with a result.
    pub fn commands(&self) -> Vec<String> {
        self.0["answers"].as_object().unwrap().keys().cloned().collect()
    }

    /// Checks the result of a command.
    pub fn check(&self, command: &str, answer: &Value) -> Result<(), String> {
        let schema = self.0["answers"].get(command).ok_or_else(|| format!("{command} has no schema"))?;
        self.holds(schema, answer, "$")
    }

    /// Checks an error.
    pub fn check_error(&self, answer: &Value) -> Result<(), String> {
        self.check_shape("error", answer)
    }

    /// Checks a value against a structure that several commands share.
    pub fn check_shape(&self, shape: &str, value: &Value) -> Result<(), String> {
        self.holds(&self.0["$defs"][shape], value, "$")
    }

    fn holds(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let rules = schema.as_object().expect("a schema is an object");
        if let Some(reference) = rules.get("$ref") {
            let name =
                reference.as_str().unwrap().strip_prefix("#/$defs/").expect("a reference to a definition");
            self.holds(&self.0["$defs"][name], value, at)?;
        }
        for (keyword, rule) in rules {
            match keyword.as_str() {
                silent if SILENT.contains(&silent) => {}
                "type" => is_of(rule.as_str().unwrap(), value)
                    .then_some(())
                    .ok_or(format!("{at}: {value} is no {rule}"))?,
                "enum" => {
                    let known = rule.as_array().unwrap().contains(value);
                    known.then_some(()).ok_or(format!("{at}: {value} is none of {rule}"))?;
                }
                "anyOf" => {
                    let tried: Vec<_> =
                        rule.as_array().unwrap().iter().map(|one| self.holds(one, value, at)).collect();
                    if tried.iter().all(Result::is_err) {
                        let why: Vec<_> = tried.into_iter().filter_map(Result::err).collect();
                        return Err(format!("{at}: none fits:\n  {}", why.join("\n  ")));
                    }
                }
                "items" => {
                    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.holds(rule, item, &format!("{at}[{place}]"))?;
                    }
                }
                "required" => {
                    for name in rule.as_array().unwrap().iter().filter_map(Value::as_str) {
                        value.get(name).ok_or(format!("{at}: there is no {name} in {value}"))?;
                    }
                }
                "properties" => {
                    for (name, rule) in rule.as_object().unwrap() {
                        if let Some(member) = value.get(name) {
                            self.holds(rule, member, &format!("{at}.{name}"))?;
                        }
                    }
                }
                "additionalProperties" => {
                    for (name, member) in value.as_object().into_iter().flatten() {
                        match rule {
                            _ if schema["properties"].get(name).is_some() => {}
                            Value::Bool(false) => return Err(format!("{at}: {name} is not described")),
                            rule => self.holds(rule, member, &format!("{at}.{name}"))?,
                        }
                    }
                }
                other => panic!("{at}: a keyword that this test does not know: {other}"),
            }
        }
        Ok(())
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("a type that this test does not know: {other}"),
    }
}

#[test]
fn a_schema_that_is_not_met_is_told() {
    let schema = Schema::documented();
    let good = serde_json::json!({ "jid": 1, "name": "web", "ready": ["epair0b"] });
    assert_eq!(schema.check("net wait", &good), Ok(()));
    for (member, value) in [("jid", "1".into()), ("ready", Value::Null), ("more", 1.into())] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(schema.check("net wait", &bad).is_err(), "{bad}");
    }
    assert!(schema.check("net wait", &serde_json::json!({ "jid": 1 })).is_err());
    assert!(schema.check("no command", &good).is_err());
}
