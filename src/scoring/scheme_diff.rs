//! What is different between two scoring schemes, field by field and in sentences: what a bureau reads before it puts the
//! next year's scheme into force.
//!
//! Sections and indicators are told apart by their codes: one whose code changed was removed and another added.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::explain;
use super::formula::Formula;
use super::scheme::{Condition, Grade, Indicator, Outcome, Round, RoundMode, SchemeDocument, Section, ZeroDenominator};
use super::text::{Code, FormulaText, Label, Words};
use super::values::{Points, Share, digits};
use crate::fault::Text;

/// The differences between two schemes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SchemeDiff {
    /// All of it in a sentence.
    pub summary: Text,
    /// Whether any difference can make another score or grade.
    pub affects_score: bool,
    /// The differences: of the scheme as a whole, then section by section, each with its indicators, in the order of the
    /// form; what was removed comes last.
    pub changes: Vec<Change>,
}

/// A difference: something that was added, removed or changed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SchemeDifference)]
pub struct Change {
    /// Whether it was added, removed or changed.
    pub kind: Kind,
    /// What it is.
    pub subject: Subject,
    /// The code of the section or indicator; `null` for the scheme as a whole.
    pub code: Option<Code>,
    /// Its name, after the change.
    pub name: Label,
    /// Whether it can make another score or grade; false for what is only wording.
    pub affects_score: bool,
    /// Each field that is different; of what was added or removed, each field that it has.
    pub fields: Vec<FieldChange>,
    /// The difference in a sentence.
    pub text: Text,
}

/// Whether something was added, removed or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SchemeDifferenceKind)]
pub enum Kind {
    /// Only the later scheme has it.
    Added,
    /// Only the earlier one had it.
    Removed,
    /// Both have it, and not the same.
    Changed,
}

/// What in a scheme is different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SchemeDifferenceSubject)]
pub enum Subject {
    /// The scheme as a whole: its name, total, grades, rounding.
    Scheme,
    /// A section (一级指标).
    Section,
    /// An indicator (指标).
    Indicator,
}

/// A field with both its values in words.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SchemeFieldDifference)]
pub struct FieldChange {
    /// The field's name in the document, `section` for the one that an indicator stands in, `order` for the order of
    /// sections and indicators.
    #[schema(value_type = String, example = "weight")]
    pub field: &'static str,
    /// Its name in words.
    pub label: Text,
    /// Its value in the earlier scheme; `null` where it had none.
    pub before: Option<Text>,
    /// Its value in the later scheme; `null` where it has none.
    pub after: Option<Text>,
}

/// A field of a `T`: what it is called, whether scores follow from it, how two values are compared and one is worded.
struct Facet<T> {
    field: &'static str,
    zh: &'static str,
    en: &'static str,
    scores: bool,
    same: fn(&T, &T) -> bool,
    /// The value in words; `None` where it is left out.
    words: fn(&T) -> Option<Text>,
    /// The value as the document writes it, for values that differ in what the words do not tell, such as codes.
    raw: fn(&T) -> String,
}

macro_rules! facet {
    ($field:literal, $zh:literal, $en:literal, $scores:literal, |$of:ident| $value:expr, $words:expr) => {
        Facet {
            field: $field,
            zh: $zh,
            en: $en,
            scores: $scores,
            same: |a, b| {
                let $of = a;
                let before = &$value;
                let $of = b;
                *before == $value
            },
            words: |$of| $words,
            raw: |$of| serde_json::to_string(&$value).unwrap_or_default(),
        }
    };
}

/// An indicator in its section.
#[derive(Clone, Copy)]
struct Placed<'a> {
    section: &'a Section,
    indicator: &'a Indicator,
}

