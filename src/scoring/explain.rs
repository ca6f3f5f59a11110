//! A line in words: how its points came about, in Chinese that can be pasted into a report, and in English.
//!
//! A sentence is written from left to right into one text per language: a score has some thirty of them.

use rust_decimal::{Decimal, RoundingStrategy};

use super::assessment::Assessment;
use super::formula::Formula;
use super::rule::{Applied, BandApplied, ChecklistApplied, IncidentsApplied, StepsApplied};
use super::scheme::{Band, Bands, Bound, Checklist, Deduct, OwnRows, Rule, Side, Steps};
use super::score::{Line, RatioFound, Score, Severity, Status};
use super::special_fund::{Comparison, Level, Measure, QualityMeasure, QuantityMeasure};
use super::text::Code;
use super::values::Digits;
use super::variables::Figures;
use crate::fault::Text;

/// What a line's sentence has to tell besides the line itself.
#[derive(Clone, Copy, Default)]
pub enum Basis<'a> {
    /// Nothing more.
    #[default]
    Plain,
    /// The two parts of its ratio.
    Ratio(Part<'a>, Part<'a>),
    /// The sheet says that no building was finished.
    NoBuilding,
    /// A person gave the reason.
    Reason(&'a str),
    /// The denominator is negative, so that the ratio means nothing.
    NegativeDenominator,
    /// The figures are too large to divide.
    TooLarge,
}

/// A part of a ratio, to be said with its figures.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// A formula over the figures.
    Formula(&'a Formula, &'a dyn Figures),
    /// What people found was achieved.
    Achieved(Decimal),
    /// What could have been achieved.
    Possible(Decimal),
}

impl<'a> Basis<'a> {
    /// The reason that a person gave, if any.
    pub fn reason(assessment: Option<&'a Assessment>) -> Self {
        let reason = assessment.and_then(|assessment| assessment.reason.as_ref());
        match reason.map(|reason| reason.as_str().trim().trim_end_matches(['。', '.', '；', ';'])) {
            None | Some("") => Self::Plain,
            Some(reason) => Self::Reason(reason),
        }
    }
}

/// A sentence in the making, in both languages.
struct Sentence {
    zh: String,
    en: String,
}

impl Sentence {
    fn new() -> Self {
        // What a line takes at most, as a rule; formulas of many figures take more.
        Self {
            zh: String::with_capacity(256),
            en: String::with_capacity(224),
        }
    }

    fn add(&mut self, zh: &str, en: &str) {
        self.zh.push_str(zh);
        self.en.push_str(en);
    }

    /// Adds what stands in pieces: a format of as many takes three times as long.
    fn say(&mut self, zh: &[&str], en: &[&str]) {
        self.zh.extend(zh.iter().copied());
        self.en.extend(en.iter().copied());
    }

    fn done(self) -> Text {
        Text::new(self.zh, self.en)
    }

    /// A part of a ratio with its figures: `在职人员数104人`. Several figures stand in brackets beside a `÷`.
    fn part(&mut self, part: Part<'_>, brackets: bool) {
        let (formula, figures) = match part {
            Part::Achieved(number) => {
                let number = Digits::of(number);
                return self.say(&["实际数", &number], &["achieved ", &number]);
            }
            Part::Possible(number) => {
                let number = Digits::of(number);
                return self.say(&["总数", &number], &["possible ", &number]);
            }
            Part::Formula(formula, figures) => (formula, figures),
        };
        let brackets = brackets && formula.is_compound();
        if brackets {
            self.add("（", "(");
        }
        formula.words(&mut self.zh, &mut self.en, &mut |variable, zh, en| {
            zh.push_str(variable.zh);
            en.push_str(variable.en);
            en.push(' ');
            if let Some(figure) = figures.figure(variable) {
                let digits = Digits::of(figure.value);
                zh.push_str(digits.as_str());
                en.push_str(digits.as_str());
            }
            zh.push_str(variable.unit.zh());
        });
        if brackets {
            self.add("）", ")");
        }
    }
}

/// The label of an assessment's or a target's field.
pub fn input_label(field: &str) -> (&'static str, &'static str) {
    match field {
        "achieved" => ("实际数（考核得分、满意人数等）", "achieved"),
        "possible" => ("总数（该部分总分、调查人数等）", "possible"),
        "checks" => ("检查项", "checks"),
        "incidents" => ("发现问题的起数（没有的填0）", "cases found (0 if none)"),
        "rating" => ("档次", "rating"),
        "points" => ("评定得分", "points given"),
        "not_applicable" => ("是否适用的认定", "whether it applies"),
        "target" => ("指标值", "target"),
        "actual" => ("实际完成值", "reached"),
        _ => ("", ""),
    }
}

/// A number and what it counts, in English: `1 step`, `2 steps`.
fn counted(number: Decimal, noun: &str) -> String {
    let ending = if number == Decimal::ONE { "" } else { "s" };
    [Digits::of(number).as_str(), " ", noun, ending].concat()
}

/// A percentage to two decimals, or to as many as it takes not to look like a bound that it does not lie on.
fn percent(ratio: Decimal, is_bound: impl Fn(Decimal) -> bool) -> Digits {
    for decimals in [2, 4, 6, 10] {
        let shown = ratio.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
        if shown == ratio || !is_bound(shown) {
            return Digits::of(shown);
        }
    }
    Digits::of(ratio)
}

