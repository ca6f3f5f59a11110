//! A line in words: how its points came about, in Chinese that can be pasted into a report, and in English.

use rust_decimal::{Decimal, RoundingStrategy};

use super::assessment::Assessment;
use super::formula::Formula;
use super::rule::{Applied, BandApplied, StepsApplied};
use super::scheme::{Band, Bound, Deduct, OwnRows, Rule, Side, Steps};
use super::score::{Line, Score, Status};
use super::special_fund::{Comparison, Level, Measure};
use super::variables::Figures;
use crate::fault::Text;

/// What a line's sentence has to tell besides the line itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Basis {
    /// Nothing more.
    #[default]
    Plain,
    /// The two parts of its ratio, in words with figures.
    Ratio(Text, Text),
    /// The sheet says that no building was finished.
    NoBuilding,
    /// A person gave the reason.
    Reason(String),
    /// The denominator is negative, so that the ratio means nothing.
    NegativeDenominator,
    /// The figures are too large to divide.
    TooLarge,
}

impl Basis {
    /// The reason that a person gave, if any.
    pub fn reason(assessment: Option<&Assessment>) -> Self {
        match assessment.and_then(|assessment| assessment.reason.as_ref()) {
            Some(reason) => Self::Reason(
                reason
                    .as_str()
                    .trim()
                    .trim_end_matches(['。', '.', '；', ';'])
                    .to_owned(),
            ),
            None => Self::Plain,
        }
    }

    /// The two parts of a ratio.
    pub fn ratio(words: Option<(Text, Text)>) -> Self {
        words.map_or(Self::Plain, |(numerator, denominator)| {
            Self::Ratio(numerator, denominator)
        })
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
        "not_applicable" => ("是否适用", "whether it applies"),
        "target" => ("指标值", "target"),
        "actual" => ("实际完成值", "reached"),
        _ => ("", ""),
    }
}

/// A number without trailing zeros.
fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

/// A percentage to two decimals, or to as many as it takes not to look like a bound that it does not lie on.
fn percent(ratio: Decimal, bounds: &[Decimal]) -> String {
    for decimals in [2, 4, 6, 10] {
        let shown = ratio.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
        if shown == ratio || !bounds.contains(&shown) {
            return plain(shown);
        }
    }
    plain(ratio)
}

/// A formula with its figures: `在职人员数104人`.
pub fn formula(formula: &Formula, figures: &dyn Figures) -> Text {
    let words = |zh: bool| {
        let text = formula.words(&mut |variable| {
            let value = figures
                .figure(variable)
                .map(|figure| plain(figure.value))
                .unwrap_or_default();
            match zh {
                true => format!("{}{value}{}", variable.zh, variable.unit.zh()),
                false => format!("{} {value}", variable.en),
            }
        });
        match (formula.is_compound(), zh) {
            (false, _) => text,
            (true, true) => format!("（{text}）"),
            (true, false) => format!("({text})")
                .replace('＋', " + ")
                .replace('－', " - ")
                .replace('×', " × ")
                .replace('（', "(")
                .replace('）', ")"),
        }
    };
    Text::new(words(true), words(false))
}