static OF_SCHEMES: &[Facet<SchemeDocument>] = &[
    facet!("name", "名称", "the name", false, |s| s.name, label(&s.name)),
    facet!(
        "name_en",
        "英文名称",
        "the English name",
        false,
        |s| s.name_en,
        s.name_en.as_ref().and_then(label)
    ),
    facet!(
        "source",
        "依据",
        "the source",
        false,
        |s| s.source,
        s.source.as_ref().and_then(words)
    ),
    facet!(
        "template",
        "是否为模板",
        "whether it is a template",
        true,
        |s| s.template,
        yes_or_no(s.template)
    ),
    facet!(
        "total",
        "总分",
        "the total",
        true,
        |s| s.total,
        s.total.and_then(points)
    ),
    facet!(
        "rounding/ratio",
        "比率取舍",
        "how ratios are rounded",
        true,
        |s| s.rounding.ratio,
        rounding(s.rounding.ratio)
    ),
    facet!(
        "rounding/points",
        "得分取舍",
        "how points are rounded",
        true,
        |s| s.rounding.points,
        rounding(Some(s.rounding.points.unwrap_or(Round::USUAL_POINTS)))
    ),
    facet!("grades", "等级", "the grades", true, |s| s.grades, grades(&s.grades)),
];

static OF_SECTIONS: &[Facet<Section>] = &[
    facet!("name", "名称", "the name", false, |s| s.name, label(&s.name)),
    facet!(
        "name_en",
        "英文名称",
        "the English name",
        false,
        |s| s.name_en,
        s.name_en.as_ref().and_then(label)
    ),
    facet!(
        "weight",
        "分值",
        "the weight",
        true,
        |s| s.weight,
        s.weight.and_then(points)
    ),
    facet!(
        "own_rows",
        "单位自定指标",
        "own rows of the units",
        true,
        |s| s.own_rows,
        s.own_rows.as_ref().map(|rows| {
            let (achieved, partly) = (digits(rows.achieved_from.get()), digits(rows.partly_from.get()));
            Text::new(
                format!("达成得分值的{achieved}%以上，部分达成得{partly}%以上"),
                format!("achieved gets from {achieved}% of the weight, partly from {partly}%"),
            )
        })
    ),
];

static OF_INDICATORS: &[Facet<Indicator>] = &[
    facet!("name", "名称", "the name", false, |i| i.name, label(&i.name)),
    facet!(
        "name_en",
        "英文名称",
        "the English name",
        false,
        |i| i.name_en,
        i.name_en.as_ref().and_then(label)
    ),
    facet!(
        "group",
        "二级指标",
        "the heading",
        false,
        |i| i.group,
        i.group.as_ref().and_then(label)
    ),
    facet!(
        "weight",
        "分值",
        "the weight",
        true,
        |i| i.weight,
        i.weight.and_then(points)
    ),
    facet!(
        "ratio",
        "比率",
        "the ratio",
        true,
        |i| i.ratio,
        i.ratio.as_ref().map(|ratio| {
            let (numerator, denominator) = (formula(&ratio.numerator), formula(&ratio.denominator));
            Text::new(
                format!("{}÷{}×100%", numerator.zh, denominator.zh),
                format!("{} ÷ {} × 100%", numerator.en, denominator.en),
            )
        })
    ),
    facet!(
        "rule",
        "计分规则",
        "the rule",
        true,
        |i| i.rule,
        i.rule.as_ref().map(|rule| {
            let text = explain::rule(rule, i.weight.map(Points::get).unwrap_or_default());
            Text::new(text.zh.trim_end_matches('。').to_owned(), text.en)
        })
    ),
    facet!(
        "when_zero_denominator",
        "分母为零时",
        "a denominator of 0",
        true,
        |i| i.when_zero_denominator,
        zero_denominator(i.when_zero_denominator)
    ),
    facet!(
        "not_applicable_when",
        "不适用情形",
        "when it does not apply",
        true,
        |i| i.not_applicable_when,
        i.not_applicable_when.map(|condition| match condition {
            Condition::NoBuilding => Text::new("本年无完工的楼堂馆所", "no building was finished this year"),
        })
    ),
    facet!(
        "when_not_applicable",
        "不适用时",
        "what it gets where it does not apply",
        true,
        |i| i.when_not_applicable,
        Some(outcome(i.when_not_applicable))
    ),
    facet!(
        "standard",
        "评分标准原文",
        "the standard's wording",
        false,
        |i| i.standard,
        i.standard.as_ref().and_then(words)
    ),
    facet!(
        "source",
        "依据",
        "the source",
        false,
        |i| i.source,
        i.source.as_ref().and_then(words)
    ),
    facet!(
        "verified",
        "是否已与原件核对",
        "whether it was compared with the document",
        false,
        |i| i.verified,
        yes_or_no(i.verified)
    ),
];

