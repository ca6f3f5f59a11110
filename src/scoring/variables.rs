//! The variables that a formula may name: one for each figure of the base data sheet, with its label, unit and place.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sheet::{BaseData, BuildingProject};

/// What a variable is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// People (人).
    People,
    /// Vehicles (辆).
    Vehicles,
    /// Things counted (个).
    Things,
    /// Ten thousand yuan (万元).
    TenThousandYuan,
    /// Square metres (平方米).
    SquareMetres,
    /// Receptions (批次).
    Batches,
    /// Visitors (人次).
    Visitors,
}

impl Unit {
    /// The unit as the forms print it.
    pub fn zh(self) -> &'static str {
        match self {
            Self::People => "人",
            Self::Vehicles => "辆",
            Self::Things => "个",
            Self::TenThousandYuan => "万元",
            Self::SquareMetres => "平方米",
            Self::Batches => "批次",
            Self::Visitors => "人次",
        }
    }
}

/// Where a figure came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Given in the base data sheet or the special-fund table.
    Reported,
    /// Added up from the parts that were given, because the figure itself was left out.
    Derived,
    /// Given in the assessments.
    Assessed,
    /// Left out of last year's columns, and taken from the base data sheet of the year before.
    PriorYear,
}

/// A figure and where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datum {
    /// The figure, in the unit of its variable.
    pub value: Decimal,
    /// Where it came from.
    pub origin: Origin,
}

impl Datum {
    /// A figure that was given as it is.
    pub fn reported(value: impl Into<Decimal>) -> Self {
        Self {
            value: value.into(),
            origin: Origin::Reported,
        }
    }

    fn derived(value: Decimal) -> Self {
        Self {
            value,
            origin: Origin::Derived,
        }
    }
}

/// Where formulas find the figures: a base data sheet, or a special-fund table.
pub trait Figures {
    /// The figure of a variable; `None` when it was not given and cannot be added up.
    fn figure(&self, variable: &Variable) -> Option<Datum>;

    /// The fields to fill in before [`Figures::figure`] of that variable can answer, as JSON Pointers with labels.
    fn lacking(&self, variable: &'static Variable) -> Vec<Lacking>;
}

/// A field that was not given and is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// Its JSON Pointer in its document.
    pub pointer: String,
    /// Its label in the forms.
    pub zh: &'static str,
    /// Its label in English.
    pub en: &'static str,
}

impl Lacking {
    fn variable(variable: &'static Variable) -> Self {
        Self {
            pointer: variable.pointer(),
            zh: variable.zh,
            en: variable.en,
        }
    }
}

/// A figure that formulas can name.
pub struct Variable {
    /// Its name in formulas, such as `budget.initial`; with slashes for dots it is its place in the sheet.
    pub name: &'static str,
    /// Its label in the forms.
    pub zh: &'static str,
    /// Its label in English.
    pub en: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    read: fn(&BaseData) -> Option<Datum>,
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Variable {
    /// The variable of that name, if there is one.
    pub fn find(name: &str) -> Option<&'static Self> {
        VARIABLES.iter().find(|variable| variable.name == name)
    }

    /// For a column of last year, the column of this year that it was in the sheet of the year before: of
    /// `three_public.total.prior_budget` that is `three_public.total.budget`. `None` for any other figure.
    pub fn this_year(&self) -> Option<&'static Self> {
        PRIOR_COLUMNS.iter().find_map(|(prior, this)| {
            let row = self.name.strip_suffix(prior)?;
            VARIABLES
                .iter()
                .find(|variable| variable.name.strip_prefix(row) == Some(*this))
        })
    }

    /// The JSON Pointer of the figure in the base data sheet.
    pub fn pointer(&self) -> String {
        format!("/{}", self.name.replace('.', "/"))
    }
}

/// How the columns of last year are called, and what the same are called in the sheet of the year before.
const PRIOR_COLUMNS: [(&str, &str); 3] = [
    (".prior_final", ".final"),
    (".prior_budget", ".budget"),
    (".prior", ".current"),
];

impl Figures for BaseData {
    fn figure(&self, variable: &Variable) -> Option<Datum> {
        (variable.read)(self)
    }