/// A rule in words.
pub fn rule(rule: &Rule, weight: Decimal) -> Text {
    match rule {
        Rule::Deduct(deduct) => deduct_rule(deduct),
        Rule::Bands(bands) => {
            let bands_zh: Vec<_> = bands
                .bands
                .iter()
                .map(|band| format!("{}得{}分", band_zh(band), band.points))
                .collect();
            let bands_en: Vec<_> = bands
                .bands
                .iter()
                .map(|band| format!("{}: {}", band_en(band), band.points))
                .collect();
            Text::new(
                format!("按比率分档计分：{}，其余得{}分。", bands_zh.join("，"), bands.otherwise),
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
            format!("each case costs {} points, down to 0", incidents.points_per_case),
        ),
        Rule::Proportion(_) => Text::new(
            format!("按比例计分：得分＝{}分×比率，最高不超过满分。", plain(weight)),
            format!("weight ({}) × ratio, never more than the weight", plain(weight)),
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
        Steps::Whole => ("不足一档的不扣分", "only whole steps count"),
        Steps::Started => ("不足一档的按一档扣分", "a started step counts whole"),
        Steps::Proportional => ("不足一档的按比例扣分", "part of a step counts for its part"),
    };
    Text::new(
        format!("目标值{target}%；每{side_zh}目标值{step}个百分点扣{points_per_step}分，{count_zh}，扣完为止。"),
        format!(
            "target {target}%; each {step} percentage points {side_en} it cost {points_per_step} points, {count_en}, down to 0"
        ),
    )
}

fn band_zh(band: &Band) -> String {
    match band.bound() {
        Some(Bound::AtMost(bound)) => format!("不超过{}%", plain(bound)),
        Some(Bound::Below(bound)) => format!("低于{}%", plain(bound)),
        Some(Bound::AtLeast(bound)) => format!("达到{}%", plain(bound)),
        Some(Bound::Above(bound)) => format!("高于{}%", plain(bound)),
        None => String::new(),
    }
}

fn band_en(band: &Band) -> String {
    match band.bound() {
        Some(Bound::AtMost(bound)) => format!("at most {}%", plain(bound)),
        Some(Bound::Below(bound)) => format!("below {}%", plain(bound)),
        Some(Bound::AtLeast(bound)) => format!("at least {}%", plain(bound)),
        Some(Bound::Above(bound)) => format!("above {}%", plain(bound)),
        None => String::new(),
    }
}

/// The bounds that a ratio must not seem to lie on when it does not.
fn bounds(rule: Option<&Rule>) -> Vec<Decimal> {
    match rule {
        Some(Rule::Deduct(deduct)) => vec![deduct.target.get()],
        Some(Rule::Bands(bands)) => bands
            .bands
            .iter()
            .filter_map(|band| match band.bound()? {
                Bound::AtMost(bound) | Bound::Below(bound) | Bound::AtLeast(bound) | Bound::Above(bound) => Some(bound),
            })
            .collect(),
        _ => vec![Decimal::ONE_HUNDRED],
    }
}

/// A line's sentence.
pub fn line(line: &Line, basis: &Basis) -> Text {
    let name = &line.name;
    let english = line.name_en.as_ref().map_or(line.code.as_str(), |name| name.as_str());
    if let Some(impossible) = impossible(basis) {
        return Text::new(
            format!("{name}：{}", impossible.zh),
            format!("{english}: {}", impossible.en),
        );
    }
    let opening = opening(line, basis);
    let reasons = applied(line, basis);
    let ending = ending(line);
    Text::new(
        format!("{name}{}{}{}", opening.zh, reasons.zh, ending.zh),
        format!("{english}{}{}{}", opening.en, reasons.en, ending.en),
    )
}

fn impossible(basis: &Basis) -> Option<Text> {
    match basis {
        Basis::NegativeDenominator => Some(Text::new(
            "分母为负数，比率没有意义，请核对所填数据。",
            "the denominator is negative, so the ratio means nothing; check the figures",
        )),
        Basis::TooLarge => Some(Text::new(
            "所填数据过大，无法计算比率，请核对。",
            "the figures are too large to work out a ratio; check them",
        )),
        _ => None,
    }
}

fn opening(line: &Line, basis: &Basis) -> Text {
    let (Some(ratio), Basis::Ratio(numerator, denominator)) = (&line.ratio, basis) else {
        return Text::new("：", ": ");
    };
    let (Some(exact), Some(used)) = (ratio.percent, ratio.used) else {
        return Text::new(
            format!("：分母{}为0，", denominator.zh),
            format!(": the denominator ({}) is 0; ", denominator.en),
        );
    };
    let bounds = bounds(line.rule.as_ref());
    let shown = percent(exact, &bounds);
    let (rounded_zh, rounded_en) = match used == exact {
        true => (String::new(), String::new()),
        false => (
            format!("，取整为{}%", plain(used)),
            format!(", rounded to {}%", plain(used)),
        ),
    };
    Text::new(
        format!("＝{}÷{}×100%＝{shown}%{rounded_zh}，", numerator.zh, denominator.zh),
        format!(" = {} / {} = {shown}%{rounded_en}; ", numerator.en, denominator.en),
    )
}

fn applied(line: &Line, basis: &Basis) -> Text {
    let Some(applied) = &line.applied else {
        return Text::new("", "");
    };
    match (applied, line.rule.as_ref()) {
        (Applied::Steps(steps), Some(Rule::Deduct(rule))) => steps_applied(steps, rule),
        (Applied::Band(BandApplied { band }), _) => match band {
            Some(band) => Text::new(
                format!("属于“{}”档，", band_zh(band)),
                format!("band \"{}\"; ", band_en(band)),
            ),
            None => Text::new("不在所列各档之内，", "in none of the bands; "),
        },
        (Applied::Proportion, _) => Text::new("按比例计分，", "in proportion; "),
        (Applied::ZeroDenominator, _) => Text::new(
            "按评分标准对分母为0的规定计分，",
            "as the scheme rules for a denominator of 0; ",
        ),
        (Applied::NotApplicable, _) => match basis {
            Basis::NoBuilding => Text::new(
                "本年无新建楼堂馆所，该指标不适用，",
                "no building was finished this year, so it does not apply; ",
            ),
            Basis::Reason(reason) => Text::new(
                format!("该指标不适用（{reason}），"),
                format!("does not apply ({reason}); "),
            ),
            _ => Text::new("该指标不适用，", "does not apply; "),
        },
        (Applied::Checklist(checks), Some(Rule::Checklist(rule))) => {
            let names = |codes: &[super::text::Code]| {
                rule.items
                    .iter()
                    .filter(|item| codes.contains(&item.code))
                    .map(|item| item.name.as_str())
                    .collect::<Vec<_>>()
                    .join("、")
            };
            let codes =
                |codes: &[super::text::Code]| codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", ");
            let mut zh = format!("{}项检查中符合{}项，", rule.items.len(), checks.fulfilled.len());
            let mut en = format!("{} of {} items fulfilled; ", checks.fulfilled.len(), rule.items.len());
            if !checks.unfulfilled.is_empty() {
                zh.push_str(&format!("不符合：{}，", names(&checks.unfulfilled)));
                en.push_str(&format!("not fulfilled: {}; ", codes(&checks.unfulfilled)));
            }
            if !checks.open.is_empty() {
                zh.push_str(&format!("尚未评定：{}，", names(&checks.open)));
                en.push_str(&format!("not yet judged: {}; ", codes(&checks.open)));
            }
            Text::new(zh, en)
        }
        (Applied::Incidents(incidents), _) => match incidents.deducted.is_zero() {
            true => Text::new("未发现问题，不扣分，", "no case found; "),
            false => Text::new(
                format!("发现问题{}起，应扣{}分，", incidents.count, plain(incidents.deducted)),
                format!(
                    "{} cases found, {} points off; ",
                    incidents.count,
                    plain(incidents.deducted)
                ),
            ),
        },
        (Applied::Rating(level), Some(Rule::Rating(rule))) => {
            let name = rule
                .levels
                .iter()
                .find(|item| item.code == level.level)
                .map(|item| item.name.as_str())
                .unwrap_or_default();
            Text::new(format!("评定为“{name}”，"), format!("rated \"{}\"; ", level.level))
        }
        (Applied::Assessed, _) => match basis {
            Basis::Reason(reason) => Text::new(format!("经评定（{reason}），"), format!("assessed ({reason}); ")),
            _ => Text::new("经评定，", "assessed; "),
        },
        _ => Text::new("", ""),
    }
}

fn steps_applied(applied: &StepsApplied, rule: &Deduct) -> Text {
    let target = rule.target;
    let Some(side) = applied.missed else {
        return match rule.off {
            Side::Above => Text::new(
                format!("未超过{target}%，不扣分，"),
                format!("not above {target}%, nothing off; "),
            ),
            Side::Below => Text::new(
                format!("达到{target}%，不扣分，"),
                format!("not below {target}%, nothing off; "),
            ),
            Side::Either => Text::new(
                format!("等于{target}%，不扣分，"),
                format!("equal to {target}%, nothing off; "),
            ),
        };
    };
    let (side_zh, side_en) = match side {
        Side::Below => ("低于", "below"),
        _ => ("超过", "above"),
    };
    let deviation = percent(applied.deviation, &[Decimal::ZERO, rule.step.get()]);
    let step = rule.step;
    let missed_zh = format!("{side_zh}{target}%计{deviation}个百分点，");
    let missed_en = format!("{deviation} percentage points {side_en} {target}%, ");
    if applied.steps.is_zero() {
        return Text::new(
            format!("{missed_zh}不足一个扣分档（{step}个百分点），不扣分，"),
            format!("{missed_en}less than a whole step of {step}, nothing off; "),
        );
    }
    let steps = plain(applied.steps.round_dp(4));
    let deducted = plain(applied.deducted.round_dp(4));
    let pps = rule.points_per_step;
    Text::new(
        format!("{missed_zh}每{step}个百分点扣{pps}分，计{steps}档，应扣{deducted}分，"),
        format!("{missed_en}{steps} steps of {step} at {pps} points, {deducted} points off; "),
    )
}

fn ending(line: &Line) -> Text {
    let weight = line.weight.map(plain).unwrap_or_default();
    if let Some(points) = line.points {
        return Text::new(
            format!("得{}分（满分{weight}分）。", plain(points)),
            format!("{} of {weight} points.", plain(points)),
        );
    }
    let fields: Vec<_> = line.missing.iter().map(|field| field.label.zh.as_str()).collect();
    let fields_en: Vec<_> = line.missing.iter().map(|field| field.label.en.as_str()).collect();
    let (low, high) = (plain(line.interval.low), plain(line.interval.high));
    Text::new(
        format!("缺少{}，暂不能计分，得分在{low}至{high}分之间。", fields.join("、")),
        format!(
            "missing {}; open between {low} and {high} points.",
            fields_en.join(", ")
        ),
    )
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
    let facts = match measure {
        Measure::Quantity(quantity) => {
            let unit = quantity.unit.as_ref().map(|unit| unit.as_str()).unwrap_or_default();
            let sign = match quantity.comparison {
                Comparison::AtLeast => "≥",
                Comparison::AtMost => "≤",
                Comparison::Equal => "＝",
            };
            let goal = Text::new(
                format!("指标值{sign}{}{unit}，", quantity.target),
                format!("target {sign} {}{unit}, ", quantity.target),
            );
            match (quantity.actual, &line.applied) {
                (Some(actual), Some(Applied::Target(applied))) => {
                    let share = percent(applied.share, &[Decimal::ONE_HUNDRED]);
                    let (how_zh, how_en) = match applied.met {
                        true => ("达到目标，".to_owned(), "met; ".to_owned()),
                        false => (format!("未达到目标，完成{share}%，"), format!("missed, {share}%; ")),
                    };
                    Text::new(
                        format!("{}实际完成{actual}{unit}，{how_zh}", goal.zh),
                        format!("{}reached {actual}{unit}, {how_en}", goal.en),
                    )
                }
                _ => goal,
            }
        }
        Measure::Quality(quality) => match (quality.level, quality.share) {
            (Some(level), share) => {
                let (zh, en) = match level {
                    Level::Achieved => ("达成预期指标", "achieved"),
                    Level::Partly => ("部分达成预期指标并具有一定效果", "partly achieved"),
                    Level::NotAchieved => ("未达成预期指标且效果较差", "not achieved"),
                };
                match share {
                    Some(share) => Text::new(
                        format!("{zh}，按分值的{share}%计分，"),
                        format!("{en}, {share}% of the weight; "),
                    ),
                    None => Text::new(format!("{zh}，"), format!("{en}; ")),
                }
            }
            _ => Text::new("", ""),
        },
    };
    let ending = ending(line);
    Text::new(
        format!("{}：{}{}", line.name, facts.zh, ending.zh),
        format!("{}: {}{}", line.name, facts.en, ending.en),
    )
}

/// A score in a sentence.
pub fn summary(score: &Score) -> Text {
    let full = plain(score.full_marks);
    let (low, high) = (plain(score.interval.low), plain(score.interval.high));
    if let Some(total) = score.total {
        let total = plain(total);
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
            lost => (format!("，{lost}项指标扣分"), format!(", {lost} lines lost points")),
        };
        return Text::new(
            format!("总得分{total}分（满分{full}分）{grade_zh}{lost_zh}。"),
            format!("{total} of {full} points{grade_en}{lost_en}."),
        );
    }
    let open = score.lines.iter().filter(|line| line.status == Status::Open).count();
    let (grade_zh, grade_en) = match &score.grade {
        Some(grade) => (
            format!("，等级已可确定为“{}”", grade.name),
            format!("; the grade is already \"{}\"", grade.code),
        ),
        None => (String::new(), String::new()),
    };
    if score.complete {
        return Text::new(
            format!("评分表自相矛盾，暂不能给出总分，得分在{low}至{high}分之间{grade_zh}。"),
            format!("the table contradicts itself, so there is no total; between {low} and {high} points{grade_en}."),
        );
    }
    Text::new(
        format!(
            "{open}项指标因缺少数据暂不能计分，总得分在{low}至{high}分之间（满分{full}分）{grade_zh}；需补充{}项数据。",
            score.missing.len()
        ),
        format!(
            "{open} lines are open, the total lies between {low} and {high} of {full} points{grade_en}; {} fields are missing.",
            score.missing.len()
        ),
    )
}
