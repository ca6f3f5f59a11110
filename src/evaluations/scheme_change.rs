//! What another scheme would make of the drafts of a year: looked at before the scheme is put into force.

use std::collections::HashMap;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::handlers::named;
use super::parts;
use super::store::{self, FiledRow};
use super::workflow::State;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::Db;
use crate::http::auth::Bureau;
use crate::http::page::{Limit, Page};
use crate::http::path::Path;
use crate::http::problem::{At, Problem};
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::{CommonErrors, UnfitParameter};
use crate::schemes::library::{Compiled, Library};
use crate::schemes::model::SchemeUsed;
use crate::scoring::Case;
use crate::scoring::score::{GradeGiven, Range, Score};
use crate::scoring::text::SchemeId;
use crate::scoring::values::exact;
use crate::telemetry::timeline;

/// Adds the route of the dry run.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/{year}/scheme-change").get(get));
}

/// Which scheme to try, and which page of the drafts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SchemeChangeQuery {
    /// The scheme that might be put into force.
    #[serde(default, deserialize_with = "given")]
    #[param(required = true)]
    scheme: Option<SchemeId>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: the code of its last unit.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<UnitCode>,
}

/// What a change of a year's scheme would make of its drafts.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemeChange {
    /// The fiscal year.
    pub year: FiscalYear,
    /// The scheme in force.
    pub before: SchemeUsed,
    /// The scheme that might be put into force.
    pub after: SchemeUsed,
    /// Evaluations of the year that would be scored by it: drafts and returned ones.
    #[schema(example = 12)]
    pub drafts: i64,
    /// Evaluations of the year that are submitted and keep the scheme that they were submitted by.
    #[schema(example = 18)]
    pub submitted: i64,
    /// How many of the items of this page there are of each kind.
    pub page: PageCounts,
    /// The drafts of this page, by the code of the unit.
    pub items: Vec<DraftChange>,
    /// What to send as `cursor` for the next page; `null` on the last.
    #[schema(example = json!(null))]
    pub next_cursor: Option<String>,
    /// Where the two schemes are compared.
    pub links: Links,
}

/// How many drafts of a page there are of each kind.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = SchemeChangePageCounts)]
pub struct PageCounts {
    /// Those whose total would be more.
    pub better: usize,
    /// Those whose total would be less.
    pub worse: usize,
    /// Those whose total, or what it can be, would be the same.
    pub same: usize,
    /// Those of which it cannot be said yet, since figures are missing.
    pub undecided: usize,
    /// Those whose assessments do not all fit the scheme.
    pub misfits: usize,
}

/// Where the two schemes are compared.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SchemeChangeLinks)]
pub struct Links {
    /// The differences between the two schemes.
    #[schema(example = "/api/v1/scoring-schemes/hengshan-2020/diff?against=hunan-2019")]
    pub diff: String,
}

/// What would become of one draft.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftChange {
    /// The unit.
    #[schema(value_type = UnitCode)]
    pub unit: String,
    /// Its name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// The state of its evaluation: `draft` or `returned`.
    #[schema(value_type = State, example = "draft")]
    pub state: String,
    /// By the scheme in force.
    pub before: Outcome,
    /// By the other one.
    pub after: Outcome,
    /// The total after less the total before, in points; `null` unless both are known.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "-1.5")]
    pub difference: Option<Decimal>,
    /// Whether it would be better or worse.
    pub effect: Effect,
    /// What in its assessments the other scheme does not know or cannot read: it stays stored, counts for nothing, and is
    /// to be corrected. Pointers are in the assessments.
    pub misfits: Vec<At>,
    /// The evaluation.
    #[schema(example = "/api/v1/units/219001/evaluations/2019")]
    pub link: String,
}

/// A score by one of the two schemes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SchemeChangeOutcome)]
pub struct Outcome {
    /// The total; `null` while a figure is missing.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "92.5")]
    pub total: Option<Decimal>,
    /// What the total can still be.
    pub interval: Range,
    /// The grade (等级); `null` while it is open.
    pub grade: Option<GradeGiven>,
}

impl From<Score> for Outcome {
    fn from(score: Score) -> Self {
        Self {
            total: score.total,
            interval: score.interval,
            grade: score.grade,
        }
    }
}

/// What a change of scheme would do to a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SchemeChangeEffect)]
pub enum Effect {
    /// It would be more.
    Better,
    /// It would be less.
    Worse,
    /// It, or what it can still be, would be the same.
    Same,
    /// It cannot be said yet.
    Undecided,
}