    fn lacking(&self, variable: &'static Variable) -> Vec<Lacking> {
        match variable.name {
            EXECUTION_BUDGET | EXECUTION_EXECUTED => EXECUTION_PARTS
                .iter()
                .filter(|part| variable.name == EXECUTION_EXECUTED || **part != "budget.carried_out")
                .filter_map(|part| Variable::find(part))
                .filter(|part| self.figure(part).is_none())
                .map(Lacking::variable)
                .collect(),
            name if name.starts_with("buildings.") && self.buildings.is_none() => vec![Lacking {
                pointer: "/buildings".to_owned(),
                zh: "新建楼堂馆所情况（没有的应明确填报“无”）",
                en: "buildings finished this year (\"none\" is to be said outright)",
            }],
            name if name.starts_with("buildings.") => vec![Lacking {
                pointer: "/buildings/projects".to_owned(),
                zh: variable.zh,
                en: variable.en,
            }],
            _ => vec![Lacking::variable(variable)],
        }
    }
}

/// The sum of parts that are all given.
fn sum<const N: usize>(parts: [Option<Datum>; N]) -> Option<Datum> {
    let mut total = Decimal::ZERO;
    for part in parts {
        total = total.checked_add(part?.value)?;
    }
    Some(Datum::derived(total))
}

/// The sum of one figure over all the buildings; zero buildings listed is not a figure.
fn over_buildings(sheet: &BaseData, figure: fn(&BuildingProject) -> Option<Decimal>) -> Option<Datum> {
    let projects = sheet.buildings.as_ref()?.projects.as_ref()?;
    if projects.is_empty() {
        return None;
    }
    let mut total = Decimal::ZERO;
    for project in projects {
        total = total.checked_add(figure(project)?)?;
    }
    match projects.len() {
        1 => Some(Datum::reported(total)),
        _ => Some(Datum::derived(total)),
    }
}

/// Budget carried in + initial + supplementary: the whole year's budget (全年预算数).
fn adjusted_budget(sheet: &BaseData) -> Option<Datum> {
    let budget = sheet.budget.as_ref()?;
    sum([
        budget.carried_in.map(Datum::reported),
        budget.initial.map(Datum::reported),
        budget.supplementary.map(Datum::reported),
    ])
}

/// What of the whole year's budget was not left over at its end (全年执行数).
fn executed_budget(sheet: &BaseData) -> Option<Datum> {
    let left = sheet.budget.as_ref()?.carried_out?.get();
    let executed = adjusted_budget(sheet)?.value.checked_sub(left)?;
    Some(Datum::derived(executed))
}

/// A figure at a path of the sheet.
macro_rules! at {
    ($group:ident . $field:ident) => {
        |sheet| Some(Datum::reported(sheet.$group.as_ref()?.$field?.get()))
    };
    ($group:ident . $row:ident . $field:ident) => {
        |sheet| Some(Datum::reported(sheet.$group.as_ref()?.$row.as_ref()?.$field?.get()))
    };
}

/// The change of the final accounts against last year: as stated, else the difference of the two.
macro_rules! change {
    ($group:ident . $row:ident, $now:expr, $before:expr) => {
        |sheet| {
            let stated: fn(&BaseData) -> Option<Datum> = at!($group.$row.change);
            let (now, before): (fn(&BaseData) -> Option<Datum>, fn(&BaseData) -> Option<Datum>) = ($now, $before);
            stated(sheet).or_else(|| {
                let change = now(sheet)?.value.checked_sub(before(sheet)?.value)?;
                Some(Datum::derived(change))
            })
        }
    };
}

/// The total of a column: as given, else the sum of its parts.
macro_rules! total {
    ($group:ident . $field:ident = $($part:ident)+) => {
        |sheet| {
            let reported: fn(&BaseData) -> Option<Datum> = at!($group.total.$field);
            reported(sheet).or_else(|| sum([$({
                let part: fn(&BaseData) -> Option<Datum> = at!($group.$part.$field);
                part(sheet)
            }),+]))
        }
    };
}

macro_rules! variable {
    ($name:expr, $zh:expr, $en:expr, $unit:ident, $read:expr) => {
        Variable {
            name: $name,
            zh: $zh,
            en: $en,
            unit: Unit::$unit,
            read: $read,
        }
    };
}

/// The three columns of an expenditure row, and its change.
macro_rules! expenditure {
    ($($group:ident . $row:ident $zh:literal $en:literal;)*) => {
        [$(
            variable!(concat!(stringify!($group), ".", stringify!($row), ".prior_final"),
                concat!($zh, "上年决算数"), concat!($en, ", last year's final accounts"), TenThousandYuan, at!($group.$row.prior_final)),
            variable!(concat!(stringify!($group), ".", stringify!($row), ".budget"),
                concat!($zh, "本年预算数"), concat!($en, ", this year's budget"), TenThousandYuan, at!($group.$row.budget)),
            variable!(concat!(stringify!($group), ".", stringify!($row), ".final"),
                concat!($zh, "本年决算数"), concat!($en, ", this year's final accounts"), TenThousandYuan, at!($group.$row.final_accounts)),
            variable!(concat!(stringify!($group), ".", stringify!($row), ".change"),
                concat!($zh, "比上年增减"), concat!($en, ", change against last year"), TenThousandYuan,
                change!($group.$row, at!($group.$row.final_accounts), at!($group.$row.prior_final))),
        )*]
    };
}

