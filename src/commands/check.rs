//! `jixiao check`.

use clap::Args;
use jixiao::backup::Failure;
use jixiao::db::Target;
use jixiao::integrity;

#[derive(Debug, Args)]
pub struct Check {
    /// A line of JSON for each fault, for programs
    #[arg(long)]
    json: bool,
}

pub fn run(command: &Check, target: &Target) -> Result<(), Failure> {
    let report = integrity::check(target)?;
    for fault in &report.faults {
        match command.json {
            true => println!("{}", serde_json::to_string(&fault.line())?),
            false => println!("{fault}"),
        }
    }
    match report.faults.len() {
        0 => {
            if !command.json {
                let integrity::Report {
                    units, changes, scores, ..
                } = report;
                println!(
                    "数据库完好：{units}个单位，{changes}项变更，重新计算{scores}份得分。 / \
                     The database is sound: {units} units, {changes} changes, {scores} scores worked out again."
                );
            }
            Ok(())
        }
        count => Err(format!("{target:?} has {count} faults").into()),
    }
}
