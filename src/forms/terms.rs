//! The rows and columns of the printed forms: one table, by which they are written and read.
//!
//! A row stands at a place of the document, a column is the last part of a path: the cell of both is the figure at
//! `row.column`, if there is a variable of that name.

use crate::scoring::variables::{Unit, Variable};

/// The title of 附件1.
pub const SCORES_TITLE: &str = "部门整体支出绩效评价指标评分表";
/// The title of 附件2.
pub const BASE_DATA_TITLE: &str = "部门整体支出绩效评价基础数据表";
/// The title of 附件3.
pub const FUND_TITLE: &str = "县级专项资金绩效目标自评表";

/// A part of 附件2, from top to bottom.
pub enum Block {
    /// A heading over what follows.
    Heading(&'static str),
    /// A row of figures.
    Row(Row),
    /// The special funds, a row each.
    Funds,
    /// The buildings, a row each.
    Buildings,
    /// Yes or no: label and place.
    Choice(&'static str, &'static str),
    /// Free words: label and place.
    Words(&'static str, &'static str),
}

/// A row of figures of 附件2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// What is printed before the figures.
    pub label: &'static str,
    /// Its place in the sheet, as a dotted path: of a figure by itself, or of a group of figures.
    pub path: &'static str,
    /// The places of the rows whose sum it is; empty for a row that is no total.
    pub parts: &'static [&'static str],
    /// How far its label is indented.
    pub indent: u8,
}

const fn row(label: &'static str, path: &'static str) -> Block {
    Block::Row(Row {
        label,
        path,
        parts: &[],
        indent: 0,
    })
}

const fn part(label: &'static str, path: &'static str) -> Block {
    Block::Row(Row {
        label,
        path,
        parts: &[],
        indent: 1,
    })
}

const fn total(label: &'static str, path: &'static str, parts: &'static [&'static str]) -> Block {
    Block::Row(Row {
        label,
        path,
        parts,
        indent: 0,
    })
}

/// 附件2 from top to bottom.
pub const BASE_DATA: &[Block] = &[
    Block::Heading("一、财政供养人员及机构"),
    row("编制数", "staff.posts"),
    row("年末实际在职人数", "staff.in_post"),
    row("离退休人数", "staff.retired"),
    row("内设机构数", "staff.organs"),
    row("下属单位数", "staff.subordinate_units"),
    row("行政村数", "staff.villages"),
    row("社区数", "staff.communities"),
    row("说明运行经费变动所用人数", "staff.running_cost_staff"),
    Block::Heading("二、公务用车"),
    row("公务用车定编数", "vehicles.approved"),
    row("公务用车实有数", "vehicles.actual"),
    Block::Heading("三、“三公”经费"),
    total(
        "“三公”经费合计",
        "three_public.total",
        &[
            "three_public.vehicle_purchase",
            "three_public.vehicle_running",
            "three_public.overseas_travel",
            "three_public.reception",
        ],
    ),
    part("公务用车购置费", "three_public.vehicle_purchase"),
    part("公务用车运行维护费", "three_public.vehicle_running"),
    part("因公出国（境）费", "three_public.overseas_travel"),
    part("公务接待费", "three_public.reception"),
    row("公务接待批次", "three_public.reception_batches"),
    row("公务接待人次", "three_public.reception_visitors"),
    Block::Heading("四、项目支出"),
    // The core takes no sum for this total: a unit has projects that are none of the rows below.
    row("项目支出合计", "project_expenditure.total"),
    part("业务工作专项", "project_expenditure.business"),
    part("运行维护专项", "project_expenditure.operation"),
    Block::Funds,
    Block::Heading("五、基本支出"),
    total(
        "基本支出合计",
        "basic_expenditure.total",
        &["basic_expenditure.personnel", "basic_expenditure.public_funds"],
    ),
    part("人员经费", "basic_expenditure.personnel"),
    part("日常公用经费", "basic_expenditure.public_funds"),
    Block::Heading("六、公用经费"),
    total(
        "公用经费合计",
        "public_funds.total",
        &[
            "public_funds.office",
            "public_funds.utilities_and_travel",
            "public_funds.meetings_and_training",
        ],
    ),
    part("办公经费", "public_funds.office"),
    part("水费、电费、差旅费", "public_funds.utilities_and_travel"),
    part("会议费、培训费", "public_funds.meetings_and_training"),
    Block::Heading("七、政府采购"),
    row("政府采购金额", "procurement"),
    Block::Heading("八、部门预算"),
    row("上年结转", "budget.carried_in"),
    row("年初预算", "budget.initial"),
    row("本年追加预算", "budget.supplementary"),
    row("年末结余", "budget.carried_out"),
    Block::Heading("九、楼堂馆所"),
    Block::Choice("本年无新建楼堂馆所", "buildings.none"),
    Block::Buildings,
    Block::Heading("十、厉行节约"),
    Block::Words("厉行节约保障措施", "thrift"),
];