/// The four columns of a row of the three public expenses, and its change.
macro_rules! three_public {
    ($($row:ident $zh:literal $en:literal;)*) => {
        [$(
            variable!(concat!("three_public.", stringify!($row), ".prior_final"),
                concat!($zh, "上年决算数"), concat!($en, ", last year's final accounts"), TenThousandYuan, at!(three_public.$row.prior_final)),
            variable!(concat!("three_public.", stringify!($row), ".prior_budget"),
                concat!($zh, "上年预算数"), concat!($en, ", last year's budget"), TenThousandYuan, at!(three_public.$row.prior_budget)),
            variable!(concat!("three_public.", stringify!($row), ".budget"),
                concat!($zh, "本年预算数"), concat!($en, ", this year's budget"), TenThousandYuan, at!(three_public.$row.budget)),
            variable!(concat!("three_public.", stringify!($row), ".final"),
                concat!($zh, "本年决算数"), concat!($en, ", this year's final accounts"), TenThousandYuan, at!(three_public.$row.final_accounts)),
            variable!(concat!("three_public.", stringify!($row), ".change"),
                concat!($zh, "比上年增减"), concat!($en, ", change against last year"), TenThousandYuan,
                change!(three_public.$row, at!(three_public.$row.final_accounts), at!(three_public.$row.prior_final))),
        )*]
    };
}

/// Totals that are the sum of their parts where they were left out.
macro_rules! totals {
    ($($name:literal $zh:literal $en:literal $group:ident . $field:ident = $($part:ident)+;)*) => {
        [$(variable!($name, $zh, $en, TenThousandYuan, total!($group.$field = $($part)+)),)*]
    };
}

const COUNTS: [Variable; 15] = [
    variable!("staff.posts", "编制数", "authorised posts", People, at!(staff.posts)),
    variable!(
        "staff.in_post",
        "在职人员数",
        "staff in post",
        People,
        at!(staff.in_post)
    ),
    variable!(
        "staff.retired",
        "离退休人员数",
        "retired staff",
        People,
        at!(staff.retired)
    ),
    variable!(
        "staff.organs",
        "内设机构数",
        "internal organs",
        Things,
        at!(staff.organs)
    ),
    variable!(
        "staff.subordinate_units",
        "下属单位数",
        "subordinate units",
        Things,
        at!(staff.subordinate_units)
    ),
    variable!("staff.villages", "行政村数", "villages", Things, at!(staff.villages)),
    variable!(
        "staff.communities",
        "社区数",
        "communities",
        Things,
        at!(staff.communities)
    ),
    variable!(
        "staff.running_cost_staff.prior",
        "上年说明运行经费所用人数",
        "staff that last year's running costs are explained by",
        People,
        at!(staff.running_cost_staff.prior)
    ),
    variable!(
        "staff.running_cost_staff.current",
        "本年说明运行经费所用人数",
        "staff that this year's running costs are explained by",
        People,
        at!(staff.running_cost_staff.current)
    ),
    variable!(
        "vehicles.approved",
        "公务用车定编数",
        "approved vehicles",
        Vehicles,
        at!(vehicles.approved)
    ),
    variable!(
        "vehicles.actual",
        "公务用车实有数",
        "actual vehicles",
        Vehicles,
        at!(vehicles.actual)
    ),
    variable!(
        "three_public.reception_batches.prior",
        "上年公务接待批次",
        "receptions last year",
        Batches,
        at!(three_public.reception_batches.prior)
    ),
    variable!(
        "three_public.reception_batches.current",
        "本年公务接待批次",
        "receptions this year",
        Batches,
        at!(three_public.reception_batches.current)
    ),
    variable!(
        "three_public.reception_visitors.prior",
        "上年公务接待人次",
        "guests received last year",
        Visitors,
        at!(three_public.reception_visitors.prior)
    ),
    variable!(
        "three_public.reception_visitors.current",
        "本年公务接待人次",
        "guests received this year",
        Visitors,
        at!(three_public.reception_visitors.current)
    ),
];

const THREE_PUBLIC: [Variable; 20] = three_public! {
    vehicle_purchase "公务用车购置费" "vehicle purchase";
    vehicle_running "公务用车运行维护费" "vehicle running costs";
    overseas_travel "因公出国（境）费" "overseas travel";
    reception "公务接待费" "official reception";
};

