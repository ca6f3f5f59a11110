//! The base data sheet (部门整体支出绩效评价基础数据表, 附件2): what one unit reports for one year.
//!
//! Every field may be left out: a sheet is filled in over weeks, and what is missing is named by the score, never
//! taken for zero. Amounts are in 万元.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::values::{Amount, Count, Quantity, SignedAmount};

/// Defines groups of a document that is filled in bit by bit: structs whose fields are all optional and that refuse unknown fields.
macro_rules! group {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$field_doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
        }
    };
}

pub(crate) use group;

group! {
    /// The base data sheet (基础数据表) of one unit for one year. Amounts in 万元.
    BaseData {
        /// Staff paid from the budget (财政供养人员).
        staff: Staff,
        /// Official vehicles (公务用车).
        vehicles: Vehicles,
        /// The three public expenses (三公经费).
        three_public: ThreePublic,
        /// Project expenditure (项目支出).
        project_expenditure: ProjectExpenditure,
        /// Basic expenditure (基本支出).
        basic_expenditure: BasicExpenditure,
        /// Public funds for daily running by kind (公用经费).
        public_funds: PublicFunds,
        /// Government procurement (政府采购).
        procurement: ExpenditureRow,
        /// The budget of the year (预算): carried in, initial, supplementary, carried out.
        budget: Budget,
        /// Buildings finished in the year (新建楼堂馆所).
        buildings: Buildings,
        /// Measures of thrift (厉行节约保障措施), in words.
        #[schema(max_length = 4000)]
        thrift: Words,
    }
}

group! {
    /// Staff paid from the budget (财政供养人员), counts at the end of the year.
    Staff {
        /// Authorised posts (编制数). Retired staff do not count towards them.
        posts: Count,
        /// Staff in post at the end of the year (年末实际在职人数).
        in_post: Count,
        /// Retired staff (离退休人数), kept apart from posts and staff in post.
        retired: Count,
        /// Internal organs (内设机构).
        organs: Count,
        /// Subordinate units (下属单位).
        subordinate_units: Count,
        /// Villages (行政村).
        villages: Count,
        /// Communities (社区).
        communities: Count,
        /// Staff that the report explains the running costs by (说明运行经费变动所用的人数), where it gives such a count.
        running_cost_staff: CountRow,
    }
}

group! {
    /// Official vehicles (公务用车).
    Vehicles {
        /// Approved number (定编数).
        approved: Count,
        /// Actual number (实有数).
        actual: Count,
    }
}

group! {
    /// The three public expenses (三公经费), in 万元.
    ThreePublic {
        /// Purchase of official vehicles (公务用车购置费).
        vehicle_purchase: ThreePublicRow,
        /// Running of official vehicles (公务用车运行维护费).
        vehicle_running: ThreePublicRow,
        /// Overseas travel on duty (因公出国(境)费).
        overseas_travel: ThreePublicRow,
        /// Official reception (公务接待费).
        reception: ThreePublicRow,
        /// The total (三公经费合计). Left out, it is the sum of the four parts where all four are given.
        total: ThreePublicRow,
        /// Receptions given (公务接待批次).
        reception_batches: CountRow,
        /// Guests received (公务接待人次).
        reception_visitors: CountRow,
    }
}

group! {
    /// One row of the three public expenses, in 万元.
    ThreePublicRow {
        /// Last year's final accounts (上年决算数).
        prior_final: Amount,
        /// Last year's budget (上年预算数).
        prior_budget: Amount,
        /// This year's budget (本年预算数).
        budget: Amount,
        /// This year's final accounts (本年决算数).
        #[serde(rename = "final")]
        final_accounts: Amount,
        /// The change of the final accounts against last year, where the report states it (比上年增减); negative for less.
        change: SignedAmount,
    }
}

group! {
    /// One row of expenditure, in 万元.
    ExpenditureRow {
        /// Last year's final accounts (上年决算数).
        prior_final: Amount,
        /// This year's budget (本年预算数).
        budget: Amount,
        /// This year's final accounts (本年决算数).
        #[serde(rename = "final")]
        final_accounts: Amount,
        /// The change of the final accounts against last year, where the report states it (比上年增减); negative for less.
        change: SignedAmount,
    }
}

