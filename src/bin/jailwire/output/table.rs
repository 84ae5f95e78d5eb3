//! Tables as iocage draws them.

use std::io::{self, Write as _};

use comfy_table::{Cell, CellAlignment, Table};

/// iocage's tables: a line between rows, and a double line under centred headers.
const IOCAGE: &str = "||--+=++|-+++++++++";

/// The rows of a table.
pub type Rows = Vec<Vec<String>>;

/// Prints a table with these headers. If the width of the terminal is known, from the terminal or from COLUMNS,
/// each address of a list is on a line of its own. If that table is still too wide, each row is printed as lines
/// with a header and a cell. Names and addresses are never broken.
pub fn table(headers: &[&str], mut rows: Rows) -> io::Result<()> {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    if let Some(columns) = columns.or_else(width) {
        for cell in rows.iter_mut().flatten() {
            *cell = cell.replace(',', ",\n");
        }
        if !rows.is_empty() && natural_width(headers, &rows) > usize::from(columns) {
            return records(headers, &rows);
        }
    }
    let mut table = Table::new();
    table.load_preset(IOCAGE);
    let header = |header: &&str| Cell::new(header).set_alignment(CellAlignment::Center);
    table.set_header(headers.iter().map(header));
    table.add_rows(rows);
    writeln!(io::stdout().lock(), "{table}")
}

/// The width of a table in which no cell is broken.
fn natural_width(headers: &[&str], rows: &[Vec<String>]) -> usize {
    let longest = |cell: &str| cell.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let column = |(place, header): (usize, &&str)| {
        let cells = rows.iter().filter_map(|row| row.get(place)).map(|cell| longest(cell));
        // Each column has a blank on both sides, and a line before it.
        cells.chain([longest(header)]).max().unwrap_or(0) + 3
    };
    headers.iter().enumerate().map(column).sum::<usize>() + 1
}

/// Prints each row as a paragraph: a line for each cell, with its header before it.
fn records(headers: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let width = headers.iter().map(|header| header.len()).max().unwrap_or(0);
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        for (header, cell) in headers.iter().zip(row) {
            for (line, text) in cell.lines().enumerate() {
                let header = if line == 0 { header } else { "" };
                writeln!(out, "{header:<width$}  {text}")?;
            }
        }
    }
    Ok(())
}

/// Returns the number of columns of the terminal. Returns `None` when the output is not a terminal.
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
