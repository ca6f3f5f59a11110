//! A score without storing anything: to try a scheme, or to check a published table.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::Db;
use crate::fault::Fault;
use crate::http::accept::score_json;
use crate::http::auth::Reader;
use crate::http::body::Json;
use crate::http::problem::Problem;
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, CommonErrors};
use crate::schemes::library::{Compiled, Library};
use crate::schemes::model::SchemeUsed;
use crate::scoring::Case;
use crate::scoring::assessment::Assessments;
use crate::scoring::prior::YearSheet;
use crate::scoring::scheme::{Scheme, SchemeDocument};
use crate::scoring::score::Score;
use crate::scoring::sheet::BaseData;
use crate::scoring::special_fund::{FundTable, target_faults};
use crate::scoring::text::SchemeId;
use crate::telemetry::timeline;

/// Adds the route.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/api/v1/scores:preview").post(post));
}

/// What is to be scored: a scheme, and either a unit's year or a special fund's table.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewInput {
    /// The id of a stored scheme. Either this or `scheme_document`.
    #[serde(default)]
    pub scheme: Option<SchemeId>,
    /// A scheme sent along, to try one out.
    #[serde(default)]
    pub scheme_document: Option<SchemeDocument>,
    /// The base data sheet (基础数据表).
    #[serde(default)]
    pub base_data: Option<Box<BaseData>>,
    /// The base data sheet of the year before: last year's columns that `base_data` leaves out are taken from it.
    #[serde(default)]
    pub prior_base_data: Option<Box<BaseData>>,
    /// The assessments (评价打分依据).
    #[serde(default)]
    pub assessments: Option<Assessments>,
    /// A special fund's table, instead of the two sheets and `assessments`.
    #[serde(default)]
    pub special_fund: Option<FundTable>,
}

/// The score of a preview.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewScore {
    /// The scheme that it was computed by.
    pub scheme: SchemeUsed,
    /// The score itself.
    #[serde(flatten)]
    pub score: Score,
}

/// Score without storing
///
/// The same score that the figures would get if they were filed. Nothing is stored, and no unit or fiscal year is needed.
#[utoipa::path(
    post,
    path = "/api/v1/scores:preview",
    operation_id = "preview_score",
    tag = "scores",
    security(("token" = ["read"])),
    request_body(content = PreviewInput, example = json!({
        "scheme": "hunan-2019",
        "base_data": {"staff": {"posts": 171, "in_post": 104}},
        "assessments": {"indicators": {"fund_compliance": {"incidents": 0}}}
    })),
    responses((status = 200, description = "The score", body = PreviewScore), CommonErrors, BodyErrors),
)]
pub async fn post(
    _: Reader,
    Json(input): Json<PreviewInput>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let mut faults = Vec::new();
    let of_unit = input.base_data.is_some() || input.prior_base_data.is_some() || input.assessments.is_some();
    if input.special_fund.is_some() && of_unit {
        faults.push(Fault::new(
            "/special_fund",
            "one_of",
            "special_fund不能与base_data、prior_base_data、assessments同时填写。",
            "give either `special_fund`, or `base_data`, `prior_base_data` and `assessments`",
        ));
    }
    let assessments = input.assessments.unwrap_or_default();
    let found = match (input.scheme, input.scheme_document) {
        (Some(id), None) => stored(id, &db, library).await?,
        (None, Some(document)) => sent_along(document),
        (given, _) => Err(vec![Fault::new(
            if given.is_some() { "/scheme_document" } else { "/scheme" },
            "one_of",
            "scheme（已存评分标准的编号）与scheme_document（随附的评分标准）应填且只填一项。",
            "give either `scheme`, the id of a stored one, or `scheme_document`",
        )]),
    };
    let (used, scheme) = match found {
        Ok(found) => found,
        Err(of_scheme) => {
            faults.extend(of_scheme);
            return Err(Problem::invalid(faults));
        }
    };
    if let Some(table) = &input.special_fund {
        faults.extend(under("/special_fund", target_faults(&table.targets, &scheme)));
    }
    faults.extend(under("/assessments", assessments.faults(&scheme)));
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let score = match &input.special_fund {
        Some(table) => timeline::score(&scheme, &Case::of_fund(table)),
        None => {
            let sheet = YearSheet::new(*input.base_data.unwrap_or_default(), input.prior_base_data.as_deref());
            timeline::score(&scheme, &Case::of_year(&sheet, &assessments))
        }
    };
    let body = score_json(&PreviewScore { scheme: used, score })?;
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

/// A scheme to score by, or what is wrong with the one that was asked for.
pub(crate) type Found = Result<(SchemeUsed, Arc<Scheme>), Vec<Fault>>;

/// A stored scheme.
pub(crate) async fn stored(id: SchemeId, db: &Db, library: Data<Library>) -> Result<Found, Problem> {
    let used = |compiled: Compiled| (SchemeUsed::from(&compiled), compiled.scheme);
    if let Some(compiled) = library.builtin(&id) {
        return Ok(Ok(used(compiled)));
    }
    db.read(move |conn| {
        let found = library.find(conn, &id)?;
        Ok(found.map(used).map_err(|unfit| vec![unfit.fault(&id)]))
    })
    .await
}

/// A scheme that was sent along at `/scheme_document`.
pub(crate) fn sent_along(document: SchemeDocument) -> Found {
    let used = SchemeUsed {
        id: None,
        name: document.name.to_string(),
        version: None,
    };
    match Scheme::compile(document) {
        Ok(scheme) => Ok((used, Arc::new(scheme))),
        Err(faults) => Err(under("/scheme_document", faults).collect()),
    }
}

/// Faults of a part, seen from the whole.
pub(crate) fn under(part: &str, faults: Vec<Fault>) -> impl Iterator<Item = Fault> {
    faults.into_iter().map(move |fault| fault.under(part))
}
