//! Checks within one base data sheet (表内关系).
//!
//! The bounds of what is odd (per head, per reception, per square metre) are this program's, wide enough that an ordinary
//! sheet of a county raises none of them; a reviewer would ask beyond.

use super::catalogue::{CENT, Check, NONE, ROUNDING, Rule, Topic, check};
use super::listed;
use super::relation::{Oddity, Sum};
use crate::fault::Text;
use crate::scoring::score::Severity::{self, Error, Notice, Warning};

/// The columns of a row of the three public expenses.
const FOUR: [&str; 4] = ["prior_final", "prior_budget", "budget", "final"];
/// The columns of a row of expenditure.
const THREE: [&str; 3] = ["prior_final", "budget", "final"];

fn of(code: &'static str, severity: Severity, tolerance: Text) -> (&'static str, Severity, Topic, Text) {
    (code, severity, Topic::Sheet, tolerance)
}

/// The checks within a sheet.
pub fn checks() -> Vec<Check> {
    let mut all = sums();
    all.extend(people_and_vehicles());
    all.extend(three_public());
    all.extend(budget());
    all.extend(magnitudes());
    all.extend(buildings_and_rows());
    all
}

const PUT_SUM_RIGHT: (&str, &str) = (
    "核对决算报表，更正合计或分项。",
    "Compare with the final accounts, and correct the total or its parts.",
);

fn sums() -> Vec<Check> {
    vec![
        check(
            of("three_public_parts", Error, ROUNDING),
            ("“三公经费”合计与分项", "the three public expenses against their parts"),
            (
                "“三公经费”合计应等于公务用车购置费、运行维护费、因公出国（境）费、公务接待费之和。",
                "The total of the three public expenses is the sum of vehicle purchase and running, travel abroad and reception.",
            ),
            PUT_SUM_RIGHT,
            Rule::Sums(Sum::columns(
                "three_public",
                &["vehicle_purchase", "vehicle_running", "overseas_travel", "reception"],
                &FOUR,
                true,
            )),
        ),
        check(
            of("basic_expenditure_parts", Error, ROUNDING),
            ("基本支出合计与分项", "basic expenditure against its parts"),
            (
                "基本支出应等于人员经费与日常公用经费之和。",
                "Basic expenditure is the sum of personnel expenditure and public funds.",
            ),
            PUT_SUM_RIGHT,
            Rule::Sums(Sum::columns("basic_expenditure", &["personnel", "public_funds"], &THREE, true)),
        ),
        check(
            of("public_funds_parts_exceed", Error, ROUNDING),
            ("公用经费分项大于合计", "public funds less than their parts"),
            (
                "办公经费、水电差旅费、会议培训费是公用经费的其中数，其和不应大于公用经费合计。",
                "Office expenses, utilities and travel, meetings and training are parts of the public funds and cannot be more.",
            ),
            PUT_SUM_RIGHT,
            Rule::Sums(Sum::columns(
                "public_funds",
                &["office", "utilities_and_travel", "meetings_and_training"],
                &THREE,
                false,
            )),
        ),
        check(
            of("project_expenditure_parts_exceed", Error, ROUNDING),
            ("项目支出分项大于合计", "project expenditure less than its parts"),
            (
                "业务工作专项、运行维护专项及所列各专项资金之和不应大于项目支出合计。",
                "Business and operation funds and the special funds listed are parts of the project expenditure and cannot be more.",
            ),
            PUT_SUM_RIGHT,
            Rule::Judged(listed::projects_exceed),
        )
        .reading(&listed::PROJECTS),
        check(
            of("projects_listed_short", Warning, ROUNDING),
            ("所列项目与项目支出合计", "projects listed against project expenditure"),
            (
                "所列各项目之和小于项目支出合计，其余支出未列明用途；评价应覆盖全部项目支出。",
                "The projects listed are less than the project expenditure: what the rest was spent on is not said.",
            ),
            (
                "补列其余项目，或说明未列明部分的构成。",
                "List the other projects, or say what the rest is made of.",
            ),
            Rule::Judged(listed::projects_short),
        )
        .reading(&listed::PROJECTS),
        check(
            of("public_funds_told_twice", Warning, CENT),
            ("公用经费两处填报", "public funds told twice"),
            (
                "“基本支出”中的日常公用经费与“公用经费”合计为同一口径，两处应当一致。",
                "The public funds under basic expenditure and the total of the public funds by kind are the same amount.",
            ),
            (
                "核对两处口径，更正其一；口径确有不同的，说明差额构成。",
                "Correct one of the two; where they are meant otherwise, say what the difference is.",
            ),
            Rule::Odd(
                THREE
                    .iter()
                    .map(|column| {
                        let (basic, kinds) =
                            (format!("basic_expenditure.public_funds.{column}"), format!("public_funds.total.{column}"));
                        Oddity::when(
                            [format!("{basic} ≠ {kinds} ± 0.01").as_str()],
                            format!("“基本支出”中{{@{basic}}}{{{basic}}}，“公用经费”中合计{{{kinds}}}，两处不一致。"),
                            format!("{{@{basic}}} are {{{basic}}} under basic expenditure, and {{{kinds}}} by kind"),
                        )
                    })
                    .collect(),
            ),
        ),
    ]
}