const EXPENDITURE: [Variable; 28] = expenditure! {
    project_expenditure.business "业务工作专项" "special business funds";
    project_expenditure.operation "运行维护专项" "operation and maintenance funds";
    basic_expenditure.personnel "人员经费" "personnel expenditure";
    basic_expenditure.public_funds "日常公用经费" "public funds";
    public_funds.office "办公经费" "office expenses";
    public_funds.utilities_and_travel "水费、电费、差旅费" "utilities and travel";
    public_funds.meetings_and_training "会议费、培训费" "meetings and training";
};

const PROJECT_TOTAL: [Variable; 4] = expenditure! {
    project_expenditure.total "项目支出" "project expenditure";
};

const TOTALS: [Variable; 10] = totals! {
    "three_public.total.prior_final" "上年“三公经费”决算数" "three public expenses, last year's final accounts"
        three_public.prior_final = vehicle_purchase vehicle_running overseas_travel reception;
    "three_public.total.prior_budget" "上年“三公经费”预算数" "three public expenses, last year's budget"
        three_public.prior_budget = vehicle_purchase vehicle_running overseas_travel reception;
    "three_public.total.budget" "本年“三公经费”预算数" "three public expenses, this year's budget"
        three_public.budget = vehicle_purchase vehicle_running overseas_travel reception;
    "three_public.total.final" "本年“三公经费”实际支出数" "three public expenses, this year's final accounts"
        three_public.final_accounts = vehicle_purchase vehicle_running overseas_travel reception;
    "basic_expenditure.total.prior_final" "基本支出上年决算数" "basic expenditure, last year's final accounts"
        basic_expenditure.prior_final = personnel public_funds;
    "basic_expenditure.total.budget" "基本支出本年预算数" "basic expenditure, this year's budget"
        basic_expenditure.budget = personnel public_funds;
    "basic_expenditure.total.final" "基本支出本年决算数" "basic expenditure, this year's final accounts"
        basic_expenditure.final_accounts = personnel public_funds;
    "public_funds.total.prior_final" "公用经费合计上年决算数" "public funds by kind, last year's final accounts"
        public_funds.prior_final = office utilities_and_travel meetings_and_training;
    "public_funds.total.budget" "公用经费合计本年预算数" "public funds by kind, this year's budget"
        public_funds.budget = office utilities_and_travel meetings_and_training;
    "public_funds.total.final" "公用经费合计本年决算数" "public funds by kind, this year's final accounts"
        public_funds.final_accounts = office utilities_and_travel meetings_and_training;
};

/// How the totals changed against last year.
const TOTAL_CHANGES: [Variable; 3] = [
    variable!(
        "three_public.total.change",
        "“三公经费”比上年增减",
        "three public expenses, change against last year",
        TenThousandYuan,
        change!(
            three_public.total,
            total!(three_public.final_accounts = vehicle_purchase vehicle_running overseas_travel reception),
            total!(three_public.prior_final = vehicle_purchase vehicle_running overseas_travel reception)
        )
    ),
    variable!(
        "basic_expenditure.total.change",
        "基本支出比上年增减",
        "basic expenditure, change against last year",
        TenThousandYuan,
        change!(
            basic_expenditure.total,
            total!(basic_expenditure.final_accounts = personnel public_funds),
            total!(basic_expenditure.prior_final = personnel public_funds)
        )
    ),
    variable!(
        "public_funds.total.change",
        "公用经费合计比上年增减",
        "public funds by kind, change against last year",
        TenThousandYuan,
        change!(
            public_funds.total,
            total!(public_funds.final_accounts = office utilities_and_travel meetings_and_training),
            total!(public_funds.prior_final = office utilities_and_travel meetings_and_training)
        )
    ),
];

