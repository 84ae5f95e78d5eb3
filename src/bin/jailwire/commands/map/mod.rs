//! `map`: a picture of the jails' network.

mod dot;
mod picture;
mod text;

use std::io::{self, Write as _};
use std::process::ExitCode;

use self::picture::Picture;
use crate::CommandError;
use crate::cli;
use crate::environment::Environment;
use crate::output;

pub fn run(environment: &Environment, args: &cli::Map) -> Result<ExitCode, CommandError> {
    let picture = Picture::take(environment)?;
    if environment.json {
        output::json(&picture.to_json())?;
    } else if args.dot {
        write!(io::stdout().lock(), "{}", dot::Dot(&picture))?;
    } else {
        text::print(&mut anstream::stdout().lock(), &picture)?;
    }
    Ok(ExitCode::SUCCESS)
}