fn people_and_vehicles() -> Vec<Check> {
    vec![
        check(
            of("in_post_above_posts", Warning, Text::fixed("编制数的20%", "20% of the posts")),
            ("在职人数明显超编", "far more staff than posts"),
            (
                "在职人数超过编制数的120%，通常是把离退休、临聘人员计入了在职，或编制数填错。",
                "More than 120% of the posts are filled: retired or temporary staff may be counted, or the posts be wrong.",
            ),
            (
                "按机构编制文件和工资名册核对编制数与在职人数；确属超编的，说明原因。",
                "Compare with the staffing document and the payroll; say why where it is so.",
            ),
            Rule::Odd(vec![
                Oddity::when(
                    ["staff.in_post > staff.posts * 1.2", "staff.posts > 0"],
                    "年末在职{staff.in_post}，编制{staff.posts}，在职人员控制率{0}，超过120%。",
                    "{staff.in_post} in post for {staff.posts} posts: {0}, above 120%",
                )
                .with("在职人员控制率", "in-post rate", "staff.in_post * 100", "staff.posts", "%"),
            ]),
        ),
        check(
            of("retired_in_posts", Warning, NONE),
            ("离退休人员计入编制", "retired staff counted in posts"),
            (
                "离退休人员不占编制。编制数恰好等于在职与离退休人数之和，说明编制数可能是按全部人员填的，在职人员控制率因此偏低。",
                "Retired staff take no posts. Posts that are exactly the staff in post and the retired may be a head count, and then the in-post rate comes out too low.",
            ),
            (
                "按机构编制文件填报编制数；确实相等的，说明编制文件文号。",
                "Take the posts from the staffing document; where they are so, name the document.",
            ),
            Rule::Odd(vec![Oddity::when(
                ["staff.posts = staff.in_post + staff.retired", "staff.retired > 0"],
                "编制{staff.posts}恰等于在职{staff.in_post}与离退休{staff.retired}之和，离退休人员可能被计入编制。",
                "{staff.posts} posts are exactly {staff.in_post} in post and {staff.retired} retired: the retired may be counted in",
            )]),
        ),
        check(
            of("running_cost_staff_differs", Warning, NONE),
            ("人数两处不一致", "head counts told two ways"),
            (
                "说明运行经费时所用的人数，应与年末在职人数一致；不一致的，人均经费和变动原因无法核实。",
                "The staff that the running costs are explained by should be the staff in post; else the cost per head and its change cannot be followed.",
            ),
            (
                "统一人数口径，或说明两者差异的构成（如借调、临聘人员）。",
                "Use one count, or say what the difference is made of (such as seconded or temporary staff).",
            ),
            Rule::Odd(vec![
                Oddity::when(
                    ["staff.running_cost_staff.current ≠ staff.in_post ± 0"],
                    "说明运行经费时本年按{staff.running_cost_staff.current}计，年末在职为{staff.in_post}，相差{0}。",
                    "the running costs are explained by {staff.running_cost_staff.current} staff, and {staff.in_post} are in post: {0} apart",
                )
                .with("相差", "difference", "staff.in_post - staff.running_cost_staff.current", "1", "人"),
            ]),
        ),
        check(
            of("no_posts", Warning, NONE),
            ("有在职人员而无编制", "staff without posts"),
            (
                "编制数为0而有在职人员，在职人员控制率无法计算。",
                "Staff are in post and there are no posts: no in-post rate can be worked out.",
            ),
            (
                "补填编制数；确无编制的（如临时机构、抽调人员），说明情况。",
                "Fill in the posts; say so where there are none (such as a temporary office with seconded staff).",
            ),
            Rule::Odd(vec![Oddity::when(
                ["staff.posts = 0", "staff.in_post > 0"],
                "编制数为0，年末在职{staff.in_post}。",
                "no posts, and {staff.in_post} in post",
            )]),
        ),
        check(
            of("vehicles_above_approved", Warning, NONE),
            ("公务用车超编", "more vehicles than approved"),
            (
                "公务用车实有数大于定编数。",
                "There are more official vehicles than approved.",
            ),
            (
                "核对车辆编制与固定资产台账；确属超编的，说明处置计划。",
                "Compare with the approval and the register of assets; say what is done about it where it is so.",
            ),
            Rule::Odd(vec![Oddity::when(
                ["vehicles.actual > vehicles.approved"],
                "公务用车实有{vehicles.actual}，大于定编{vehicles.approved}。",
                "{vehicles.actual} official vehicles, and {vehicles.approved} approved",
            )]),
        ),
        check(
            of("vehicle_costs_without_vehicle", Warning, NONE),
            ("无车而有用车费用", "vehicle costs without a vehicle"),
            (
                "没有公务用车而列支公务用车运行维护费，租车和公务交通补贴不应列入。",
                "There is no vehicle and yet its running is paid for; hired cars and travel allowances do not belong there.",
            ),
            (
                "核对费用科目或车辆实有数；年内处置车辆的，说明情况。",
                "Check the account or the number of vehicles; say so where one was given up in the year.",
            ),
            Rule::Odd(vec![Oddity::when(
                ["vehicles.actual = 0", "three_public.vehicle_running.final > 0"],
                "公务用车实有数为0，公务用车运行维护费决算{three_public.vehicle_running.final}。",
                "no vehicle, and {three_public.vehicle_running.final} for running vehicles",
            )]),
        ),
        check(
            of("vehicle_running_cost", Warning, Text::fixed("每辆10万元", "10 万元 per vehicle")),
            ("车均运行维护费过高", "costly vehicles"),
            (
                "公务用车运行维护费平均每辆超过10万元，明显偏离常情。",
                "Running costs of more than 10 万元 per vehicle are far from usual.",
            ),
            (
                "核对车辆数、金额单位（万元）和列支范围。",
                "Check the number of vehicles, the unit (万元) and what is counted.",
            ),
            Rule::Odd(vec![
                Oddity::when(
                    ["three_public.vehicle_running.final > vehicles.actual * 10", "vehicles.actual > 0"],
                    "公务用车运行维护费{three_public.vehicle_running.final}，实有{vehicles.actual}，平均每辆{0}。",
                    "{three_public.vehicle_running.final} for {vehicles.actual} vehicles: {0} each",
                )
                .with(
                    "平均每辆",
                    "per vehicle",
                    "three_public.vehicle_running.final",
                    "vehicles.actual",
                    "万元",
                ),
            ]),
        ),
    ]
}