/// The rows of figures of 附件2.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    BASE_DATA.iter().filter_map(|block| match block {
        Block::Row(row) => Some(row),
        _ => None,
    })
}

/// What offices also print before a row: label and place.
pub const OTHER_ROWS: &[(&str, &str)] = &[
    ("在职人数", "staff.in_post"),
    ("实际在职人数", "staff.in_post"),
    ("在职人员数", "staff.in_post"),
    ("离退休人员数", "staff.retired"),
    ("三公经费", "three_public.total"),
    ("因公出国经费", "three_public.overseas_travel"),
    ("公务用车购置", "three_public.vehicle_purchase"),
    ("公务用车运行维护", "three_public.vehicle_running"),
    ("公务接待", "three_public.reception"),
    ("项目支出", "project_expenditure.total"),
    ("基本支出", "basic_expenditure.total"),
    ("公用经费", "public_funds.total"),
    ("政府采购", "procurement"),
    ("年初预算数", "budget.initial"),
    ("本年追加", "budget.supplementary"),
    ("上年结转数", "budget.carried_in"),
    ("年末结余数", "budget.carried_out"),
];

/// A column of figures: what is printed over it, and the last parts of the paths that stand in it.
pub struct Column {
    /// What is printed over it.
    pub label: &'static str,
    /// The last parts of the paths; the empty one is that of a row that is a figure by itself.
    pub names: &'static [&'static str],
}

/// The columns of 附件2.
pub const COLUMNS: [Column; 5] = [
    Column {
        label: "上年决算数",
        names: &["prior_final", "prior"],
    },
    Column {
        label: "上年预算数",
        names: &["prior_budget"],
    },
    Column {
        label: "本年预算数",
        names: &["budget"],
    },
    Column {
        label: "本年决算数",
        names: &["final", "current", ""],
    },
    Column {
        label: "比上年增减",
        names: &["change"],
    },
];

/// The column of changes, which the form can work out.
pub const CHANGE: usize = 4;
/// The column of last year's final accounts.
pub const PRIOR_FINAL: usize = 0;
/// The column of this year's final accounts.
pub const FINAL: usize = 3;

impl Row {
    /// The figure in a column; `None` where the form has none.
    pub fn figure(&self, column: &Column) -> Option<&'static Variable> {
        column.names.iter().find_map(|name| match *name {
            "" => Variable::find(self.path),
            name => Variable::find(&format!("{}.{name}", self.path)),
        })
    }

    /// What its figures are counted in.
    pub fn unit(&self) -> Unit {
        let first = COLUMNS.iter().find_map(|column| self.figure(column));
        first.map_or(Unit::TenThousandYuan, |variable| variable.unit)
    }
}

/// Where the special funds of 附件2 stand, and what is printed over them.
pub const FUNDS: (&str, &str) = ("project_expenditure.special_funds", "专项资金明细");
/// Where the buildings of 附件2 stand, and what is printed over them.
pub const BUILDINGS: (&str, &str) = ("buildings.projects", "楼堂馆所明细");

