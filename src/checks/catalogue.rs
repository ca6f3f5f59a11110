//! The catalogue: every check as data, walked by [`findings`].

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::facts::Facts;
use super::finding::Finding;
use super::{claims, score, table};
use crate::fault::Text;
use crate::scoring::score::Severity;

/// A cross-check (勾稽关系).
pub struct Check {
    /// A stable word for programs.
    pub code: &'static str,
    /// How much a finding of it matters.
    pub severity: Severity,
    /// What it looks at.
    pub topic: Topic,
    /// The fields that it reads: names of variables, or places in their documents.
    pub reads: Vec<&'static str>,
    /// How far figures may be apart without a finding.
    pub tolerance: Text,
    /// Its name.
    pub title: Text,
    /// What it compares, and why that matters.
    pub meaning: Text,
    /// What to do about a finding.
    pub remedy: Text,
    /// How it finds.
    pub rule: Rule,
}

impl Check {
    /// The fields that it reads, each once.
    pub fn reads(&self) -> Vec<String> {
        self.reads.iter().map(|field| (*field).to_owned()).collect()
    }
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CheckTopic)]
pub enum Topic {
    /// Figures of one base data sheet (表内关系).
    Sheet,
    /// This year against the year before (年度间关系).
    Years,
    /// The sheet against the tables of the special funds, and those in themselves (表间关系).
    Forms,
    /// What the score rests on (得分依据).
    Score,
    /// What the unit wrote itself against what follows from its figures (自填得分).
    Claims,
    /// A published table in itself (已公开的自评表).
    Table,
}

/// How a check finds.
pub enum Rule {
    /// A function over the facts of a unit's year.
    Judged(fn(&'static Check, &Facts<'_>, &mut Vec<Finding>)),
    /// Found in a table that is sent along (`checks:preview`), not in a unit's year.
    Table,
}

/// Every check, by topic.
pub static CATALOGUE: LazyLock<Vec<Check>> = LazyLock::new(|| {
    let topics: [fn() -> Vec<Check>; 3] = [score::checks, claims::checks, table::checks];
    topics.into_iter().flat_map(|checks| checks()).collect()
});

/// The check of that code, if there is one.
pub fn find(code: &str) -> Option<&'static Check> {
    CATALOGUE.iter().find(|check| check.code == code)
}

/// What all checks find in a unit's year, in the order of the catalogue.
pub fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for check in CATALOGUE.iter() {
        match &check.rule {
            Rule::Judged(judge) => judge(check, facts, &mut found),
            Rule::Table => {}
        }
    }
    found
}
