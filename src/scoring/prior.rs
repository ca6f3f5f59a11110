//! Last year's columns (上年数): what a sheet leaves out of them is taken from the sheet of the year before.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::sheet::BaseData;
use super::variables::{Datum, Figures, Lacking, Origin, VARIABLES, Variable};

/// A base data sheet, and the same with the gaps in its last year's columns filled.
///
/// What the sheet itself says goes first, also where the year before has it otherwise: [`pairs`] shows those.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct YearSheet {
    own: BaseData,
    filled: Option<Box<BaseData>>,
    places: Vec<String>,
}

impl YearSheet {
    /// The sheet as it was sent, and as it is with the sheet of the year before, where there is one.
    pub fn new(own: BaseData, prior: Option<&BaseData>) -> Self {
        let (filled, places) = prior.and_then(|prior| fill(&own, prior)).unzip();
        Self {
            own,
            filled: filled.map(Box::new),
            places: places.unwrap_or_default(),
        }
    }

    /// The sheet as it was sent.
    pub fn own(&self) -> &BaseData {
        &self.own
    }

    /// The same, without what was filled.
    pub fn into_own(self) -> BaseData {
        self.own
    }

    /// The sheet with its gaps filled: what the unit could send next.
    pub fn filled(&self) -> &BaseData {
        self.filled.as_deref().unwrap_or(&self.own)
    }

    /// The JSON Pointers of the fields that were filled.
    pub fn places(&self) -> &[String] {
        &self.places
    }
}

impl Figures for YearSheet {
    fn figure(&self, variable: &Variable) -> Option<Datum> {
        self.own.figure(variable).or_else(|| {
            let found = self.filled.as_ref()?.figure(variable)?;
            Some(Datum {
                origin: Origin::PriorYear,
                ..found
            })
        })
    }

    fn lacking(&self, variable: &'static Variable) -> Vec<Lacking> {
        self.filled().lacking(variable)
    }
}

