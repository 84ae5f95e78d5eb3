//! The time of each step of a start, one jail after the other.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use jailwire::wiring::{Claim, Plan, Site, Step, Survey};

use crate::Setup;

/// Measures each kind of step, for all jails together. `look` is the survey and the plan.
pub fn breakdown(
    site: &Site<'_>,
    setup: &Setup<'_>,
) -> Result<BTreeMap<&'static str, Duration>, Box<dyn Error>> {
    let mut took: BTreeMap<&'static str, Duration> = BTreeMap::new();
    let mut add = |name, duration| *took.entry(name).or_default() += duration;
    let mut claims = Vec::new();
    for spec in setup.specifications() {
        let begin = Instant::now();
        let survey = Survey::take(site.host, &spec)?;
        let plan = Plan::new(&spec, &survey).map_err(|problems| format!("{problems:?}"))?;
        let mut claim = Claim::take(site, &spec.name, |_| {})?;
        add("look", begin.elapsed());
        let (mut last, mut begin) = ("", Instant::now());
        claim.apply(site, &plan, |step| {
            let now = Instant::now();
            if !last.is_empty() {
                add(last, now - begin);
            }
            (last, begin) = (name(step), now);
        })?;
        add(last, begin.elapsed());
        claims.push(claim);
    }
    for claim in &mut claims {
        let begin = Instant::now();
        claim.clear(site)?;
        add("undo", begin.elapsed());
    }
    Ok(took)
}

fn name(step: &Step) -> &'static str {
    match step {
        Step::CreateJail => "create jail",
        Step::HoldJail => "hold jail",
        Step::CreateEpair { .. } => "create epair",
        Step::NameJailEnd { .. } | Step::NameHostEnd { .. } => "names",
        Step::SetMacs { .. } => "MACs",
        Step::SetMtu { .. } => "MTU",
        Step::Describe { .. } => "description",
        Step::TakeOut { .. } => "take out",
        Step::Join { .. } | Step::AddUplink { .. } => "join bridge",
        Step::BringUp { .. } | Step::BringUpInside { .. } => "bring up",
        Step::StartLoopback => "lo0",
        Step::AddAddress4(..) | Step::AddAddress6(..) => "addresses",
        Step::AddAlias4(..) | Step::AddAlias6(..) => "aliases",
        Step::DefaultRoute(_) => "default route",
        Step::Commit => "commit",
        _ => "other",
    }
}
