//! The checks of published tables, as data for the catalogue.

use super::super::catalogue::{Check, Rule, Topic, check};
use crate::fault::Text;
use crate::scoring::score::Severity::{Error, Notice, Warning};

macro_rules! kinds {
    ($($name:ident $code:literal $severity:ident [$($reads:literal),+] {
        $tolerance_zh:literal $tolerance_en:literal
        $title_zh:literal $title_en:literal
        $meaning_zh:literal $meaning_en:literal
        $remedy_zh:literal $remedy_en:literal
    })+) => {
        /// What can be found in a published table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $meaning_en] $name,)+
        }

        impl Kind {
            const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its entry in the catalogue.
            pub fn check(self) -> Check {
                match self {
                    $(Self::$name => check(
                        ($code, $severity, Topic::Table, Text::fixed($tolerance_zh, $tolerance_en)),
                        ($title_zh, $title_en),
                        ($meaning_zh, $meaning_en),
                        ($remedy_zh, $remedy_en),
                        Rule::Table,
                    )
                    .reading(&[$($reads),+]),)+
                }
            }
        }
    };
}

/// All of them, in the order of a page: money, rows, sections, total.
pub fn checks() -> Vec<Check> {
    Kind::ALL.iter().map(|kind| kind.check()).collect()
}