fn three_public() -> Vec<Check> {
    const RECEPTION: (&str, &str) = (
        "核对公务接待台账的批次、人次和决算数；属实的，说明原因。",
        "Compare with the register of receptions; say why where it is so.",
    );
    vec![
        check(
            of("three_public_over_budget", Warning, CENT),
            ("“三公经费”超预算", "the three public expenses over budget"),
            (
                "“三公经费”决算数大于本年预算数，不符合“只减不增”的要求，控制率一项应当扣分。",
                "More was spent on the three public expenses than budgeted; the control rate loses points for it.",
            ),
            (
                "核对预算数与决算数；属实的，说明超支原因和审批情况。",
                "Check both; say why and by whom it was approved where it is so.",
            ),
            Rule::Odd(vec![
                Oddity::when(
                    ["three_public.total.final > three_public.total.budget + 0.01"],
                    "“三公经费”决算{three_public.total.final}，预算{three_public.total.budget}，超支{0}。",
                    "{three_public.total.final} spent on the three public expenses, {three_public.total.budget} budgeted: {0} more",
                )
                .with("超支", "over budget", "three_public.total.final - three_public.total.budget", "1", "万元"),
            ]),
        ),
        check(
            of("three_public_cut_yet_up", Warning, CENT),
            ("“三公”预算压减而支出增加", "a cut budget and higher spending"),
            (
                "“三公经费”预算较上年压减，决算却较上年增加。",
                "The budget of the three public expenses was cut, and yet more was spent than last year.",
            ),
            ("说明支出增加的原因。", "Say why more was spent."),
            Rule::Odd(vec![Oddity::when(
                [
                    "three_public.total.budget < three_public.total.prior_budget",
                    "three_public.total.final > three_public.total.prior_final + 0.01",
                ],
                "“三公经费”预算由上年{three_public.total.prior_budget}压减为{three_public.total.budget}，决算却由{three_public.total.prior_final}增加到{three_public.total.final}。",
                "the budget went from {three_public.total.prior_budget} down to {three_public.total.budget}, spending from {three_public.total.prior_final} up to {three_public.total.final}",
            )]),
        ),
        check(
            of("reception_up_total_down", Warning, CENT),
            ("“三公”下降而接待费上升", "reception up while the three public expenses went down"),
            (
                "“三公经费”总额较上年下降，公务接待费却较上年增加，应说明其他分项的压减情况和接待增加的原因。",
                "The three public expenses went down in all while reception went up: say what was cut, and why reception rose.",
            ),
            RECEPTION,
            Rule::Odd(vec![Oddity::when(
                ["three_public.total.change < 0", "three_public.reception.change > 0.01"],
                "“三公经费”比上年减少{|three_public.total.change}，公务接待费却比上年增加{three_public.reception.change}。",
                "the three public expenses fell by {|three_public.total.change}, while reception rose by {three_public.reception.change}",
            )]),
        ),
        check(
            of("reception_batches_up", Warning, Text::fixed("上年批次的30%", "30% of last year's")),
            ("接待批次大幅增加", "many more receptions"),
            (
                "公务接待批次较上年增加30%以上。",
                "There were over 30% more receptions than last year.",
            ),
            RECEPTION,
            Rule::Odd(vec![
                Oddity::when(
                    [
                        "three_public.reception_batches.current > three_public.reception_batches.prior * 1.3",
                        "three_public.reception_batches.prior > 9",
                    ],
                    "公务接待由上年{three_public.reception_batches.prior}增加到{three_public.reception_batches.current}，增加{0}。",
                    "receptions went from {three_public.reception_batches.prior} to {three_public.reception_batches.current}: {0} more",
                )
                .with(
                    "增幅",
                    "increase",
                    "(three_public.reception_batches.current - three_public.reception_batches.prior) * 100",
                    "three_public.reception_batches.prior",
                    "%",
                ),
            ]),
        ),
        check(
            of("reception_down_batches_up", Warning, CENT),
            ("接待费下降而批次增加", "reception down while receptions rose"),
            (
                "公务接待费较上年下降，接待批次却增加。",
                "Less was spent on reception than last year, and yet there were more receptions.",
            ),
            RECEPTION,
            Rule::Odd(vec![Oddity::when(
                [
                    "three_public.reception.change < 0",
                    "three_public.reception_batches.current > three_public.reception_batches.prior",
                ],
                "公务接待费比上年减少{|three_public.reception.change}，接待却由{three_public.reception_batches.prior}增加到{three_public.reception_batches.current}。",
                "reception fell by {|three_public.reception.change}, while receptions rose from {three_public.reception_batches.prior} to {three_public.reception_batches.current}",
            )]),
        ),
        check(
            of("reception_up_batches_down", Warning, CENT),
            ("接待费上升而批次减少", "reception up while receptions fell"),
            (
                "公务接待费较上年增加，接待批次却减少，单次接待费用上升。",
                "More was spent on reception than last year, and yet there were fewer receptions.",
            ),
            RECEPTION,
            Rule::Odd(vec![Oddity::when(
                [
                    "three_public.reception.change > 0.01",
                    "three_public.reception_batches.current < three_public.reception_batches.prior",
                ],
                "公务接待费较上年增加{three_public.reception.change}，接待却由{three_public.reception_batches.prior}减少到{three_public.reception_batches.current}。",
                "reception rose by {three_public.reception.change}, while receptions fell from {three_public.reception_batches.prior} to {three_public.reception_batches.current}",
            )]),
        ),
        check(
            of("reception_per_batch", Warning, Text::fixed("每批次0.5万元", "0.5 万元 per reception")),
            ("单批接待费过高", "costly receptions"),
            (
                "公务接待费平均每批次超过5000元，明显偏离接待标准。",
                "More than 5000 yuan per reception is far above what the rules allow.",
            ),
            RECEPTION,
            Rule::Odd(vec![
                Oddity::when(
                    [
                        "three_public.reception.final > three_public.reception_batches.current * 0.5",
                        "three_public.reception_batches.current > 0",
                    ],
                    "公务接待费{three_public.reception.final}，{three_public.reception_batches.current}，平均每批次{0}。",
                    "{three_public.reception.final} for {three_public.reception_batches.current} receptions: {0} each",
                )
                .with(
                    "平均每批次",
                    "per reception",
                    "three_public.reception.final * 10000",
                    "three_public.reception_batches.current",
                    "元",
                ),
            ]),
        ),
        check(
            of("reception_per_visitor", Warning, Text::fixed("每人次0.03万元", "0.03 万元 per guest")),
            ("人均接待费过高", "costly guests"),
            (
                "公务接待费平均每人次超过300元，明显偏离接待标准。",
                "More than 300 yuan per guest is far above what the rules allow.",
            ),
            RECEPTION,
            Rule::Odd(vec![
                Oddity::when(
                    [
                        "three_public.reception.final > three_public.reception_visitors.current * 0.03",
                        "three_public.reception_visitors.current > 0",
                    ],
                    "公务接待费{three_public.reception.final}，{three_public.reception_visitors.current}，平均每人次{0}。",
                    "{three_public.reception.final} for {three_public.reception_visitors.current} guests: {0} each",
                )
                .with(
                    "平均每人次",
                    "per guest",
                    "three_public.reception.final * 10000",
                    "three_public.reception_visitors.current",
                    "元",
                ),
            ]),
        ),
        check(
            of("fewer_visitors_than_batches", Error, NONE),
            ("接待人次少于批次", "fewer guests than receptions"),
            (
                "每批次接待至少1人次，人次不可能少于批次。",
                "Each reception has a guest at least: there cannot be fewer guests than receptions.",
            ),
            ("核对公务接待台账，更正批次或人次（两项可能填反）。", "Correct one of the two; they may be swapped."),
            Rule::Odd(
                [("current", "本年", "this year"), ("prior", "上年", "last year")]
                    .into_iter()
                    .map(|(column, zh, en)| {
                        let (visitors, batches) = (
                            format!("three_public.reception_visitors.{column}"),
                            format!("three_public.reception_batches.{column}"),
                        );
                        Oddity::when(
                            [format!("{visitors} < {batches}").as_str()],
                            format!("{zh}公务接待{{{visitors}}}，少于{{{batches}}}。"),
                            format!("{en} {{{visitors}}} guests at {{{batches}}} receptions"),
                        )
                    })
                    .collect(),
            ),
        ),
        check(
            of("reception_without_batches", Warning, NONE),
            ("有接待费而无接待批次", "reception paid for and none given"),
            (
                "列支了公务接待费，接待批次却为0。",
                "Reception was paid for, and yet no reception is counted.",
            ),
            RECEPTION,
            Rule::Odd(vec![Oddity::when(
                ["three_public.reception.final > 0", "three_public.reception_batches.current = 0"],
                "公务接待费决算{three_public.reception.final}，接待批次为0。",
                "{three_public.reception.final} for reception, and no reception",
            )]),
        ),
        check(
            of("batches_without_reception", Warning, NONE),
            ("有接待批次而无接待费", "receptions given and none paid for"),
            (
                "填报了接待批次，公务接待费却为0，费用可能列入了其他科目。",
                "Receptions are counted, and yet nothing was spent: the costs may be booked elsewhere.",
            ),
            RECEPTION,
            Rule::Odd(vec![Oddity::when(
                ["three_public.reception_batches.current > 0", "three_public.reception.final = 0"],
                "本年公务接待{three_public.reception_batches.current}，公务接待费决算为0。",
                "{three_public.reception_batches.current} receptions, and nothing spent on them",
            )]),
        ),
        check(
            of("three_public_above_spending", Error, CENT),
            ("“三公经费”大于全部支出", "the three public expenses above all spending"),
            (
                "“三公经费”是基本支出和项目支出的一部分，不可能大于两者之和。",
                "The three public expenses are a part of basic and project expenditure and cannot be more than both.",
            ),
            ("核对金额单位（万元）和填报栏次。", "Check the unit (万元) and the rows."),
            Rule::Odd(vec![Oddity::when(
                ["three_public.total.final > basic_expenditure.total.final + project_expenditure.total.final + 0.01"],
                "“三公经费”{three_public.total.final}，大于基本支出{basic_expenditure.total.final}与项目支出{project_expenditure.total.final}之和。",
                "{three_public.total.final} for the three public expenses, more than basic expenditure {basic_expenditure.total.final} and project expenditure {project_expenditure.total.final}",
            )]),
        ),
    ]
}

