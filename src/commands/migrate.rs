//! `jixiao migrate`.

use clap::Args;
use jixiao::backup::Failure;
use jixiao::db::{OpenError, Target, migrate, open_as_it_is, open_once};

#[derive(Debug, Args)]
pub struct Migrate {
    /// Only tell which migrations would run; changes nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub fn run(command: &Migrate, target: &Target) -> Result<(), Failure> {
    if !command.dry_run {
        open_once(target)?;
        println!("The tables of {target:?} are up to date.");
        return Ok(());
    }
    let missing = match open_as_it_is(target) {
        Ok(mut conn) => migrate::missing(&mut conn)?,
        Err(OpenError::Missing(_)) => migrate::known()?.into_iter().map(|(_, name)| name).collect(),
        Err(error) => return Err(error.into()),
    };
    match missing.len() {
        0 => println!("{target:?}: 无需升级 / nothing to do"),
        count => {
            println!("{target:?}: 将执行{count}项迁移（未作改动） / {count} migrations would run; nothing was changed")
        }
    }
    for name in missing {
        println!("{name}");
    }
    Ok(())
}
