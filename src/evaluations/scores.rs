//! The scores of many units' years at once (批量重算), worked out now and sent while they are.

use std::io;

use actix_web::http::header::{CONTENT_TYPE, VARY};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::handlers::named;
use super::parts;
use super::store::{self, FiledRow};
use super::workflow::State;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::changes::Head;
use crate::db::{AnyConnection, Db};
use crate::http::accept::preferred;
use crate::http::auth::Reader;
use crate::http::etag::{ETag, Preconditions};
use crate::http::middleware::current_request;
use crate::http::problem::Problem;
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::{CommonErrors, UnfitParameter};
use crate::imports::file::Format;
use crate::imports::handlers::File as FileSchema;
use crate::imports::read::columns::guarded;
use crate::schemes::library::{Compiled, Library};
use crate::scoring::Case;
use crate::scoring::text::SchemeId;
use crate::scoring::values::exact;
use crate::telemetry::timeline;
use crate::units::handlers::bounds;

/// Adds the route.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/api/v1/scores").get(list));
}

/// Which scores.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ScoresQuery {
    /// Only for this fiscal year.
    #[serde(default, deserialize_with = "given")]
    year: Option<FiscalYear>,
    /// Only of this unit and all below it, on any level.
    #[serde(default, deserialize_with = "given")]
    unit: Option<UnitCode>,
    /// Another scheme than those in force for the years, to see what it would give.
    #[serde(default, deserialize_with = "given")]
    scheme: Option<SchemeId>,
}

/// The score of one unit's year, in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScoreRow)]
pub struct Row {
    /// The unit.
    #[schema(value_type = UnitCode)]
    pub unit: String,
    /// Its name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// The fiscal year.
    pub year: FiscalYear,
    /// Where the evaluation is in its life.
    #[schema(value_type = State, example = "draft")]
    pub state: String,
    /// The scheme that it was computed by.
    #[schema(value_type = SchemeId)]
    pub scheme: String,
    /// The total in points; `null` while a figure is missing.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "92.5")]
    pub total: Option<Decimal>,
    /// The least that the total can still be, in points.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "92.5")]
    pub low: Decimal,
    /// The most that the total can still be, in points.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "92.5")]
    pub high: Decimal,
    /// The name of the grade (等级); `null` while it is open.
    #[schema(example = "优")]
    pub grade: Option<String>,
    /// How many figures are missing.
    pub missing: usize,
}

/// How scores are written.
const FORMATS: [Format; 2] = [Format::Ndjson, Format::Csv];

/// How many units' years are read, and scored, at once.
const PIECE: i64 = 250;

/// Score many units' years
///
/// The score of each unit's year for which something is filed, worked out from what is filed now: the total that
/// `GET …/evaluations/{year}/score` gives, without its lines. By year, then by unit. NDJSON (one JSON object a line; the default) or
/// CSV, by `Accept`. With `scheme`, by that one instead of those in force: what a reform of the scoring would do to all units, before it
/// is put into force. A unit's token gets its own units and those below them; the bureau and auditors get all.
///
/// Scores are worked out while they are sent, on all processors; there may be any number of them. The tag is that of the last
/// change of any data. If the server fails on the way, the connection is cut.
#[utoipa::path(
    get,
    path = "/api/v1/scores",
    operation_id = "list_scores",
    tag = "scores",
    security(("token" = ["read"])),
    params(ScoresQuery),
    responses(
        (status = 200, description = "The scores, a line each",
            content((Row = "application/x-ndjson"), (inline(FileSchema) = "text/csv")),
            headers(("ETag" = String, description = "The last change of any data"))),
        (status = 304, description = "Nothing has changed since `If-None-Match`"),
        CommonErrors, UnfitParameter),
)]
pub async fn list(
    Reader(principal): Reader,
    Query(query): Query<ScoresQuery>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let format = FORMATS[preferred(&request, &FORMATS.map(Format::media_type))?];
    let walk = {
        let library = library.clone();
        move |conn: &mut AnyConnection| {
            let within = bounds(conn, &principal, query.unit.as_ref())?;
            let years = match query.year {
                Some(year) => {
                    store::scheme_of(conn, year)?.ok_or_else(|| Problem::no_year(year))?;
                    vec![year.get()]
                }
                None => store::years(conn)?,
            };
            let scheme = query.scheme.as_ref().map(|id| named(conn, &library, "scheme", id));
            let walk = Walk {
                years,
                after: String::new(),
                within,
                scheme: scheme.transpose()?,
                in_force: None,
            };
            Ok((walk, Head::load(conn)?))
        }
    };
    let (walk, last) = db.read(walk).await?;
    let scheme = walk.scheme.as_ref().map(|scheme| (&scheme.id, &scheme.edition));
    let tag = ETag::of_all(&last, ("scores", format, &walk.years, scheme, &walk.within));
    if preconditions.knows(&tag) {
        return Ok(tag.stamp(HttpResponse::NotModified()).finish());
    }
    let mut scored = Box::pin(scored(db, library, walk, format));
    // Before the answer begins, so that most of what can fail is still answered with a problem.
    let first = scored.try_next().await?.unwrap_or_default();
    let beginning = match format {
        Format::Csv => HEADING.as_bytes(),
        _ => &[],
    };
    let first = Bytes::from([beginning, &first].concat());
    let (request_id, _) = current_request();
    let rest = scored.map_err(move |problem| {
        tracing::error!(request_id, %problem, "an answer with scores was cut off");
        io::Error::other(problem.to_string())
    });
    let mut response = tag.stamp(HttpResponse::Ok());
    response.insert_header((VARY, "accept")).insert_header((
        CONTENT_TYPE,
        match format {
            Format::Csv => "text/csv; charset=utf-8",
            other => other.media_type(),
        },
    ));
    Ok(response.streaming(stream::once(async { Ok(first) }).chain(rest)))
}

