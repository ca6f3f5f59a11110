//! How complete a unit's year is: fields filled of fields needed, for each line of the scoring table and for the form.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::prior::YearSheet;
use super::rule::Applied;
use super::score::{Field, Line, Score, Status};
use super::text::{Code, Label};
use super::variables::{Figures, Origin, VARIABLES};
use crate::fault::Text;

/// Fields filled of fields needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Filled {
    /// Fields that are filled in, each counted once.
    #[schema(example = 12)]
    pub filled: usize,
    /// Fields that are needed, those that are filled in among them.
    #[schema(example = 29)]
    pub needed: usize,
    /// The first of the second in percent, rounded down; 100 where nothing is needed.
    #[schema(example = 41, maximum = 100)]
    pub percent: usize,
}

impl Filled {
    fn of(filled: usize, needed: usize) -> Self {
        Self {
            filled,
            needed,
            percent: (filled * 100).checked_div(needed).unwrap_or(100),
        }
    }
}

/// How complete a unit's year is.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct Completeness {
    /// Over all that the scheme asks for.
    #[serde(flatten)]
    pub all: Filled,
    /// The sections (一级指标), in the order of the form.
    pub sections: Vec<SectionCompleteness>,
    /// The lines (三级指标), in the order of the form.
    pub indicators: Vec<IndicatorCompleteness>,
    /// The base data sheet as a form, group by group, whether the scheme asks for a group or not.
    pub base_data: Vec<GroupCompleteness>,
}

/// How complete a section is.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct SectionCompleteness {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Label,
    /// Its fields.
    #[serde(flatten)]
    pub fields: Filled,
}

/// How complete a line is.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct IndicatorCompleteness {
    /// Its code.
    #[schema(example = "budget_completion")]
    pub code: String,
    /// Its name.
    pub name: Label,
    /// Its fields.
    #[serde(flatten)]
    pub fields: Filled,
    /// The fields that are missing.
    pub missing: Vec<Field>,
}

/// How complete a group of the base data sheet is.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct GroupCompleteness {
    /// Its name in the document.
    #[schema(value_type = String, example = "three_public")]
    pub group: &'static str,
    /// Its name in the form.
    pub name: Text,
    /// Its fields.
    #[serde(flatten)]
    pub fields: Filled,
    /// Of those that are filled in, those taken from the sheet of the year before.
    #[schema(example = 5)]
    pub from_prior_year: usize,
}

/// The groups of the form, in its order.
const GROUPS: [(&str, &str, &str); 10] = [
    ("staff", "财政供养人员", "Staff"),
    ("vehicles", "公务用车", "Official vehicles"),
    ("three_public", "三公经费", "The three public expenses"),
    ("project_expenditure", "项目支出", "Project expenditure"),
    ("basic_expenditure", "基本支出", "Basic expenditure"),
    ("public_funds", "公用经费", "Public funds"),
    ("procurement", "政府采购", "Government procurement"),
    ("budget", "部门预算", "Budget"),
    ("buildings", "楼堂馆所", "Buildings"),
    ("thrift", "厉行节约保障措施", "Thrift"),
];

/// How complete a year is by its score and its sheet.
pub fn completeness(score: &Score, sheet: &YearSheet) -> Completeness {
    let of_section = |code: &Code| {
        let lines = || score.lines.iter().filter(|line| line.section == *code);
        let waits = |waiting: &String| waiting == code.as_str() || lines().any(|line| line.code == *waiting);
        let missing = score.missing.iter().filter(|missing| missing.lines.iter().any(waits));
        tally(lines(), missing.count())
    };
    Completeness {
        all: tally(score.lines.iter(), score.missing.len()),
        sections: score
            .sections
            .iter()
            .map(|section| SectionCompleteness {
                code: section.code.clone(),
                name: section.name.clone(),
                fields: of_section(&section.code),
            })
            .collect(),
        indicators: score
            .lines
            .iter()
            .map(|line| IndicatorCompleteness {
                code: line.code.clone(),
                name: line.name.clone(),
                fields: tally([line].into_iter(), line.missing.len()),
                missing: line.missing.clone(),
            })
            .collect(),
        base_data: GROUPS.iter().map(|group| of_group(group, sheet)).collect(),
    }
}

fn tally<'a>(lines: impl Iterator<Item = &'a Line>, missing: usize) -> Filled {
    // A figure that several lines use is one field; what people judged belongs to its line.
    let mut filled: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut assessed = 0;
    for line in lines {
        let given = line.inputs.iter().filter(|input| input.value.is_some());
        for input in given {
            // A variable has a dot in its name; others, such as the `actual` of a target, belong to their line.
            let owner = if input.name.contains('.') {
                ""
            } else {
                line.code.as_str()
            };
            filled.insert((owner, &input.name));
        }
        assessed += match (&line.applied, line.status) {
            (Some(Applied::Checklist(checklist)), _) => checklist.fulfilled.len() + checklist.unfulfilled.len(),
            (_, Status::Scored) if line.inputs.is_empty() => 1,
            _ => 0,
        };
    }
    let filled = filled.len() + assessed;
    Filled::of(filled, filled + missing)
}

