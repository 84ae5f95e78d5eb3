//! Tables as iocage draws them.

use std::io::{self, Write as _};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

/// iocage's tables: a rule between rows, a double one under centred headers.
const IOCAGE: &str = "||--+=++|-+++++++++";

/// The rows of a table.
pub type Rows = Vec<Vec<String>>;

/// Prints a table with these headers. Where it is known how wide the terminal is, from the terminal or from COLUMNS, the
/// table is no wider, and of a list of addresses each is on a line of its own.
pub fn table(headers: &[&str], mut rows: Rows) -> io::Result<()> {
    let mut table = Table::new();
    table.load_preset(IOCAGE);
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    if let Some(columns) = columns.or_else(width) {
        table.set_width(columns).set_content_arrangement(ContentArrangement::Dynamic);
        for cell in rows.iter_mut().flatten() {
            *cell = cell.replace(',', ",\n");
        }
    }
    let header = |header: &&str| Cell::new(header).set_alignment(CellAlignment::Center);
    table.set_header(headers.iter().map(header));
    table.add_rows(rows);
    writeln!(io::stdout().lock(), "{table}")
}

/// The columns of the terminal. Returns `None` when standard output is no terminal.
fn width() -> Option<u16> {
    let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(width.0)
}

/// Prints rows for scripts: with tabs between columns.
pub fn bare(rows: &[Vec<String>]) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for row in rows {
        writeln!(out, "{}", row.join("\t"))?;
    }
    out.flush()
}
