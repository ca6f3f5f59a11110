//! The catalogue: every check as data, walked by [`findings`].

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::facts::Facts;
use super::finding::Finding;
use super::relation::{Oddity, Sum};
use super::{claims, forms, score, sheet, table, years};
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
    /// The fields that it reads besides those of its relations: names of variables, or places in their documents.
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
    /// The same, reading these fields besides those of its relations.
    #[must_use]
    pub fn reading(mut self, fields: &[&'static str]) -> Self {
        self.reads.extend(fields);
        self
    }

    /// The fields that it reads, each once.
    pub fn reads(&self) -> Vec<String> {
        let own = self.reads.iter().map(|field| (*field).to_owned());
        let of_rule: Vec<String> = match &self.rule {
            Rule::Odd(oddities) => oddities.iter().flat_map(Oddity::reads).collect(),
            Rule::Sums(sums) => sums.iter().flat_map(Sum::reads).collect(),
            Rule::Judged(_) | Rule::Table => Vec::new(),
        };
        let mut reads: Vec<String> = Vec::new();
        for field in own.chain(of_rule) {
            if !reads.contains(&field) {
                reads.push(field);
            }
        }
        reads
    }

    /// The relations of which one is found, each as the tests that all hold then; empty for a rule that is no relation.
    pub fn relations(&self) -> Vec<String> {
        match &self.rule {
            Rule::Odd(oddities) => {
                let tests = |oddity: &Oddity| oddity.tests.iter().map(|test| test.text.clone()).collect::<Vec<_>>();
                oddities.iter().map(|oddity| tests(oddity).join(" && ")).collect()
            }
            Rule::Sums(sums) => sums.iter().map(ToString::to_string).collect(),
            Rule::Judged(_) | Rule::Table => Vec::new(),
        }
    }
}

/// Sums of rounded parts, and amounts that two forms tell.
pub(super) const ROUNDING: Text = Text::fixed("每个分项0.01万元", "0.01 万元 per part");
/// Amounts that are the same figure told twice.
pub(super) const CENT: Text = Text::fixed("0.01万元", "0.01 万元");
/// Whole numbers and bounds.
pub(super) const NONE: Text = Text::fixed("无", "none");

/// A check of one topic, with its texts as (Chinese, English).
pub(super) fn check(
    (code, severity, topic, tolerance): (&'static str, Severity, Topic, Text),
    title: (&'static str, &'static str),
    meaning: (&'static str, &'static str),
    remedy: (&'static str, &'static str),
    rule: Rule,
) -> Check {
    let text = |(zh, en): (&'static str, &'static str)| Text::fixed(zh, en);
    Check {
        code,
        severity,
        topic,
        reads: Vec::new(),
        tolerance,
        title: text(title),
        meaning: text(meaning),
        remedy: text(remedy),
        rule,
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
    /// Each of these oddities.
    Odd(Vec<Oddity>),
    /// Each total that is not the sum of its parts.
    Sums(Vec<Sum>),
    /// A function over the facts of a unit's year.
    Judged(fn(&'static Check, &Facts<'_>, &mut Vec<Finding>)),
    /// Found in a table that is sent along (`checks:preview`), not in a unit's year.
    Table,
}

/// Every check, by topic.
pub static CATALOGUE: LazyLock<Vec<Check>> = LazyLock::new(|| {
    let topics: [fn() -> Vec<Check>; 6] = [
        sheet::checks,
        years::checks,
        forms::checks,
        score::checks,
        claims::checks,
        table::checks,
    ];
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
            Rule::Odd(oddities) => {
                let several = oddities.len() > 1;
                found.extend(oddities.iter().filter_map(|oddity| oddity.find(check, facts, several)));
            }
            Rule::Sums(sums) => found.extend(sums.iter().filter_map(|sum| sum.find(check, facts))),
            Rule::Judged(judge) => judge(check, facts, &mut found),
            Rule::Table => {}
        }
    }
    found
}