fn of_group((group, zh, en): &(&'static str, &'static str, &'static str), sheet: &YearSheet) -> GroupCompleteness {
    let own = sheet.own();
    let (mut filled, mut needed, mut from_prior_year) = (0, 0, 0);
    let outright = match *group {
        "buildings" if own.no_building() => Some(true),
        "thrift" => Some(own.thrift.is_some()),
        _ => None,
    };
    if let Some(given) = outright {
        (filled, needed) = (usize::from(given), 1);
    } else {
        let of_group = |name: &str| name.strip_prefix(group).is_some_and(|rest| rest.starts_with('.'));
        let asked_for = |name: &str| of_group(name) && !told_beside_the_form(name);
        for variable in VARIABLES.iter().filter(|variable| asked_for(variable.name)) {
            let figure = sheet.figure(variable);
            needed += 1;
            filled += usize::from(figure.is_some());
            from_prior_year += usize::from(figure.is_some_and(|figure| figure.origin == Origin::PriorYear));
        }
    }
    GroupCompleteness {
        group,
        name: Text::fixed(zh, en),
        fields: Filled::of(filled, needed),
        from_prior_year,
    }
}

/// Whether a figure is no field of the printed form, but one that reports tell beside it and cross-checks read.
fn told_beside_the_form(name: &str) -> bool {
    name.ends_with(".change") || name.starts_with("staff.running_cost_staff.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::assessment::Assessments;
    use super::super::fixtures::{builtin, from};
    use super::super::{Case, score};
    use super::*;

    fn of(sheet: serde_json::Value, assessments: serde_json::Value) -> Completeness {
        let (sheet, assessments): (_, Assessments) = (YearSheet::new(from(sheet), None), from(assessments));
        let score = score(&builtin("hunan-2019"), &Case::of_year(&sheet, &assessments));
        completeness(&score, &sheet)
    }

    #[test]
    fn a_field_that_two_lines_need_is_one_field_to_fill_in() {
        // posts and staff in post 2, three public 3, budget 4, buildings 1, public funds 2, procurement 2; judged: 4 checks,
        // cases, 5 checks, 2 of key work, economic and social benefit, efficiency, 2 of satisfaction: 31 fields.
        assert_eq!(
            of(json!({}), json!({})).all,
            Filled {
                filled: 0,
                needed: 31,
                percent: 0
            }
        );
        let given = of(
            json!({"staff": {"posts": 171, "in_post": 104}, "budget": {"initial": "1000", "supplementary": "10"}}),
            json!({"indicators": {"disclosure": {"checks": {"content": true, "deadline": false}}, "fund_compliance": {"incidents": 0}}}),
        );
        // 2 + 2 + 2 + 1 = 7 of 31: 22.58%.
        assert_eq!(
            given.all,
            Filled {
                filled: 7,
                needed: 31,
                percent: 22
            }
        );
        let of_line = |code: &str| given.indicators.iter().find(|line| line.code == code).unwrap();
        assert_eq!(of_line("budget_control").fields.percent, 100);
        assert_eq!(
            of_line("budget_completion").fields,
            Filled {
                filled: 2,
                needed: 4,
                percent: 50
            }
        );
        assert_eq!(
            of_line("disclosure").fields,
            Filled {
                filled: 2,
                needed: 5,
                percent: 40
            }
        );
        let missing: Vec<_> = of_line("budget_completion")
            .missing
            .iter()
            .map(|field| field.pointer.as_str())
            .collect();
        assert_eq!(missing, ["/budget/carried_in", "/budget/carried_out"]);
        // Input: posts, staff in post, and two of the three public expenses.
        assert_eq!(
            given.sections[0].fields,
            Filled {
                filled: 2,
                needed: 4,
                percent: 50
            }
        );
    }

    #[test]
    fn a_whole_year_is_whole() {
        let whole = of(
            super::super::fixtures::whole_sheet(),
            super::super::fixtures::whole_assessments(),
        );
        assert_eq!(whole.all.percent, 100);
        assert!(whole.sections.iter().all(|section| section.fields.percent == 100));
    }

    #[test]
    fn the_form_is_counted_group_by_group_and_shows_what_last_year_filled() {
        let sheet = YearSheet::new(
            from(json!({"procurement": {"budget": "80"}, "buildings": {"none": true}, "vehicles": {"approved": 1}})),
            Some(&from(json!({"procurement": {"final": "70"}}))),
        );
        let score = score(&builtin("hunan-2019"), &Case::of_year(&sheet, &Assessments::default()));
        let groups = completeness(&score, &sheet).base_data;
        let group = |name: &str| groups.iter().find(|group| group.group == name).unwrap();
        assert_eq!(
            group("procurement").fields,
            Filled {
                filled: 2,
                needed: 3,
                percent: 66
            }
        );
        assert_eq!(group("procurement").from_prior_year, 1);
        assert_eq!(
            group("buildings").fields,
            Filled {
                filled: 1,
                needed: 1,
                percent: 100
            }
        );
        assert_eq!(
            group("vehicles").fields,
            Filled {
                filled: 1,
                needed: 2,
                percent: 50
            }
        );
        assert_eq!(
            group("budget").fields,
            Filled {
                filled: 0,
                needed: 4,
                percent: 0
            }
        );
        // Every variable of the form but the two derived ones is in a group.
        let all: usize = groups.iter().map(|group| group.fields.needed).sum();
        let beside = VARIABLES.iter().filter(|variable| told_beside_the_form(variable.name));
        assert_eq!(
            all,
            VARIABLES.len() - beside.count() - 2 - 4 + 1 + 1,
            "four of buildings are one that says none; thrift is no variable"
        );
    }
}