/// A rule in words.
pub fn rule(rule: &Rule, weight: Decimal) -> Text {
    match rule {
        Rule::Deduct(deduct) => deduct_rule(deduct),
        Rule::Bands(bands) => {
            let bands_zh: Vec<_> = bands
                .bands
                .iter()
                .filter_map(|band| Some(format!("{}得{}分", band.bound()?.zh(), band.points)))
                .collect();
            let bands_en: Vec<_> = bands
                .bands
                .iter()
                .filter_map(|band| Some(format!("{}: {}", band.bound()?.en(), band.points)))
                .collect();
            Text::new(
                format!("按比率分档计分：{}；其余得{}分。", bands_zh.join("；"), bands.otherwise),
                format!(
                    "points by bands of the ratio: {}; otherwise {}",
                    bands_en.join(", "),
                    bands.otherwise
                ),
            )
        }
        Rule::Checklist(list) => {
            let items: Vec<_> = list
                .items
                .iter()
                .map(|item| format!("{}（{}分）", item.name, item.points))
                .collect();
            let items_en: Vec<_> = list
                .items
                .iter()
                .map(|item| format!("{} {}", item.code, item.points))
                .collect();
            Text::new(
                format!("逐项检查计分：{}。", items.join("；")),
                format!("points for each item fulfilled: {}", items_en.join(", ")),
            )
        }
        Rule::Incidents(incidents) => Text::new(
            format!("每发现一起扣{}分，扣完为止。", incidents.points_per_case),
            format!(
                "{} off for each case; never below 0",
                counted(incidents.points_per_case.get(), "point")
            ),
        ),
        Rule::Proportion(_) => Text::new(
            format!("按比例计分：得分＝{}分×比率，最高不超过满分。", Digits::of(weight)),
            format!("weight ({}) × ratio, never more than the weight", Digits::of(weight)),
        ),
        Rule::Rating(rating) => {
            let levels: Vec<_> = rating
                .levels
                .iter()
                .map(|level| format!("{}{}分", level.name, level.points))
                .collect();
            let levels_en: Vec<_> = rating
                .levels
                .iter()
                .map(|level| format!("{} {}", level.code, level.points))
                .collect();
            Text::new(
                format!("分档评定：{}。", levels.join("，")),
                format!("one of these levels: {}", levels_en.join(", ")),
            )
        }
        Rule::Assessed(_) => Text::new(
            "由评价人员评定得分并说明理由。",
            "points given by an assessor, with a reason",
        ),
    }
}

fn deduct_rule(rule: &Deduct) -> Text {
    let Deduct {
        target,
        step,
        points_per_step,
        ..
    } = rule;
    let (side_zh, side_en) = match rule.off {
        Side::Above => ("高于", "above"),
        Side::Below => ("低于", "below"),
        Side::Either => ("高于或低于", "above or below"),
    };
    let (count_zh, count_en) = match rule.count {
        Steps::Whole => ("不扣分".to_owned(), "a part of a step costs nothing"),
        Steps::Started => (format!("按{step}个百分点扣分"), "a part of a step costs as much"),
        Steps::Proportional => ("按比例扣分".to_owned(), "a part of a step costs its part"),
    };
    Text::new(
        format!(
            "目标值{target}%；每{side_zh}目标值{step}个百分点扣{points_per_step}分，不足{step}个百分点的{count_zh}，扣完为止。"
        ),
        format!(
            "target {target}%; {} off for each step of {} {side_en} it; {count_en}; never below 0",
            counted(points_per_step.get(), "point"),
            counted(step.get(), "percentage point")
        ),
    )
}

impl Bound {
    fn zh(self) -> String {
        match self {
            Self::AtMost(bound) => format!("不超过{}%", Digits::of(bound)),
            Self::Below(bound) => format!("低于{}%", Digits::of(bound)),
            Self::AtLeast(bound) => format!("达到{}%", Digits::of(bound)),
            Self::Above(bound) => format!("超过{}%", Digits::of(bound)),
        }
    }

    fn en(self) -> String {
        match self {
            Self::AtMost(bound) => format!("at most {}%", Digits::of(bound)),
            Self::Below(bound) => format!("below {}%", Digits::of(bound)),
            Self::AtLeast(bound) => format!("at least {}%", Digits::of(bound)),
            Self::Above(bound) => format!("above {}%", Digits::of(bound)),
        }
    }

    /// What holds of a ratio outside.
    fn outside(self) -> Self {
        match self {
            Self::AtMost(bound) => Self::Above(bound),
            Self::Below(bound) => Self::AtLeast(bound),
            Self::AtLeast(bound) => Self::Below(bound),
            Self::Above(bound) => Self::AtMost(bound),
        }
    }

    /// The ratio at the bound, in percent.
    pub(super) fn percent(self) -> Decimal {
        match self {
            Self::AtMost(bound) | Self::Below(bound) | Self::AtLeast(bound) | Self::Above(bound) => bound,
        }
    }
}

/// Where a ratio lies among bands: outside the band before, and inside its own if it has one.
fn place(sentence: &mut Sentence, rule: &Bands, band: Option<&Band>) {
    let own = band.and_then(|band| rule.bands.iter().position(|other| other == band));
    let before = own.unwrap_or(rule.bands.len()).checked_sub(1);
    let before = before.and_then(|before| Some(rule.bands.get(before)?.bound()?.outside()));
    let mut bounds = [before, band.and_then(Band::bound)];
    // The lower end is read first.
    bounds.sort_by_key(|bound| bound.map(Bound::percent));
    for (n, bound) in bounds.into_iter().flatten().enumerate() {
        if n > 0 && bounds.iter().flatten().count() > 1 {
            sentence.add("、", " and ");
        }
        sentence.add(&bound.zh(), &bound.en());
    }
    sentence.add("，", "; ");
}

/// Whether a ratio must not seem to be this number when it is not: it is a bound of the rule.
fn is_bound(rule: Option<&Rule>, number: Decimal) -> bool {
    match rule {
        Some(Rule::Deduct(deduct)) => deduct.target.get() == number,
        Some(Rule::Bands(bands)) => bands
            .bands
            .iter()
            .any(|band| band.bound().is_some_and(|bound| bound.percent() == number)),
        _ => number == Decimal::ONE_HUNDRED,
    }
}

