//! Makes the man page and the shell completions, next to where cargo puts the program's build
//! products: `target/*/build/jailwire-*/out/{man,completions}`. `CONTRIBUTING.md` says how a package
//! picks them up.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "cli")]
    generate::all()?;
    Ok(())
}

// Only the shape of the command line is of interest here.
#[cfg(feature = "cli")]
#[allow(dead_code)]
#[path = "src/bin/jailwire/cli.rs"]
mod cli;

#[cfg(feature = "cli")]
mod generate {
    use std::path::Path;
    use std::{env, fs, io};

    use clap::{CommandFactory as _, ValueEnum as _};
    use clap_complete::Shell;

    use super::cli;

    pub fn all() -> io::Result<()> {
        println!("cargo::rerun-if-changed=src/bin/jailwire/cli.rs");
        let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
        let (man, completions) = (Path::new(&out).join("man"), Path::new(&out).join("completions"));
        fs::create_dir_all(&man)?;
        fs::create_dir_all(&completions)?;
        clap_mangen::generate_to(cli::Cli::command(), &man)?;
        for shell in Shell::value_variants() {
            clap_complete::generate_to(*shell, &mut cli::Cli::command(), "jailwire", &completions)?;
        }
        Ok(())
    }
}
