//! The address of the exports.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ContentDisposition, VARY};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{Stream, stream};
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::rows::Rows;
use super::text::Form;
use super::xlsx::Sheet;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::Db;
use crate::db::changes::Head;
use crate::fault::Text;
use crate::fiscal_years;
use crate::http::accept::preferred;
use crate::http::auth::Reader;
use crate::http::contract::Contract;
use crate::http::download::attachment;
use crate::http::etag::{ETag, Preconditions};
use crate::http::middleware::current_request;
use crate::http::path::{Path, PathParam};
use crate::http::problem::Problem;
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::CommonErrors;
use crate::imports::file::Format;
use crate::imports::handlers::File as FileSchema;
use crate::imports::model::Resource;
use crate::imports::read::columns::Column;
use crate::imports::run::columns_of;
use crate::units::handlers::bounds;

/// Adds the route of the exports.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/{resource}").get(get));
}

/// What is exported, as addresses have it: with hyphens.
#[derive(Debug, Clone, Copy)]
pub struct Exported(Resource);

impl Exported {
    const ALL: [(Resource, &'static str, &'static str); 4] = [
        (Resource::Units, "units", "预算单位"),
        (Resource::BaseData, "base-data", "基础数据表"),
        (Resource::SpecialFunds, "special-funds", "专项资金"),
        (Resource::Assessments, "assessments", "评价打分依据"),
    ];

    /// Its word in addresses, and its name in Chinese.
    fn names(self) -> (&'static str, &'static str) {
        let entry = Self::ALL.into_iter().find(|(resource, ..)| *resource == self.0);
        entry.map_or(("", ""), |(_, word, zh)| (word, zh))
    }
}

impl PathParam for Exported {
    const NAME: &'static str = "resource";

    fn parse(text: &str) -> Result<Self, Text> {
        let known = Self::ALL.into_iter().find(|(_, word, _)| *word == text);
        known.map(|(resource, ..)| Self(resource)).ok_or_else(|| {
            let words = Self::ALL.map(|(_, word, _)| word);
            Text::new(
                format!("取值应为{}之一。", words.join("、")),
                format!("expected one of {}", words.join(", ")),
            )
        })
    }
}

impl PartialSchema for Exported {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .enum_values(Some(Self::ALL.map(|(_, word, _)| word)))
            .into()
    }
}

impl ToSchema for Exported {}

/// Which rows to export.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// Only this unit and all below it, on any level, or what they filed.
    #[serde(default, deserialize_with = "given")]
    unit: Option<UnitCode>,
    /// Only what is filed for this fiscal year; of units, those that file for it.
    #[serde(default, deserialize_with = "given")]
    year: Option<FiscalYear>,
}

/// Export many rows as a file
///
/// NDJSON (one JSON object a line; the default), CSV or XLSX, by `Accept`. Rows and columns are those that `POST /api/v1/imports`
/// takes: what is exported imports again unchanged, also into an empty service (units first). Units come after the units above
/// them and those that they continue. A unit's token gets its own units and those below them; the bureau and auditors get all.
///
/// CSV is UTF-8 with a byte order mark, and no text in it begins a formula: one that would has an apostrophe before it, which
/// imports take off again. A spreadsheet that opens CSV may take codes for numbers; in XLSX they are texts. XLSX holds 1,048,575
/// rows and 32,767 characters in a cell; what has more is refused (406). A group in which nothing is given (`"staff": {}`) is in a
/// table as if it were left out, which says the same.
///
/// The tag is that of the last change of any data. Rows are read while they are sent: what is changed meanwhile may be in the
/// file or not. A file is of one moment if a HEAD request after it has the same tag. If the server fails on the way, the
/// connection is cut.
#[utoipa::path(
    get,
    path = "/api/v1/exports/{resource}",
    operation_id = "export_rows",
    tag = "exports",
    security(("token" = ["read"])),
    params(("resource" = inline(Exported), Path, description = "What to export", example = "units"), ExportQuery),
    responses(
        (status = 200, description = "The file",
            content(
                (inline(FileSchema) = "application/x-ndjson", example = "{\"code\":\"219001\",\"name\":\"衡山县开云镇人民政府\",\"kind\":\"town\"}\n"),
                (inline(FileSchema) = "text/csv"),
                (inline(FileSchema) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ),
            headers(("ETag" = String, description = "The last change of any data"),
                ("Content-Disposition" = String, description = "A name for the file"))),
        (status = 304, description = "Nothing has changed since `If-None-Match`"),
        CommonErrors),
)]
pub async fn get(
    Reader(principal): Reader,
    Path(exported): Path<Exported>,
    Query(query): Query<ExportQuery>,
    preconditions: Preconditions,
    request: HttpRequest,
    db: Data<Db>,
    contract: Data<Contract>,
) -> Result<HttpResponse, Problem> {
    let format = Format::ALL[preferred(&request, &Format::ALL.map(Format::media_type))?];
    let (unit, year) = (query.unit.clone(), query.year);
    let (within, last) = db
        .read(move |conn| {
            if let Some(year) = year {
                fiscal_years::store::find(conn, year)?.ok_or_else(|| Problem::no_year(year))?;
            }
            Ok((bounds(conn, &principal, unit.as_ref())?, Head::load(conn)?))
        })
        .await?;
    let tag = ETag::of_all(&last, (exported, format, &query, &within));
    if preconditions.knows(&tag) {
        return Ok(tag.stamp(HttpResponse::NotModified()).finish());
    }
    let mut response = tag.stamp(HttpResponse::Ok());
    response
        .insert_header((VARY, "accept"))
        .insert_header(file_name(exported, &query, format));
    let rows = Rows::new(exported.0, query.year, within);
    let columns = columns_of(exported.0, contract.into_inner()).all().to_vec();
    let form = match format {
        Format::Ndjson => Form::Ndjson,
        Format::Csv => Form::Csv(columns),
        Format::Xlsx => {
            let (file, length) = workbook(&db, rows, exported.names().1, columns).await?;
            return Ok(response
                .insert_header((CONTENT_TYPE, format.media_type()))
                // It is compressed already.
                .insert_header((CONTENT_ENCODING, "identity"))
                .body(SizedStream::new(length, contents(file))));
        }
    };
    let form = Arc::new(form);
    let beginning = form.beginning()?;
    // Read before the answer begins, so that most of what can fail is still answered with a problem.
    let (rows, first) = piece(&db, rows, form.clone()).await?;
    response.insert_header((
        CONTENT_TYPE,
        match format {
            Format::Csv => "text/csv; charset=utf-8",
            other => other.media_type(),
        },
    ));
    Ok(response.streaming(pieces(db, rows, form, [beginning, first].concat())))
}