/// The line's name in English: a unit's own row has only the name that the unit gave it.
fn english(line: &Line) -> &str {
    match (&line.name_en, line.rule.as_ref()) {
        (Some(name), _) => name.as_str(),
        (None, Some(_)) => &line.code,
        (None, None) => line.name.as_str(),
    }
}

/// A line's sentence.
pub fn line(line: &Line, basis: Basis<'_>) -> Text {
    let mut sentence = Sentence::new();
    sentence.add(line.name.as_str(), english(line));
    match basis {
        Basis::NegativeDenominator => sentence.add(
            "：分母为负数，无法计算比率，请核对所填数据；",
            ": the denominator is negative, so there is no ratio; check the figures; ",
        ),
        Basis::TooLarge => sentence.add(
            "：所填数据过大，无法计算比率，请核对；",
            ": the figures are too large to work out a ratio; check them; ",
        ),
        _ => {
            opening(&mut sentence, line, basis);
            applied(&mut sentence, line, basis);
        }
    }
    ending(&mut sentence, line);
    sentence.done()
}

fn opening(sentence: &mut Sentence, line: &Line, basis: Basis<'_>) {
    let (Some(ratio), Basis::Ratio(numerator, denominator)) = (&line.ratio, basis) else {
        return sentence.add("：", ": ");
    };
    let RatioFound {
        percent: Some(exact),
        used: Some(used),
        ..
    } = *ratio
    else {
        sentence.add("：分母（", ": the denominator (");
        sentence.part(denominator, false);
        return sentence.add("）为0，", ") is 0; ");
    };
    sentence.add("＝", " = ");
    sentence.part(numerator, true);
    sentence.add("÷", " / ");
    sentence.part(denominator, true);
    let shown = percent(exact, |number| is_bound(line.rule.as_ref(), number));
    sentence.say(&["×100%＝", &shown, "%"], &[" = ", &shown, "%"]);
    let counted_as = Digits::of(used);
    // Not rounded, or to what is shown already.
    if used != exact && counted_as.as_str() != shown.as_str() {
        sentence.say(&["，按", &counted_as, "%计"], &[", counted as ", &counted_as, "%"]);
    }
    sentence.add("，", "; ");
}

fn applied(sentence: &mut Sentence, line: &Line, basis: Basis<'_>) {
    let Some(applied) = &line.applied else {
        return;
    };
    match (applied, line.rule.as_ref()) {
        (Applied::Steps(steps), Some(Rule::Deduct(rule))) => steps_applied(sentence, steps, rule, line),
        (Applied::Band(BandApplied { band }), Some(Rule::Bands(rule))) => place(sentence, rule, band.as_ref()),
        (Applied::Proportion, _) => sentence.add("按比例计分，", "in proportion; "),
        (Applied::ZeroDenominator, _) => sentence.add("按评分标准的规定", "by the scheme, "),
        (Applied::NotApplicable, _) => match basis {
            Basis::NoBuilding => sentence.add(
                "本年无新建楼堂馆所，该指标不适用，按规定",
                "no building was finished this year, so it does not apply; by the scheme, ",
            ),
            Basis::Reason(reason) => sentence.say(
                &["该指标不适用（", reason, "），按规定"],
                &["does not apply (", reason, "); by the scheme, "],
            ),
            _ => sentence.add("该指标不适用，按规定", "does not apply; by the scheme, "),
        },
        (Applied::Checklist(checks), Some(Rule::Checklist(rule))) => checklist_applied(sentence, checks, rule),
        (Applied::Incidents(incidents), _) => incidents_applied(sentence, incidents, line),
        (Applied::Rating(level), Some(Rule::Rating(rule))) => {
            let item = rule.levels.iter().find(|item| item.code == level.level);
            let name = item.map(|item| item.name.as_str()).unwrap_or_default();
            sentence.say(&["评定为“", name, "”，"], &["rated \"", level.level.as_str(), "\"; "]);
        }
        (Applied::Assessed, _) => match basis {
            Basis::Reason(reason) => sentence.say(&["经评定（", reason, "），"], &["assessed (", reason, "); "]),
            _ => sentence.add("经评定，", "assessed; "),
        },
        _ => {}
    }
}

fn checklist_applied(sentence: &mut Sentence, applied: &ChecklistApplied, rule: &Checklist) {
    let number = |count: usize| Digits::of(count.into());
    let items = number(rule.items.len());
    if applied.open.len() == rule.items.len() {
        let counted = counted(rule.items.len().into(), "item");
        return sentence.say(
            &[&items, "项检查均尚未评定，"],
            &["none of ", &counted, " judged yet; "],
        );
    }
    let fulfilled = number(applied.fulfilled.len());
    sentence.say(
        &["检查", &items, "项，符合", &fulfilled, "项，"],
        &[&fulfilled, " of ", &items, " items fulfilled; "],
    );
    for (codes, said_zh, said_en) in [
        (&applied.unfulfilled, "不符合", "not fulfilled"),
        (&applied.open, "尚未评定", "not yet judged"),
    ] {
        if codes.is_empty() {
            continue;
        }
        let named = rule.items.iter().filter(|item| codes.contains(&item.code));
        let names: Vec<_> = named.map(|item| item.name.as_str()).collect();
        let codes: Vec<_> = codes.iter().map(Code::as_str).collect();
        sentence.say(
            &[said_zh, &number(codes.len()), "项（", &names.join("；"), "），"],
            &[said_en, ": ", &codes.join(", "), "; "],
        );
    }
}

