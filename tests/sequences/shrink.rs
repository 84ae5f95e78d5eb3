//! Finds the shortest sequence that still shows a difference.

use crate::compare::Difference;
use crate::operation::Step;

/// Leaves out operations as long as there is still a difference. Returns the remaining sequence, and the
/// difference.
///
/// The operations after the difference are left out first, then halves of the rest, then smaller and smaller parts,
/// down to single operations, until no single operation can be left out.
pub fn shrink(
    steps: &[Step],
    found: Difference,
    mut differs: impl FnMut(&[Step]) -> Option<Difference>,
) -> (Vec<Step>, Difference) {
    let mut shortest = steps[..=found.at].to_vec();
    let mut difference = found;
    let mut part = shortest.len() / 2;
    while part > 0 {
        let before = shortest.len();
        let mut at = 0;
        while at < shortest.len() {
            let end = (at + part).min(shortest.len());
            let shorter = [&shortest[..at], &shortest[end..]].concat();
            match differs(&shorter) {
                Some(still) => {
                    shortest = shorter[..=still.at].to_vec();
                    difference = still;
                }
                None => at += part,
            }
        }
        if part > 1 || shortest.len() == before {
            part /= 2;
        }
    }
    (shortest, difference)
}