/// A name for the file, in Chinese and, for clients that do not read that, in letters.
fn file_name(exported: Exported, query: &ExportQuery, format: Format) -> ContentDisposition {
    let (word, zh) = exported.names();
    let unit = query.unit.as_ref().map(|unit| format!("-{unit}")).unwrap_or_default();
    let year = query.year.map(|year| format!("-{year}")).unwrap_or_default();
    let extension = format.as_str();
    attachment(
        &format!("{word}{unit}{year}.{extension}"),
        &format!("{zh}{unit}{year}.{extension}"),
    )
}

/// The next rows as they are written; empty at the end.
async fn piece(db: &Db, mut rows: Rows, form: Arc<Form>) -> Result<(Rows, Vec<u8>), Problem> {
    db.scan(move |conn| {
        let written = form.write(&rows.next(conn)?)?;
        Ok((rows, written))
    })
    .await
}

/// `first`, and then piece after piece, each read when the client has taken the one before.
fn pieces(db: Data<Db>, rows: Rows, form: Arc<Form>, first: Vec<u8>) -> impl Stream<Item = io::Result<Bytes>> {
    let (request_id, _) = current_request();
    stream::try_unfold((rows, Some(first)), move |(rows, first)| {
        let (db, form, request_id) = (db.clone(), form.clone(), request_id.clone());
        async move {
            if let Some(first) = first {
                return Ok(Some((Bytes::from(first), (rows, None))));
            }
            let (rows, next) = piece(&db, rows, form).await.map_err(|problem| {
                tracing::error!(request_id, %problem, "an export was cut off");
                io::Error::other(problem.to_string())
            })?;
            Ok((!next.is_empty()).then(|| (Bytes::from(next), (rows, None))))
        }
    })
}

/// All rows in a workbook, and its length in bytes.
async fn workbook(db: &Db, mut rows: Rows, title: &'static str, columns: Vec<Column>) -> Result<(File, u64), Problem> {
    let folder = db.folder();
    let mut sheet = Sheet::new(title, columns, &folder)?;
    loop {
        let (next, rest) = db.scan(move |conn| Ok((rows.next(conn)?, rows))).await?;
        if next.is_empty() {
            break;
        }
        let added = web::block(move || sheet.add(&next).map(|()| sheet)).await;
        (rows, sheet) = (rest, added.unwrap_or_else(|_| Err(unwritten()))?);
    }
    let saved = web::block(move || sheet.finish(&folder)).await;
    saved.unwrap_or_else(|_| Err(unwritten()))
}

fn unwritten() -> Problem {
    Problem::internal("a workbook could not be written")
}

/// How much of a file is sent at once.
const PIECE: u64 = 64 * 1024;

fn contents(file: File) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(file, |file| async {
        let read = web::block(move || {
            let mut piece = Vec::new();
            (&file).take(PIECE).read_to_end(&mut piece)?;
            Ok::<_, io::Error>((piece, file))
        });
        let (piece, file) = read.await.map_err(io::Error::other)??;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
    })
}