fn budget() -> Vec<Check> {
    const WHOLE: &str = "budget.carried_in + budget.initial + budget.supplementary";
    vec![
        check(
            of("final_above_budget", Warning, CENT),
            ("无追加而支出超预算", "spending above a budget without supplement"),
            (
                "本年没有追加预算，决算数却大于预算数。",
                "No budget was added in the year, and yet more was spent than budgeted.",
            ),
            (
                "核对预算数、追加数和决算数；使用结转资金的，说明金额。",
                "Check the budget, the supplement and the spending; say how much was carried over where that was used.",
            ),
            Rule::Odd(
                [
                    "basic_expenditure.total",
                    "basic_expenditure.personnel",
                    "basic_expenditure.public_funds",
                    "project_expenditure.total",
                    "procurement",
                ]
                .into_iter()
                .map(|row| {
                    Oddity::of_row(
                        row,
                        ["ROW.final > ROW.budget + 0.01", "budget.supplementary = 0"],
                        "本年追加为0，{@ROW.final}{ROW.final}，大于预算{ROW.budget}，超出{0}。",
                        "nothing was added, and {@ROW.final} are {ROW.final} for a budget of {ROW.budget}: {0} more",
                        Some(("超出", "over budget", "ROW.final - ROW.budget", "1", "万元")),
                    )
                })
                .collect(),
            ),
        ),
        check(
            of("spending_above_whole_budget", Warning, CENT),
            ("支出大于全年可用预算", "more spent than there was"),
            (
                "基本支出与项目支出之和大于上年结转、年初预算、本年追加之和。",
                "Basic and project expenditure are more than what was carried in, budgeted and added.",
            ),
            (
                "核对追加预算是否填全；使用财政拨款以外资金的，说明来源和金额。",
                "Check that all supplements are in; say from where and how much where other money was used.",
            ),
            Rule::Odd(vec![
                Oddity::when(
                    [format!("basic_expenditure.total.final + project_expenditure.total.final > {WHOLE} + 0.02").as_str()],
                    "基本支出{basic_expenditure.total.final}与项目支出{project_expenditure.total.final}合计{0}，大于全年预算{1}。",
                    "basic expenditure {basic_expenditure.total.final} and project expenditure {project_expenditure.total.final} are {0}, more than the whole year's budget of {1}",
                )
                .with("支出合计", "all spending", "basic_expenditure.total.final + project_expenditure.total.final", "1", "万元")
                .with("全年预算", "the whole year's budget", WHOLE, "1", "万元"),
            ]),
        ),
        check(
            of("spending_and_carry_over", Warning, Text::fixed("0.02万元", "0.02 万元")),
            ("支出与年末结余不衔接", "spending and carry-over do not meet"),
            (
                "全年预算减年末结余应等于基本支出与项目支出之和；预算完成率按前者计算。",
                "The whole year's budget less what is left over should be basic and project expenditure; the completion rate is worked out from the former.",
            ),
            (
                "核对年末结余和两项支出决算数；有其他支出的，说明金额。",
                "Check what is left over and both expenditures; say how much was spent otherwise.",
            ),
            Rule::Odd(vec![
                Oddity::when(
                    [
                        format!("basic_expenditure.total.final + project_expenditure.total.final ≠ {WHOLE} - budget.carried_out ± 0.02").as_str(),
                        format!("basic_expenditure.total.final + project_expenditure.total.final < {WHOLE} + 0.02").as_str(),
                    ],
                    "全年预算减年末结余{budget.carried_out}后为{0}，基本支出与项目支出合计{1}，两者不一致。",
                    "the whole year's budget less {budget.carried_out} left over is {0}, while basic and project expenditure are {1}",
                )
                .with("全年预算减年末结余", "budget less what is left over", "execution.executed", "1", "万元")
                .with("支出合计", "all spending", "basic_expenditure.total.final + project_expenditure.total.final", "1", "万元"),
            ]),
        ),
        check(
            of("carried_out_above_budget", Error, CENT),
            ("年末结余大于全年预算", "more left over than there was"),
            (
                "年末结余不可能大于上年结转、年初预算、本年追加之和。",
                "No more can be left over than was carried in, budgeted and added.",
            ),
            ("核对年末结余和追加预算。", "Check what is left over and what was added."),
            Rule::Odd(vec![
                Oddity::when(
                    [format!("budget.carried_out > {WHOLE} + 0.01").as_str()],
                    "年末结余{budget.carried_out}，大于全年预算{0}。",
                    "{budget.carried_out} left over of a budget of {0}",
                )
                .with("全年预算", "the whole year's budget", WHOLE, "1", "万元"),
            ]),
        ),
        check(
            of("budget_below_zero", Error, NONE),
            ("追减大于预算", "more taken back than there was"),
            (
                "追减的预算不可能大于上年结转与年初预算之和。",
                "No more budget can be taken back than was carried in and budgeted.",
            ),
            ("核对本年追加（追减填负数）。", "Check the supplement; it is negative where budget was taken back."),
            Rule::Odd(vec![Oddity::when(
                [format!("{WHOLE} < 0").as_str()],
                "上年结转{budget.carried_in}、年初预算{budget.initial}，本年追加{budget.supplementary}，全年预算为负。",
                "{budget.carried_in} carried in, {budget.initial} budgeted and {budget.supplementary} added leave less than nothing",
            )]),
        ),
        check(
            of("initial_budget_zero", Warning, NONE),
            ("年初预算为0而有追加", "a supplement to no budget"),
            (
                "年初预算为0，预算控制率没有分母。新设单位以外，年初预算通常漏填。",
                "With no initial budget the control rate has no denominator; but for a new unit it was left out.",
            ),
            ("补填年初预算；年内新设的单位，说明设立时间。", "Fill it in; say when the unit was set up where it is new."),
            Rule::Odd(vec![Oddity::when(
                ["budget.initial = 0", "budget.supplementary > 0"],
                "年初预算为0，本年追加{budget.supplementary}。",
                "no initial budget, and {budget.supplementary} added",
            )]),
        ),
        check(
            of("supplement_large", Notice, Text::fixed("年初预算的30%", "30% of the initial budget")),
            ("追加预算比例偏高", "a large supplement"),
            (
                "本年追加超过年初预算的30%，预算控制率一项一般不得分，年初预算编制不够准确。",
                "More than 30% was added to the initial budget; the control rate usually gets nothing then.",
            ),
            ("在报告中说明追加的主要事项。", "Say in the report what it was added for."),
            Rule::Odd(vec![
                Oddity::when(
                    ["budget.supplementary > budget.initial * 0.3", "budget.initial > 0"],
                    "本年追加{budget.supplementary}，为年初预算{budget.initial}的{0}。",
                    "{budget.supplementary} added to {budget.initial}: {0}",
                )
                .with("追加比例", "share added", "budget.supplementary * 100", "budget.initial", "%"),
            ]),
        ),
        check(
            of("carry_over_large", Notice, Text::fixed("全年预算的30%", "30% of the whole year's budget")),
            ("年末结余比例偏高", "much left over"),
            (
                "年末结余超过全年预算的30%，资金未及时使用。",
                "More than 30% of the whole year's budget is left over.",
            ),
            ("在报告中说明结余原因。", "Say in the report why."),
            Rule::Odd(vec![
                Oddity::when(
                    ["budget.carried_out > execution.budget * 0.3", "execution.budget > 0"],
                    "年末结余{budget.carried_out}，为全年预算{execution.budget}的{0}。",
                    "{budget.carried_out} left over of {execution.budget}: {0}",
                )
                .with("结余比例", "share left over", "budget.carried_out * 100", "execution.budget", "%"),
            ]),
        ),
        check(
            of("budget_rows_and_initial", Notice, Text::fixed("0.02万元", "0.02 万元")),
            ("支出预算与年初预算不一致", "the budget told two ways"),
            (
                "基本支出预算与项目支出预算之和通常等于年初预算。",
                "The budgets of basic and project expenditure usually come to the initial budget.",
            ),
            ("核对预算数是否为年初批复数。", "Check that the budget columns hold what was approved at the beginning of the year."),
            Rule::Odd(vec![
                Oddity::when(
                    ["basic_expenditure.total.budget + project_expenditure.total.budget ≠ budget.initial ± 0.02"],
                    "基本支出预算{basic_expenditure.total.budget}与项目支出预算{project_expenditure.total.budget}合计{0}，年初预算{budget.initial}。",
                    "{basic_expenditure.total.budget} and {project_expenditure.total.budget} are {0}, and the initial budget is {budget.initial}",
                )
                .with(
                    "支出预算合计",
                    "budget of both",
                    "basic_expenditure.total.budget + project_expenditure.total.budget",
                    "1",
                    "万元",
                ),
            ]),
        ),
        check(
            of("procurement_above_spending", Warning, CENT),
            ("政府采购大于全部支出", "procurement above all spending"),
            (
                "实际政府采购金额大于基本支出与项目支出之和，通常是金额单位或填报栏次有误。",
                "More was procured than was spent in all: the unit or the row is mostly wrong.",
            ),
            (
                "核对金额单位（万元）；按合同金额填报、跨年支付的，说明合同金额和当年支付数。",
                "Check the unit (万元); where contracts are paid over years, say what was agreed and what was paid this year.",
            ),
            Rule::Odd(vec![Oddity::when(
                ["procurement.final > basic_expenditure.total.final + project_expenditure.total.final + 0.01"],
                "实际政府采购{procurement.final}，大于基本支出{basic_expenditure.total.final}与项目支出{project_expenditure.total.final}之和。",
                "{procurement.final} procured, more than basic expenditure {basic_expenditure.total.final} and project expenditure {project_expenditure.total.final}",
            )]),
        ),
        check(
            of("procurement_budget_above_budget", Warning, CENT),
            ("政府采购预算大于全年预算", "procurement budget above the budget"),
            (
                "政府采购预算大于上年结转、年初预算、本年追加之和。",
                "More procurement is budgeted than there is budget.",
            ),
            ("核对政府采购预算和金额单位（万元）。", "Check the procurement budget and its unit (万元)."),
            Rule::Odd(vec![Oddity::when(
                ["procurement.budget > execution.budget + 0.01"],
                "政府采购预算{procurement.budget}，大于全年预算{execution.budget}。",
                "{procurement.budget} of procurement budgeted, more than the whole year's budget of {execution.budget}",
            )]),
        ),
    ]
}