fn label(label: &Label) -> Option<Text> {
    Some(Text::name(label))
}

fn words(words: &Words) -> Option<Text> {
    Some(Text::name(words))
}

fn yes_or_no(yes: bool) -> Option<Text> {
    Some(match yes {
        true => Text::new("是", "yes"),
        false => Text::new("否", "no"),
    })
}

fn points(points: Points) -> Option<Text> {
    let points = digits(points.get());
    Some(Text::new(format!("{points}分"), format!("{points} points")))
}

fn percent(share: Share) -> String {
    format!("{}%", digits(share.get()))
}

fn rounding(round: Option<Round>) -> Option<Text> {
    let round = round?;
    let decimals = u8::from(round.decimals);
    Some(match round.mode {
        RoundMode::Exact => Text::new("不取舍", "not rounded"),
        RoundMode::Floor => Text::new(
            format!("保留{decimals}位小数，其后舍去"),
            format!("cut to {decimals} decimals"),
        ),
        RoundMode::HalfUp => Text::new(
            format!("四舍五入保留{decimals}位小数"),
            format!("to {decimals} decimals, half up"),
        ),
    })
}

fn grades(grades: &[Grade]) -> Option<Text> {
    let zh: Vec<_> = grades
        .iter()
        .map(|grade| format!("{}{}起", grade.name, percent(grade.from)))
        .collect();
    let en: Vec<_> = grades
        .iter()
        .map(|grade| format!("{} from {}", grade.code, percent(grade.from)))
        .collect();
    Some(Text::new(zh.join("、"), en.join(", ")))
}

fn outcome(outcome: Outcome) -> Text {
    match outcome {
        Outcome::Full => Text::new("得满分", "full marks"),
        Outcome::Zero => Text::new("不得分", "no points"),
        Outcome::Open => Text::new("待评定", "left open"),
    }
}

fn zero_denominator(zero: ZeroDenominator) -> Option<Text> {
    let (nothing, something) = (outcome(zero.zero_over_zero), outcome(zero.over_zero));
    Some(Text::new(
        format!("分子也为零{}，分子不为零{}", nothing.zh, something.zh),
        format!("0/0 gets {}, x/0 gets {}", nothing.en, something.en),
    ))
}

/// A formula in words without figures; as it is written where it does not parse.
fn formula(text: &FormulaText) -> Text {
    let Ok(formula) = Formula::parse(text.as_str()) else {
        return Text::name(text);
    };
    let (mut zh, mut en) = (String::new(), String::new());
    formula.words(&mut zh, &mut en, &mut |variable, zh, en| {
        zh.push_str(variable.zh);
        en.push_str(variable.en);
    });
    match formula.is_compound() {
        false => Text::new(zh, en),
        true => Text::new(format!("（{zh}）"), format!("({en})")),
    }
}

