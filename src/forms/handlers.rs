//! The addresses of the forms to fill in.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{self, Data, ServiceConfig};
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::{Subject, base_data_to_fill_in, funds_to_fill_in};
use crate::codes::{FiscalYear, UnitCode};
use crate::db::Db;
use crate::evaluations::parts;
use crate::fault::Text;
use crate::http::auth::Reader;
use crate::http::download;
use crate::http::etag::{ETag, Preconditions};
use crate::http::path::{Path, PathParam};
use crate::http::problem::Problem;
use crate::http::query::{Flag, Query, given};
use crate::http::resource::resource;
use crate::http::responses::CommonErrors;
use crate::imports::file::Format;
use crate::imports::handlers::File as FileSchema;
use crate::special_funds;

/// Adds the route of the forms of a unit's year, below `/api/v1/units`.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/{code}/evaluations/{year}/forms/{form}").get(get));
}

/// A form that units fill in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormName {
    /// 附件2
    BaseData,
    /// 附件3
    SpecialFunds,
}

impl FormName {
    const ALL: [(Self, &'static str, &'static str); 2] = [
        (Self::BaseData, "base-data", "基础数据表"),
        (Self::SpecialFunds, "special-funds", "专项资金绩效目标自评表"),
    ];

    /// Its word in addresses, and its name in Chinese.
    fn names(self) -> (&'static str, &'static str) {
        let entry = Self::ALL.into_iter().find(|(form, ..)| *form == self);
        entry.map_or(("", ""), |(_, word, zh)| (word, zh))
    }
}

impl PathParam for FormName {
    const NAME: &'static str = "form";

    fn parse(text: &str) -> Result<Self, Text> {
        let known = Self::ALL.into_iter().find(|(_, word, _)| *word == text);
        known.map(|(form, ..)| form).ok_or_else(|| {
            let words = Self::ALL.map(|(_, word, _)| word);
            Text::new(
                format!("取值应为{}之一。", words.join("、")),
                format!("expected one of {}", words.join(", ")),
            )
        })
    }
}

impl PartialSchema for FormName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .enum_values(Some(Self::ALL.map(|(_, word, _)| word)))
            .into()
    }
}

impl ToSchema for FormName {}

/// What is to stand in a form already.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FormQuery {
    /// True (the default): what is filed already; of a base data sheet before it is filed, last year's columns from the sheet
    /// of the year before. False: nothing but unit and year.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    prefill: Option<Flag>,
}

/// Get a form to fill in
///
/// 附件2 (`base-data`) or 附件3 (`special-funds`, a sheet for each fund; copy one for another fund) as an Excel workbook for the
/// unit and year: with drop-down lists, checks of what is put in, units, and formulas that are locked (without a password). Filled
/// in, it is sent to `POST /api/v1/imports?resource=base_data` or `…=special_funds` as it is; a workbook with forms of
/// several units or funds too.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/forms/{form}",
    operation_id = "get_form",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"),
        ("form" = inline(FormName), Path, description = "Which form", example = "base-data"), FormQuery),
    responses(
        (status = 200, description = "The workbook",
            content((inline(FileSchema) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")),
            headers(("ETag" = String, description = "Of its bytes"),
                ("Content-Disposition" = String, description = "A name for the file"))),
        (status = 304, description = "It is what `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    Reader(principal): Reader,
    Path((unit, year, form)): Path<(UnitCode, FiscalYear, FormName)>,
    Query(query): Query<FormQuery>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let prefill = query.prefill.is_none_or(bool::from);
    let code = unit.clone();
    let (name, filed, funds) = db
        .scan(move |conn| {
            let (name, sheets) = parts::sheets(conn, &principal, &code, year)?;
            let funds = match form {
                FormName::SpecialFunds if prefill => special_funds::handlers::of_year(conn, &code, year)?,
                _ => Vec::new(),
            };
            Ok((name, sheets, funds))
        })
        .await?;
    let (word, zh) = form.names();
    let files = [
        format!("{word}-{unit}-{year}.xlsx"),
        format!("{name}{year}年度{zh}.xlsx"),
    ];
    let built = web::block(move || {
        let subject = Subject {
            unit: unit.as_str(),
            unit_name: &name,
            year: year.get(),
        };
        match form {
            FormName::BaseData => {
                let [own, prior] = filed.each_ref().map(|sheet| sheet.as_ref().filter(|_| prefill));
                base_data_to_fill_in(&subject, own, prior)
            }
            FormName::SpecialFunds => funds_to_fill_in(&subject, &funds),
        }
    });
    let book = built
        .await
        .map_err(|error| Problem::internal(error.to_string()))?
        .map_err(|error| Problem::internal(format!("a form cannot be written: {error}")))?;
    let tag = ETag::weak(&book);
    preconditions.answer(&tag, |mut response| {
        Ok(response
            .insert_header((CONTENT_TYPE, Format::Xlsx.media_type()))
            // It is compressed already.
            .insert_header((CONTENT_ENCODING, "identity"))
            .insert_header(download::attachment(&files[0], &files[1]))
            .body(book))
    })
}