fn magnitudes() -> Vec<Check> {
    const UNIT: (&str, &str) = (
        "本表金额以万元为单位，请核对是否误填为元。",
        "Amounts are in 万元: check whether they were filled in in yuan.",
    );
    vec![
        check(
            of(
                "amounts_in_yuan",
                Error,
                Text::fixed(
                    "基本支出、人员经费每人1亿元，公用经费、“三公经费”每人1000万元",
                    "per head, 10000 万元 of basic or personnel expenditure, 1000 万元 of public funds or the three public expenses",
                ),
            ),
            ("金额疑以元填报", "amounts in yuan"),
            (
                "按年末在职人数平均，基本支出、人员经费超过1亿元，或公用经费、“三公经费”超过1000万元，不可能属实，通常是以元为单位填报，放大了一万倍。",
                "So much per head cannot be: the amount was filled in in yuan, ten thousand times too much.",
            ),
            UNIT,
            Rule::Odd(
                [
                    // The pay of the retired is in these two, and some units have many more retired than in post.
                    ("basic_expenditure.total", "10000"),
                    ("basic_expenditure.personnel", "10000"),
                    ("basic_expenditure.public_funds", "1000"),
                    ("public_funds.total", "1000"),
                    ("three_public.total", "1000"),
                ]
                .into_iter()
                .flat_map(|(row, most)| ["budget", "final"].map(|column| (format!("{row}.{column}"), most)))
                .map(|(figure, most)| {
                    Oddity::of_row(
                        &figure,
                        [format!("ROW > staff.in_post * {most}").as_str(), "staff.in_post > 0"],
                        "{@ROW}{ROW}，年末在职{staff.in_post}，人均{0}，疑以元为单位填报。",
                        "{@ROW} are {ROW} for {staff.in_post} staff, {0} per head: probably in yuan",
                        Some(("人均", "per head", "ROW", "staff.in_post", "万元")),
                    )
                })
                .collect(),
            ),
        ),
        check(
            of(
                "amounts_jump",
                Warning,
                Text::fixed("上年数的1000倍", "1000 times last year's"),
            ),
            ("金额较上年放大千倍", "a thousand times last year"),
            (
                "决算数为上年的1000倍以上，其中一年可能以元为单位填报。",
                "The final accounts are over 1000 times last year's: one of the two may be in yuan.",
            ),
            UNIT,
            Rule::Odd(
                ROWS.iter()
                    .map(|row| {
                        Oddity::of_row(
                            row,
                            ["ROW.final > ROW.prior_final * 1000", "ROW.prior_final > 0"],
                            "{@ROW.final}{ROW.final}，上年{ROW.prior_final}，为上年的{0}倍。",
                            "{@ROW.final} are {ROW.final}, {0} times last year's {ROW.prior_final}",
                            Some(("倍数", "times", "ROW.final", "ROW.prior_final", "")),
                        )
                    })
                    .collect(),
            ),
        ),
        check(
            of(
                "personnel_per_head",
                Warning,
                Text::fixed("每人1万元至50万元", "1 to 50 万元 per head"),
            ),
            ("人均人员经费异常", "personnel expenditure per head"),
            (
                "人员经费按年末在职人数平均，每人不足1万元或超过50万元，明显偏离常情。",
                "Personnel expenditure of less than 1 or more than 50 万元 per head is far from usual.",
            ),
            (
                "核对人员经费、在职人数和金额单位（万元）。",
                "Check the amount, the staff in post and the unit (万元).",
            ),
            Rule::Odd(
                [
                    "basic_expenditure.personnel.final > staff.in_post * 50",
                    "basic_expenditure.personnel.final < staff.in_post",
                ]
                .into_iter()
                .map(|test| {
                    Oddity::when(
                        [
                            test,
                            "staff.in_post > 0",
                            "basic_expenditure.personnel.final < staff.in_post * 10000",
                        ],
                        "人员经费{basic_expenditure.personnel.final}，年末在职{staff.in_post}，人均{0}。",
                        "{basic_expenditure.personnel.final} for {staff.in_post} staff: {0} per head",
                    )
                    .with(
                        "人均",
                        "per head",
                        "basic_expenditure.personnel.final",
                        "staff.in_post",
                        "万元",
                    )
                })
                .collect(),
            ),
        ),
        check(
            of(
                "public_funds_per_head",
                Warning,
                Text::fixed("每人20万元", "20 万元 per head"),
            ),
            ("人均公用经费异常", "public funds per head"),
            (
                "日常公用经费按年末在职人数平均超过每人20万元，明显偏离定额标准。",
                "Public funds of more than 20 万元 per head are far above the fixed rates.",
            ),
            (
                "核对公用经费是否混入项目支出，以及金额单位（万元）。",
                "Check whether project expenditure is mixed in, and the unit (万元).",
            ),
            Rule::Odd(vec![
                Oddity::when(
                    [
                        "basic_expenditure.public_funds.final > staff.in_post * 20",
                        "staff.in_post > 0",
                        "basic_expenditure.public_funds.final < staff.in_post * 1000",
                    ],
                    "日常公用经费{basic_expenditure.public_funds.final}，年末在职{staff.in_post}，人均{0}。",
                    "{basic_expenditure.public_funds.final} for {staff.in_post} staff: {0} per head",
                )
                .with(
                    "人均",
                    "per head",
                    "basic_expenditure.public_funds.final",
                    "staff.in_post",
                    "万元",
                ),
            ]),
        ),
    ]
}