fn incidents_applied(sentence: &mut Sentence, applied: &IncidentsApplied, line: &Line) {
    if applied.count.get().is_zero() {
        return sentence.add("未发现问题，不扣分，", "no case found; ");
    }
    let cases = counted(applied.count.get(), "case");
    let points = counted(applied.deducted, "point");
    sentence.say(
        &["发现问题", &Digits::of(applied.count.get()), "起，"],
        &[&cases, " found, ", &points, " off; "],
    );
    deducted_zh(sentence, applied.deducted, line);
}

/// Points off, and that they are held at the weight where they are more.
fn deducted_zh(sentence: &mut Sentence, deducted: Decimal, line: &Line) {
    let points = Digits::of(deducted);
    match line.weight {
        Some(weight) if deducted > weight => sentence.zh.extend(["应扣", points.as_str(), "分，扣完为止，"]),
        _ => sentence.zh.extend(["扣", points.as_str(), "分，"]),
    }
}

fn steps_applied(sentence: &mut Sentence, applied: &StepsApplied, rule: &Deduct, line: &Line) {
    let target = Digits::of(rule.target.get());
    let Some(side) = applied.missed else {
        let (not_zh, not_en) = match rule.off {
            Side::Above => ("未超过", "not above"),
            Side::Below => ("达到", "not below"),
            Side::Either => ("等于", "equal to"),
        };
        return sentence.say(
            &[not_zh, &target, "%，不扣分，"],
            &[not_en, " ", &target, "%, nothing off; "],
        );
    };
    let step = Digits::of(rule.step.get());
    let (side_zh, side_en) = match side {
        Side::Below => ("低", "below"),
        _ => ("高", "above"),
    };
    let deviation = percent(applied.deviation, |number| {
        number.is_zero() || number == rule.step.get()
    });
    sentence.say(
        &["较目标值", &target, "%", side_zh, &deviation, "个百分点，"],
        &[&deviation, " percentage points ", side_en, " ", &target, "%, "],
    );
    if applied.steps.is_zero() {
        return sentence.say(
            &["不足", &step, "个百分点，不扣分，"],
            &["less than a step of ", &step, ", nothing off; "],
        );
    }
    let to_four = |number: Decimal| number.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero);
    let (steps, deducted) = (to_four(applied.steps), to_four(applied.deducted));
    let each = rule.points_per_step.get();
    sentence.say(
        &[
            "每",
            side_zh,
            &step,
            "个百分点扣",
            &Digits::of(each),
            "分，计",
            &Digits::of(steps),
            "档，",
        ],
        &[
            &counted(steps, "step"),
            " of ",
            &step,
            " at ",
            &counted(each, "point"),
            " each, ",
            &counted(deducted, "point"),
            " off; ",
        ],
    );
    deducted_zh(sentence, deducted, line);
}

fn ending(sentence: &mut Sentence, line: &Line) {
    let weight = line.weight.map(Digits::of);
    let weight = weight.as_ref().map(Digits::as_str).unwrap_or_default();
    if let Some(points) = line.points {
        let points = Digits::of(points);
        return sentence.say(
            &["得", &points, "分（满分", weight, "分）。"],
            &[&points, " of ", weight, " points."],
        );
    }
    let mut open = "open";
    // What of a checklist is open was told item by item.
    if !line.missing.is_empty() && !matches!(line.applied, Some(Applied::Checklist(_))) {
        let own_zh = format!("{}：", line.name);
        let own_en = format!("{}: ", english(line));
        for (n, field) in line.missing.iter().enumerate() {
            let (before_zh, before_en) = if n == 0 {
                ("缺少", "still missing ")
            } else {
                ("、", "; ")
            };
            let label = &field.label;
            let zh = label.zh.strip_prefix(&own_zh).unwrap_or(&label.zh);
            let en = label.en.strip_prefix(&own_en).unwrap_or(&label.en);
            sentence.say(&[before_zh, zh], &[before_en, en]);
        }
        sentence.add("，", ". ");
        open = "Open";
    }
    if line.weight.is_none() {
        return sentence.say(&["暂不能计分。"], &[open, "."]);
    }
    let (low, high) = (Digits::of(line.interval.low), Digits::of(line.interval.high));
    sentence.say(
        &["暂不能计分，得分在", &low, "至", &high, "分之间。"],
        &[open, " between ", &low, " and ", &high, " points."],
    );
}

/// How a unit's own row is scored, in words.
pub fn target_rule(measure: &Measure, rows: &OwnRows) -> Text {
    match measure {
        Measure::Quantity(quantity) => match quantity.comparison {
            Comparison::AtLeast => Text::new(
                "达到指标值得满分；未达到的，得分＝分值×实际完成值÷指标值。",
                "full marks when met; else weight × reached / target",
            ),
            Comparison::AtMost => Text::new(
                "不超过指标值得满分；超过的，得分＝分值×指标值÷实际完成值。",
                "full marks when met; else weight × target / reached",
            ),
            Comparison::Equal => Text::new(
                "等于指标值得满分；不相等的，得分＝分值×两数中较小数÷较大数。",
                "full marks when equal; else weight × the smaller / the larger of the two",
            ),
        },
        Measure::Quality(_) => Text::new(
            format!(
                "达成预期指标得分值的100%—{}%，部分达成并具有一定效果得{}%—{}%，未达成且效果较差得{}%—0%。",
                rows.achieved_from, rows.achieved_from, rows.partly_from, rows.partly_from
            ),
            format!(
                "achieved: 100-{}% of the weight; partly: {}-{}%; not achieved: {}-0%",
                rows.achieved_from, rows.achieved_from, rows.partly_from, rows.partly_from
            ),
        ),
    }
}

/// The sentence of a unit's own row.
pub fn target(line: &Line, measure: &Measure) -> Text {
    let mut sentence = Sentence::new();
    sentence.say(&[line.name.as_str(), "："], &[line.name.as_str(), ": "]);
    match measure {
        Measure::Quantity(quantity) => quantity_applied(&mut sentence, quantity, line),
        Measure::Quality(quality) => quality_applied(&mut sentence, quality),
    }
    ending(&mut sentence, line);
    sentence.done()
}