kinds! {
    FundingTotal "table_funding_total" Error ["funding.total", "funding.*"] {
        "无" "none"
        "资金合计行与各分项之和不符" "the funding's total row is not the sum of its parts"
        "资金总额应等于各来源（或各类）资金之和；合计行未取数（0/0/0）时，执行率和得分都会成为0。"
        "The total must equal the sum of its sources (or kinds). A total row left at 0/0/0 makes the execution rate and its points 0."
        "核对各分项后更正合计行，并重算执行率和得分。" "Correct the total row from its parts, then the execution rate and its points."
    }
    ZeroDenominator "table_zero_denominator" Warning ["funding.total.adjusted_budget", "rows.measure.denominator"] {
        "无" "none"
        "分母为0" "a denominator of 0"
        "分母为0的比率没有意义，不能据以计分。" "A ratio with a denominator of 0 means nothing, and no points follow from it."
        "核对全年预算数等分母；确为0的，按评分标准另行认定。" "Check the budget or the figure that it is divided by; if it is 0, the scheme must rule on it."
    }
    InitialBudgetZero "table_initial_budget_zero" Notice ["funding.total.initial_budget", "funding.total.adjusted_budget"] {
        "无" "none"
        "年初预算数为0" "an initial budget of 0"
        "年初未安排预算而年中追加的，执行率应以调整后的全年预算数为分母。"
        "Where nothing was budgeted at the start of the year, the execution rate is to the adjusted budget."
        "确认执行率以全年预算数（A）为分母。" "Make sure that the execution rate is to the adjusted budget (A)."
    }
    ExecutedAboveBudget "table_executed_above_budget" Warning ["funding.total.executed", "funding.total.adjusted_budget"] {
        "无" "none"
        "执行数大于全年预算数" "more executed than budgeted"
        "没有预算不得支出；执行数大于调整后预算的，多为数据填错或漏填追加。"
        "Nothing is spent without a budget; more executed than the adjusted budget is mostly a wrong figure or a supplement left out."
        "核对全年预算数是否含追加，或更正执行数。" "See whether the budget includes the supplements, or correct what was executed."
    }
    AmountsInYuan "table_amounts_in_yuan" Notice ["amounts_in", "funding.*"] {
        "以万元计超过100,000万元（10亿元）" "above 100,000 万元 (a billion yuan)"
        "金额以元填列" "amounts in 元"
        "表式要求金额以万元为单位；以元填列的，汇总时会放大一万倍。" "The forms ask for 万元; amounts in 元 are ten thousand times too large once they are added up."
        "换算为万元。" "Convert them to 万元."
    }
    Ratio "table_ratio" Error ["rows.ratio", "rows.measure"] {
        "四舍五入或舍去印出位数以后的小数" "rounding or cutting off after the decimals printed"
        "比率与其自身数据不符" "a ratio that its own figures do not give"
        "比率应由其分子、分母（或指标值、完成值）算出。" "A ratio must follow from its numerator and denominator, or from its target and result."
        "按数据重算比率，或更正数据。" "Work the ratio out again, or correct the figures."
    }
    FullMarksOnMiss "table_full_marks_on_miss" Error ["rows.points", "rows.measure", "rows.rule"] {
        "按该表的取舍方式" "as the table rounds"
        "未达标却得满分" "full marks on a miss"
        "未达到指标值的，应按评分规则扣分。" "A target that was missed costs points by the rule."
        "按评分规则重新计分。" "Score the row again by its rule."
    }
    PointsOffThoughMet "table_points_off_though_met" Warning ["rows.points", "rows.measure", "rows.deviation"] {
        "按该表的取舍方式" "as the table rounds"
        "已达标仍扣分" "points off though the target was met"
        "已达标而扣分的，应说明原因。" "Points taken off where the target was met need a reason."
        "补充扣分原因，或改为满分。" "Give the reason, or full marks."
    }
    Points "table_points" Error ["rows.points", "rows.measure", "rows.rule"] {
        "按该表的取舍方式" "as the table rounds"
        "得分与评分规则不符" "points that the rule does not give"
        "得分应由比率按评分规则算出，并按该表一贯的方式取舍。" "Points must follow from the ratio by the rule, rounded as the table rounds elsewhere."
        "按评分规则重新计分。" "Score the row again by its rule."
    }
    PointsAboveWeight "table_points_above_weight" Error ["rows.points", "rows.weight"] {
        "无" "none"
        "得分超过分值" "more points than the weight"
        "超额完成不加分，得分最多为分值。" "Doing more than the target earns nothing more: points are at most the weight."
        "更正得分或分值。" "Correct the points or the weight."
    }
    NotANumber "table_not_a_number" Warning ["rows.measure.target", "rows.measure.actual"] {
        "无" "none"
        "定量指标填了文字" "words where a number belongs"
        "定量指标的指标值、完成值都应为数值，否则无法计分。" "Target and result of a measured indicator must both be numbers, or nothing can be worked out."
        "填写实际完成的数值。" "Give the number that was reached."
    }
    ActualCopiesTarget "table_actual_copies_target" Warning ["rows.measure.actual", "rows.measure.target"] {
        "无" "none"
        "完成值照抄指标值" "the result copies the target"
        "完成值应为实际数，带“≥”“≤”的是目标，不是结果。" "A result is a number that was counted; one with ≥ or ≤ is a target."
        "填写实际完成的数值。" "Give the number that was reached."
    }
    TargetIsWeight "table_target_is_weight" Warning ["rows.measure.target", "rows.measure.actual", "rows.weight"] {
        "无" "none"
        "指标值误填为分值" "the weight stands where the target belongs"
        "指标值、完成值与分值三者相同，多为将分值误填入指标值栏。" "Target, result and weight are the same number: mostly the weight typed into the target's column."
        "填写真正的指标值和完成值。" "Give the target and the result themselves."
    }
    TargetTooLow "table_target_too_low" Notice ["rows.measure.actual", "rows.measure.target"] {
        "完成值超过指标值的130%" "a result above 130% of the target"
        "指标值设定过低" "a target set far too low"
        "完成值超过指标值30%以上的，给满分，同时说明指标值偏低。" "A result above 130% of its target gets full marks, and says that the target was too low."
        "下一年度合理设定指标值。" "Set next year's target by what was reached."
    }
    SameFactTwice "table_same_fact_twice" Warning ["rows.measure", "funding.total"] {
        "执行率不足100%时" "where the execution rate is below 100%"
        "同一数据重复计分" "one fact scored twice"
        "预算执行情况已由执行率计分，不应再作为其他指标计分；两处方向不同时还会互相抵消。"
        "The execution of the budget is scored by its rate; scored again by another row it counts twice, or against itself."
        "将该指标改为反映工作成果的指标。" "Replace the row by one that measures work."
    }
    CarryOver "table_carry_over" Warning ["rows.measure.actual", "funding.total"] {
        "执行率不低于99%时不提示" "not where the execution rate is 99% or more"
        "结转结余率与执行率矛盾" "a carry-over rate that contradicts the execution rate"
        "预算未执行的部分，除收回的以外应形成结转结余；执行率不高而结转结余率为0，互相矛盾。"
        "What of a budget is not executed is left over unless it was taken back: a low execution rate and nothing left over contradict each other."
        "核对年末结转结余数；资金已收回的，说明情况。" "Check what was left over; if it was taken back, say so."
    }
    Cost "table_cost" Warning ["rows.measure.actual", "funding.total.executed"] {
        "无" "none"
        "成本完成值与执行数不符" "a cost that is not what was executed"
        "成本指标的完成值应为实际支出，与全年执行数一致。" "The result of a cost indicator is what was spent: what the table says was executed."
        "按执行数更正成本完成值，或说明差额。" "Give what was executed, or explain the difference."
    }
    OneRowDominates "table_one_row_dominates" Notice ["rows.weight"] {
        "单个指标超过总分的50%" "one row above half of all points"
        "单个指标分值过大" "one row weighs too much"
        "一项指标的分值超过总分的一半，其他指标几乎不起作用。" "One row weighs more than half of all: the others hardly matter."
        "将该指标细化为若干可衡量的指标。" "Part it into several that can be measured."
    }
    BetterForLess "table_better_for_less" Error ["rows.points", "rows.measure"] {
        "分值、规则相同且均未达标的指标之间" "among rows of the same weight and rule that all missed their targets"
        "完成情况更好（或相同）得分反而更低" "a better or equal result got fewer points"
        "分值和规则相同的指标，完成得越好得分越高；相反的，说明得分不是按规则算出的。"
        "Among rows of one weight and rule the better result gets more points; where not, they were not worked out by the rule."
        "按同一规则重新计算这些指标的得分。" "Score these rows again by one rule."
    }
    SectionWeight "table_section_weight" Error ["sections.weight", "rows.weight"] {
        "只录入部分指标时，只提示超出的" "where a part of the table is typed in, only what exceeds"
        "部分的分值与其指标之和不符" "a section's weight is not the sum of its rows"
        "各指标分值之和应等于所属部分的分值。" "The weights of a section's rows must add up to the section's."
        "调整指标分值，使其合计等于该部分的分值。" "Change the rows' weights so that they add up."
    }
    SectionPoints "table_section_points" Error ["sections.points", "rows.points"] {
        "只录入部分指标时，未录入的可在其分值内" "where a part of the table is typed in, what is missing may have up to its weight"
        "部分的得分与其指标之和不符" "a section's points are not the sum of its rows"
        "各指标得分之和应等于所属部分的得分。" "The points of a section's rows must add up to the section's."
        "重新加总。" "Add them up again."
    }
    EqualShares "table_equal_shares" Notice ["sections.equal_shares", "sections.weight"] {
        "指标个数为2至10个" "for 2 to 10 rows"
        "平分取整破坏小计" "equal shares, once rounded, do not add up"
        "将分值按个数平分后取整，取整后的合计可能不等于该部分的分值。" "A weight divided by the number of rows and then rounded may no longer add up to the weight."
        "余数归入其中一个指标，或保留小数。" "Give what is left over to one of the rows, or keep decimals."
    }
    Weights "table_weights" Error ["rows.weight", "sections.weight", "full_marks"] {
        "只录入部分指标时，只提示超出的" "where a part of the table is typed in, only what exceeds"
        "分值合计不等于满分" "the weights do not add up to the full marks"
        "各指标（各部分）分值合计应等于满分。" "The weights of all rows (and of all sections) must add up to the full marks."
        "调整分值，使其合计等于满分。" "Change the weights so that they add up."
    }
    Total "table_total" Error ["total", "rows.points"] {
        "只录入部分指标时，未录入的可在其分值内" "where a part of the table is typed in, what is missing may have up to its weight"
        "总分与各指标得分之和不符" "the total is not the sum of the rows"
        "总分应等于各指标得分之和。" "The total must be the sum of the rows' points."
        "重新加总；各指标得分有误的，先更正得分。" "Add the points up again, after correcting the rows."
    }
}