/// The columns of a building, with what each is counted in.
pub const BUILDING_COLUMNS: [(&str, &str, Unit); 4] = [
    ("批准建设面积", "approved_area", Unit::SquareMetres),
    ("实际建设面积", "actual_area", Unit::SquareMetres),
    ("批准投资概算", "approved_cost", Unit::TenThousandYuan),
    ("实际投资", "actual_cost", Unit::TenThousandYuan),
];

/// The name of the one row of a list that has none: said outright, since an empty list is not a list left out.
pub const NONE_LISTED: &str = "无";

/// What identifies a form: label and place in its row.
pub const KEYS: [(&str, &str); 2] = [("单位编码", "unit"), ("年度", "year")];

/// What else stands at the head of 附件3: label and place.
pub const FUND_HEAD: [(&str, &str); 8] = [
    ("项目名称", "name"),
    ("专项资金编号", "id"),
    ("主管部门", "competent_department"),
    ("实施单位", "implementing_unit"),
    ("跨年度项目", "continues"),
    ("评分标准", "scheme"),
    ("预期目标", "goal.expected"),
    ("实际完成情况", "goal.achieved"),
];

/// The rows of the money of 附件3: label and place. The first is the total of the last four.
pub const MONEY: [(&str, &str); 7] = [
    ("年度资金总额", "total"),
    ("当年财政拨款", "appropriation"),
    ("上年结转资金", "carried_over"),
    ("中央及省级资金", "central_and_provincial"),
    ("市级资金", "municipal"),
    ("县级资金", "county"),
    ("其他资金", "other"),
];

/// How many rows of [`MONEY`] come before the sources that its total is the sum of.
pub const BEFORE_SOURCES: usize = 3;

/// The columns of the money of 附件3.
pub const MONEY_COLUMNS: [(&str, &str); 3] = [
    ("年初预算数", "initial_budget"),
    ("全年预算数", "adjusted_budget"),
    ("全年执行数", "executed"),
];

/// The columns of the targets of 附件3, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum TargetColumn {
    /// 一级指标
    Section,
    /// 二级指标
    Group,
    /// 三级指标
    Name,
    /// 定量 or 定性
    Kind,
    /// ≥, ≤ or =
    Comparison,
    /// The target, or the goal in words.
    Expected,
    /// The unit of measure.
    Unit,
    /// What was reached.
    Actual,
    /// How far a goal in words was reached.
    Level,
    /// The share of the weight that it gets, in percent.
    Share,
    /// The full marks.
    Weight,
    /// The points, which the form works out.
    Points,
    /// The years whose task it is.
    Covers,
    /// Why it was missed.
    Deviation,
}

impl TargetColumn {
    /// All of them, each with what is printed over it.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::Section, "一级指标"),
        (Self::Group, "二级指标"),
        (Self::Name, "三级指标"),
        (Self::Kind, "指标性质"),
        (Self::Comparison, "比较"),
        (Self::Expected, "年度指标值"),
        (Self::Unit, "计量单位"),
        (Self::Actual, "实际完成值"),
        (Self::Level, "达成程度"),
        (Self::Share, "得分比例"),
        (Self::Weight, "分值"),
        (Self::Points, "得分"),
        (Self::Covers, "任务所属年度"),
        (Self::Deviation, "偏差原因分析及改进措施"),
    ];
}

/// A number against a target, a goal in words, and what the form itself works out.
pub const QUANTITY: &str = "定量";
/// A goal in words.
pub const QUALITY: &str = "定性";
/// A line of the scheme's own, which no unit fills in.
pub const COMPUTED: &str = "计算";

/// What is chosen from a list: as the form prints it, and as it is stored.
pub type Words = [(&'static str, &'static str)];

