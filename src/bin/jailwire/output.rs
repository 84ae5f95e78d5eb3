//! What the program prints: plain when piped, the same words everywhere.

use comfy_table::{CellAlignment, Table};

/// iocage's tables: a rule between rows, a double one under centred headers.
const IOCAGE: &str = "||--+==+|-+||++++++";

/// A table with these headers.
pub fn table<const N: usize>(headers: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(IOCAGE);
    table.set_header(
        headers.map(|header| comfy_table::Cell::new(header).set_alignment(CellAlignment::Center)),
    );
    table
}