group! {
    /// A count last year and this year.
    CountRow {
        /// Last year (上年).
        prior: Count,
        /// This year (本年).
        current: Count,
    }
}

group! {
    /// Project expenditure (项目支出), in 万元.
    ProjectExpenditure {
        /// Special business funds (业务工作专项).
        business: ExpenditureRow,
        /// Special funds for operation and maintenance (运行维护专项).
        operation: ExpenditureRow,
        /// The special funds that the sheet lists, one row each.
        #[schema(value_type = Option<Vec<FundRow>>, max_items = 200)]
        special_funds: FundRows,
        /// The total (项目支出合计).
        total: ExpenditureRow,
    }
}

/// The special funds that a sheet lists.
pub type FundRows = Vec<FundRow>;

/// One special fund as a row of the base data sheet, in 万元.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FundRow {
    /// Name of the special fund (专项资金名称).
    #[schema(min_length = 1, max_length = 200, example = "危房改造资金")]
    pub name: Label,
    /// Last year's final accounts (上年决算数).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_final: Option<Amount>,
    /// This year's budget (本年预算数).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Amount>,
    /// This year's final accounts (本年决算数).
    #[serde(default, rename = "final", skip_serializing_if = "Option::is_none")]
    pub final_accounts: Option<Amount>,
}

group! {
    /// Basic expenditure (基本支出), in 万元.
    BasicExpenditure {
        /// Personnel (人员经费).
        personnel: ExpenditureRow,
        /// Public funds for daily running (日常公用经费).
        public_funds: ExpenditureRow,
        /// The total (基本支出合计).
        total: ExpenditureRow,
    }
}

group! {
    /// Public funds by kind (公用经费), in 万元.
    PublicFunds {
        /// Office expenses (办公经费).
        office: ExpenditureRow,
        /// Utilities and travel (水费、电费、差旅费).
        utilities_and_travel: ExpenditureRow,
        /// Meetings and training (会议费、培训费).
        meetings_and_training: ExpenditureRow,
        /// The total (合计).
        total: ExpenditureRow,
    }
}

group! {
    /// The budget of the year (部门预算), in 万元.
    Budget {
        /// Carried in from last year (上年结转).
        carried_in: Amount,
        /// Initial budget (年初预算).
        initial: Amount,
        /// Added during the year (本年追加); negative where budget was taken back (追减).
        supplementary: SignedAmount,
        /// Left over at the end of the year (年末结余).
        carried_out: Amount,
    }
}

group! {
    /// Buildings finished in the year (楼堂馆所): either `"none": true`, or the projects.
    Buildings {
        /// True when the unit says outright that no building was finished this year (本年无新建楼堂馆所).
        none: bool,
        /// The projects finished this year.
        #[schema(max_items = 100)]
        projects: BuildingProjects,
    }
}

/// The building projects that a sheet lists.
pub type BuildingProjects = Vec<BuildingProject>;

/// One building project finished in the year (新建楼堂馆所).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildingProject {
    /// Name of the project (项目名称).
    #[schema(min_length = 1, max_length = 200, example = "便民服务中心")]
    pub name: Label,
    /// Approved area in m² (批准建设面积).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_area: Option<Quantity>,
    /// Actual area in m² (实际建设面积).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_area: Option<Quantity>,
    /// Approved cost in 万元 (批准投资概算).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_cost: Option<Amount>,
    /// Actual cost in 万元 (实际投资).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_cost: Option<Amount>,
}

use super::text::{Label, Words};

impl BaseData {
    /// Whether the unit says outright that it finished no building this year, and lists none.
    pub fn no_building(&self) -> bool {
        self.buildings.as_ref().is_some_and(|buildings| {
            buildings.none == Some(true) && buildings.projects.as_ref().is_none_or(Vec::is_empty)
        })
    }

    /// The special funds that the sheet lists; `None` where it says nothing of them.
    pub fn special_funds(&self) -> Option<&FundRows> {
        self.project_expenditure.as_ref()?.special_funds.as_ref()
    }
}