/// Rows of expenditure that have this year's and last year's final accounts.
pub(super) const ROWS: [&str; 16] = [
    "three_public.total",
    "three_public.vehicle_purchase",
    "three_public.vehicle_running",
    "three_public.overseas_travel",
    "three_public.reception",
    "project_expenditure.total",
    "project_expenditure.business",
    "project_expenditure.operation",
    "basic_expenditure.total",
    "basic_expenditure.personnel",
    "basic_expenditure.public_funds",
    "public_funds.total",
    "public_funds.office",
    "public_funds.utilities_and_travel",
    "public_funds.meetings_and_training",
    "procurement",
];

fn buildings_and_rows() -> Vec<Check> {
    let none_yet = check(
        of("buildings_none_yet_listed", Error, NONE),
        ("楼堂馆所填“无”而列有项目", "no buildings, and buildings listed"),
        (
            "已注明本年无新建楼堂馆所，却又列出建设项目。",
            "It is said that no building was finished this year, and yet buildings are listed.",
        ),
        (
            "删除所列项目，或取消“无”。",
            "Take the projects out, or take back that there are none.",
        ),
        Rule::Judged(listed::buildings_none_yet_listed),
    )
    .reading(&["buildings.none", "buildings.projects"]);
    let twice = check(
        of("row_named_twice", Warning, NONE),
        ("同一项目重复列示", "the same thing listed twice"),
        (
            "同名的专项资金或建设项目列了两次，金额可能重复计算，也无法与自评表逐项核对。",
            "A special fund or a building of the same name is listed twice: its amount may count twice, and cannot be held against its table.",
        ),
        (
            "合并为一行；确为两个项目的，区分名称。",
            "Make it one row, or give the two different names.",
        ),
        Rule::Judged(listed::named_twice),
    )
    .reading(&["project_expenditure.special_funds", "buildings.projects"]);
    vec![
        none_yet,
        twice,
        check(
            of("building_not_approved", Warning, NONE),
            ("楼堂馆所无批准面积或投资", "a building without approval"),
            (
                "实际建设面积或投资大于0，批准数却为0，控制率没有分母。",
                "Something was built and nothing approved: the control rate has no denominator.",
            ),
            ("补填批准文件载明的面积和投资概算。", "Fill in what the approval says."),
            Rule::Odd(vec![
                Oddity::when(
                    ["buildings.actual_area > 0", "buildings.approved_area = 0"],
                    "实际建设面积{buildings.actual_area}，批准建设面积为0。",
                    "{buildings.actual_area} m² built, none approved",
                ),
                Oddity::when(
                    ["buildings.actual_cost > 0", "buildings.approved_cost = 0"],
                    "实际投资{buildings.actual_cost}，批准投资概算为0。",
                    "{buildings.actual_cost} spent on building, none approved",
                ),
            ]),
        ),
        check(
            of(
                "building_cost_per_area",
                Warning,
                Text::fixed("每平方米300元至20000元", "300 to 20000 yuan per m²"),
            ),
            ("楼堂馆所造价异常", "building cost per square metre"),
            (
                "实际投资除以实际建设面积，每平方米低于300元或高于20000元，面积或投资可能填错。",
                "Less than 300 or more than 20000 yuan per square metre: the area or the cost may be wrong.",
            ),
            (
                "核对面积（平方米）和投资（万元）的单位。",
                "Check the units: square metres, and 万元.",
            ),
            Rule::Odd(
                [
                    "buildings.actual_cost > buildings.actual_area * 2",
                    "buildings.actual_cost < buildings.actual_area * 0.03",
                ]
                .into_iter()
                .map(|test| {
                    Oddity::when(
                        [test, "buildings.actual_area > 0", "buildings.actual_cost > 0"],
                        "实际投资{buildings.actual_cost}，实际建设面积{buildings.actual_area}，每平方米{0}。",
                        "{buildings.actual_cost} for {buildings.actual_area} m²: {0} per m²",
                    )
                    .with(
                        "每平方米",
                        "per m²",
                        "buildings.actual_cost * 10000",
                        "buildings.actual_area",
                        "元",
                    )
                })
                .collect(),
            ),
        ),
    ]
}