impl Effect {
    fn of(before: &Outcome, after: &Outcome) -> Self {
        match (before.total, after.total) {
            (Some(before), Some(after)) if after > before => Self::Better,
            (Some(before), Some(after)) if after < before => Self::Worse,
            (Some(_), Some(_)) => Self::Same,
            (None, None) if before.interval == after.interval => Self::Same,
            _ => Self::Undecided,
        }
    }
}

/// Try another scheme on a year
///
/// What would become of each draft if the scheme were put into force for the year: total, interval and grade before and
/// after, and what in the assessments no longer fits. Nothing is changed; to change it, PATCH the fiscal year's `scheme`.
/// What is submitted keeps the scheme that it was submitted by, until it is returned. Only for the finance bureau.
#[utoipa::path(
    get,
    path = "/api/v1/fiscal-years/{year}/scheme-change",
    operation_id = "try_scheme_change",
    tag = "fiscal-years",
    security(("token" = ["configure"])),
    params(("year" = FiscalYear, Path, description = "The fiscal year"), SchemeChangeQuery),
    responses((status = 200, description = "A page of the year's drafts, by unit", body = SchemeChange,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors, UnfitParameter),
)]
pub async fn get(
    _: Bureau,
    Path(year): Path<FiscalYear>,
    Query(query): Query<SchemeChangeQuery>,
    db: Data<Db>,
    library: Data<Library>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = query.scheme.ok_or_else(|| Problem::missing_parameter("scheme"))?;
    let limit = query.limit.unwrap_or_default();
    let (head, page) = db
        .scan(move |conn| {
            let (in_force, edition) = store::scheme_of(conn, year)?.ok_or_else(|| Problem::no_year(year))?;
            let in_force = SchemeId::try_from(in_force).map_err(Problem::internal)?;
            let before = library.in_force(conn, &in_force, edition)?;
            let after = named(conn, &library, "scheme", &id)?;
            let begin = query.cursor.as_ref().map_or("", UnitCode::as_str);
            let rows = store::filed(conn, (year, &[]), true, begin, limit.and_one())?;
            let units: Vec<&str> = rows.iter().map(|row| row.unit.as_str()).collect();
            let priors = store::prior_sheets(conn, &units, year.get() - 1)?;
            let changes = rows
                .into_iter()
                .map(|row| change(row, year, (&before, &after), &priors))
                .collect::<Result<Vec<_>, _>>()?;
            let (drafts, submitted) = store::count_by_whether_draft(conn, year)?;
            let head = SchemeChange {
                year,
                before: SchemeUsed::from(&before),
                after: SchemeUsed::from(&after),
                drafts,
                submitted,
                page: PageCounts::default(),
                items: Vec::new(),
                next_cursor: None,
                links: Links {
                    diff: format!("/api/v1/scoring-schemes/{id}/diff?against={in_force}"),
                },
            };
            Ok((
                head,
                Page::new(changes, limit, |change: &DraftChange| &change.unit, |change| change),
            ))
        })
        .await?;
    let mut response = page.begin(&request);
    Ok(response.json(SchemeChange {
        page: PageCounts::of(&page.items),
        items: page.items,
        next_cursor: page.next_cursor,
        ..head
    }))
}

impl PageCounts {
    fn of(items: &[DraftChange]) -> Self {
        let count = |effect| items.iter().filter(|item| item.effect == effect).count();
        Self {
            better: count(Effect::Better),
            worse: count(Effect::Worse),
            same: count(Effect::Same),
            undecided: count(Effect::Undecided),
            misfits: items.iter().filter(|item| !item.misfits.is_empty()).count(),
        }
    }
}

fn change(
    row: FiledRow,
    year: FiscalYear,
    (before, after): (&Compiled, &Compiled),
    priors: &HashMap<String, String>,
) -> Result<DraftChange, Problem> {
    let (sheet, assessments) = parts::figures(&row, priors.get(&row.unit))?;
    let outcome = |by: &Compiled| Outcome::from(timeline::score(&by.scheme, &Case::of_year(&sheet, &assessments)));
    let misfits = assessments.faults(&after.scheme).into_iter().map(At::from).collect();
    let (before, after) = (outcome(before), outcome(after));
    Ok(DraftChange {
        difference: before.total.zip(after.total).map(|(before, after)| after - before),
        effect: Effect::of(&before, &after),
        before,
        after,
        misfits,
        link: format!("/api/v1/units/{}/evaluations/{year}", row.unit),
        unit: row.unit,
        unit_name: row.unit_name,
        state: row.state,
    })
}
