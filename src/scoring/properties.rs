//! What must hold of every score, whatever the scheme and the figures: tried on random ones.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::assessment::Assessments;
use super::fixtures::{dec, from};
use super::gaps::{self, Gaps, Kind};
use super::rule;
use super::scheme::{Bands, Deduct, Scheme, SchemeDocument};
use super::score::{Document, Range, Score, Status};
use super::sensitivity;
use super::sheet::BaseData;
use super::special_fund::{FundTable, QuantityMeasure};
use super::what_if::{Trial, better_points};
use super::{Case, score};

/// The figures of the sheet that the generated formulas name.
const FIGURES: [&str; 8] = [
    "staff.posts",
    "staff.in_post",
    "three_public.total.budget",
    "three_public.total.prior_budget",
    "procurement.budget",
    "budget.initial",
    "budget.supplementary",
    "budget.carried_in",
];

/// A scheme's document with all that it asks for, and nothing left out.
#[derive(Debug, Clone)]
struct World {
    scheme: Value,
    sheet: Value,
    assessments: Value,
}

/// A decimal with this many decimals, in the given steps.
fn decimal(steps: std::ops::RangeInclusive<i64>, scale: u32) -> impl Strategy<Value = Decimal> {
    steps.prop_map(move |steps| Decimal::new(steps, scale).normalize())
}

/// An amount: 0 and the largest that the forms hold more often than chance would have them.
fn amount() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        1 => Just(Decimal::ZERO),
        1 => Just(dec("9999999999")),
        1 => Just(dec("0.000001")),
        6 => decimal(0..=500_000, 2),
        3 => decimal(0..=9_999_999_999_000_000, 6),
    ]
}

fn signed() -> impl Strategy<Value = Decimal> {
    (amount(), any::<bool>()).prop_map(|(amount, negative)| if negative { -amount } else { amount })
}

fn sheet() -> impl Strategy<Value = Value> {
    (
        (0..=999_999_999_u32, 0..400_u32, any::<bool>()),
        (amount(), amount(), amount(), amount(), signed(), amount()),
    )
        .prop_map(
            |((posts, in_post, small), (public, prior, procurement, initial, supplementary, carried))| {
                json!({
                    "staff": {"posts": if small { posts % 300 } else { posts }, "in_post": in_post},
                    "three_public": {"total": {"budget": public, "prior_budget": prior}},
                    "procurement": {"budget": procurement},
                    "budget": {"initial": initial, "supplementary": supplementary, "carried_in": carried}
                })
            },
        )
}

