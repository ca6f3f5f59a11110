//! What a sheet lists by name: projects, special funds and buildings.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::catalogue::Check;
use super::facts::Facts;
use super::finding::{Finding, Source};
use crate::fault::Text;
use crate::scoring::sheet::FundRow;
use crate::scoring::text::Label;
use crate::scoring::values::{Amount, digits};
use crate::scoring::variables::{Figures, Variable};

/// What the project expenditure is made of.
pub(super) const PROJECTS: [&str; 4] = [
    "project_expenditure.total",
    "project_expenditure.business",
    "project_expenditure.operation",
    "project_expenditure.special_funds",
];

/// A column of the project expenditure: its total as given, and the projects listed in it.
struct Projects {
    total: &'static Variable,
    amount: Decimal,
    listed: Vec<(String, Text, Decimal)>,
    /// Rows that are listed without their amount in this column.
    unsaid: usize,
}

/// A column of the special funds that a sheet lists: its name and how it is read.
type Column = (&'static str, fn(&FundRow) -> Option<Amount>);

fn projects(facts: &Facts<'_>) -> Vec<Projects> {
    let amount: [Column; 3] = [
        ("prior_final", |row| row.prior_final),
        ("budget", |row| row.budget),
        ("final", |row| row.final_accounts),
    ];
    amount
        .into_iter()
        .filter_map(|(column, amount)| {
            let figure = |row: &str| {
                let variable = Variable::find(&format!("project_expenditure.{row}.{column}"))?;
                Some((variable, facts.sheet.own().figure(variable)?.value))
            };
            let (total, whole) = figure("total")?;
            let groups = ["business", "operation"].into_iter().filter_map(figure);
            let mut listed: Vec<_> = groups
                .map(|(variable, value)| (variable.pointer(), Text::fixed(variable.zh, variable.en), value))
                .collect();
            let mut unsaid = 0;
            for (n, row) in facts.sheet.own().special_funds().into_iter().flatten().enumerate() {
                match amount(row) {
                    Some(amount) => listed.push((
                        format!("/project_expenditure/special_funds/{n}/{column}"),
                        Text::name(&row.name),
                        amount.get(),
                    )),
                    None => unsaid += 1,
                }
            }
            Some(Projects {
                total,
                amount: whole,
                listed,
                unsaid,
            })
        })
        .collect()
}

impl Projects {
    fn sum(&self) -> Decimal {
        self.listed.iter().map(|(_, _, amount)| *amount).sum()
    }

    fn tolerance(&self) -> Decimal {
        Decimal::new(1, 2) * Decimal::from(self.listed.len())
    }

    fn finding(&self, check: &'static Check, (zh, en): (&str, &str)) -> Finding {
        let amounts: Vec<_> = self.listed.iter().map(|(_, _, amount)| digits(*amount)).collect();
        let (sum, total, apart) = (self.sum(), self.amount, (self.amount - self.sum()).abs());
        let mut finding = check
            .found(
                format!(
                    "所列项目{}＝{}万元，{zh}{}{}万元，相差{}万元。",
                    amounts.join("＋"),
                    digits(sum),
                    self.total.zh,
                    digits(total),
                    digits(apart)
                ),
                format!(
                    "the projects listed, {} = {} 万元, are {en} than {} of {} 万元, by {} 万元",
                    amounts.join(" + "),
                    digits(sum),
                    self.total.en,
                    digits(total),
                    digits(apart)
                ),
            )
            .keyed(&self.total.pointer())
            .at(
                Source::BaseData,
                self.total.pointer(),
                Text::fixed(self.total.zh, self.total.en),
            )
            .figure(Text::fixed(self.total.zh, self.total.en), total, "万元");
        for (pointer, label, amount) in &self.listed {
            finding =
                finding
                    .at(Source::BaseData, pointer.clone(), label.clone())
                    .figure(label.clone(), *amount, "万元");
        }
        finding.figure(Text::fixed("所列项目之和", "sum of the projects listed"), sum, "万元")
    }
}

pub(super) fn projects_exceed(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let exceed = projects(facts)
        .into_iter()
        .filter(|column| column.sum() > column.amount + column.tolerance());
    found.extend(exceed.map(|column| column.finding(check, ("大于", "more"))));
}

pub(super) fn projects_short(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let short = projects(facts).into_iter().filter(|column| {
        !column.listed.is_empty() && column.unsaid == 0 && column.sum() + column.tolerance() < column.amount
    });
    found.extend(short.map(|column| column.finding(check, ("小于", "less"))));
}

pub(super) fn buildings_none_yet_listed(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(buildings) = &facts.sheet.own().buildings else {
        return;
    };
    let listed = buildings.projects.as_ref().map_or(0, Vec::len);
    if buildings.none != Some(true) || listed == 0 {
        return;
    }
    found.push(
        check
            .found(
                format!("已注明本年无新建楼堂馆所，又列出{listed}个建设项目。"),
                format!("no building is said to be finished, and {listed} are listed"),
            )
            .at(
                Source::BaseData,
                "/buildings/none",
                Text::fixed("本年无新建楼堂馆所", "no building finished this year"),
            )
            .at(
                Source::BaseData,
                "/buildings/projects",
                Text::fixed("新建楼堂馆所", "buildings finished"),
            )
            .figure(Text::fixed("所列建设项目", "buildings listed"), listed.into(), "个"),
    );
}

pub(super) fn named_twice(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let funds = facts
        .sheet
        .own()
        .special_funds()
        .into_iter()
        .flatten()
        .map(|row| &row.name);
    let buildings = facts
        .sheet
        .own()
        .buildings
        .iter()
        .flat_map(|buildings| buildings.projects.iter().flatten());
    let lists: [(&str, Vec<&Label>); 2] = [
        ("/project_expenditure/special_funds", funds.collect()),
        ("/buildings/projects", buildings.map(|project| &project.name).collect()),
    ];
    for (list, names) in lists {
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (n, name) in names.iter().enumerate() {
            places.entry(name.as_str()).or_default().push(n);
        }
        for (name, rows) in places.into_iter().filter(|(_, rows)| rows.len() > 1) {
            let mut finding = check
                .found(
                    format!("“{name}”列了{}次。", rows.len()),
                    format!("\"{name}\" is listed {} times", rows.len()),
                )
                .keyed(&format!("{list}/{name}"))
                .figure(Text::fixed("次数", "times"), rows.len().into(), "次");
            for row in rows {
                let label = Text::name(name);
                finding = finding.at(Source::BaseData, format!("{list}/{row}/name"), label);
            }
            found.push(finding);
        }
    }
}