/// What is different in `after` compared with `before`. Equal schemes differ in nothing.
pub fn diff(before: &SchemeDocument, after: &SchemeDocument) -> SchemeDiff {
    let mut changes = Vec::new();
    let mut whole = compare(OF_SCHEMES, Some(before), Some(after));
    if common_order(before, after) != common_order(after, before) {
        whole.fields.push(FieldChange {
            field: "order",
            label: Text::new("指标次序", "the order"),
            before: None,
            after: None,
        });
    }
    whole.push(&mut changes, Subject::Scheme, None, &after.name);

    let (old_sections, new_sections) = (sections(before), sections(after));
    let (old_indicators, new_indicators) = (indicators(before), indicators(after));
    for section in &after.sections {
        let old = old_sections.get(&section.code).copied();
        compare(OF_SECTIONS, old, Some(section)).push(
            &mut changes,
            Subject::Section,
            Some(&section.code),
            &section.name,
        );
        for indicator in &section.indicators {
            let old = old_indicators.get(&indicator.code).copied();
            compare_indicators(old, Some(Placed { section, indicator })).push(
                &mut changes,
                Subject::Indicator,
                Some(&indicator.code),
                &indicator.name,
            );
        }
    }
    for section in &before.sections {
        if !new_sections.contains_key(&section.code) {
            compare(OF_SECTIONS, Some(section), None).push(
                &mut changes,
                Subject::Section,
                Some(&section.code),
                &section.name,
            );
        }
        for indicator in &section.indicators {
            if !new_indicators.contains_key(&indicator.code) {
                compare_indicators(Some(Placed { section, indicator }), None).push(
                    &mut changes,
                    Subject::Indicator,
                    Some(&indicator.code),
                    &indicator.name,
                );
            }
        }
    }
    SchemeDiff {
        summary: summary(&changes),
        affects_score: changes.iter().any(|change| change.affects_score),
        changes,
    }
}

fn sections(scheme: &SchemeDocument) -> HashMap<&Code, &Section> {
    scheme.sections.iter().map(|section| (&section.code, section)).collect()
}

fn indicators(scheme: &SchemeDocument) -> HashMap<&Code, Placed<'_>> {
    let all = scheme.sections.iter().flat_map(|section| {
        let placed = move |indicator| Placed { section, indicator };
        section.indicators.iter().map(placed)
    });
    all.map(|placed| (&placed.indicator.code, placed)).collect()
}

/// The codes of sections and indicators that both schemes have, in the order of `scheme`. An indicator that changed its
/// section is told as that, so it stands in no order.
fn common_order<'a>(scheme: &'a SchemeDocument, other: &SchemeDocument) -> Vec<(Subject, &'a Code)> {
    let (sections, indicators) = (sections(other), indicators(other));
    let mut order = Vec::new();
    order.extend(
        scheme
            .sections
            .iter()
            .filter(|section| sections.contains_key(&section.code))
            .map(|section| (Subject::Section, &section.code)),
    );
    let mut by_section: Vec<&Section> = scheme.sections.iter().collect();
    by_section.sort_by_key(|section| &section.code);
    for section in by_section {
        let stayed = section.indicators.iter().filter(|indicator| {
            indicators
                .get(&indicator.code)
                .is_some_and(|other| other.section.code == section.code)
        });
        order.extend(stayed.map(|indicator| (Subject::Indicator, &indicator.code)));
    }
    order
}

/// What was found of one section or indicator, or of the whole scheme.
struct Compared {
    kind: Kind,
    affects_score: bool,
    fields: Vec<FieldChange>,
}

/// The fields that differ. Of what is on one side only: those that it has.
fn compare<T>(facets: &[Facet<T>], before: Option<&T>, after: Option<&T>) -> Compared {
    let kind = match (before, after) {
        (None, _) => Kind::Added,
        (Some(_), None) => Kind::Removed,
        (Some(_), Some(_)) => Kind::Changed,
    };
    let mut affects_score = kind != Kind::Changed;
    let mut fields = Vec::new();
    for facet in facets {
        let (mut old, mut new) = (before.and_then(facet.words), after.and_then(facet.words));
        if let (Some(before), Some(after)) = (before, after) {
            if (facet.same)(before, after) {
                continue;
            }
            affects_score |= facet.scores;
            if old == new {
                let raw = |of| Some(Text::new((facet.raw)(of), (facet.raw)(of)));
                (old, new) = (raw(before), raw(after));
            }
        }
        if old.is_some() || new.is_some() {
            fields.push(FieldChange {
                field: facet.field,
                label: Text::new(facet.zh, facet.en),
                before: old,
                after: new,
            });
        }
    }
    Compared {
        kind,
        affects_score,
        fields,
    }
}

