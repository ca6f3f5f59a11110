//! The addresses of the forms to fill in.

use std::io;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use futures_util::{Stream, stream};
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::archive::Archive;
use super::{Schemes, Subject, add_schemes, base_data_to_fill_in, funds_to_fill_in};
use crate::codes::{FiscalYear, UnitCode};
use crate::db::changes::Head;
use crate::db::{AnyConnection, Db};
use crate::evaluations::submissions::SubmissionDocument;
use crate::evaluations::yearly::Yearly;
use crate::evaluations::{parts, store};
use crate::fault::Text;
use crate::http::auth::Reader;
use crate::http::download;
use crate::http::etag::{ETag, Preconditions};
use crate::http::middleware::current_request;
use crate::http::path::{Path, PathParam};
use crate::http::problem::Problem;
use crate::http::query::{Flag, Query, given};
use crate::http::resource::resource;
use crate::http::responses::CommonErrors;
use crate::imports::file::Format;
use crate::imports::handlers::File as FileSchema;
use crate::schemes::library::Library;
use crate::special_funds;
use crate::units::handlers::bounds;

/// Adds the route of the forms of a unit's year, below `/api/v1/units/{code}/evaluations/{year}`.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/forms/{form}").get(get));
}

/// Adds the route of the forms of a year, below `/api/v1/fiscal-years`.
pub fn year_routes(config: &mut ServiceConfig) {
    config.service(resource("/{year}/forms").get(get_archive));
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
/// unit and year: with drop-down lists, checks of what is put in, units, and formulas; rates and points are locked (without a
/// password), totals and changes are worked out unless they are put in. Filled in, it is sent as it is to
/// `POST /api/v1/imports?resource=base_data` or `…=special_funds`; a workbook with forms of several units or funds too.
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

/// Which units' forms.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ArchiveQuery {
    /// Only those of this unit and of all below it, on any level.
    #[serde(default, deserialize_with = "given")]
    unit: Option<UnitCode>,
}

/// Get the forms of all units
///
/// A ZIP archive with a workbook for each unit that filed something for the year: 附件1, 附件2 and a 附件3 for each special fund, as
/// `…/report` with `format=xlsx` gives it. A unit's token gets its own units and those below them; the bureau and auditors get
/// all. The tag is that of the last change of any data. It is written while it is sent: what is changed meanwhile may be in it or not. If the server fails on the way, the
/// connection is cut.
#[utoipa::path(
    get,
    path = "/api/v1/fiscal-years/{year}/forms",
    operation_id = "get_forms",
    tag = "fiscal-years",
    security(("token" = ["read"])),
    params(("year" = FiscalYear, Path, description = "The fiscal year"), ArchiveQuery),
    responses(
        (status = 200, description = "The archive",
            content((inline(FileSchema) = "application/zip")),
            headers(("ETag" = String, description = "The last change of any data"),
                ("Content-Disposition" = String, description = "A name for the file"))),
        (status = 304, description = "Nothing has changed since `If-None-Match`"),
        CommonErrors),
)]
pub async fn get_archive(
    Reader(principal): Reader,
    Path(year): Path<FiscalYear>,
    Query(query): Query<ArchiveQuery>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let unit = query.unit.clone();
    let (within, last) = db
        .read(move |conn| {
            store::scheme_of(conn, year)?.ok_or_else(|| Problem::no_year(year))?;
            Ok((bounds(conn, &principal, unit.as_ref())?, Head::load(conn)?))
        })
        .await?;
    let tag = ETag::of_all(&last, ("forms", year, &within));
    if preconditions.knows(&tag) {
        return Ok(tag.stamp(HttpResponse::NotModified()).finish());
    }
    // Read before the answer begins, so that most of what can fail is still answered with a problem.
    let first = db
        .scan({
            let library = library.clone();
            move |conn| Piece::read(Yearly::new(year, within), Schemes::default(), conn, &library)
        })
        .await?;
    let unit = query.unit.map(|unit| format!("-{unit}")).unwrap_or_default();
    Ok(tag
        .stamp(HttpResponse::Ok())
        .insert_header((CONTENT_TYPE, "application/zip"))
        // What is in it is compressed already.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(download::attachment(
            &format!("forms{unit}-{year}.zip"),
            &format!("{year}年度绩效自评表{unit}.zip"),
        ))
        .streaming(pieces(db, library, first)))
}

/// Documents that were read, what is still to be read, and the schemes so far.
struct Piece {
    documents: Vec<SubmissionDocument>,
    rest: Yearly,
    schemes: Schemes,
}

impl Piece {
    /// Reads the next documents.
    fn read(
        mut rest: Yearly,
        mut schemes: Schemes,
        conn: &mut AnyConnection,
        library: &Library,
    ) -> Result<Self, Problem> {
        let documents = conn.snapshot(|conn| {
            let documents = rest.next(conn, library)?;
            for document in &documents {
                add_schemes(conn, library, document, &mut schemes)?;
            }
            Ok::<_, Problem>(documents)
        })?;
        Ok(Self {
            documents,
            rest,
            schemes,
        })
    }
}

/// The archive, piece after piece, each read and written when the client has taken the one before.
fn pieces(db: Data<Db>, library: Data<Library>, first: Piece) -> impl Stream<Item = io::Result<Bytes>> {
    let (request_id, _) = current_request();
    stream::try_unfold(Some((Archive::default(), first)), move |state| {
        let (db, library, request_id) = (db.clone(), library.clone(), request_id.clone());
        async move {
            let Some((archive, piece)) = state else {
                return Ok(None);
            };
            let next = next(&db, library, archive, piece).await.map_err(|problem| {
                tracing::error!(request_id, %problem, "an archive of forms was cut off");
                io::Error::other(problem.to_string())
            })?;
            Ok(Some(next))
        }
    })
}

/// What a piece is as a part of the archive, and what comes after it.
async fn next(
    db: &Db,
    library: Data<Library>,
    mut archive: Archive,
    piece: Piece,
) -> Result<(Bytes, Option<(Archive, Piece)>), Problem> {
    let Piece {
        documents,
        rest,
        schemes,
    } = piece;
    let written = web::block(move || match documents.is_empty() {
        true => Ok((archive.finish()?, None)),
        false => Ok((archive.add(&documents, &schemes)?, Some((archive, schemes)))),
    });
    let (bytes, more) = written
        .await
        .unwrap_or_else(|error| Err(Problem::internal(error.to_string())))?;
    let more = match more {
        None => None,
        Some((archive, schemes)) => {
            let piece = db.scan(move |conn| Piece::read(rest, schemes, conn, &library)).await?;
            Some((archive, piece))
        }
    };
    Ok((bytes.into(), more))
}