/// What is still to be read.
#[derive(Clone)]
struct Walk {
    /// The years, the least first.
    years: Vec<i64>,
    /// The last unit read of the first of them.
    after: String,
    within: Vec<Vec<String>>,
    /// The scheme to score by instead of those in force.
    scheme: Option<Compiled>,
    /// The one in force for the first of the years, once it was needed.
    in_force: Option<Compiled>,
}

/// Some units' years with all that scoring them takes.
struct Piece {
    year: FiscalYear,
    scheme: Compiled,
    filed: Vec<(FiledRow, Option<String>)>,
}

impl Walk {
    /// The next piece; `None` at the end.
    fn next(&mut self, conn: &mut AnyConnection, library: &Library) -> Result<Option<Piece>, Problem> {
        while let Some(year) = self.years.first().copied() {
            let year = FiscalYear::try_from(year).map_err(Problem::internal)?;
            let rows = store::filed(conn, (year, &self.within), false, &self.after, PIECE)?;
            let Some(last) = rows.last() else {
                self.years.remove(0);
                self.after.clear();
                self.in_force = None;
                continue;
            };
            self.after.clone_from(&last.unit);
            let scheme = match self.scheme.as_ref().or(self.in_force.as_ref()) {
                Some(scheme) => scheme.clone(),
                None => {
                    let (id, edition) = store::scheme_of(conn, year)?.ok_or_else(|| Problem::no_year(year))?;
                    let id = SchemeId::try_from(id).map_err(Problem::internal)?;
                    self.in_force.insert(library.in_force(conn, &id, edition)?).clone()
                }
            };
            let units: Vec<&str> = rows.iter().map(|row| row.unit.as_str()).collect();
            let mut priors = store::prior_sheets(conn, &units, year.get() - 1)?;
            let filed = rows.into_iter().map(|row| {
                let prior = priors.remove(&row.unit);
                (row, prior)
            });
            let filed = filed.collect();
            return Ok(Some(Piece { year, scheme, filed }));
        }
        Ok(None)
    }
}

impl Piece {
    fn write(self, format: Format) -> Result<Vec<u8>, Problem> {
        let broken = |error: &dyn std::fmt::Display| Problem::internal(error.to_string());
        let rows = self.filed.into_iter().map(|(row, prior)| {
            let (sheet, assessments) = parts::figures(&row, prior.as_ref())?;
            let score = timeline::score(&self.scheme.scheme, &Case::of_year(&sheet, &assessments));
            Ok::<_, Problem>(Row {
                unit: row.unit,
                unit_name: row.unit_name,
                year: self.year,
                state: row.state,
                scheme: self.scheme.id.to_string(),
                total: score.total,
                low: score.interval.low,
                high: score.interval.high,
                grade: score.grade.map(|grade| grade.name.to_string()),
                missing: score.missing.len(),
            })
        });
        match format {
            Format::Ndjson => {
                let mut lines = Vec::new();
                for row in rows {
                    serde_json::to_writer(&mut lines, &row?).map_err(|error| broken(&error))?;
                    lines.push(b'\n');
                }
                Ok(lines)
            }
            _ => {
                let mut table = csv::WriterBuilder::new()
                    .has_headers(false)
                    .terminator(csv::Terminator::CRLF)
                    .from_writer(Vec::new());
                for row in rows {
                    let mut row = row?;
                    row.unit_name = guarded(&row.unit_name);
                    row.grade = row.grade.as_deref().map(guarded);
                    table.serialize(&row).map_err(|error| broken(&error))?;
                }
                table.into_inner().map_err(|error| broken(&error))
            }
        }
    }
}

/// The head of the table; the mark of byte order before it tells spreadsheets that it is UTF-8.
const HEADING: &str = "\u{feff}unit,unit_name,year,state,scheme,total,low,high,grade,missing\r\n";

/// Piece after piece as it is written: while some are scored, the next is read. No more are held than there are processors.
fn scored(
    db: Data<Db>,
    library: Data<Library>,
    walk: Walk,
    format: Format,
) -> impl Stream<Item = Result<Bytes, Problem>> {
    let processors = std::thread::available_parallelism().map_or(1, Into::into);
    stream::try_unfold(walk, move |mut walk| {
        let (db, library) = (db.clone(), library.clone());
        async move {
            let read = db.scan(move |conn| Ok(walk.next(conn, &library)?.map(|piece| (piece, walk))));
            read.await
        }
    })
    .map_ok(move |piece| async move {
        let written = web::block(move || piece.write(format)).await;
        written
            .unwrap_or_else(|_| Err(Problem::internal("scores could not be worked out")))
            .map(Bytes::from)
    })
    .try_buffered(processors)
}