fn quantity_applied(sentence: &mut Sentence, quantity: &QuantityMeasure, line: &Line) {
    let unit = quantity.unit.as_ref().map(|unit| unit.as_str()).unwrap_or_default();
    let space = if unit.is_empty() { "" } else { " " };
    let (sign, sign_en, met, missed) = match quantity.comparison {
        Comparison::AtLeast => ("≥", "≥", "达到指标值", ("未达到指标值", "below it")),
        Comparison::AtMost => ("≤", "≤", "未超过指标值", ("超过指标值", "above it")),
        Comparison::Equal => ("＝", "=", "与指标值相符", ("与指标值不符", "not equal to it")),
    };
    let target = Digits::of(quantity.target.get());
    sentence.say(
        &["指标值", sign, &target, unit, "，"],
        &["target ", sign_en, " ", &target, space, unit, ", "],
    );
    let (Some(actual), Some(Applied::Target(applied))) = (quantity.actual, &line.applied) else {
        return;
    };
    let actual = Digits::of(actual.get());
    sentence.say(
        &["实际完成", &actual, unit, "，"],
        &["reached ", &actual, space, unit, ", "],
    );
    match (applied.met, applied.share.is_zero()) {
        (true, _) => sentence.say(&[met, "，"], &["met; "]),
        (false, true) => sentence.say(&[missed.0, "，不计分，"], &[missed.1, ", nothing given; "]),
        (false, false) => {
            let share = percent(applied.share, |number| {
                number.is_zero() || number == Decimal::ONE_HUNDRED
            });
            sentence.say(
                &[missed.0, "，按分值的", &share, "%计分，"],
                &[missed.1, ", ", &share, "% of the weight; "],
            );
        }
    }
}

fn quality_applied(sentence: &mut Sentence, quality: &QualityMeasure) {
    let Some(level) = quality.level else {
        return;
    };
    let (zh, en) = match level {
        Level::Achieved => ("达成预期指标", "achieved"),
        Level::Partly => ("部分达成预期指标并具有一定效果", "partly achieved"),
        Level::NotAchieved => ("未达成预期指标且效果较差", "not achieved"),
    };
    match quality.share {
        Some(share) => {
            let share = Digits::of(share.get());
            sentence.say(
                &[zh, "，按分值的", &share, "%计分，"],
                &[en, ", ", &share, "% of the weight; "],
            );
        }
        None => sentence.say(&[zh, "，"], &[en, "; "]),
    }
}