/// A formula of one to three figures.
fn formula() -> impl Strategy<Value = String> {
    let figure = || select(FIGURES.as_slice());
    prop_oneof![
        6 => figure().prop_map(str::to_owned),
        2 => (figure(), select(["+", "-", "*"].as_slice()), figure()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        1 => (figure(), figure(), figure()).prop_map(|(a, b, c)| format!("({a} - {b}) * 2 + {c}")),
        1 => (figure(), figure()).prop_map(|(a, b)| format!("{a} * {b} * {a} * {b}")),
    ]
}

/// A weight of at least 0.01.
fn weight() -> impl Strategy<Value = Decimal> {
    prop_oneof![Just(dec("12.5")), decimal(1..=100, 0), decimal(1..=2_000, 2)]
}

fn deduct() -> impl Strategy<Value = Value> {
    (
        decimal(-200..=200, 0),
        select(["above", "below", "either"].as_slice()),
        prop_oneof![decimal(1..=20, 0), decimal(1..=100, 6)],
        decimal(0..=500, 2),
        select(["whole", "started", "proportional"].as_slice()),
    )
        .prop_map(|(target, off, step, points, count)| {
            json!({"kind": "deduct", "target": target, "off": off, "step": step, "points_per_step": points, "count": count})
        })
}

/// Bands for a weight: bounds that go one way, points that fall from the weight.
fn bands(weight: Decimal) -> impl Strategy<Value = Value> {
    (
        vec(1..=40_i64, 1..5),
        -50..=50_i64,
        any::<bool>(),
        vec(any::<bool>(), 5),
    )
        .prop_map(move |(gaps, start, upper, inclusive)| {
            let mut bound = start;
            let steps = Decimal::from(gaps.len());
            let bands: Vec<_> = gaps
                .iter()
                .enumerate()
                .map(|(n, gap)| {
                    bound += if upper { *gap } else { -gap };
                    let name = match (upper, inclusive[n]) {
                        (true, true) => "at_most",
                        (true, false) => "below",
                        (false, true) => "at_least",
                        (false, false) => "above",
                    };
                    let points = weight * (steps - Decimal::from(n)) / steps;
                    json!({name: bound.to_string(), "points": points.round_dp(4).normalize()})
                })
                .collect();
            json!({"kind": "bands", "bands": bands, "otherwise": "0"})
        })
}

/// An indicator's rule with the assessment that it asks for: `None` where it follows from the sheet.
fn rule(weight: Decimal) -> impl Strategy<Value = (Value, Option<Value>)> {
    let items = move |first: &str, second: &str| {
        json!([
            {"code": first, "name": "甲", "points": weight / dec("4") * dec("3")},
            {"code": second, "name": "乙", "points": weight / dec("4")}
        ])
    };
    let judged = (amount(), amount()).prop_map(|(a, b)| match (a.min(b), a.max(b)) {
        (achieved, possible) if possible.is_zero() => json!({"achieved": achieved, "possible": "1"}),
        (achieved, possible) => json!({"achieved": achieved, "possible": possible}),
    });
    prop_oneof![
        4 => deduct().prop_map(|rule| (rule, None)),
        3 => bands(weight).prop_map(|rule| (rule, None)),
        2 => Just((json!({"kind": "proportion"}), None)),
        2 => judged.prop_map(|judged| (json!({"kind": "proportion"}), Some(judged))),
        1 => (any::<bool>(), any::<bool>()).prop_map(move |(a, b)| (
            json!({"kind": "checklist", "items": items("a", "b")}),
            Some(json!({"checks": {"a": a, "b": b}}))
        )),
        1 => (decimal(0..=30, 1), 0..=999_999_999_u32, 0..5_u32, any::<bool>()).prop_map(|(points, many, few, some)| (
            json!({"kind": "incidents", "points_per_case": points}),
            Some(json!({"incidents": if some { few } else { many }}))
        )),
        1 => select(["good", "poor"].as_slice()).prop_map(move |level| (
            json!({"kind": "rating", "levels": [
                {"code": "good", "name": "好", "points": weight}, {"code": "poor", "name": "差", "points": "0"}
            ]}),
            Some(json!({"rating": level}))
        )),
        1 => (0..=4_i64).prop_map(move |quarters| (
            json!({"kind": "assessed"}),
            Some(json!({"points": weight / dec("4") * Decimal::from(quarters)}))
        )),
    ]
}

/// Weight, the rule with its assessment, the two formulas, and what zero denominators get.
type Indicator = (Decimal, (Value, Option<Value>), (String, String), &'static str);

fn indicator() -> impl Strategy<Value = Indicator> {
    let outcome = select(["full", "zero", "open"].as_slice());
    weight().prop_flat_map(move |weight| (Just(weight), rule(weight), (formula(), formula()), outcome.clone()))
}

/// A unit's own row in a section: its weight and what it measures.
fn own_row() -> impl Strategy<Value = (Decimal, Value)> {
    let quantity = (select(["at_least", "at_most", "equal"].as_slice()), signed(), signed()).prop_map(
        |(comparison, target, actual)| {
            json!({"kind": "quantity", "comparison": comparison, "target": target, "actual": actual})
        },
    );
    let quality = select([("achieved", 80..=100), ("partly", 60..=80), ("not_achieved", 0..=60)].to_vec())
        .prop_flat_map(|(level, shares)| (Just(level), shares))
        .prop_map(|(level, share)| json!({"kind": "quality", "level": level, "share": share}));
    (weight(), prop_oneof![quantity, quality])
}

fn rounding() -> impl Strategy<Value = Value> {
    let round = || {
        (select(["floor", "half_up", "exact"].as_slice()), 0..=6_u8)
            .prop_map(|(mode, decimals)| json!({"mode": mode, "decimals": decimals}))
    };
    (prop::option::of(round()), prop::option::of(round())).prop_map(|(ratio, points)| {
        let mut rounding = Map::new();
        rounding.extend(ratio.map(|ratio| ("ratio".to_owned(), ratio)));
        rounding.extend(points.map(|points| ("points".to_owned(), points)));
        Value::Object(rounding)
    })
}

prop_compose! {
    /// A valid scheme of every kind of rule and of own rows, a whole sheet and whole assessments.
    fn world()(
        sections in vec(vec(indicator(), 1..5), 1..4),
        rows in vec(own_row(), 0..4),
        uncovered in prop_oneof![Just(Decimal::ZERO), decimal(1..=50, 1)],
        rounding in rounding(),
        sheet in sheet(),
    ) -> World {
        let (mut documents, mut assessments) = (Vec::new(), Map::new());
        let mut total = Decimal::ZERO;
        for (s, indicators) in sections.iter().enumerate() {
            let mut weights = Decimal::ZERO;
            let indicators: Vec<_> = indicators.iter().enumerate().map(|(i, (weight, (rule, judged), ratio, outcome))| {
                let code = format!("i_{s}_{i}");
                let kind = rule["kind"].as_str().unwrap();
                let mut document = json!({"code": code, "name": code, "weight": weight, "rule": rule,
                    "when_zero_denominator": {"zero_over_zero": outcome, "over_zero": outcome}});
                if judged.is_none() && ["deduct", "bands", "proportion"].contains(&kind) {
                    document["ratio"] = json!({"numerator": ratio.0, "denominator": ratio.1});
                }
                assessments.extend(judged.clone().map(|judged| (code, judged)));
                weights += weight;
                document
            }).collect();
            total += weights;
            documents.push(json!({"code": format!("s_{s}"), "name": "部分", "weight": weights, "indicators": indicators}));
        }
        let mut targets = Vec::new();
        if !rows.is_empty() {
            let weights = rows.iter().map(|(weight, _)| *weight).sum::<Decimal>() + uncovered;
            total += weights;
            documents.push(json!({"code": "own", "name": "自定", "weight": weights, "own_rows": {}}));
            targets = rows.iter().map(|(weight, measure)| {
                json!({"section": "own", "name": "目标", "weight": weight, "measure": measure})
            }).collect();
        }
        World {
            scheme: json!({"name": "随机标准", "total": total, "rounding": rounding, "sections": documents}),
            sheet,
            assessments: json!({"indicators": assessments, "targets": targets}),
        }
    }
}

impl World {
    fn compiled(&self) -> Scheme {
        Scheme::compile(from(self.scheme.clone())).unwrap()
    }

    fn score(&self, scheme: &Scheme) -> Score {
        let (sheet, assessments): (BaseData, Assessments) = (from(self.sheet.clone()), from(self.assessments.clone()));
        assert_eq!(assessments.faults(scheme), []);
        score(scheme, &Case::of_unit(&sheet, &assessments))
    }

    /// The fields that can be left out: document and pointer.
    fn fields(&self) -> Vec<(Document, String)> {
        let mut fields: Vec<_> = FIGURES
            .iter()
            .map(|name| (Document::BaseData, format!("/{}", name.replace('.', "/"))))
            .collect();
        let of_assessments = |pointer: String| (Document::Assessments, pointer);
        for (code, assessment) in self.assessments["indicators"].as_object().unwrap() {
            for field in assessment.as_object().unwrap().keys() {
                let at = format!("/indicators/{code}/{field}");
                match field.as_str() {
                    "checks" => fields.extend(["a", "b"].map(|item| of_assessments(format!("{at}/{item}")))),
                    _ => fields.push(of_assessments(at)),
                }
            }
        }
        for (n, target) in self.assessments["targets"].as_array().unwrap().iter().enumerate() {
            fields.push(of_assessments(format!("/targets/{n}/weight")));
            match target["measure"]["kind"].as_str() {
                Some("quantity") => fields.push(of_assessments(format!("/targets/{n}/measure/actual"))),
                _ => fields.push(of_assessments(format!("/targets/{n}/measure/share"))),
            }
        }
        fields
    }

    fn document(&mut self, document: Document) -> &mut Value {
        match document {
            Document::Assessments => &mut self.assessments,
            _ => &mut self.sheet,
        }
    }

    /// The same with one field less.
    fn without(&self, (document, pointer): &(Document, String)) -> Self {
        let mut less = self.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        less.document(*document)
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(key);
        less
    }
}

fn inside(inner: Range, outer: Range) -> bool {
    outer.low <= inner.low && inner.low <= inner.high && inner.high <= outer.high
}

fn up_to(high: Decimal) -> Range {
    Range {
        low: Decimal::ZERO,
        high,
    }
}

/// What holds of any score by itself.
fn is_sound(score: &Score) -> Result<(), TestCaseError> {
    for line in &score.lines {
        let bounds = up_to(line.weight.unwrap_or_default());
        prop_assert!(
            inside(line.interval, bounds),
            "{}: {:?} of {:?}",
            line.code,
            line.interval,
            line.weight
        );
        prop_assert_eq!(line.points.is_none(), line.status == Status::Open, "{}", &line.code);
        if let Some(points) = line.points {
            prop_assert_eq!(line.interval, Range::exactly(points));
            prop_assert_eq!(line.lost, Some(bounds.high - points));
        }
        prop_assert!(!line.explanation.zh.is_empty() && !line.explanation.en.is_empty());
    }
    let mut sum = Range::exactly(Decimal::ZERO);
    for section in &score.sections {
        prop_assert!(inside(section.interval, up_to(section.weight)));
        if let Some(points) = section.points {
            prop_assert_eq!(section.interval, Range::exactly(points));
        }
        sum += section.interval;
    }
    prop_assert_eq!(score.interval, sum);
    prop_assert!(inside(score.interval, up_to(score.full_marks)));
    let sections: Option<Decimal> = score.sections.iter().map(|section| section.points).sum();
    prop_assert_eq!(
        score.total,
        sections,
        "the total is the sum of its sections, and open while one of them is"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn points_lie_between_zero_and_the_weight_and_add_up(world in world(), left_out in vec(any::<Index>(), 0..6)) {
        let scheme = world.compiled();
        let whole = world.score(&scheme);
        is_sound(&whole)?;
        let fields = world.fields();
        let mut world = world;
        let mut left_out: Vec<_> = left_out.iter().map(|index| index.get(&fields)).collect();
        left_out.sort_by_key(|(_, pointer)| pointer);
        left_out.dedup();
        for field in left_out {
            world = world.without(field);
        }
        is_sound(&world.score(&scheme))?;
    }

    #[test]
    fn filling_in_what_is_missing_only_ever_narrows_the_interval(
        world in world(),
        left_out in vec(any::<Index>(), 1..6),
    ) {
        let scheme = world.compiled();
        let fields = world.fields();
        let mut left_out: Vec<_> = left_out.iter().map(|index| index.get(&fields)).collect();
        left_out.sort_by_key(|(_, pointer)| pointer);
        left_out.dedup();
        // Taken away one by one: each world is the next one with one field filled in, the first with all.
        let mut worlds = vec![world];
        for field in left_out {
            worlds.push(worlds.last().unwrap().without(field));
        }
        let scores: Vec<_> = worlds.iter().map(|world| world.score(&scheme)).collect();
        for (filled, open) in scores.iter().zip(&scores[1..]).chain([(&scores[0], scores.last().unwrap())]) {
            prop_assert!(inside(filled.interval, open.interval), "{:?} in {:?}", filled.interval, open.interval);
            for (filled, open) in filled.sections.iter().zip(&open.sections) {
                prop_assert!(inside(filled.interval, open.interval));
            }
            for (filled, open) in filled.lines.iter().zip(&open.lines) {
                // A row's weight can only be filled in together with what it can earn.
                prop_assert!(open.weight.is_none() || inside(filled.interval, open.interval), "{}", open.code);
            }
            if let Some(total) = filled.total {
                prop_assert!(inside(Range::exactly(total), open.interval));
            }
            if let Some(grade) = &open.grade {
                prop_assert_eq!(Some(grade), filled.grade.as_ref(), "a grade once certain stays");
            }
        }
    }

    #[test]
    fn an_interval_with_nothing_missing_is_one_number(world in world()) {
        let score = world.score(&world.compiled());
        for line in &score.lines {
            // Only figures that give no ratio at all leave a line open without a field to fill in.
            let no_ratio = line.applied.is_none() && line.rule.is_some();
            prop_assert_eq!(line.missing.is_empty() && !no_ratio, line.points.is_some(), "{}", &line.code);
        }
        prop_assert_eq!(score.complete, score.total.is_some());
    }

    #[test]
    fn the_same_input_gives_the_same_bytes(world in world()) {
        let bytes = || serde_json::to_vec(&world.score(&world.compiled())).unwrap();
        prop_assert_eq!(bytes(), bytes());
    }

    #[test]
    fn a_schemes_document_survives_being_written_and_read(world in world()) {
        let scheme = world.compiled();
        let written = serde_json::to_string(&scheme.document).unwrap();
        let read: SchemeDocument = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(&read, &scheme.document);
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), written);
        let again = Scheme::compile(read).unwrap();
        prop_assert_eq!(world.score(&again), world.score(&scheme));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_ratio_further_from_its_target_never_gains(
        document in deduct(),
        weight in weight(),
        distances in (decimal(0..=500_000_000, 6), decimal(0..=500_000_000, 6)),
    ) {
        let rule: Deduct = from(without_kind(document));
        let (near, far) = (distances.0.min(distances.1), distances.0.max(distances.1));
        let points = |ratio| rule::deduct(&rule, weight, ratio).points;
        for side in [Decimal::ONE, Decimal::NEGATIVE_ONE] {
            let target = rule.target.get();
            prop_assert!(points(target + side * far) <= points(target + side * near));
        }
        prop_assert_eq!(points(rule.target.get()), weight);
    }

    #[test]
    fn a_better_ratio_never_loses_among_bands(
        (weight, document) in weight().prop_flat_map(|weight| (Just(weight), bands(weight))),
        ratios in (decimal(-300_000..=300_000, 3), decimal(-300_000..=300_000, 3)),
    ) {
        let upper = document["bands"][0].get("at_most").or(document["bands"][0].get("below")).is_some();
        let rule: Bands = from(without_kind(document));
        let (low, high) = (ratios.0.min(ratios.1), ratios.0.max(ratios.1));
        let (better, worse) = if upper { (low, high) } else { (high, low) };
        let points = |ratio| rule::bands(&rule, ratio).points;
        prop_assert!(points(worse) <= points(better));
        prop_assert!((Decimal::ZERO..=weight).contains(&points(better)));
    }

    #[test]
    fn a_higher_ratio_never_loses_in_proportion(
        weight in weight(),
        ratios in (decimal(-300_000..=300_000, 3), decimal(-300_000..=300_000, 3)),
    ) {
        let (low, high) = (ratios.0.min(ratios.1), ratios.0.max(ratios.1));
        prop_assert!(rule::proportion(weight, low).points <= rule::proportion(weight, high).points);
    }

    #[test]
    fn a_better_number_never_earns_less_against_its_target(target in signed(), actuals in (signed(), signed())) {
        let (low, high) = (actuals.0.min(actuals.1), actuals.0.max(actuals.1));
        let share = |comparison: &str, actual: Decimal| {
            let measure: QuantityMeasure = from(json!({"comparison": comparison, "target": target}));
            measure.share(from(json!(actual)))
        };
        prop_assert!(share("at_least", low) <= share("at_least", high));
        prop_assert!(share("at_most", high) <= share("at_most", low));
        // For an equal target the nearer number is the better, on one side of it.
        if low >= target {
            prop_assert!(share("equal", high) <= share("equal", low));
        }
        if high <= target {
            prop_assert!(share("equal", low) <= share("equal", high));
        }
    }

    #[test]
    fn rounding_never_turns_more_into_less(
        mode in select(["floor", "half_up", "exact"].as_slice()),
        decimals in 0..=6_u8,
        numbers in (decimal(-10_000_000..=10_000_000, 5), decimal(-10_000_000..=10_000_000, 5)),
    ) {
        let round: super::scheme::Round = from(json!({"mode": mode, "decimals": decimals}));
        let (low, high) = (numbers.0.min(numbers.1), numbers.0.max(numbers.1));
        prop_assert!(round.apply(low) <= round.apply(high));
    }

    #[test]
    fn any_money_of_a_fund_gives_a_rate_between_nothing_and_full_marks(
        sources in vec((prop::option::of(amount()), prop::option::of(amount())), 4),
    ) {
        let row = |n: usize| json!({"adjusted_budget": sources[n].0, "executed": sources[n].1});
        let table: FundTable = from(json!({"funding": {
            "central_and_provincial": row(0), "municipal": row(1), "county": row(2), "other": row(3)
        }}));
        let score = score(&super::fixtures::builtin("project-2020"), &Case::of_fund(&table));
        is_sound(&score)?;
        let known = sources.iter().all(|(budget, executed)| budget.is_some() && executed.is_some());
        prop_assert_eq!(score.lines[0].points.is_some(), known);
    }
}

fn without_kind(mut rule: Value) -> Value {
    rule.as_object_mut().unwrap().remove("kind");
    rule
}

impl World {
    fn trial<'a>(&self, scheme: &'a Scheme) -> Trial<'a> {
        Trial::new(scheme, from(self.sheet.clone()), from(self.assessments.clone()))
    }

    /// The same with another value at a place.
    fn changed(&self, document: Document, pointer: &str, value: &Value) -> Self {
        let mut changed = self.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        changed.document(document).pointer_mut(parent).unwrap()[key] = value.clone();
        changed
    }
}

