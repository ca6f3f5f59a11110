//! `jixiao config`: the settings in force, and whether a server could start by them.

use clap::ArgMatches;
use jixiao::app::Live;
use jixiao::config::Config;
use jixiao::http::gate::Gate;
use jixiao::settings;

use crate::Failure;

/// Prints the settings in force as a file that says the same, once the files that they name were read.
pub fn run(config: &Config, given: &ArgMatches) -> Result<(), Failure> {
    let gate = Gate::new(config.identity.as_ref())?;
    Live::new(config, gate)?;
    for setting in settings::in_force(given)? {
        println!("{setting}");
    }
    Ok(())
}
