//! Checks whether devd(8) runs a script for every new epair.

use std::fs;
use std::path::{Path, PathBuf};

use super::Scene;
use super::finding::{Finding, Kind, Level};

/// A rule for interfaces that are attached.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    priority: u32,
    /// The pattern that the interface's name has to match. `None` for any.
    subsystem: Option<String>,
    action: String,
}

impl Scene<'_> {
    pub(super) fn devd(&self, found: &mut Vec<Finding>) {
        let mut rules: Vec<Rule> = files(&self.devd)
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok())
            .flat_map(|text| rules(&text))
            .collect();
        // devd(8) uses the first rule that matches, beginning with the highest priority.
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
        let Some(rule) = rules.iter().find(|rule| rule.fits_epairs()) else { return };
        if rule.does_nothing() || self.vnet_jails().next().is_none() {
            return;
        }
        let jails = self.vnet_jails().count();
        found.push(
            Finding::new(
                Level::Note,
                Kind::DevdScript,
                format!("devd starts a script for every epair that comes: {}", rule.action),
            )
            .because(format!(
                "each start of a jail runs some more processes, and at boot those of {jails} jails compete with the start; rc.d may also enable IPv6 on a new epair, which keeps the epair from a bridge whose members may have no addresses"
            ))
            .mend("write /etc/devd/jailwire.conf: notify 100 { match \"system\" \"IFNET\"; match \"subsystem\" \"(epair|vnet)[0-9].*\"; match \"type\" \"ATTACH\"; action \"true\"; };")
            .mend("and run: service devd restart"),
        );
    }
}

impl Rule {
    fn fits_epairs(&self) -> bool {
        match self.subsystem.as_deref() {
            None => true,
            // `!` negates the pattern.
            Some(pattern) => match pattern.strip_prefix('!') {
                Some(others) => !others.contains("epair"),
                None => pattern.contains("epair") || matches!(pattern, ".*" | ".+"),
            },
        }
    }

    fn does_nothing(&self) -> bool {
        matches!(self.action.trim(), "" | "true" | "/usr/bin/true" | ":")
    }
}

/// The given files, and the files in the given directories.
fn files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
            let mut found: Vec<_> = entries.filter(|path| is_rules(path)).collect();
            found.sort();
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    files
}

fn is_rules(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "conf")
}

/// The rules of a devd.conf(5) about interfaces that are attached.
fn rules(text: &str) -> Vec<Rule> {
    let text: String =
        text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for part in text.split("notify").skip(1) {
        let Some((priority, rest)) = part.split_once('{') else { continue };
        let (Ok(priority), Some(body)) = (priority.trim().parse(), rest.split("};").next()) else { continue };
        let value = |name: &str| {
            let after = body.split(&format!("\"{name}\"")).nth(1)?;
            after.split('"').nth(1).map(str::to_owned)
        };
        let action =
            body.split("action").nth(1).and_then(|after| after.split('"').nth(1)).unwrap_or_default();
        if value("system").as_deref() == Some("IFNET") && value("type").as_deref() == Some("ATTACH") {
            found.push(Rule { priority, subsystem: value("subsystem"), action: action.to_owned() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = r#"
# notify 99 { match "system" "IFNET"; };
notify 0 {
	match "system"		"IFNET";
	match "subsystem"	"!(usbus|wlan)[0-9]+";
	match "type"		"ATTACH";
	action "/etc/pccard_ether $subsystem start";
};
notify 0 {
	match "system"		"IFNET";
	match "type"		"DETACH";
	action "/etc/pccard_ether $subsystem stop";
};
"#;

    #[test]
    fn the_rule_for_new_interfaces_is_found() {
        let found = rules(DEFAULT);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].fits_epairs() && !found[0].does_nothing());
        assert_eq!(found[0].action, "/etc/pccard_ether $subsystem start");
    }

    #[test]
    fn a_rule_of_ones_own_comes_first() {
        let own = r#"notify 100 { match "system" "IFNET"; match "subsystem" "(epair|vnet)[0-9].*"; match "type" "ATTACH"; action "true"; };"#;
        let found = rules(own);
        assert!(found[0].priority == 100 && found[0].fits_epairs() && found[0].does_nothing(), "{found:?}");
        assert!(rules("notify 0 {").is_empty() && rules("").is_empty());
    }
}
