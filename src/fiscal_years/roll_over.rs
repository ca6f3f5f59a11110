//! The roll-over (年度结转): opens the next year from the last, with the scheme, the report template and the funds that go on.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::handlers::{self, judge, require};
use super::model::{FiscalYearInput, YearStatus};
use super::store;
use crate::codes::{Date, FiscalYear};
use crate::db::{Db, Tx};
use crate::documents;
use crate::fault::Text;
use crate::http::auth::Bureau;
use crate::http::body::Json;
use crate::http::path::Path;
use crate::http::problem::{At, Problem};
use crate::http::query::{Flag, Query, given};
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::idempotency::answer::Answer;
use crate::idempotency::once::Once;
use crate::scoring::text::{Label, SchemeId};
use crate::special_funds::continuing::{self, Continued};

/// Adds the route of the roll-over.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/{year}/roll-over").post(post));
}

/// How the next year is opened.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollOverInput {
    /// The scoring scheme of the next year (评分标准). Left out, the one of the last.
    #[serde(default)]
    pub scheme: Option<SchemeId>,
    /// The number of the finance bureau's notice (文号).
    #[serde(default)]
    pub notice_number: Option<Label>,
    /// The first day on which units file.
    #[serde(default)]
    pub opens_on: Option<Date>,
    /// The last day on which units file.
    #[serde(default)]
    pub closes_on: Option<Date>,
    /// Whether the funds that go on (`continues`) are opened in the next year.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub continue_funds: bool,
}

fn yes() -> bool {
    true
}

/// Whether to try only.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RollOverQuery {
    /// True: only tell what would be made, and store nothing.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    dry_run: Option<Flag>,
}

/// What a roll-over made, or would make.
#[derive(Debug, Serialize, ToSchema)]
pub struct RollOver {
    /// True when nothing was stored.
    #[schema(example = false)]
    pub dry_run: bool,
    /// The year that it was opened from.
    pub from: FiscalYear,
    /// The year that was opened.
    #[schema(example = 2020)]
    pub year: FiscalYear,
    /// How it is set up.
    pub settings: FiscalYearInput,
    /// How many units may file for it: those that are valid in it.
    #[schema(example = 30)]
    pub units: i64,
    /// Whether the last year's own report template (自评报告模板) is the next year's too; false where the last year's reports are
    /// written by the built-in one, and so the next year's are.
    #[schema(example = false)]
    pub report_template: bool,
    /// What became of the special funds.
    pub special_funds: Continued,
    /// What needs no copy, and what is to be done next.
    pub notes: Vec<Text>,
    /// Where things are.
    pub links: Links,
}

/// Where the things of an opened year are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RollOverLinks)]
pub struct Links {
    /// The year that was opened.
    #[schema(example = "/api/v1/fiscal-years/2020")]
    pub fiscal_year: String,
    /// Its special funds.
    #[schema(example = "/api/v1/special-funds?year=2020")]
    pub special_funds: String,
    /// A unit's sheet with last year's columns filled; `{code}` stands for the unit's code.
    #[schema(example = "/api/v1/units/{code}/evaluations/2020/base-data/prefilled")]
    pub prefilled: String,
}

