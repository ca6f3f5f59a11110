//! Funds that go on in the next year (跨年度项目): what the roll-over of a year makes of them.

use std::collections::HashSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Row, address};
use super::store::{self, Continuing};
use crate::codes::{FiscalYear, FundId, UnitCode};
use crate::db::{AnyConnection, Tx, now};
use crate::fault::Text;
use crate::http::problem::Problem;

/// How many funds are read and stored by one statement.
const CHUNK: usize = 500;

/// How many funds of each kind an answer lists.
const LISTED: usize = 100;

/// What became of a year's funds in the next year.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = FundsRolledOver)]
pub struct Continued {
    /// How many were copied.
    #[schema(example = 1)]
    pub copied: usize,
    /// How many go on and were not copied all the same.
    #[schema(example = 0)]
    pub left_out: usize,
    /// How many were not asked to go on (`continues` is false, or `continue_funds` was).
    #[schema(example = 12)]
    pub ended: i64,
    /// The copies, by the id of the original; at most 100.
    #[schema(max_items = 100)]
    pub copies: Vec<Copied>,
    /// Those that were left out, and why; at most 100.
    #[schema(max_items = 100)]
    pub omissions: Vec<Omitted>,
}

/// A fund in the next year.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FundCopied)]
pub struct Copied {
    /// The id of the copy.
    #[schema(value_type = FundId)]
    pub id: String,
    /// The id of the fund that it continues.
    #[schema(value_type = FundId)]
    pub from: String,
    /// The unit that spends it.
    #[schema(value_type = UnitCode)]
    pub unit: String,
    /// Its name (项目名称).
    #[schema(example = "危房改造资金")]
    pub name: String,
    /// The address of the copy.
    #[schema(example = "/api/v1/special-funds/kaiyun-2020-dilapidated-housing")]
    pub link: String,
}

/// A fund that goes on and was not copied.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FundOmitted)]
pub struct Omitted {
    /// Its id.
    #[schema(value_type = FundId)]
    pub id: String,
    /// The unit that spends it.
    #[schema(value_type = UnitCode)]
    pub unit: String,
    /// Its name (项目名称).
    #[schema(example = "危房改造资金")]
    pub name: String,
    /// Why it was not copied.
    pub reason: Reason,
    /// The same in a sentence, with what to do.
    pub text: Text,
}

/// Why a fund was not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FundOmittedReason)]
pub enum Reason {
    /// The unit's years of validity do not reach into the next year.
    UnitNotValid,
    /// The id that the copy would get is taken.
    IdTaken,
    /// The id that the copy would get is too long.
    IdTooLong,
}

impl Reason {
    fn text(self, unit: &str, year: FiscalYear, id: &str) -> Text {
        match self {
            Self::UnitNotValid => Text::new(
                format!("单位{unit}在{year}年度已不存续，请由承接单位另行填报。"),
                format!("Unit {unit} is not valid in {year}; have the unit that continues it file the fund."),
            ),
            Self::IdTaken => Text::new(
                format!("编号{id}已被占用，请另选编号填报。"),
                format!("The id {id} is taken; file the fund under another one."),
            ),
            Self::IdTooLong => Text::new(
                format!("编号{id}超过64位，请另选编号填报。"),
                format!("The id {id} is longer than 64 characters; file the fund under another one."),
            ),
        }
    }
}

/// The id of a fund's copy in another year: where the fund's own year stands in its id by itself, not as a part of a longer
/// number, its last place takes the new year; where it does not, the new year is added at the end.
fn id_in(id: &str, from: FiscalYear, to: FiscalYear) -> String {
    let (from, to) = (from.to_string(), to.to_string());
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = id.as_bytes();
    let place = id.rmatch_indices(&from).map(|(at, _)| at).find(|at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !digit(before) && !digit(bytes.get(at + from.len()))
    });
    match place.and_then(|at| Some((id.get(..at)?, id.get(at + from.len()..)?))) {
        Some((before, after)) => format!("{before}{to}{after}"),
        None => format!("{id}-{to}"),
    }
}

