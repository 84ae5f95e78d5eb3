//! Spans of `tracing`: one for each step of a start, and for each thing that an undo or a stop takes away.

/// Enters the span `step` of the target `jailwire::wiring`, at the level INFO. The span ends when the guard
/// is dropped. The fields: `jail`, a name, and `step`, as a dry run prints it.
#[cfg(feature = "tracing")]
pub fn of(jail: &str, step: &super::Step) -> tracing::span::EnteredSpan {
    tracing::info_span!(target: "jailwire::wiring", "step", jail, %step).entered()
}

/// Enters the span `undo`, of the same target and level. The field: `owned`, the thing that is removed.
#[cfg(feature = "tracing")]
pub fn of_undoing(owned: &super::Owned) -> tracing::span::EnteredSpan {
    tracing::info_span!(target: "jailwire::wiring", "undo", %owned).entered()
}

/// Stands for a span where the feature `tracing` is off.
#[cfg(not(feature = "tracing"))]
pub struct NoSpan;

#[cfg(not(feature = "tracing"))]
pub fn of(_jail: &str, _step: &super::Step) -> NoSpan {
    NoSpan
}

#[cfg(not(feature = "tracing"))]
pub fn of_undoing(_owned: &super::Owned) -> NoSpan {
    NoSpan
}
