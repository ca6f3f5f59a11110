//! `jixiao backup`, `restore` and `move`.

use std::path::PathBuf;

use clap::Args;
use jixiao::backup::{Contents, Failure, Key, dump, restore};
use jixiao::db::Target;

/// The key that backups are sealed with.
#[derive(Debug, Clone, Args)]
pub struct Sealed {
    /// A file with the key that the backup is sealed with: 64 hexadecimal digits, as `openssl rand -hex 32` makes them
    #[arg(long, env = "JIXIAO_BACKUP_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl Sealed {
    fn key(&self) -> Result<Option<Key>, String> {
        self.key_file.as_deref().map(Key::from_file).transpose()
    }
}

#[derive(Debug, Args)]
pub struct Backup {
    /// The file to write; there must be none of that name yet
    file: PathBuf,
    #[command(flatten)]
    sealed: Sealed,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// The file to read
    file: PathBuf,
    #[command(flatten)]
    sealed: Sealed,
    /// Lose what the database holds now
    #[arg(long)]
    replace: bool,
    /// Only tell whether the file is whole and can be restored
    #[arg(long, conflicts_with = "replace")]
    verify_only: bool,
}

#[derive(Debug, Args)]
pub struct Move {
    /// The database to move to: postgres://… or sqlite:<path>
    #[arg(long, value_name = "URL", env = "JIXIAO_MOVE_TO", hide_env_values = true, value_parser = parse)]
    to: Target,
    /// Lose what that database holds now
    #[arg(long)]
    replace: bool,
}

fn parse(address: &str) -> Result<Target, String> {
    Target::parse(address).ok_or_else(|| "use postgres://… or sqlite:<path>".to_owned())
}

pub fn backup(command: &Backup, target: &Target) -> Result<(), Failure> {
    let contents = dump::backup(target, &command.file, command.sealed.key()?.as_ref())?;
    println!("{}: 已备份并校验 / written and verified", command.file.display());
    tell(&contents);
    Ok(())
}

pub fn restore(command: &Restore, target: &Target) -> Result<(), Failure> {
    let key = command.sealed.key()?;
    if command.verify_only {
        let contents = restore::verify_from(&command.file, key.as_ref())?;
        println!("{}: 备份完整 / the backup is whole", command.file.display());
        tell(&contents);
        return Ok(());
    }
    let contents = restore::restore_from(&command.file, key.as_ref(), target, command.replace)?;
    println!("{target:?}: 已恢复并校验 / restored and verified");
    tell(&contents);
    Ok(())
}

pub fn move_to(command: &Move, target: &Target) -> Result<(), Failure> {
    let contents = restore::move_to(target, &command.to, command.replace)?;
    println!("{:?}: 已迁移并校验 / moved and verified", command.to);
    tell(&contents);
    Ok(())
}

/// The last line is an anchor for `jixiao audit verify`.
fn tell(contents: &Contents) {
    let (header, manifest) = (&contents.header, &contents.manifest);
    println!("{}  {}  jixiao {}", header.made_at, header.engine, header.program);
    for table in &manifest.tables {
        println!("{:>12}  {}", table.rows, table.name);
    }
    println!("{}:{}", manifest.head_seq, manifest.head_hash);
}
