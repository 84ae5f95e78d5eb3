//! Makes the manual pages, next to where cargo puts the program's build products:
//! `target/*/build/jailwire-*/out/man`. The pages are also put into the program, which prints them:
//! `jailwire man [COMMAND]`.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "cli")]
    generate::all()?;
    Ok(())
}

// build.rs uses only a part of these files.
#[cfg(feature = "cli")]
#[allow(dead_code, unused_imports)]
#[path = "src/bin/jailwire/cli/mod.rs"]
mod cli;

#[cfg(feature = "cli")]
#[path = "src/bin/jailwire/cli/manual.rs"]
mod manual;

#[cfg(feature = "cli")]
mod generate {
    use std::path::Path;
    use std::{env, fs, io};

    use clap::{Arg, Command, CommandFactory as _};
    use clap_mangen::Man;
    use clap_mangen::roff::{Roff, bold, italic, roman};

    use super::{cli, manual};

    pub fn all() -> io::Result<()> {
        println!("cargo::rerun-if-changed=src/bin/jailwire/cli");
        let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
        let out = Path::new(&out);
        let mut program = cli::Cli::command();
        program.build();
        let directory = out.join("man");
        fs::create_dir_all(&directory)?;
        let mut entries = String::new();
        for (name, command) in std::iter::once((String::new(), &program)).chain(below(&program, "")) {
            let (title, shown) = match name.as_str() {
                "" => ("jailwire".to_owned(), "jailwire"),
                name => (format!("jailwire-{name}"), name),
            };
            let path = directory.join(format!("{title}.{}", manual::SECTION));
            fs::write(&path, page(&program, command, &name, &title)?)?;
            entries += &format!("    ({shown:?}, include_str!({:?})),\n", path.to_string_lossy());
        }
        let text =
            format!("/// The manual pages, by command.\nconst PAGES: &[(&str, &str)] = &[\n{entries}];\n");
        fs::write(out.join("generated.rs"), text)
    }