fn named(section: &Section) -> Text {
    Text::new(
        format!("{}（{}）", section.name, section.code),
        section.code.to_string(),
    )
}

/// The same of an indicator, and the section that it stands in.
fn compare_indicators(before: Option<Placed<'_>>, after: Option<Placed<'_>>) -> Compared {
    let mut compared = compare(
        OF_INDICATORS,
        before.map(|placed| placed.indicator),
        after.map(|placed| placed.indicator),
    );
    let (before, after) = (before.map(|placed| placed.section), after.map(|placed| placed.section));
    if before.map(|section| &section.code) != after.map(|section| &section.code) {
        let field = FieldChange {
            field: "section",
            label: Text::new("所属一级指标", "the section"),
            before: before.map(named),
            after: after.map(named),
        };
        compared.fields.insert(0, field);
    }
    compared
}

impl Compared {
    fn push(self, changes: &mut Vec<Change>, subject: Subject, code: Option<&Code>, name: &Label) {
        if self.fields.is_empty() {
            return;
        }
        changes.push(Change {
            text: sentence((self.kind, subject), code, name, &self.fields),
            kind: self.kind,
            subject,
            code: code.cloned(),
            name: name.clone(),
            affects_score: self.affects_score,
            fields: self.fields,
        });
    }
}

/// The fields that a sentence about something added or removed tells; the others can be read in the scheme.
const TELLING: [&str; 3] = ["weight", "rule", "own_rows"];

fn sentence((kind, subject): (Kind, Subject), code: Option<&Code>, name: &Label, fields: &[FieldChange]) -> Text {
    let (subject_zh, subject_en) = match subject {
        Subject::Scheme => ("评分标准", "the scheme"),
        Subject::Section => ("一级指标", "section"),
        Subject::Indicator => ("指标", "indicator"),
    };
    let code = code.map_or("", Code::as_str);
    let (what_zh, what_en) = match subject {
        Subject::Scheme => (subject_zh.to_owned(), subject_en.to_owned()),
        _ => (
            format!("{subject_zh}“{name}”（{code}）"),
            format!("{subject_en} \"{code}\""),
        ),
    };
    let mut zh = Vec::new();
    let mut en = Vec::new();
    for field in fields {
        let Text {
            zh: label_zh,
            en: label_en,
        } = &field.label;
        match (&field.before, &field.after) {
            (Some(before), Some(after)) => {
                zh.push(format!("{label_zh}由“{}”改为“{}”", before.zh, after.zh));
                en.push(format!("{label_en}: {} becomes {}", before.en, after.en));
            }
            (None, None) => {
                zh.push(format!("{label_zh}有调整"));
                en.push(format!("{label_en} is different"));
            }
            _ if kind != Kind::Changed && !TELLING.contains(&field.field) => {}
            (None, Some(after)) => {
                zh.push(format!("{label_zh}为“{}”", after.zh));
                en.push(format!("{label_en}: {}", after.en));
            }
            (Some(before), None) => {
                zh.push(format!("原{label_zh}为“{}”", before.zh));
                en.push(format!("{label_en} was {}", before.en));
            }
        }
    }
    let (opening_zh, opening_en) = match kind {
        Kind::Added => (format!("新增{what_zh}"), format!("New: {what_en}")),
        Kind::Removed => (format!("取消{what_zh}"), format!("Removed: {what_en}")),
        Kind::Changed => (what_zh, format!("Changed: {what_en}")),
    };
    match zh.is_empty() {
        true => Text::new(format!("{opening_zh}。"), format!("{opening_en}.")),
        false => Text::new(
            format!("{opening_zh}：{}。", zh.join("；")),
            format!("{opening_en}; {}.", en.join("; ")),
        ),
    }
}