/// The figures of last year that both sheets have, as told by this year's sheet and by last year's own.
pub fn pairs<'a>(
    own: &'a BaseData,
    prior: &'a BaseData,
) -> impl Iterator<Item = (&'static Variable, Decimal, Decimal)> + 'a {
    VARIABLES.iter().filter_map(|variable| {
        let (told, was) = (own.figure(variable)?, prior.figure(variable.this_year()?)?);
        Some((variable, told.value, was.value))
    })
}

/// Where the special funds of a sheet stand.
const FUNDS: &str = "/project_expenditure/special_funds";

/// The sheet with its gaps filled, and where; `None` where nothing was to fill.
///
/// Only what the year before reported is taken: a total that it left out is the sum of the parts that are taken.
fn fill(own: &BaseData, prior: &BaseData) -> Option<(BaseData, Vec<String>)> {
    // As JSON, since a variable's name is the place of its figure there.
    let (mut sheet, before) = (serde_json::to_value(own).ok()?, serde_json::to_value(prior).ok()?);
    let mut places = Vec::new();
    for variable in VARIABLES.iter() {
        let was = variable.this_year().and_then(|this| before.pointer(&this.pointer()));
        if let Some(was) = was
            && own.figure(variable).is_none()
        {
            put(&mut sheet, variable.name, was.clone())?;
            places.push(variable.pointer());
        }
    }
    let funds = before.pointer(FUNDS).and_then(Value::as_array);
    for (name, was) in funds
        .into_iter()
        .flatten()
        .filter_map(|row| Some((row.get("name")?, row.get("final")?)))
    {
        if sheet.pointer(FUNDS).is_none() {
            put(&mut sheet, "project_expenditure.special_funds", json!([]))?;
        }
        let rows = sheet.pointer_mut(FUNDS)?.as_array_mut()?;
        // A sheet that lists funds of its own says by it which continue.
        let listed = own.special_funds().is_some_and(|funds| !funds.is_empty());
        match rows.iter().position(|row| row.get("name") == Some(name)) {
            Some(row) if rows[row].get("prior_final").is_none() => {
                rows[row]["prior_final"] = was.clone();
                places.push(format!("{FUNDS}/{row}/prior_final"));
            }
            None if !listed => {
                places.push(format!("{FUNDS}/{}/prior_final", rows.len()));
                rows.push(json!({"name": name, "prior_final": was}));
            }
            _ => {}
        }
    }
    if places.is_empty() {
        return None;
    }
    Some((serde_json::from_value(sheet).ok()?, places))
}

/// Puts a value at a dotted path; `None` if something on its way is no object.
fn put(document: &mut Value, path: &str, value: Value) -> Option<()> {
    let mut at = document;
    for key in path.split('.') {
        at = at.as_object_mut()?.entry(key).or_insert_with(|| json!({}));
    }
    *at = value;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{dec, from};
    use super::*;

    fn sheets(own: Value, prior: Value) -> YearSheet {
        YearSheet::new(from(own), Some(&from(prior)))
    }

    fn figure(sheet: &YearSheet, name: &str) -> Option<(Decimal, Origin)> {
        let found = sheet.figure(Variable::find(name).unwrap())?;
        Some((found.value, found.origin))
    }

    #[test]
    fn every_column_of_last_year_is_some_column_of_the_sheet_of_the_year_before() {
        let priors: Vec<_> = VARIABLES
            .iter()
            .filter_map(|variable| Some((variable.name, variable.this_year()?.name)))
            .collect();
        // 5 rows of the three public expenses with two such columns, 10 other rows and procurement with one, 3 counts.
        assert_eq!(priors.len(), 5 * 2 + 11 + 3, "{priors:?}");
        for expected in [
            ("three_public.total.prior_budget", "three_public.total.budget"),
            (
                "basic_expenditure.personnel.prior_final",
                "basic_expenditure.personnel.final",
            ),
            (
                "three_public.reception_batches.prior",
                "three_public.reception_batches.current",
            ),
        ] {
            assert!(priors.contains(&expected), "{expected:?}");
        }
    }

    #[test]
    fn what_was_left_out_of_last_years_columns_is_last_years_and_says_so() {
        let sheet = sheets(
            json!({"three_public": {"total": {"budget": "4.96"}, "reception_batches": {"current": 105}}}),
            json!({"three_public": {"total": {"budget": "5.29", "final": "5.2"}, "reception_batches": {"prior": 60, "current": 74}}}),
        );
        assert_eq!(
            figure(&sheet, "three_public.total.prior_budget"),
            Some((dec("5.29"), Origin::PriorYear))
        );
        assert_eq!(
            figure(&sheet, "three_public.total.prior_final"),
            Some((dec("5.2"), Origin::PriorYear))
        );
        assert_eq!(
            figure(&sheet, "three_public.reception_batches.prior"),
            Some((dec("74"), Origin::PriorYear))
        );
        assert_eq!(
            figure(&sheet, "three_public.total.budget"),
            Some((dec("4.96"), Origin::Reported))
        );
        // This year's columns are this year's alone.
        assert_eq!(figure(&sheet, "three_public.total.final"), None);
    }

    #[test]
    fn what_the_sheet_says_itself_goes_first_and_the_other_figure_is_shown_beside_it() {
        let (own, prior) = (
            json!({"three_public": {"total": {"prior_budget": "6"}}}),
            json!({"three_public": {"total": {"budget": "5.29"}}}),
        );
        let sheet = sheets(own.clone(), prior.clone());
        assert_eq!(
            figure(&sheet, "three_public.total.prior_budget"),
            Some((dec("6"), Origin::Reported))
        );
        let (own, prior) = (from(own), from(prior));
        let pairs: Vec<_> = pairs(&own, &prior)
            .map(|(variable, told, was)| (variable.name, told, was))
            .collect();
        assert_eq!(pairs, [("three_public.total.prior_budget", dec("6"), dec("5.29"))]);
    }

    #[test]
    fn a_total_of_last_year_is_added_up_from_parts_that_either_sheet_gives() {
        // Left out by both: 1 of its own + 252.05 of the year before.
        let sheet = sheets(
            json!({"basic_expenditure": {"personnel": {"prior_final": "1"}}}),
            json!({"basic_expenditure": {"personnel": {"final": "914.02"}, "public_funds": {"final": "252.05"}}}),
        );
        assert_eq!(
            figure(&sheet, "basic_expenditure.total.prior_final"),
            Some((dec("253.05"), Origin::PriorYear))
        );
        // Its own parts go before a total of the year before.
        let sheet = sheets(
            json!({"basic_expenditure": {"personnel": {"prior_final": "1"}, "public_funds": {"prior_final": "2"}}}),
            json!({"basic_expenditure": {"total": {"final": "1166.07"}}}),
        );
        assert_eq!(
            figure(&sheet, "basic_expenditure.total.prior_final"),
            Some((dec("3"), Origin::Derived))
        );
    }

    #[test]
    fn special_funds_are_known_again_by_their_names() {
        let prior = json!({"project_expenditure": {"special_funds": [
            {"name": "村级运转", "final": "268.68"}, {"name": "危房改造", "final": "326"}, {"name": "社区运转"}
        ]}});
        let sheet = sheets(
            json!({"project_expenditure": {"special_funds": [{"name": "厕所革命"}, {"name": "危房改造", "final": "90"}]}}),
            prior.clone(),
        );
        assert_eq!(sheet.places(), ["/project_expenditure/special_funds/1/prior_final"]);
        let funds = sheet.filled().special_funds().unwrap();
        assert_eq!(funds[1].prior_final.unwrap().get(), dec("326"));
        // Before any is listed, all of the year before are.
        let sheet = sheets(json!({}), prior);
        let listed: Vec<_> = sheet
            .filled()
            .special_funds()
            .unwrap()
            .iter()
            .map(|fund| fund.name.as_str())
            .collect();
        assert_eq!(listed, ["村级运转", "危房改造"]);
    }

    #[test]
    fn what_is_filled_in_is_what_the_score_saw() {
        let sheet = sheets(
            json!({"three_public": {"reception": {"prior_budget": "1"}, "total": {"budget": "9"}}, "staff": {"posts": 5}}),
            json!({"three_public": {"total": {"budget": "5.29"}, "vehicle_purchase": {"budget": "0"},
                "vehicle_running": {"budget": "2"}, "overseas_travel": {"budget": "0"}}, "procurement": {"final": "28"},
                "staff": {"posts": 4}}),
        );
        let resent = YearSheet::new(sheet.filled().clone(), None);
        for variable in VARIABLES.iter() {
            let value = |sheet: &YearSheet| sheet.figure(variable).map(|figure| figure.value);
            assert_eq!(value(&sheet), value(&resent), "{}", variable.name);
        }
        for place in sheet.places() {
            assert!(
                serde_json::to_value(sheet.filled()).unwrap().pointer(place).is_some(),
                "{place}"
            );
        }
    }
}