fn number(value: &Value) -> Decimal {
    dec(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// The value one step nearer to `from`: what a change could have stopped short at.
fn one_step_back(change: &gaps::Change) -> Value {
    let (from, to) = (number(&change.from), number(&change.to));
    let back = |step: Decimal| if to > from { to - step } else { to + step };
    match &change.to {
        Value::Number(_) => json!(back(Decimal::ONE).to_string().parse::<u32>().unwrap()),
        _ => {
            // Amounts to the hundredth, all else to the decimals that it was given with.
            let least = if change.unit == "万元" { 2 } else { 0 };
            let decimals = from.normalize().scale().max(to.normalize().scale()).max(least);
            json!(back(Decimal::new(1, decimals)).to_string())
        }
    }
}

/// One indicator over a few people, so that every value of one figure can be tried.
fn small_world() -> impl Strategy<Value = World> {
    let formulas = [
        ("staff.in_post", "staff.posts"),
        ("staff.posts", "staff.in_post"),
        ("staff.in_post - staff.posts", "staff.posts"),
        (
            "staff.in_post + staff.posts - staff.retired",
            "staff.in_post + staff.posts",
        ),
        ("staff.in_post * staff.posts", "staff.posts + staff.retired"),
        ("-staff.in_post", "staff.posts"),
    ];
    let ratio_rule = weight().prop_flat_map(|weight| {
        let rule = prop_oneof![
            3 => deduct(),
            3 => bands(weight),
            1 => Just(json!({"kind": "proportion"})),
        ];
        (Just(weight), rule)
    });
    (
        ratio_rule,
        select(formulas.to_vec()),
        rounding(),
        (0..60_u32, 0..60_u32, 0..20_u32),
    )
        .prop_map(
            |((weight, rule), (numerator, denominator), rounding, (posts, in_post, retired))| World {
                scheme: json!({"name": "随机标准", "total": weight, "rounding": rounding, "sections": [{
                    "code": "all", "name": "全部", "weight": weight, "indicators": [{
                        "code": "rate", "name": "比率", "weight": weight, "rule": rule,
                        "ratio": {"numerator": numerator, "denominator": denominator}
                    }]
                }]}),
                sheet: json!({"staff": {"posts": posts, "in_post": in_post, "retired": retired}}),
                assessments: json!({}),
            },
        )
}

const IN_POST: &str = "/staff/in_post";

fn in_post_ways(gaps: &Gaps) -> Vec<(Decimal, Decimal)> {
    let ways = gaps.ways.iter().filter(|way| way.changes[0].field.pointer == IN_POST);
    ways.map(|way| (number(&way.changes[0].to), way.points)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_way_promises_is_what_scoring_gives_and_nothing_less_would_do(world in world()) {
        let scheme = world.compiled();
        let before = world.score(&scheme);
        let gaps = gaps::gaps(&world.trial(&scheme), None);
        for way in gaps.ways.iter().filter(|way| way.kind != Kind::FillIn) {
            let with = |values: Vec<&Value>| {
                let changes = way.changes.iter().zip(values);
                let world = changes.fold(world.clone(), |world, (change, value)| {
                    world.changed(change.field.document, &change.field.pointer, value)
                });
                world.score(&scheme)
            };
            let points = |score: &Score| score.lines.iter().find(|line| line.code == way.line).unwrap().interval.low;
            let after = with(way.changes.iter().map(|change| &change.to).collect());
            prop_assert_eq!(points(&after), way.points, "{}", &way.text.en);
            prop_assert_eq!(after.interval.low - before.interval.low, way.gain);
            prop_assert!(way.gain > Decimal::ZERO);
            if let (Kind::Raise | Kind::Lower, [change]) = (way.kind, way.changes.as_slice()) {
                let short = one_step_back(change);
                prop_assert!(points(&with(vec![&short])) < way.points, "{} does it as well: {}", short, &way.text.en);
            }
        }
        let totals: Vec<_> = gaps.path.iter().map(|step| step.total).collect();
        prop_assert!(totals.is_sorted() && totals.iter().all(|total| *total <= gaps.interval.high.max(scheme.total)));
    }

    #[test]
    fn the_nearest_value_with_better_points_is_found(world in small_world()) {
        let scheme = world.compiled();
        let line = world.score(&scheme).lines.remove(0);
        let ways = in_post_ways(&gaps::gaps(&world.trial(&scheme), None));
        let now = number(&world.sheet["staff"]["in_post"]);
        for wanted in better_points(&scheme, &line, Decimal::ONE) {
            let enough = |value: &u32| {
                let score = world.changed(Document::BaseData, IN_POST, &json!(value)).score(&scheme);
                score.lines[0].points.is_some_and(|points| points >= wanted)
            };
            let nearest = (0..400).filter(enough).map(|value| (Decimal::from(value) - now).abs()).min();
            let found = ways.iter().filter(|(_, points)| *points >= wanted).map(|(value, _)| (*value - now).abs()).min();
            match nearest {
                Some(nearest) => prop_assert_eq!(found, Some(nearest), "{} points from {}", wanted, now),
                None => prop_assert!(found.is_none_or(|found| found + now >= dec("400"))),
            }
        }
    }

    #[test]
    fn the_next_turn_of_a_total_is_found_and_each_move_is_what_scoring_gives(world in small_world(), percent in decimal(1..=10_000, 2)) {
        let scheme = world.compiled();
        let before = world.score(&scheme);
        let score = |value: u32| world.changed(Document::BaseData, IN_POST, &json!(value)).score(&scheme);
        let sensitivity = sensitivity::sensitivity(&world.trial(&scheme), percent);
        let figure = sensitivity.figures.iter().find(|figure| figure.field.pointer == IN_POST).unwrap();
        let now = number(&world.sheet["staff"]["in_post"]).to_string().parse::<u32>().unwrap();
        let value = |moved: &sensitivity::Moved| moved.value.to_string().parse::<u32>().unwrap();
        for moved in [&figure.higher, &figure.lower, &figure.next_up, &figure.next_down].into_iter().flatten() {
            prop_assert_eq!(moved.change, score(value(moved)).interval.low - before.interval.low);
        }
        // An open line has no points to turn.
        if before.lines[0].points.is_some() {
            let other = |value: &u32| score(*value).interval != before.interval;
            let (up, down) = ((now + 1..400).find(other), (0..now).rev().find(other));
            prop_assert_eq!(figure.next_down.as_ref().map(value), down);
            let found = figure.next_up.as_ref().map(value).filter(|value| *value < 400);
            prop_assert_eq!(found, up);
        }
    }
}
