//! Which settings are in force and where each came from, as the administrator reads it.
//!
//! Known from the command line's own definitions ([`Flags`]), so that a setting needs no line here.

use std::fmt;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command};

use crate::config::{ConfigError, Flags, read_table};
use crate::db::Target;

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as in a file.
    pub name: String,
    /// Its value; of a secret only what may be seen.
    pub value: Value,
    /// Where it came from.
    pub from: Source,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// It was set, to this TOML.
    Set(String),
    /// It was not; what is usual, in words.
    Usual(String),
}

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// This option of the command line.
    Flag(String),
    /// This variable of the environment.
    Variable(String),
    /// This file.
    File(PathBuf),
    /// Nowhere.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

impl fmt::Display for Setting {
    /// A line that a file can have.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, sign, value) = match &self.value {
            Value::Set(value) => ("", "=", value),
            Value::Usual(words) => ("# ", ":", words),
        };
        let line = format!("{mark}{} {sign} {value}", self.name);
        write!(f, "{line:<50}  # {}", self.from)
    }
}

/// The options that are settings.
fn options() -> Vec<Arg> {
    let command = Flags::augment_args(Command::new("jixiao"));
    let settings = command.get_arguments().filter(|option| option.get_id() != "config");
    settings.cloned().collect()
}

/// The names of all settings, as in a file.
pub fn names() -> Vec<String> {
    options().iter().map(|option| option.get_id().to_string()).collect()
}

/// The settings in force, in the order of the options.
///
/// # Errors
/// When the file that is named cannot be read.
pub fn in_force(given: &ArgMatches) -> Result<Vec<Setting>, ConfigError> {
    let path = given.get_one::<PathBuf>("config").cloned();
    let file = path.as_deref().map(read_table).transpose()?.unwrap_or_default();
    let setting = |option: &Arg| {
        let id = option.get_id().as_str();
        let is_secret = option.is_hide_env_values_set();
        let as_shown = |text: &str| match is_secret {
            true => masked(text),
            false => text.to_owned(),
        };
        let raw: Vec<String> = given
            .get_raw(id)
            .map(|values| values.map(|value| as_shown(&value.to_string_lossy())).collect())
            .unwrap_or_default();
        let (value, from) = match (given.value_source(id), file.get(id), path.clone()) {
            (Some(ValueSource::CommandLine), ..) => (
                Value::Set(toml_of(option, &raw)),
                Source::Flag(option.get_long().unwrap_or(id).to_owned()),
            ),
            (Some(ValueSource::EnvVariable), ..) => {
                let name = option.get_env().map(|name| name.to_string_lossy().into_owned());
                (
                    Value::Set(toml_of(option, &raw)),
                    Source::Variable(name.unwrap_or_default()),
                )
            }
            (_, Some(toml::Value::String(text)), Some(path)) => (
                Value::Set(toml::Value::String(as_shown(text)).to_string()),
                Source::File(path),
            ),
            (_, Some(value), Some(path)) => (Value::Set(value.to_string()), Source::File(path)),
            _ => (Value::Usual(usual(option)), Source::Default),
        };
        Setting {
            name: id.to_owned(),
            value,
            from,
        }
    };
    Ok(options().iter().map(setting).collect())
}

/// Of an address of a database what stands behind its password, of another secret nothing.
fn masked(text: &str) -> String {
    match Target::parse(text) {
        Some(target @ Target::Postgres(_)) => format!("{target:?}"),
        Some(Target::Sqlite(_)) if text.starts_with("sqlite:") => text.to_owned(),
        _ => "***".to_owned(),
    }
}

/// What an option was given, as a file would say it.
fn toml_of(option: &Arg, values: &[String]) -> String {
    let quoted = |text: &String| match text.parse::<i64>() {
        Ok(number) => number.to_string(),
        Err(_) => toml::Value::String(text.clone()).to_string(),
    };
    let values: Vec<_> = values.iter().map(quoted).collect();
    match option.get_value_delimiter() {
        Some(_) => format!("[{}]", values.join(", ")),
        None => values.join(", "),
    }
}

/// What the help says that is usual.
fn usual(option: &Arg) -> String {
    let help = option.get_help().map(ToString::to_string).unwrap_or_default();
    let said = help.split_once("[default: ").and_then(|(_, rest)| rest.split_once(']'));
    said.map_or("none", |(words, _)| words).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arguments: &[&str]) -> Vec<String> {
        let command = Flags::augment_args(Command::new("jixiao"));
        let given = command.get_matches_from([&["jixiao"], arguments].concat());
        in_force(&given).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_setting_is_shown_with_its_source_as_a_file_would_have_it_and_secrets_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jixiao.toml");
        std::fs::write(&path, "workers = 7\ncors_origins = [\"*\"]\nbody_limit = 5\n").unwrap();
        let path = path.display().to_string();
        let lines = shown(&[
            "--config",
            &path,
            "--workers",
            "3",
            "--database-url",
            "postgres://jixiao:s3cret@db:5432/jixiao",
            "--trusted-proxies",
            "10.0.0.0/8,::1",
        ]);
        let line = |name: &str| {
            let mut named = lines
                .iter()
                .filter(|line| line.trim_start_matches("# ").starts_with(name));
            let line = named.next().unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("workers"), "workers = 3 # --workers");
        assert_eq!(line("body_limit"), format!("body_limit = 5 # {path}"));
        assert_eq!(line("cors_origins"), format!("cors_origins = [\"*\"] # {path}"));
        assert_eq!(
            line("database_url"),
            "database_url = \"postgres://db:5432/jixiao\" # --database-url"
        );
        assert_eq!(
            line("trusted_proxies"),
            "trusted_proxies = [\"10.0.0.0/8\", \"::1\"] # --trusted-proxies"
        );
        assert_eq!(line("listen"), "# listen : 127.0.0.1:8080 # default");
        assert!(!lines.concat().contains("s3cret"));
        // And it is one.
        let file: toml::Table = lines.join("\n").parse().unwrap();
        assert_eq!(file.len(), 5);
    }
}