const SINGLE: [Variable; 14] = [
    variable!(
        "procurement.prior_final",
        "政府采购上年决算数",
        "procurement, last year's final accounts",
        TenThousandYuan,
        at!(procurement.prior_final)
    ),
    variable!(
        "procurement.budget",
        "政府采购预算数",
        "procurement budget",
        TenThousandYuan,
        at!(procurement.budget)
    ),
    variable!(
        "procurement.final",
        "实际政府采购金额",
        "actual procurement",
        TenThousandYuan,
        at!(procurement.final_accounts)
    ),
    variable!(
        "procurement.change",
        "政府采购比上年增减",
        "procurement, change against last year",
        TenThousandYuan,
        |sheet| {
            let row = sheet.procurement.as_ref()?;
            let difference = || Some(row.final_accounts?.get() - row.prior_final?.get());
            row.change
                .map(Datum::reported)
                .or_else(|| difference().map(Datum::derived))
        }
    ),
    variable!(
        "budget.carried_in",
        "上年结转",
        "budget carried in",
        TenThousandYuan,
        at!(budget.carried_in)
    ),
    variable!(
        "budget.initial",
        "年初预算",
        "initial budget",
        TenThousandYuan,
        at!(budget.initial)
    ),
    variable!(
        "budget.supplementary",
        "本年追加预算",
        "supplementary budget",
        TenThousandYuan,
        at!(budget.supplementary)
    ),
    variable!(
        "budget.carried_out",
        "年末结余",
        "budget left over",
        TenThousandYuan,
        at!(budget.carried_out)
    ),
    variable!(
        "buildings.approved_area",
        "批准建设面积",
        "approved building area",
        SquareMetres,
        |sheet| over_buildings(sheet, |project| Some(project.approved_area?.get()))
    ),
    variable!(
        "buildings.actual_area",
        "实际建设面积",
        "actual building area",
        SquareMetres,
        |sheet| over_buildings(sheet, |project| Some(project.actual_area?.get()))
    ),
    variable!(
        "buildings.approved_cost",
        "批准投资概算",
        "approved building cost",
        TenThousandYuan,
        |sheet| over_buildings(sheet, |project| Some(project.approved_cost?.get()))
    ),
    variable!(
        "buildings.actual_cost",
        "实际投资",
        "actual building cost",
        TenThousandYuan,
        |sheet| over_buildings(sheet, |project| Some(project.actual_cost?.get()))
    ),
    // The two of the execution rate (预算执行率): a special-fund table gives them outright, a sheet through its budget.
    variable!(
        "execution.budget",
        "全年预算数",
        "the whole year's budget",
        TenThousandYuan,
        adjusted_budget
    ),
    variable!(
        "execution.executed",
        "全年执行数",
        "executed in the year",
        TenThousandYuan,
        executed_budget
    ),
];

const COUNT: usize = COUNTS.len()
    + THREE_PUBLIC.len()
    + EXPENDITURE.len()
    + PROJECT_TOTAL.len()
    + TOTALS.len()
    + TOTAL_CHANGES.len()
    + SINGLE.len();

/// Every variable, in the order of the form.
pub static VARIABLES: std::sync::LazyLock<Vec<Variable>> = std::sync::LazyLock::new(|| {
    let mut all = Vec::with_capacity(COUNT);
    all.extend(COUNTS);
    all.extend(THREE_PUBLIC);
    all.extend(EXPENDITURE);
    all.extend(PROJECT_TOTAL);
    all.extend(TOTALS);
    all.extend(TOTAL_CHANGES);
    all.extend(SINGLE);
    all
});

/// The budget of the year that an execution rate is measured against (全年预算数, A).
pub const EXECUTION_BUDGET: &str = "execution.budget";
/// What was executed of it (全年执行数, B).
pub const EXECUTION_EXECUTED: &str = "execution.executed";

/// What the execution rate of a sheet is made of.
pub(super) const EXECUTION_PARTS: [&str; 4] = [
    "budget.carried_in",
    "budget.initial",
    "budget.supplementary",
    "budget.carried_out",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_names_a_place_in_the_sheet_or_is_derived() {
        // A sheet that gives every figure another value: each variable must read its own.
        for (n, variable) in VARIABLES.iter().enumerate() {
            let derived = variable.name.starts_with("execution.") || variable.name.starts_with("buildings.");
            if derived {
                continue;
            }
            let mut document = serde_json::json!(n + 1);
            for key in variable.name.rsplit('.') {
                document = serde_json::json!({ key: document });
            }
            let sheet: BaseData = serde_json::from_value(document).unwrap();
            assert_eq!(
                sheet.figure(variable).unwrap(),
                Datum::reported(Decimal::from(n + 1)),
                "{}",
                variable.name
            );
        }
    }

    #[test]
    fn a_total_left_out_is_the_sum_of_its_parts_only_when_all_are_given() {
        let total = Variable::find("three_public.total.final").unwrap();
        let mut sheet: BaseData = serde_json::from_str(
            r#"{"three_public": {"vehicle_purchase": {"final": "0"}, "vehicle_running": {"final": "2.5"},
                "overseas_travel": {"final": 0}, "reception": {"final": "2.46"}}}"#,
        )
        .unwrap();
        assert_eq!(sheet.figure(total).unwrap(), Datum::derived("4.96".parse().unwrap()));
        sheet.three_public.as_mut().unwrap().reception = None;
        assert_eq!(sheet.figure(total), None);
    }
}