/// Open the next year from this one
///
/// In one step: the year itself, under the same scheme unless another is named, the county's own report template if it has one,
/// and the special funds that go on (`continues`). Such a fund is copied as a plan: goal and targets, without what was reached, and without any amount, since
/// last year's budget is not this year's; go over it. Its id is the old one with the year in it replaced (`kaiyun-2019-housing` becomes
/// `kaiyun-2020-housing`), or with the new year added at the end. Last year's columns of the sheets are not copied: what a
/// sheet leaves out of them is taken from last year's. Refused when the next year is set up already. With `?dry_run=true`
/// nothing is stored. Only for the finance bureau.
#[utoipa::path(
    post,
    path = "/api/v1/fiscal-years/{year}/roll-over",
    operation_id = "roll_over_fiscal_year",
    tag = "fiscal-years",
    security(("token" = ["configure"])),
    params(("year" = FiscalYear, Path, description = "The year to open the next one from"), RollOverQuery, Once),
    request_body(content = RollOverInput,
        example = json!({"notice_number": "山财绩〔2021〕15号", "opens_on": "2021-03-01", "closes_on": "2021-06-30"})),
    responses((status = 201, description = "The next year was opened", body = RollOver,
            headers(("Location" = String, description = "The address of the next year"))),
        (status = 200, description = "What would be made (`dry_run`)", body = RollOver),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn post(
    Bureau(principal): Bureau,
    Path(year): Path<FiscalYear>,
    Query(query): Query<RollOverQuery>,
    once: Once,
    Json(input): Json<RollOverInput>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    if query.dry_run.is_some_and(bool::from) {
        let would = db
            .scan(move |conn| roll_over(&mut Tx::trial(conn), year, &input, false))
            .await?;
        return Ok(HttpResponse::Ok().json(would));
    }
    once.write(&db, principal.origin(), move |tx| {
        let made = roll_over(tx, year, &input, true)?;
        Answer::created(made.links.fiscal_year.as_str(), &made)
    })
    .await
}

fn roll_over(tx: &mut Tx<'_>, from: FiscalYear, input: &RollOverInput, store: bool) -> Result<RollOver, Problem> {
    let last = FiscalYearInput::try_from(&require(tx, from)?).map_err(Problem::internal)?;
    let year = FiscalYear::try_from(from.get() + 1).map_err(|message| {
        Problem::unfit_parameters(vec![At::parameter("year", "out_of_range", Text::from_joined(&message))])
    })?;
    if store::find(tx, year)?.is_some() {
        return Err(Problem::already_exists(
            format!("{year}年度已设置，不能再由{from}年度结转。"),
            format!("Fiscal year {year} is set up already and is not opened from {from} again."),
        ));
    }
    let settings = FiscalYearInput {
        scheme: input.scheme.clone().unwrap_or(last.scheme),
        notice_number: input.notice_number.clone(),
        opens_on: input.opens_on,
        closes_on: input.closes_on,
        status: YearStatus::Open,
    };
    judge(tx, &settings)?;
    if store {
        handlers::store(tx, year, None, &settings)?;
    }
    let report_template = documents::handlers::carry_over(tx, (from, year), store)?;
    let special_funds = match input.continue_funds {
        true => continuing::carry_over(tx, (from, year), store)?,
        false => continuing::end_all(tx, from)?,
    };
    Ok(RollOver {
        dry_run: !store,
        from,
        year,
        settings,
        units: store::units_valid_in(tx, year)?,
        notes: notes(from, year, report_template, &special_funds),
        report_template,
        special_funds,
        links: Links {
            fiscal_year: format!("/api/v1/fiscal-years/{year}"),
            special_funds: format!("/api/v1/special-funds?year={year}"),
            prefilled: format!("/api/v1/units/{{code}}/evaluations/{year}/base-data/prefilled"),
        },
    })
}

fn notes(from: FiscalYear, year: FiscalYear, template: bool, funds: &Continued) -> Vec<Text> {
    let mut notes = vec![Text::new(
        format!("{year}年度基础数据表的上年数无需结转：未填的，默认取自{from}年度已填报的基础数据表。"),
        format!(
            "Last year's columns need no copy: what a sheet of {year} leaves out of them is taken from that of {from}."
        ),
    )];
    if template {
        notes.push(Text::new(
            format!("自评报告模板沿用{from}年度本地模板，其中写明年度、文号的，请核对修改。"),
            format!("Reports of {year} are written by the own template of {from}; go over it where it names a year or a notice."),
        ));
    }
    if funds.copied > 0 {
        notes.push(Text::new(
            format!(
                "结转的专项资金沿用{from}年度的绩效目标，资金金额未结转，请各单位按{year}年度实际核对目标并填报年初预算数。"
            ),
            format!(
                "The funds that go on have the targets of {from} and no amounts; have the units go over the targets and \
                 fill in the budgets of {year}."
            ),
        ));
    }
    if funds.left_out > 0 {
        notes.push(Text::new(
            format!("有{}项跨年度专项资金未能结转，原因见omissions。", funds.left_out),
            format!(
                "{} funds that go on were not copied; `omissions` says why.",
                funds.left_out
            ),
        ));
    }
    notes
}