/// A score in a sentence.
pub fn summary(score: &Score) -> Text {
    let full = Digits::of(score.full_marks);
    let (low, high) = (Digits::of(score.interval.low), Digits::of(score.interval.high));
    if let Some(total) = score.total {
        let total = Digits::of(total);
        let (grade_zh, grade_en) = match &score.grade {
            Some(grade) => (
                format!("，等级为“{}”", grade.name),
                format!(", grade \"{}\"", grade.code),
            ),
            None => (String::new(), String::new()),
        };
        let lost = score
            .lines
            .iter()
            .filter(|line| line.lost.is_some_and(|lost| !lost.is_zero()))
            .count();
        let (lost_zh, lost_en) = match lost {
            0 => ("，各项指标均得满分".to_owned(), ", every line at full marks".to_owned()),
            lost => (
                format!("，{lost}项指标扣分"),
                format!(", {} lost points", counted(Decimal::from(lost), "line")),
            ),
        };
        return Text::new(
            format!("总得分{total}分（满分{full}分）{grade_zh}{lost_zh}。"),
            format!("{total} of {full} points{grade_en}{lost_en}."),
        );
    }
    let errors = score
        .notices
        .iter()
        .filter(|notice| notice.severity == Severity::Error)
        .count();
    if errors > 0 {
        let errors = Decimal::from(errors);
        return Text::new(
            format!("评分表有{errors}处错误，更正前不能给出总分。"),
            format!(
                "the table has {}; no total can be given before that is corrected.",
                counted(errors, "error")
            ),
        );
    }
    let open = score.lines.iter().filter(|line| line.status == Status::Open).count();
    let (open_zh, open_en) = match open {
        // No line is open, so it is the weights that do not cover their section.
        0 => (
            "部分分值尚未分配到指标，暂不能给出总分".to_owned(),
            "some points are not yet given to a row".to_owned(),
        ),
        1 => ("1项指标暂不能计分".to_owned(), "1 line is open".to_owned()),
        open => (format!("{open}项指标暂不能计分"), format!("{open} lines are open")),
    };
    let (grade_zh, grade_en) = match &score.grade {
        Some(grade) => (
            format!("，等级已可确定为“{}”", grade.name),
            format!("; the grade is already \"{}\"", grade.code),
        ),
        None => (String::new(), String::new()),
    };
    let (todo_zh, todo_en) = match score.missing.len() {
        0 => ("请核对所填数据".to_owned(), "check the figures".to_owned()),
        1 => ("需补充1项数据".to_owned(), "1 field is missing".to_owned()),
        fields => (format!("需补充{fields}项数据"), format!("{fields} fields are missing")),
    };
    Text::new(
        format!("{open_zh}，总得分在{low}至{high}分之间（满分{full}分）{grade_zh}；{todo_zh}。"),
        format!("{open_en}; the total lies between {low} and {high} of {full} points{grade_en}; {todo_en}."),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixtures::{
        builtin, line_of, of_indicators, rows_score, scheme, score_of, whole_assessments, whole_sheet,
    };
    use super::*;

    #[track_caller]
    fn says(text: &Text, zh: &str, en: &str) {
        assert_eq!((&*text.zh, &*text.en), (zh, en));
    }

    /// A score's lines by their codes.
    fn lines<'a>(score: &'a Score) -> impl Fn(&str) -> &'a Line {
        move |code| score.lines.iter().find(|line| line.code == code).unwrap()
    }

    /// What the one line says of posts and staff in post under this rule.
    fn staff(rule: Value, in_post: u32, posts: u32) -> Text {
        let indicator = json!({
            "code": "staff_control", "name": "在职人员控制率", "name_en": "Staff control", "weight": "5",
            "ratio": {"numerator": "staff.in_post", "denominator": "staff.posts"}, "rule": rule
        });
        line_of(
            indicator,
            json!({"staff": {"posts": posts, "in_post": in_post}}),
            Value::Null,
        )
        .explanation
    }

    #[test]
    fn a_deduction_shows_its_figures_its_ratio_and_its_steps() {
        let score = score_of(&builtin("hunan-2019"), whole_sheet(), whole_assessments());
        let line = lines(&score);
        says(
            &line("in_post_control").explanation,
            "在职人员控制率＝在职人员数104人÷编制数171人×100%＝60.82%，未超过100%，不扣分，得5分（满分5分）。",
            "In-post staff control rate = staff in post 104 / authorised posts 171 = 60.82%; not above 100%, nothing off; \
             5 of 5 points.",
        );
        says(
            &line("budget_completion").explanation,
            "预算完成率＝（上年结转19.8万元＋年初预算1922.76万元＋本年追加预算767.86万元－年末结余19.8万元）÷\
             （上年结转19.8万元＋年初预算1922.76万元＋本年追加预算767.86万元）×100%＝99.27%，\
             较目标值100%低0.73个百分点，不足5个百分点，不扣分，得5分（满分5分）。",
            "Budget completion rate = (budget carried in 19.8 + initial budget 1922.76 + supplementary budget 767.86 - \
             budget left over 19.8) / (budget carried in 19.8 + initial budget 1922.76 + supplementary budget 767.86) \
             = 99.27%; 0.73 percentage points below 100%, less than a step of 5, nothing off; 5 of 5 points.",
        );
        says(
            &line("procurement_execution").explanation,
            "政府采购执行率＝实际政府采购金额28万元÷政府采购预算数30.66万元×100%＝91.32%，较目标值100%低8.68个百分点，\
             每低5个百分点扣2分，计1档，扣2分，得4分（满分6分）。",
            "Procurement execution rate = actual procurement 28 / procurement budget 30.66 = 91.32%; \
             8.68 percentage points below 100%, 1 step of 5 at 2 points each, 2 points off; 4 of 6 points.",
        );
    }

    #[test]
    fn what_costs_more_than_there_is_stops_at_zero() {
        let rule = json!({"kind": "deduct", "target": "100", "off": "above", "step": "1", "points_per_step": "0.5"});
        // 30/25 = 120%: 20 steps of 0.5.
        says(
            &staff(rule, 30, 25),
            "在职人员控制率＝在职人员数30人÷编制数25人×100%＝120%，较目标值100%高20个百分点，每高1个百分点扣0.5分，\
             计20档，应扣10分，扣完为止，得0分（满分5分）。",
            "Staff control = staff in post 30 / authorised posts 25 = 120%; 20 percentage points above 100%, \
             20 steps of 1 at 0.5 points each, 10 points off; 0 of 5 points.",
        );
    }

    #[test]
    fn a_ratio_close_to_its_target_does_not_look_like_it() {
        let rule = json!({"kind": "deduct", "target": "100", "off": "above", "step": "1", "points_per_step": "0.5",
            "count": "started"});
        // 100001/100000 is 100.001%, which two decimals would print as 100%.
        says(
            &staff(rule, 100_001, 100_000),
            "在职人员控制率＝在职人员数100001人÷编制数100000人×100%＝100.001%，较目标值100%高0.001个百分点，\
             每高1个百分点扣0.5分，计1档，扣0.5分，得4.5分（满分5分）。",
            "Staff control = staff in post 100001 / authorised posts 100000 = 100.001%; 0.001 percentage points above \
             100%, 1 step of 1 at 0.5 points each, 0.5 points off; 4.5 of 5 points.",
        );
    }

    #[test]
    fn a_band_names_its_ends() {
        let score = score_of(&builtin("hunan-2019"), whole_sheet(), whole_assessments());
        let line = lines(&score);
        says(
            &line("budget_control").explanation,
            "预算控制率＝本年追加预算767.86万元÷年初预算1922.76万元×100%＝39.94%，超过30%，得0分（满分5分）。",
            "Budget control rate = supplementary budget 767.86 / initial budget 1922.76 = 39.94%; above 30%; \
             0 of 5 points.",
        );
        says(
            &line("satisfaction").explanation,
            "社会公众或服务对象满意度＝实际数93÷总数100×100%＝93%，达到90%，得6分（满分6分）。",
            "Satisfaction of the public or those served = achieved 93 / possible 100 = 93%; at least 90%; 6 of 6 points.",
        );
        let upper = json!({"kind": "bands", "bands": [
            {"at_most": "10", "points": "5"}, {"below": "20", "points": "3"}], "otherwise": "0"});
        says(
            &staff(upper.clone(), 15, 100),
            "在职人员控制率＝在职人员数15人÷编制数100人×100%＝15%，超过10%、低于20%，得3分（满分5分）。",
            "Staff control = staff in post 15 / authorised posts 100 = 15%; above 10% and below 20%; 3 of 5 points.",
        );
        assert!(staff(upper, 20, 100).zh.contains("＝20%，达到20%，得0分"));
        let lower = json!({"kind": "bands", "bands": [
            {"at_least": "90", "points": "5"}, {"at_least": "80", "points": "3"}], "otherwise": "0"});
        assert!(
            staff(lower.clone(), 85, 100)
                .zh
                .contains("＝85%，达到80%、低于90%，得3分")
        );
        assert!(staff(lower, 79, 100).zh.contains("＝79%，低于80%，得0分"));
    }

    #[test]
    fn a_ratio_that_the_scheme_rounds_shows_both() {
        let mut document = of_indicators(json!([{
            "code": "execution_rate", "name": "预算执行率", "weight": "10",
            "ratio": {"numerator": "procurement.final", "denominator": "procurement.budget"},
            "rule": {"kind": "proportion"}
        }]));
        document["rounding"] = json!({"ratio": {"mode": "half_up", "decimals": 0}});
        let sheet = json!({"procurement": {"budget": "310.2", "final": "154.74"}});
        says(
            &score_of(&scheme(document), sheet, json!({})).lines[0].explanation,
            "预算执行率＝实际政府采购金额154.74万元÷政府采购预算数310.2万元×100%＝49.88%，按50%计，按比例计分，\
             得5分（满分10分）。",
            "execution_rate = actual procurement 154.74 / procurement budget 310.2 = 49.88%, counted as 50%; \
             in proportion; 5 of 10 points.",
        );
    }

    #[test]
    fn a_line_without_a_ratio_says_why_it_has_its_points() {
        let rule = json!({"kind": "proportion"});
        says(
            &staff(rule, 0, 0),
            "在职人员控制率：分母（编制数0人）为0，按评分标准的规定得5分（满分5分）。",
            "Staff control: the denominator (authorised posts 0) is 0; by the scheme, 5 of 5 points.",
        );
        let mut assessments = whole_assessments();
        assessments["indicators"]["admin_efficiency"] = json!({"not_applicable": true, "reason": "本单位无此项职能。"});
        let score = score_of(&builtin("hunan-2019"), whole_sheet(), assessments);
        let line = lines(&score);
        says(
            &line("building_area_control").explanation,
            "新建楼堂馆所面积控制率：本年无新建楼堂馆所，该指标不适用，按规定得5分（满分5分）。",
            "Area control of new buildings: no building was finished this year, so it does not apply; \
             by the scheme, 5 of 5 points.",
        );
        says(
            &line("admin_efficiency").explanation,
            "行政效能：该指标不适用（本单位无此项职能），按规定得6分（满分6分）。",
            "Administrative efficiency: does not apply (本单位无此项职能); by the scheme, 6 of 6 points.",
        );
    }

    #[test]
    fn a_judgement_is_told_with_its_grounds() {
        let mut assessments = whole_assessments();
        let indicators = &mut assessments["indicators"];
        indicators["management_system"]["checks"] =
            json!({"finance_rules": true, "thrift_rules": false, "carried_out": true});
        indicators["social_benefit"]["reason"] = json!(" \n");
        let score = score_of(&builtin("hunan-2019"), whole_sheet(), assessments);
        let line = lines(&score);
        says(
            &line("management_system").explanation,
            "管理制度健全性：检查4项，符合2项，不符合1项（有本部门厉行节约制度），\
             尚未评定1项（相关管理制度合法、合规、完整），暂不能计分，得分在4至6分之间。",
            "Soundness of management rules: 2 of 4 items fulfilled; not fulfilled: thrift_rules; \
             not yet judged: lawful_and_complete; open between 4 and 6 points.",
        );
        says(
            &line("fund_compliance").explanation,
            "资金使用合规性：发现问题1起，扣1分，得5分（满分6分）。",
            "Compliance of the use of funds: 1 case found, 1 point off; 5 of 6 points.",
        );
        says(
            &line("economic_benefit").explanation,
            "经济效益：经评定（新增税收120万元），得5分（满分5分）。",
            "Economic benefit: assessed (新增税收120万元); 5 of 5 points.",
        );
        says(
            &line("social_benefit").explanation,
            "社会效益：经评定，得4分（满分5分）。",
            "Social benefit: assessed; 4 of 5 points.",
        );
        says(
            &line("admin_efficiency").explanation,
            "行政效能：评定为“效果较好”，得6分（满分6分）。",
            "Administrative efficiency: rated \"good\"; 6 of 6 points.",
        );
    }

    #[test]
    fn an_open_line_names_what_it_waits_for() {
        let score = score_of(
            &builtin("hunan-2019"),
            json!({"staff": {"posts": 171}, "budget": {"carried_in": 0, "initial": 10, "supplementary": -20, "carried_out": 0}}),
            json!({}),
        );
        let line = lines(&score);
        says(
            &line("in_post_control").explanation,
            "在职人员控制率：缺少在职人员数，暂不能计分，得分在0至5分之间。",
            "In-post staff control rate: still missing staff in post. Open between 0 and 5 points.",
        );
        says(
            &line("building_area_control").explanation,
            "新建楼堂馆所面积控制率：缺少新建楼堂馆所情况（没有的应明确填报“无”），暂不能计分，得分在0至5分之间。",
            "Area control of new buildings: still missing buildings finished this year (\"none\" is to be said outright). \
             Open between 0 and 5 points.",
        );
        says(
            &line("budget_completion").explanation,
            "预算完成率：分母为负数，无法计算比率，请核对所填数据；暂不能计分，得分在0至5分之间。",
            "Budget completion rate: the denominator is negative, so there is no ratio; check the figures; \
             open between 0 and 5 points.",
        );
        says(
            &line("management_system").explanation,
            "管理制度健全性：4项检查均尚未评定，暂不能计分，得分在0至8分之间。",
            "Soundness of management rules: none of 4 items judged yet; open between 0 and 8 points.",
        );
        says(
            &line("admin_efficiency").explanation,
            "行政效能：缺少档次，暂不能计分，得分在0至6分之间。",
            "Administrative efficiency: still missing rating. Open between 0 and 6 points.",
        );
    }

    #[test]
    fn a_target_is_told_with_what_was_reached() {
        let quantity = |comparison: &str, target: &str, actual: Value, unit: &str| {
            json!({"section": "output", "name": "危房改造", "weight": "5", "measure": {
                "kind": "quantity", "comparison": comparison, "target": target, "actual": actual, "unit": unit
            }})
        };
        let score = rows_score(json!([
            quantity("at_least", "181", json!("181"), "户"),
            quantity("at_least", "200", json!("145"), "户"),
            quantity("at_most", "30", json!("40"), "天"),
            quantity("equal", "0", json!("2"), "起"),
            quantity("at_least", "181", Value::Null, "户"),
            {"section": "output", "name": "房屋质量", "weight": "5", "measure":
                {"kind": "quality", "level": "partly", "share": "70"}},
            {"section": "output", "name": "房屋质量", "measure": {"kind": "quality", "level": "achieved"}},
        ]));
        let expected = [
            (
                "危房改造：指标值≥181户，实际完成181户，达到指标值，得5分（满分5分）。",
                "危房改造: target ≥ 181 户, reached 181 户, met; 5 of 5 points.",
            ),
            (
                "危房改造：指标值≥200户，实际完成145户，未达到指标值，按分值的72.5%计分，得3.63分（满分5分）。",
                "危房改造: target ≥ 200 户, reached 145 户, below it, 72.5% of the weight; 3.63 of 5 points.",
            ),
            (
                "危房改造：指标值≤30天，实际完成40天，超过指标值，按分值的75%计分，得3.75分（满分5分）。",
                "危房改造: target ≤ 30 天, reached 40 天, above it, 75% of the weight; 3.75 of 5 points.",
            ),
            (
                "危房改造：指标值＝0起，实际完成2起，与指标值不符，不计分，得0分（满分5分）。",
                "危房改造: target = 0 起, reached 2 起, not equal to it, nothing given; 0 of 5 points.",
            ),
            (
                "危房改造：指标值≥181户，缺少实际完成值，暂不能计分，得分在0至5分之间。",
                "危房改造: target ≥ 181 户, still missing what was reached. Open between 0 and 5 points.",
            ),
            (
                "房屋质量：部分达成预期指标并具有一定效果，按分值的70%计分，得3.5分（满分5分）。",
                "房屋质量: partly achieved, 70% of the weight; 3.5 of 5 points.",
            ),
            (
                "房屋质量：达成预期指标，缺少分值、得分比例，暂不能计分。",
                "房屋质量: achieved; still missing weight; its share of the weight. Open.",
            ),
        ];
        assert_eq!(score.lines.len(), expected.len());
        for (line, (zh, en)) in score.lines.iter().zip(expected) {
            says(&line.explanation, zh, en);
        }
    }

    #[test]
    fn a_score_is_summed_up_in_a_sentence() {
        let hunan = builtin("hunan-2019");
        let summary = |sheet: Value, assessments: Value| score_of(&hunan, sheet, assessments).summary;
        says(
            &summary(whole_sheet(), whole_assessments()),
            // 0 of 5 in budget control; and procurement, compliance, disclosure, key work, social benefit.
            "总得分89.6分（满分100分），等级为“良”，6项指标扣分。",
            "89.6 of 100 points, grade \"good\", 6 lines lost points.",
        );
        let mut sheet = whole_sheet();
        sheet["staff"] = json!({"posts": 171});
        says(
            &summary(sheet, whole_assessments()),
            "1项指标暂不能计分，总得分在84.6至89.6分之间（满分100分），等级已可确定为“良”；需补充1项数据。",
            "1 line is open; the total lies between 84.6 and 89.6 of 100 points; the grade is already \"good\"; \
             1 field is missing.",
        );
        let row = |weight: &str| {
            json!([{"section": "output", "name": "户数", "weight": weight,
                "measure": {"kind": "quantity", "comparison": "at_least", "target": 1, "actual": 1}}])
        };
        says(
            &rows_score(row("50")).summary,
            "总得分50分（满分50分），等级为“优”，各项指标均得满分。",
            "50 of 50 points, grade \"excellent\", every line at full marks.",
        );
        says(
            &rows_score(row("20")).summary,
            "部分分值尚未分配到指标，暂不能给出总分，总得分在20至50分之间（满分50分）；需补充1项数据。",
            "some points are not yet given to a row; the total lies between 20 and 50 of 50 points; 1 field is missing.",
        );
        says(
            &rows_score(row("70")).summary,
            "评分表有1处错误，更正前不能给出总分。",
            "the table has 1 error; no total can be given before that is corrected.",
        );
    }

    #[test]
    fn a_rule_is_told_in_words() {
        let hunan = builtin("hunan-2019");
        let score = score_of(&hunan, json!({}), json!({}));
        let line = lines(&score);
        says(
            &line("budget_completion").rule_text,
            "目标值100%；每低于目标值5个百分点扣2分，不足5个百分点的不扣分，扣完为止。",
            "target 100%; 2 points off for each step of 5 percentage points below it; \
             a part of a step costs nothing; never below 0",
        );
        says(
            &line("budget_control").rule_text,
            "按比率分档计分：不超过0%得5分；不超过10%得4分；不超过20%得3分；不超过30%得2分；其余得0分。",
            "points by bands of the ratio: at most 0%: 5, at most 10%: 4, at most 20%: 3, at most 30%: 2; otherwise 0",
        );
        says(
            &line("fund_compliance").rule_text,
            "每发现一起扣1分，扣完为止。",
            "1 point off for each case; never below 0",
        );
        says(
            &line("admin_efficiency").rule_text,
            "分档评定：效果较好6分，有一定效果3分，无效果0分。",
            "one of these levels: good 6, fair 3, none 0",
        );
    }
}