fn summary(changes: &[Change]) -> Text {
    if changes.is_empty() {
        return Text::new("两个评分标准没有差异。", "The two schemes do not differ.");
    }
    let count = |kind| changes.iter().filter(|change| change.kind == kind).count();
    let (added, removed, changed) = (count(Kind::Added), count(Kind::Removed), count(Kind::Changed));
    let score = changes.iter().filter(|change| change.affects_score).count();
    Text::new(
        format!("新增{added}处，取消{removed}处，调整{changed}处；其中{score}处可能影响得分或等级。"),
        format!(
            "{added} added, {removed} removed, {changed} changed; {score} of them can make another score or grade."
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::scoring::builtin::BUILTINS;
    use crate::scoring::fixtures::from;

    fn document(id: &str) -> SchemeDocument {
        let builtin = BUILTINS.iter().find(|builtin| builtin.id == id).unwrap();
        builtin.document().unwrap()
    }

    /// The one difference of two documents.
    fn only(before: &SchemeDocument, after: &SchemeDocument) -> Change {
        let mut changes = diff(before, after).changes;
        assert_eq!(changes.len(), 1, "{changes:#?}");
        changes.remove(0)
    }

    /// The places of a document: every value in it, however deep.
    fn places(at: &str, value: &Value, found: &mut Vec<String>) {
        let inner: Vec<(String, &Value)> = match value {
            Value::Object(map) => map.iter().map(|(key, value)| (format!("{at}/{key}"), value)).collect(),
            Value::Array(list) => list
                .iter()
                .enumerate()
                .map(|(n, value)| (format!("{at}/{n}"), value))
                .collect(),
            _ => Vec::new(),
        };
        for (at, value) in inner {
            places(&at, value, found);
            found.push(at);
        }
    }

    /// Documents that differ from this one in one place each: by another value, or by none.
    fn neighbours(document: &SchemeDocument) -> Vec<(String, SchemeDocument)> {
        let whole = serde_json::to_value(document).unwrap();
        let mut found = Vec::new();
        places("", &whole, &mut found);
        let different = |changed: Value| {
            serde_json::from_value(changed)
                .ok()
                .filter(|changed| changed != document)
        };
        let mut neighbours = Vec::new();
        for at in found {
            let (parent, key) = at.rsplit_once('/').unwrap();
            let mut without = whole.clone();
            match without.pointer_mut(parent).unwrap() {
                Value::Object(map) => drop(map.remove(key)),
                Value::Array(list) => drop(list.remove(key.parse().unwrap())),
                _ => unreachable!(),
            }
            neighbours.extend(different(without).map(|other| (at.clone(), other)));
            let others = [
                json!(true),
                json!(false),
                json!(3),
                json!("1"),
                json!("x"),
                json!("zero"),
                json!("below"),
                json!("floor"),
            ];
            let other = others.into_iter().find_map(|other| {
                let mut changed = whole.clone();
                *changed.pointer_mut(&at).unwrap() = other;
                different(changed)
            });
            neighbours.extend(other.map(|other| (at.clone(), other)));
        }
        neighbours
    }

    /// A document with every kind of rule once, which is enough to have every field.
    fn varied() -> SchemeDocument {
        let mut document = document("hunan-2019");
        let mut seen = std::collections::HashSet::new();
        for section in &mut document.sections {
            section
                .indicators
                .retain(|indicator| seen.insert(indicator.rule.as_ref().unwrap().kind()));
        }
        document.sections.extend(self::document("project-2020").sections.pop());
        document
    }

    #[test]
    fn no_difference_goes_untold_and_equal_schemes_have_none() {
        let document = varied();
        assert_eq!(diff(&document, &document).changes, []);
        let neighbours = neighbours(&document);
        assert!(neighbours.len() > 200, "{}", neighbours.len());
        for (at, other) in neighbours {
            for found in [diff(&document, &other), diff(&other, &document)] {
                assert!(!found.changes.is_empty(), "{at}");
                for field in found.changes.iter().flat_map(|change| &change.fields) {
                    let order = field.field == "order";
                    assert!(order || field.before != field.after, "{at}: {field:?}");
                }
            }
        }
    }

    #[test]
    fn a_changed_weight_is_told_with_both_values() {
        let before = document("hunan-2019");
        let mut after = before.clone();
        // 在职人员控制率, 5 points in DOMAIN section 1.
        after.sections[0].indicators[0].weight = Some(from(json!("8.0")));
        let change = only(&before, &after);
        assert_eq!((change.kind, change.subject), (Kind::Changed, Subject::Indicator));
        assert!(change.affects_score);
        assert_eq!(
            change.text.zh,
            "指标“在职人员控制率”（in_post_control）：分值由“5分”改为“8分”。"
        );
        assert_eq!(
            change.text.en,
            "Changed: indicator \"in_post_control\"; the weight: 5 points becomes 8 points."
        );
    }

    #[test]
    fn a_changed_rule_and_ratio_are_told_in_words() {
        let before = document("hunan-2019");
        let mut after = before.clone();
        let indicator = &mut after.sections[0].indicators[0];
        indicator.ratio = Some(from(
            json!({"numerator": "staff.in_post + staff.retired", "denominator": "staff.posts"}),
        ));
        indicator.rule = Some(from(
            json!({"kind": "bands", "bands": [{"at_most": "100", "points": "5"}], "otherwise": "0"}),
        ));
        let change = only(&before, &after);
        let fields: Vec<_> = change.fields.iter().map(|field| field.field).collect();
        assert_eq!(fields, ["ratio", "rule"]);
        let zh = |text: &Option<Text>| text.as_ref().unwrap().zh.to_string();
        assert_eq!(
            (zh(&change.fields[0].before), zh(&change.fields[0].after)),
            (
                "在职人员数÷编制数×100%".to_owned(),
                "（在职人员数＋离退休人员数）÷编制数×100%".to_owned()
            )
        );
        assert_eq!(
            zh(&change.fields[1].after),
            "按比率分档计分：不超过100%得5分；其余得0分"
        );
    }

    #[test]
    fn what_is_only_wording_makes_no_other_score() {
        let before = document("hunan-2019");
        let mut after = before.clone();
        after.name = from(json!("另一名称"));
        after.sections[0].name = from(json!("投入类"));
        after.sections[0].indicators[0].verified ^= true;
        let found = diff(&before, &after);
        assert_eq!((found.changes.len(), found.affects_score), (3, false));
        assert_eq!(
            found.summary.zh,
            "新增0处，取消0处，调整3处；其中0处可能影响得分或等级。"
        );
    }

    #[test]
    fn what_one_scheme_adds_the_other_lacks() {
        let before = document("hunan-2019");
        let mut after = before.clone();
        let gone = after.sections[0].indicators.remove(1);
        let removed = only(&before, &after);
        assert_eq!((removed.kind, removed.code.as_ref()), (Kind::Removed, Some(&gone.code)));
        assert!(
            removed
                .text
                .zh
                .starts_with("取消指标“三公经费变动率”（three_public_change）：原分值为“5分”；")
        );
        let added = only(&after, &before);
        assert_eq!((added.kind, added.affects_score), (Kind::Added, true));
        assert_eq!(added.fields.len(), removed.fields.len());
    }

    #[test]
    fn another_order_is_told_and_an_indicator_that_moves_is_told_by_its_section() {
        let before = document("hunan-2019");
        let mut after = before.clone();
        after.sections[0].indicators.swap(0, 1);
        assert_eq!(only(&before, &after).fields[0].field, "order");
        let mut after = before.clone();
        let moved = after.sections[0].indicators.remove(0);
        after.sections[1].indicators.push(moved);
        let change = only(&before, &after);
        assert_eq!((change.fields.len(), change.fields[0].field), (1, "section"));
    }
}
