//! A score without storing anything: to try a scheme, or to check a published table.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::Db;
use crate::fault::Fault;
use crate::http::auth::Reader;
use crate::http::body::Json;
use crate::http::problem::Problem;
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, CommonErrors};
use crate::schemes::library::Library;
use crate::schemes::model::SchemeUsed;
use crate::scoring::assessment::Assessments;
use crate::scoring::scheme::{Scheme, SchemeDocument};
use crate::scoring::score::Score;
use crate::scoring::sheet::BaseData;
use crate::scoring::special_fund::{FundTable, target_faults};
use crate::scoring::text::SchemeId;
use crate::scoring::{self, Case};

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
    pub base_data: Option<BaseData>,
    /// The assessments (评价打分依据).
    #[serde(default)]
    pub assessments: Option<Assessments>,
    /// A special fund's table, instead of `base_data` and `assessments`.
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
    let (used, scheme) = match (input.scheme, input.scheme_document) {
        (Some(id), None) => {
            let compiled = db
                .read(move |conn| match library.find(conn, &id)? {
                    Some(compiled) => Ok(compiled),
                    None => Err(Problem::invalid(vec![Fault::unknown_scheme(&id)])),
                })
                .await?;
            (SchemeUsed::from(&compiled), compiled.scheme)
        }
        (None, Some(document)) => {
            let scheme = Scheme::compile(document).map_err(|faults| {
                Problem::invalid(
                    faults
                        .into_iter()
                        .map(|fault| fault.under("/scheme_document"))
                        .collect(),
                )
            })?;
            let used = SchemeUsed {
                id: None,
                name: scheme.document.name.to_string(),
                version: None,
            };
            (used, scheme.into())
        }
        (given, _) => {
            return Err(Problem::invalid(vec![Fault::new(
                if given.is_some() { "/scheme_document" } else { "/scheme" },
                "one_of",
                "scheme（已存评分标准的编号）与scheme_document（随附的评分标准）应填且只填一项。",
                "give either `scheme`, the id of a stored one, or `scheme_document`",
            )]));
        }
    };
    let score = match input.special_fund {
        Some(_) if input.base_data.is_some() || input.assessments.is_some() => {
            return Err(Problem::invalid(vec![Fault::new(
                "/special_fund",
                "one_of",
                "special_fund不能与base_data、assessments同时填写。",
                "give either `special_fund`, or `base_data` and `assessments`",
            )]));
        }
        Some(table) => {
            refuse("/special_fund", target_faults(&table.targets, &scheme))?;
            scoring::score(&scheme, &Case::of_fund(&table))
        }
        None => {
            let assessments = input.assessments.unwrap_or_default();
            refuse("/assessments", assessments.faults(&scheme))?;
            scoring::score(
                &scheme,
                &Case::of_unit(&input.base_data.unwrap_or_default(), &assessments),
            )
        }
    };
    Ok(HttpResponse::Ok().json(PreviewScore { scheme: used, score }))
}

fn refuse(part: &str, faults: Vec<Fault>) -> Result<(), Problem> {
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Problem::invalid(
            faults.into_iter().map(|fault| fault.under(part)).collect(),
        )),
    }
}
