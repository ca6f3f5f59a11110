//! What in a published table contradicts itself.

use rust_decimal::Decimal;

use super::super::finding::{Finding, Source};
use super::super::judged::{self, Judged, Rounds};
use super::kinds::Kind;
use super::rows::{self, Money, Row};
use super::{Counts, Examination, KnownBy, PublishedTable, RoundingUsed, RowExamined, RowVerdict, TotalExamined};
use crate::fault::{Fault, Text};
use crate::scoring::assessment::Assessments;
use crate::scoring::scheme::Scheme;
use crate::scoring::score::Severity;
use crate::scoring::sheet::BaseData;
use crate::scoring::{Case, score};

/// Examines a table. `scheme` is the one that it names or brings along.
///
/// # Errors
/// Every fault of the document that its schema cannot see: sections and indicators that do not exist, formulas that do
/// not parse, rules that cannot be.
pub fn examine(table: &PublishedTable, scheme: Option<&Scheme>) -> Result<Examination, Vec<Fault>> {
    let nothing = BaseData::default();
    let sheet = table.base_data.as_ref().unwrap_or(&nothing);
    let score = scheme.map(|scheme| score(scheme, &Case::of_unit(sheet, &Assessments::default())));
    let money = table.money();
    let rows = rows::read(table, scheme, score.as_ref(), sheet, money)?;
    let (rounding, rounds) = rounding(table, scheme, &rows);
    let mut examiner = Examiner {
        table,
        rows: &rows,
        sheet,
        money,
        rounds,
        full_marks: table.full_marks.map_or(Decimal::ONE_HUNDRED, |marks| marks.get()),
        found: Vec::new(),
    };
    examiner.funding();
    let verdicts: Vec<_> = rows.iter().map(|row| examiner.row(row)).collect();
    examiner.better_for_less();
    for (n, section) in table.sections.iter().enumerate() {
        examiner.section(n, section);
    }
    examiner.weights();
    let total = examiner.total();
    Ok(finish(examiner.found, verdicts, rounding, total))
}

fn rounding(table: &PublishedTable, scheme: Option<&Scheme>, rows: &[Row<'_>]) -> (RoundingUsed, Rounds) {
    let printed: Vec<(Judged<'_>, Decimal)> = rows
        .iter()
        .filter_map(|row| Some((row.judged?, row.printed.points?.get())))
        .collect();
    let fit = judged::infer(&printed);
    let stated = table.rounding.as_ref().map(Rounds::from).or_else(|| {
        scheme.map(|scheme| Rounds {
            ratio: scheme.round_ratio,
            points: scheme.round_points,
        })
    });
    let (rounds, known) = match stated {
        Some(rounds) => (rounds, KnownBy::Stated),
        None if fit.tested == 0 || fit.explained == 0 => (fit.rounds, KnownBy::Usual),
        None => (fit.rounds, KnownBy::Inferred),
    };
    let words = rounds.words();
    let telling = (fit.tested, fit.explained);
    let text = match known {
        KnownBy::Stated => Text::new(format!("按规定：{}。", words.zh), format!("as stated: {}", words.en)),
        KnownBy::Usual => Text::new(
            format!("没有能说明取舍方式的指标，按通常方式：{}。", words.zh),
            format!("no row tells how it is rounded; as usual: {}", words.en),
        ),
        KnownBy::Inferred => Text::new(
            format!("据各指标推断：{}（{}项中有{}项相符）。", words.zh, telling.0, telling.1),
            format!(
                "inferred from the rows: {} ({} of {} follow so)",
                words.en, telling.1, telling.0
            ),
        ),
    };
    let inferred = known == KnownBy::Inferred;
    let explained = match known {
        KnownBy::Stated => printed
            .iter()
            .filter(|(judged, points)| judged::telling(judged) && judged.rounded(rounds) == Some(*points))
            .count(),
        KnownBy::Inferred | KnownBy::Usual => fit.explained,
    };
    let used = RoundingUsed {
        rounds,
        known,
        tested: fit.tested,
        explained,
        also: if inferred { fit.also } else { Vec::new() },
        text,
    };
    (used, rounds)
}

fn finish(findings: Vec<Finding>, rows: Vec<RowExamined>, rounding: RoundingUsed, total: TotalExamined) -> Examination {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = Counts {
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notices: count(Severity::Notice),
    };
    let of = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let (follow, contradict) = (of(RowVerdict::Follows), of(RowVerdict::Contradicts));
    let unchecked = of(RowVerdict::NotChecked);
    let Counts {
        errors,
        warnings,
        notices,
    } = counts;
    let summary = Text::new(
        format!(
            "共{}行：{follow}行相符，{contradict}行与自身数据矛盾，{unchecked}行无从核对；发现差错{errors}处、疑点{warnings}处、提示{notices}处。",
            rows.len()
        ),
        format!(
            "{} rows: {follow} follow, {contradict} contradict their own figures, {unchecked} cannot be checked; {errors} errors, {warnings} warnings, {notices} notices",
            rows.len()
        ),
    );
    Examination {
        summary,
        counts,
        rounding,
        findings,
        rows,
        total,
    }
}

/// A table while it is examined.
pub(super) struct Examiner<'a> {
    pub(super) table: &'a PublishedTable,
    pub(super) rows: &'a [Row<'a>],
    pub(super) sheet: &'a BaseData,
    pub(super) money: Money,
    pub(super) rounds: Rounds,
    pub(super) full_marks: Decimal,
    pub(super) found: Vec<Finding>,
}

/// A finding about a field of the table, filed under its place.
pub(super) fn found(kind: Kind, pointer: &str, label: Text, zh: String, en: String) -> Finding {
    kind.check()
        .found(zh, en)
        .at(Source::Table, pointer, label)
        .keyed(pointer)
}

/// The name of a row.
pub(super) fn label(row: &Row<'_>) -> Text {
    Text::name(&row.printed.name)
}