/// How a number should stand to its target.
pub const COMPARISONS: &Words = &[("≥", "at_least"), ("≤", "at_most"), ("=", "equal")];
/// How far a goal in words was reached.
pub const LEVELS: &Words = &[
    ("达成预期指标", "achieved"),
    ("部分达成预期指标并具有一定效果", "partly"),
    ("未达成预期指标且效果较差", "not_achieved"),
];
/// The sections of targets that all funds have; a scheme with others prints their codes.
pub const SECTIONS: &Words = &[
    ("产出指标", "output"),
    ("效益指标", "benefit"),
    ("满意度指标", "satisfaction"),
];
/// The second-level headings that the notice names.
pub const GROUPS: [&str; 9] = [
    "数量指标",
    "质量指标",
    "时效指标",
    "成本指标",
    "经济效益指标",
    "社会效益指标",
    "生态效益指标",
    "可持续影响指标",
    "服务对象满意度指标",
];

/// The heads of columns that hold nothing that is filed.
pub const ASIDE: [&str; 6] = ["序号", "单位", "备注", "说明", "执行率", "得分"];

/// What begins the lines that people sign.
pub const SIGNATURES: [&str; 5] = ["填报人", "审核人", "单位负责人", "填报日期", "联系电话"];

/// How the form prints what is stored; the word itself where it has no other.
pub fn printed(words: &Words, stored: &str) -> String {
    let known = words.iter().find(|(_, word)| *word == stored);
    known.map_or(stored, |(printed, _)| printed).to_owned()
}

/// A text in which full-width letters, digits and signs are the plain ones.
pub fn half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{3000}' | '\u{a0}' => ' ',
            '＝' => '=',
            '！'..='～' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            _ => c,
        })
        .collect()
}

/// A label as it is compared: without spaces, quotes, numbering, `其中：` and what stands in parentheses at its end. So
/// `  1、“三公”经费合计（万元）` is `三公经费合计`.
pub fn plain(label: &str) -> String {
    let text: String = half_width(label)
        .chars()
        .filter(|c| !c.is_whitespace() && !"“”\"'‘’《》".contains(*c))
        .collect();
    let mut rest = text.as_str();
    loop {
        let before = rest;
        rest = rest.strip_prefix("其中:").unwrap_or(rest);
        let number = rest.trim_start_matches(|c: char| "(一二三四五六七八九十)".contains(c) || c.is_ascii_digit());
        let numbering = rest.get(..rest.len() - number.len()).unwrap_or_default();
        rest = match number.strip_prefix(['、', '.']) {
            Some(after) if !numbering.is_empty() => after,
            _ if numbering.ends_with(')') => number,
            _ => rest,
        };
        if rest == before {
            break;
        }
    }
    let rest = rest.trim_end_matches(':');
    match rest.rfind('(') {
        Some(at) if rest.ends_with(')') && at > 0 => rest.get(..at).unwrap_or(rest),
        _ => rest,
    }
    .replace("(境)", "")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scoring::variables::VARIABLES;

    #[test]
    fn every_variable_that_a_sheet_states_has_one_cell() {
        let mut placed = BTreeSet::new();
        for row in rows() {
            for column in &COLUMNS {
                if let Some(variable) = row.figure(column) {
                    assert!(placed.insert(variable.name), "{} has two cells", variable.name);
                }
            }
        }
        let stated: BTreeSet<_> = VARIABLES
            .iter()
            .map(|variable| variable.name)
            .filter(|name| !name.starts_with("buildings.") && !name.starts_with("execution."))
            .collect();
        assert_eq!(placed, stated);
    }

    #[test]
    fn no_two_labels_are_read_alike() {
        let mut labels = BTreeSet::new();
        for row in rows() {
            assert!(labels.insert(plain(row.label)), "{}", row.label);
        }
    }

    #[test]
    fn a_label_is_known_however_it_is_dressed() {
        for (written, known) in [
            ("  1、“三公”经费合计（万元）", "三公经费合计"),
            ("其中：公务接待费：", "公务接待费"),
            ("因公出国（境）费", "因公出国费"),
            ("（一）编 制 数", "编制数"),
            ("三、公用经费合计", "公用经费合计"),
            ("水费、电费、差旅费", "水费、电费、差旅费"),
            ("全年预算数（A）", "全年预算数"),
            ("上年\n决算数", "上年决算数"),
            ("一级指标", "一级指标"),
        ] {
            assert_eq!(plain(written), known);
        }
    }
}
