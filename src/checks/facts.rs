//! What checks look at.

use crate::scoring::assessment::Assessments;
use crate::scoring::claims::Claims;
use crate::scoring::prior::YearSheet;
use crate::scoring::scheme::Scheme;
use crate::scoring::score::Score;
use crate::scoring::sheet::BaseData;
use crate::scoring::special_fund::FundTable;

/// A unit's year as it is filed, with its neighbours.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The fiscal year.
    pub year: i64,
    /// The base data sheet (基础数据表), its gaps filled from `prior`; empty before it is filed.
    pub sheet: &'a YearSheet,
    /// The sheet of the year before, of the unit or of the one that it continues; `None` if there is none.
    pub prior: Option<&'a BaseData>,
    /// What people judged; empty before it is filed.
    pub assessments: &'a Assessments,
    /// The special funds of the unit and year (专项资金).
    pub funds: &'a [FundFacts],
    /// What the unit wrote itself (自填得分); `None` before it is filed.
    pub claims: Option<&'a Claims>,
    /// The scheme of the score.
    pub scheme: &'a Scheme,
    /// The score that follows.
    pub score: &'a Score,
}

/// A special fund of the unit and year.
#[derive(Debug, Clone)]
pub struct FundFacts {
    /// The id that it is addressed by.
    pub id: String,
    /// Its name (专项资金名称).
    pub name: String,
    /// Whether it goes on in the next year (跨年度项目).
    pub continues: bool,
    /// Its table (绩效目标自评表).
    pub table: FundTable,
    /// The score that follows by its own scheme.
    pub score: Score,
}
