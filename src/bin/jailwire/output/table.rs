//! Tables as iocage draws them.

use std::io::{self, Write as _};

use comfy_table::{Cell, CellAlignment, Table};

/// iocage's tables: a rule between rows, a double one under centred headers.
const IOCAGE: &str = "||--+=++|-+++++++++";

/// The rows of a table.
pub type Rows = Vec<Vec<String>>;

/// Prints a table with these headers.
pub fn table(headers: &[&str], rows: Rows) -> io::Result<()> {
    let mut table = Table::new();
    table.load_preset(IOCAGE);
    let header = |header: &&str| Cell::new(header).set_alignment(CellAlignment::Center);
    table.set_header(headers.iter().map(header));
    table.add_rows(rows);
    writeln!(io::stdout().lock(), "{table}")
}

/// Prints rows for scripts: with tabs between columns.
pub fn bare(rows: &[Vec<String>]) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for row in rows {
        writeln!(out, "{}", row.join("\t"))?;
    }
    out.flush()
}