/// Copies the funds of `from` that go on into `to`, which must be set up already; with `store` false it only tells what
/// it would do. A few statements for each 500 funds.
///
/// # Errors
/// 500 for what this program cannot read.
pub fn carry_over(tx: &mut Tx<'_>, (from, to): (FiscalYear, FiscalYear), store: bool) -> Result<Continued, Problem> {
    let mut done = Continued {
        ended: store::count_ending(tx, from)?,
        ..Continued::default()
    };
    let mut made = HashSet::new();
    let mut after = String::new();
    loop {
        let page = store::continuing(tx, from, &after, CHUNK)?;
        let Some(last) = page.last() else {
            return Ok(done);
        };
        last.row.id.clone_into(&mut after);
        let full = page.len() == CHUNK;
        let ids = page.iter().map(|fund| id_in(&fund.row.id, from, to)).collect();
        made.extend(store::taken(tx, ids)?);
        let mut rows = Vec::with_capacity(page.len());
        for fund in page {
            let id = id_in(&fund.row.id, from, to);
            let refused = match () {
                () if !fund.valid_in(to) => Some(Reason::UnitNotValid),
                () if FundId::try_from(id.clone()).is_err() => Some(Reason::IdTooLong),
                () if !made.insert(id.clone()) => Some(Reason::IdTaken),
                () => None,
            };
            match refused {
                Some(reason) => done.omit(&fund, reason, reason.text(&fund.row.unit_code, to, &id)),
                None => {
                    let copy = copy(&fund.row, id, to)?;
                    done.copy(&fund, &copy);
                    rows.push(copy);
                }
            }
        }
        if store {
            store::insert_all(tx, &rows)?;
            for row in &rows {
                tx.record(row.change(true)?)?;
            }
        }
        if !full {
            return Ok(done);
        }
    }
}

/// How many funds of a year would not go on if none was to.
///
/// # Errors
/// 500 when the database fails.
pub fn end_all(conn: &mut AnyConnection, year: FiscalYear) -> Result<Continued, Problem> {
    Ok(Continued {
        ended: store::count(conn, year)?,
        ..Continued::default()
    })
}

fn copy(fund: &Row, id: String, year: FiscalYear) -> Result<Row, Problem> {
    let at = now();
    Ok(Row {
        id,
        year: year.get(),
        body: serde_json::to_string(&fund.table()?.next_year())
            .map_err(|error| Problem::internal(error.to_string()))?,
        version: 1,
        created_at: at.clone(),
        updated_at: at,
        ..fund.clone()
    })
}

impl Continued {
    fn copy(&mut self, fund: &Continuing, copy: &Row) {
        self.copied += 1;
        if self.copies.len() < LISTED {
            self.copies.push(Copied {
                link: address(&copy.id),
                id: copy.id.clone(),
                from: fund.row.id.clone(),
                unit: copy.unit_code.clone(),
                name: copy.name.clone(),
            });
        }
    }

    fn omit(&mut self, fund: &Continuing, reason: Reason, text: Text) {
        self.left_out += 1;
        if self.omissions.len() < LISTED {
            self.omissions.push(Omitted {
                id: fund.row.id.clone(),
                unit: fund.row.unit_code.clone(),
                name: fund.row.name.clone(),
                reason,
                text,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_in_an_id_becomes_the_next_one_and_an_id_without_it_gets_it() {
        let (from, to) = (FiscalYear::try_from(2019).unwrap(), FiscalYear::try_from(2020).unwrap());
        for (id, expected) in [
            ("kaiyun-2019-housing", "kaiyun-2020-housing"),
            ("2019_housing", "2020_housing"),
            ("road2019", "road2020"),
            ("2019-plan-2019", "2019-plan-2020"),
            ("housing", "housing-2020"),
            ("road-2018", "road-2018-2020"),
            // Parts of longer numbers are no years.
            ("no20191", "no20191-2020"),
            ("12019-2019x-x", "12019-2020x-x"),
        ] {
            assert_eq!(id_in(id, from, to), expected, "{id}");
        }
    }
}