    /// All commands below a command, at any depth, with the names of their pages, such as `net-attach`.
    fn below<'a>(command: &'a Command, before: &str) -> Vec<(String, &'a Command)> {
        let mut found = Vec::new();
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = format!("{before}{}", command.get_name());
            found.extend(below(command, &format!("{name}-")));
            found.push((name, command));
        }
        found
    }

    /// The page of a command. As usual in manual pages, arguments and options have sections of their own, and the
    /// sections that operators look for follow.
    fn page(program: &Command, command: &Command, name: &str, title: &str) -> io::Result<Vec<u8>> {
        let version = program.get_version().unwrap_or_default();
        let man = |command: Command| {
            Man::new(command)
                .title(title.to_uppercase())
                .section(manual::SECTION)
                .date("")
                .source(format!("jailwire {version}"))
                .manual("System Manager's Manual")
        };
        let mut text = Vec::new();
        let whole = man(command.clone());
        whole.render_title(&mut text)?;
        whole.render_name_section(&mut text)?;
        whole.render_synopsis_section(&mut text)?;
        whole.render_description_section(&mut text)?;
        arguments(command).to_writer(&mut text)?;
        let options = command.clone().mut_args(|argument| {
            let hidden = argument.is_hide_set() || argument.is_positional();
            argument.hide(hidden)
        });
        man(options).render_options_section(&mut text)?;
        if command.get_subcommands().any(|command| !command.is_hide_set()) {
            commands(command, title).to_writer(&mut text)?;
        }
        environment().to_writer(&mut text)?;
        files(name).to_writer(&mut text)?;
        status(name).to_writer(&mut text)?;
        examples(name).to_writer(&mut text)?;
        see_also(program, name).to_writer(&mut text)?;
        Ok(text)
    }

    /// The section with the words that are no options.
    fn arguments(command: &Command) -> Roff {
        let mut roff = Roff::default();
        let shown: Vec<&Arg> = command.get_positionals().filter(|argument| !argument.is_hide_set()).collect();
        if shown.is_empty() {
            return roff;
        }
        roff.control("SH", ["ARGUMENTS"]);
        for argument in shown {
            let names = argument.get_value_names().unwrap_or_default();
            let more = argument.get_num_args().is_some_and(|count| count.max_values() > names.len());
            let names = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
            let help = argument.get_long_help().or(argument.get_help()).cloned().unwrap_or_default();
            roff.control("TP", []);
            roff.text([italic(names), roman(if more { " ..." } else { "" })]);
            roff.text([roman(help.to_string())]);
        }
        roff
    }

    fn commands(command: &Command, title: &str) -> Roff {
        let mut roff = Roff::default();
        roff.control("SH", ["COMMANDS"]);
        for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            roff.control("TP", []);
            roff.text([
                bold(format!("{title}-{}", below.get_name())),
                roman(format!("({})", manual::SECTION)),
            ]);
            roff.text([roman(below.get_about().cloned().unwrap_or_default().to_string())]);
        }
        roff
    }

    /// The section with the files that a command reads or writes. The program's own page has the files of all
    /// commands.
    fn files(name: &str) -> Roff {
        let mut roff = Roff::default();
        let of_page = |pages: &[&str]| name.is_empty() || pages.contains(&name);
        let listed: Vec<_> = manual::FILES.iter().filter(|(_, _, pages)| of_page(pages)).collect();
        if listed.is_empty() {
            return roff;
        }
        roff.control("SH", ["FILES"]);
        if listed.iter().any(|(path, ..)| path.starts_with("ROOT")) {
            roff.text([italic("ROOT"), roman(" is the directory that "), bold("--root"), roman(" names.")]);
        }
        for (path, meaning, _) in listed {
            roff.control("TP", []);
            roff.text([italic(*path)]);
            roff.text([roman(*meaning)]);
        }
        roff
    }

    fn environment() -> Roff {
        let mut roff = Roff::default();
        roff.control("SH", ["ENVIRONMENT"]);
        for (variable, meaning) in manual::ENVIRONMENT {
            roff.control("TP", []);
            roff.text([bold(*variable)]);
            roff.text([roman(*meaning)]);
        }
        roff
    }

    fn status(name: &str) -> Roff {
        let mut roff = Roff::default();
        roff.control("SH", ["EXIT STATUS"]);
        for (status, meaning) in manual::STATUS {
            roff.control("TP", []);
            roff.text([bold(*status)]);
            roff.text([roman(*meaning)]);
        }
        if matches!(name, "exec" | "console" | "") {
            roff.control("PP", []);
            let text = if name.is_empty() { "Of exec and console: " } else { "" };
            roff.text([roman(format!("{text}{}", manual::PASSED_ON))]);
        }
        roff
    }

    fn examples(name: &str) -> Roff {
        let mut roff = Roff::default();
        let Some((_, lines)) = manual::EXAMPLES.iter().find(|(page, _)| *page == name) else { return roff };
        roff.control("SH", ["EXAMPLES"]);
        for (purpose, line) in *lines {
            roff.control("PP", []);
            roff.text([roman(*purpose)]);
            roff.control("PP", []);
            roff.control("RS", ["4"]);
            roff.text([bold(*line)]);
            roff.control("RE", []);
        }
        roff
    }

    /// The section with related pages of the program and of the system.
    fn see_also(program: &Command, name: &str) -> Roff {
        let mut pages: Vec<(String, &str)> = Vec::new();
        if !name.is_empty() {
            pages.push(("jailwire".to_owned(), manual::SECTION));
        }
        let family = name.split('-').next().unwrap_or_default();
        for (other, _) in below(program, "") {
            let near = match family {
                "net" | "host" => other.starts_with(family),
                _ => name.is_empty(),
            };
            if near && other != name {
                pages.push((format!("jailwire-{other}"), manual::SECTION));
            }
        }
        pages.extend(manual::SEE_ALSO.iter().map(|(page, section)| ((*page).to_owned(), *section)));
        let mut roff = Roff::default();
        roff.control("SH", ["SEE ALSO"]);
        let last = pages.len() - 1;
        for (place, (page, section)) in pages.into_iter().enumerate() {
            let comma = if place == last { "" } else { "," };
            roff.text([bold(page), roman(format!("({section}){comma}"))]);
        }
        roff
    }
}
