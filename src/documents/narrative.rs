//! The words of a self-evaluation report (自评报告的文字部分): what no figure says, section by section, and why figures changed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::scoring::sheet::group;
use crate::scoring::text::{Prose, Reason};

group! {
    /// The words of a unit's self-evaluation report (自评报告的文字部分). Figures are not among them: the report takes those
    /// from the forms.
    Narrative {
        /// What the unit is: duties, organs, area, people (基本概况).
        overview: Prose,
        /// On basic expenditure (基本支出情况).
        basic_expenditure: Prose,
        /// On project expenditure (项目支出情况).
        project_expenditure: Prose,
        /// What came of the money: goals, projects, rules and their keeping (整体支出绩效情况).
        performance: Prose,
        /// What stands in the way (存在的主要问题、当前困难).
        difficulties: Prose,
        /// What is to be done next (今后工作建议).
        suggestions: Prose,
        /// What else is to be said (其他需要说明的情况).
        other: Prose,
        /// Why figures changed against last year.
        changes: ChangeReasons,
    }
}

group! {
    /// Why figures changed against last year (增减变动原因). Each follows “主要是因为” in the report, so it is a clause without
    /// a full stop.
    ChangeReasons {
        /// Basic expenditure (基本支出).
        basic_expenditure: Reason,
        /// Personnel (人员经费).
        personnel: Reason,
        /// Public funds for daily running (日常公用经费、运行经费).
        public_funds: Reason,
        /// Project expenditure (项目支出).
        project_expenditure: Reason,
        /// The three public expenses together (三公经费).
        three_public: Reason,
        /// Purchase of official vehicles (公务用车购置费).
        vehicle_purchase: Reason,
        /// Running of official vehicles (公务用车运行维护费).
        vehicle_running: Reason,
        /// Overseas travel on duty (因公出国（境）费).
        overseas_travel: Reason,
        /// Official reception (公务接待费).
        reception: Reason,
        /// Government procurement (政府采购).
        procurement: Reason,
    }
}
