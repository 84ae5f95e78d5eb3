//! Makes the man pages and the shell completions, next to where cargo puts the program's build
//! products: `target/*/build/jailwire-*/out/{man,completions}`. They are also put into the program,
//! which prints them: `jailwire man [COMMAND]`, `jailwire completions SHELL`.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "cli")]
    generate::all()?;
    Ok(())
}

// Only the shape of the command line is of interest here.
#[cfg(feature = "cli")]
#[allow(dead_code, unused_imports)]
#[path = "src/bin/jailwire/cli/mod.rs"]
mod cli;

#[cfg(feature = "cli")]
mod generate {
    use std::path::{Path, PathBuf};
    use std::{env, fs, io};

    use clap::{Command, CommandFactory as _, ValueEnum as _};
    use clap_complete::Shell;

    use super::cli;

    pub fn all() -> io::Result<()> {
        println!("cargo::rerun-if-changed=src/bin/jailwire/cli");
        let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
        let out = Path::new(&out);
        let text = list("PAGES", &pages(&out.join("man"))?)
            + &list("COMPLETIONS", &completions(&out.join("completions"), "jailwire")?)
            + &list("COMPLETIONS_AS_IOCAGE", &completions(&out.join("completions"), "iocage")?);
        fs::write(out.join("generated.rs"), text)
    }

    /// A page for the program, and one for each of its commands and their commands: `net-attach`.
    fn pages(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
        fs::create_dir_all(directory)?;
        clap_mangen::generate_to(cli::Cli::command(), directory)?;
        let mut program = cli::Cli::command();
        program.build();
        let mut names = Vec::new();
        names_below(&program, "", &mut names);
        let page = |name: String| (name.clone(), directory.join(format!("jailwire-{name}.1")));
        let own = ("jailwire".to_owned(), directory.join("jailwire.1"));
        Ok(std::iter::once(own).chain(names.into_iter().map(page)).collect())
    }

    fn names_below(command: &Command, before: &str, names: &mut Vec<String>) {
        for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = format!("{before}{}", below.get_name());
            names_below(below, &format!("{name}-"), &mut *names);
            names.push(name);
        }
    }

    /// For the program by one of its names.
    fn completions(directory: &Path, program: &str) -> io::Result<Vec<(String, PathBuf)>> {
        fs::create_dir_all(directory)?;
        let make = |shell: &Shell| {
            let path = clap_complete::generate_to(*shell, &mut cli::Cli::command(), program, directory)?;
            Ok((shell.to_string(), path))
        };
        Shell::value_variants().iter().map(make).collect()
    }

    /// The files as a constant of names and contents.
    fn list(name: &str, files: &[(String, PathBuf)]) -> String {
        let entry = |(name, path): &(String, PathBuf)| {
            format!("    ({name:?}, include_str!({:?})),\n", path.to_string_lossy())
        };
        let entries: String = files.iter().map(entry).collect();
        format!("/// What build.rs made, by name.\nconst {name}: &[(&str, &str)] = &[\n{entries}];\n")
    }
}
