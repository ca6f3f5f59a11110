//! The addresses of the imports.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use actix_web::web::{Bytes, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, rt};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::fault::RowFault;
use super::file::{Format, take_in};
use super::model::{Import, Mode, Resource, Row, State, address};
use super::retention::forget_old;
use super::run::{Job, Running, run};
use super::store;
use crate::codes::{ImportId, Ordinal};
use crate::db::changes::{self, Action, Change};
use crate::db::{AnyConnection, Db, now};
use crate::fault::Text;
use crate::http::auth::{Importer, Principal, Reader};
use crate::http::contract::Contract;
use crate::http::kinds;
use crate::http::middleware::in_this_request;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::{At, Problem};
use crate::http::query::{Flag, Query, given};
use crate::http::resource::resource;
use crate::http::responses::{CommonErrors, ImportErrors};
use crate::idempotency::answer::IDEMPOTENCY_REPLAYED;
use crate::idempotency::once::{Once, reused};
use crate::schemes::library::Library;
use crate::telemetry::timeline::{self, Stage};
use crate::tokens::model::Role;
use crate::tokens::permission::Permission;

/// How many faults the answer to an import names; all are at `…/faults`.
const FIRST_FAULTS: i64 = 100;

/// What imports may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The largest file, in bytes.
    pub file: u64,
    /// For how many days they are kept; 0: for ever.
    pub days: u32,
}

/// Adds the routes of the imports.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("").get(list).post(post))
        .service(resource("/{id}").get(get))
        .service(resource("/{id}/faults").get(list_faults));
}

/// What to import, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PostQuery {
    /// What the rows of the file are. Must be given.
    #[serde(default, deserialize_with = "given")]
    #[param(inline, required = true)]
    resource: Option<Resource>,
    /// `all` (the default): everything or nothing. `each`: each row by itself, those at fault are left out.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    mode: Option<Mode>,
    /// True: a trial; every row is judged and nothing is stored.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    dry_run: Option<Flag>,
    /// The id of the import, by which it can be watched; of one that was interrupted, to go on with it. Left out, it gets one.
    #[serde(default, deserialize_with = "given")]
    id: Option<ImportId>,
}

/// A file, as its bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct File(#[allow(dead_code, reason = "only the document speaks of it")] Vec<u8>);

/// Import a file of many rows
///
/// NDJSON (one JSON object a line), CSV (UTF-8 with or without byte order mark, GBK, GB18030) or XLSX (the first sheet), told
/// by `Content-Type`. Each row is the document that the single PUT takes, with its key: `code` for units, `unit` and `year`
/// for base data and assessments, `id` for special funds. The columns of a table are named by the forms' terms
/// (预算单位编码, 编制数 …) or by dotted paths (`staff.posts`); an export shows them. What the single operation refuses is
/// refused here: closed years, submitted evaluations, units of others. Rows are stored in their order: of two with the same key the
/// later one stands, and is counted under `replaced`.
///
/// For base data and special funds XLSX may hold forms instead (附件2, 附件3), each sheet one document: those of
/// `…/forms/{form}` filled in, or those of a report. They are known by what is printed on them; columns may have moved, rows may be put in,
/// and figures may be texts or marked 元. What cannot be told for sure is a fault that names its cell.
///
/// The answer names the faults of every row, in the order of the file: row, column, value, fault and remedy. With
/// `mode=all` one fault means that nothing is stored, and the answer is 422. An import that is interrupted goes on when the
/// same file is sent again with the same `id`: rows that are stored are not stored twice. A file that was imported to its
/// end under an `id` is answered with what came of it. An `Idempotency-Key` does the same where no `id` is given, for as long
/// as the import is there; one that was refused is forgotten when its key is used again, for the same file or another. An
/// import is forgotten 90 days after its last row, unless the service is set up otherwise.
///
/// With `Prefer: respond-async` the answer (202) comes as soon as the file is here. On SQLite other writes wait while a file
/// is imported with `mode=all` or tried with `dry_run=true`.
#[utoipa::path(
    post,
    path = "/api/v1/imports",
    operation_id = "create_import",
    tag = "imports",
    security(("token" = ["import"])),
    params(PostQuery, Once),
    request_body(content(
        (inline(File) = "application/x-ndjson", example = "{\"code\":\"219001\",\"name\":\"衡山县开云镇人民政府\",\"kind\":\"town\"}\n"),
        (inline(File) = "text/csv", example = "预算单位编码,名称,单位类别\n219001,衡山县开云镇人民政府,乡镇\n"),
        (inline(File) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )),
    responses(
        (status = 201, description = "It went through the whole file; `counts` says what became of the rows", body = Import,
            headers(("Location" = String, description = "Its address"))),
        (status = 200, description = "It went on to the end, or had reached it before", body = Import),
        (status = 202, description = "The file is here, and the import goes on (`Prefer: respond-async`)", body = Import,
            headers(("Location" = String, description = "Its address"))),
        CommonErrors, ImportErrors),
)]
#[allow(
    clippy::too_many_arguments,
    reason = "what an import needs of the request and of the app"
)]
pub async fn post(
    Importer(principal): Importer,
    Query(query): Query<PostQuery>,
    once: Once,
    request: HttpRequest,
    payload: Payload,
    db: Data<Db>,
    contract: Data<Contract>,
    library: Data<Library>,
    running: Data<Running>,
    bounds: Data<Bounds>,
) -> Result<HttpResponse, Problem> {
    let Some(resource) = query.resource else {
        return Err(Problem::missing_parameter("resource"));
    };
    // What each row does, the single operation must be open to.
    principal.must(match resource {
        Resource::Units => Permission::Configure,
        Resource::BaseData | Resource::SpecialFunds | Resource::Assessments => Permission::File,
    })?;
    let (format, charset) = Format::of(request.headers())?;
    let receiving = timeline::lasting(Stage::Receive);
    let file = take_in(&request, payload, &db.folder(), bounds.file).await?;
    drop(receiving);
    let named = query.id.map(|id| id.to_string());
    let keyed = once.name(&principal.origin()).filter(|_| named.is_none());
    let is_keyed = keyed.is_some();
    let id = named.or(keyed).unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let mode = query.mode.unwrap_or(Mode::All);
    let at = now();
    let wanted = Row {
        id: id.clone(),
        resource: resource.as_str().to_owned(),
        format: format.as_str().to_owned(),
        mode: mode.as_str().to_owned(),
        dry_run: query.dry_run.is_some_and(bool::from),
        state: State::Running.as_str().to_owned(),
        digest: file.digest.clone(),
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        runner: uuid::Uuid::now_v7().to_string(),
        position: 0,
        rows_created: 0,
        rows_replaced: 0,
        rows_unchanged: 0,
        rows_rejected: 0,
        faults: 0,
        token_id: principal.token_id.clone(),
        actor: principal.name.clone(),
        started_at: at.clone(),
        updated_at: at,
        finished_at: None,
    };
    let Some(begun) = running.clone().into_inner().begin(&id) else {
        return Err(Problem::import_running(&id));
    };
    let who = principal.clone();
    let (row, is_new) = db
        .write(principal.origin(), move |tx| {
            let mut found = store::find(tx, &wanted.id)?;
            // What was refused has changed nothing, and leaves its key free.
            if is_keyed && found.as_ref().is_some_and(|row| row.state == State::Refused.as_str()) {
                store::forget_faults(tx, &wanted.id)?;
                store::forget(tx, &wanted.id)?;
                tx.record(Change::deleted(changes::Resource::Import, address(&wanted.id)))?;
                found = None;
            }
            let Some(row) = found else {
                store::insert(tx, &wanted)?;
                let import = Import::new(wanted.clone(), Vec::new());
                let change = Change::done(Action::Created, changes::Resource::Import, address(&wanted.id), &import)?;
                tx.record(change)?;
                return Ok((wanted.clone(), true));
            };
            may_see(&who, &row)?;
            same(&row, &wanted, is_keyed)?;
            if row.state == State::Running.as_str() {
                store::take_over(tx, &row.id, &wanted.runner)?;
            }
            let runner = wanted.runner.clone();
            Ok((Row { runner, ..row }, false))
        })
        .await?;
    let (old, days) = (db.clone(), bounds.days);
    rt::spawn(async move {
        if let Err(problem) = forget_old(&old, days).await {
            tracing::error!(%problem, "old imports could not be forgotten");
        }
    });
    let finished = row.state != State::Running.as_str();
    let asynchronous = request.headers().get_all("Prefer").any(|value| {
        let value = value.to_str().unwrap_or_default();
        value
            .split(',')
            .any(|wish| wish.trim().eq_ignore_ascii_case("respond-async"))
    });
    if !finished {
        let job = Job {
            encoding: charset.unwrap_or(file.encoding),
            origin: principal.origin(),
            row,
            format,
            mode,
            file,
            principal,
            begun,
            contract,
            library,
            db: db.clone(),
        };
        // On a task of its own: a client that goes away does not stop it.
        let name = id.clone();
        let task = rt::spawn(in_this_request(async move {
            let outcome = run(job).await;
            if let Err(problem) = &outcome {
                tracing::error!(import = name, %problem, "an import was interrupted");
            }
            outcome
        }));
        if !asynchronous {
            task.await
                .unwrap_or_else(|_| Err(Problem::internal("an import panicked")))?;
        }
    }
    let shared = db.is_shared();
    let import = db
        .primary()
        .read(move |conn| {
            let row = store::find(conn, &id)?.ok_or_else(|| no_import(&id))?;
            report(conn, &running, row, shared)
        })
        .await?;
    if import.state == State::Refused.as_str() {
        return Err(refused(import));
    }
    let mut response = match import.state == State::Running.as_str() {
        true => created(HttpResponse::Accepted(), &import),
        false if is_new => created(HttpResponse::Created(), &import),
        false => HttpResponse::Ok(),
    };
    if is_keyed && finished {
        response.insert_header((IDEMPOTENCY_REPLAYED.clone(), "true"));
    }
    Ok(response.json(import))
}

/// Begins an answer with the address of the import.
fn created(mut response: HttpResponseBuilder, import: &Import) -> HttpResponseBuilder {
    response.insert_header((LOCATION, import.links.this.as_str()));
    response
}

/// Lets an import go on that is of the same file and the same kind; `is_keyed`: it has its id from an `Idempotency-Key`.
fn same(row: &Row, wanted: &Row, is_keyed: bool) -> Result<(), Problem> {
    let differs = [
        ("resource", row.resource != wanted.resource),
        ("mode", row.mode != wanted.mode),
        ("dry_run", row.dry_run != wanted.dry_run),
    ];
    let mut errors: Vec<At> = differs
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| {
            let text = Text::new(
                format!("参数{name}与首次导入时不同。"),
                format!("\"{name}\" was another when it began"),
            );
            At::parameter(*name, "differs", text)
        })
        .collect();
    if row.digest != wanted.digest || row.format != wanted.format {
        let text = Text::new(
            format!("文件与首次导入时不同（SHA-256应为{}）。", row.digest),
            format!(
                "the file is another than when it began, of which the SHA-256 is {}",
                row.digest
            ),
        );
        errors.push(At::body("", "differs", text));
    }
    match errors.is_empty() {
        true => Ok(()),
        false if is_keyed => Err(reused(errors)),
        false => Err(Problem::already_exists(
            format!("编号为{}的批量导入已存在，且内容不同。", row.id),
            format!("There is an import {} already, of something else.", row.id),
        )
        .with_errors(errors)),
    }
}

fn refused(import: Import) -> Problem {
    let counts = import.counts;
    Problem::new(
        &kinds::IMPORT_REFUSED,
        format!(
            "{}行有误，共{}处问题，未导入任何数据；全部问题见{}。",
            counts.rejected, counts.faults, import.links.faults
        ),
        format!(
            "{} rows are at fault, with {} faults in all; nothing was stored. All of them: {}.",
            counts.rejected, counts.faults, import.links.faults
        ),
    )
    .with_header(LOCATION, import.links.this)
    .with_errors(import.faults.into_iter().map(At::from))
}

fn no_import(id: &str) -> Problem {
    Problem::not_found(format!("批量导入{id}不存在。"), format!("There is no import {id}."))
}

/// Lets those pass who may see an import: whose it is, the bureau, and auditors.
fn may_see(principal: &Principal, row: &Row) -> Result<(), Problem> {
    match principal.role {
        Role::Unit if row.token_id != principal.token_id => Err(Problem::forbidden(
            "该令牌只能查看本令牌发起的批量导入。",
            "This token sees its own imports only.",
        )),
        _ => Ok(()),
    }
}

/// The token whose imports lists are limited to; `None` for those who see all.
fn own(principal: &Principal) -> Option<String> {
    principal.token_id.clone().filter(|_| principal.role == Role::Unit)
}

/// An import as it is now: with how far it is, if this process works on it.
fn report(conn: &mut AnyConnection, running: &Running, row: Row, shared: bool) -> Result<Import, Problem> {
    let faults = store::first_faults(conn, &row.id, FIRST_FAULTS)?;
    let faults = faults.iter().map(|body| read_fault(body)).collect::<Result<_, _>>()?;
    Ok(with_progress(Import::new(row, faults), running, shared))
}

/// After how long without a sign of life an import that another process works on is taken for interrupted.
const SILENCE: Duration = Duration::from_secs(60);

fn with_progress(mut import: Import, running: &Running, shared: bool) -> Import {
    if import.state != State::Running.as_str() {
        return import;
    }
    match running.progress(&import.id) {
        Some(progress) => (import.position, import.counts) = progress.get(),
        None => {
            let since = import.updated_at.parse::<jiff::Timestamp>();
            let silent = since.is_ok_and(|since| jiff::Timestamp::now().duration_since(since).unsigned_abs() > SILENCE);
            // SQLite has one server: what that one does not work on, nobody does.
            if !shared || silent {
                import.state = State::Interrupted.as_str().to_owned();
            }
        }
    }
    import
}

fn read_fault(body: &str) -> Result<RowFault, Problem> {
    serde_json::from_str(body).map_err(|error| Problem::internal(format!("a fault cannot be read: {error}")))
}

/// Get an import
///
/// How far it is and the first of its faults. With `Accept: text/event-stream` it is sent again whenever it has moved on,
/// as events `import`, until its end.
#[utoipa::path(
    get,
    path = "/api/v1/imports/{id}",
    operation_id = "get_import",
    tag = "imports",
    security(("token" = ["read"])),
    params(("id" = ImportId, Path, description = "The import's id")),
    responses((status = 200, description = "The import",
            content((Import = "application/json"), (String = "text/event-stream"))),
        CommonErrors),
)]
pub async fn get(
    Reader(principal): Reader,
    Path(id): Path<ImportId>,
    db: Data<Db>,
    running: Data<Running>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let first = load(&db, &running, principal.clone(), id.clone()).await?;
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    if !accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        return Ok(HttpResponse::Ok().json(first));
    }
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // What is compressed would be held back until there is enough of it.
        .insert_header((CONTENT_ENCODING, "identity"))
        .streaming(watch(first, db, running, principal, id)))
}

async fn load(db: &Db, running: &Data<Running>, principal: Principal, id: ImportId) -> Result<Import, Problem> {
    let (running, shared) = (running.clone(), db.is_shared());
    db.primary()
        .read(move |conn| {
            let row = store::find(conn, id.as_str())?.ok_or_else(|| no_import(id.as_str()))?;
            may_see(&principal, &row)?;
            report(conn, &running, row, shared)
        })
        .await
}

/// How often a watched import is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// After how many looks without news a comment is sent, so that nothing between takes the connection for dead.
const QUIET_LOOKS: u32 = 60;

fn watch(
    first: Import,
    db: Data<Db>,
    running: Data<Running>,
    principal: Principal,
    id: ImportId,
) -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    let start = (Some(first), None::<Import>, db, running, principal, id);
    stream::unfold(start, |(next, sent, db, running, principal, id)| async move {
        let mut next = next;
        for _ in 0..QUIET_LOOKS {
            let import = match next.take() {
                Some(import) => import,
                None if sent.as_ref().is_some_and(|sent| sent.state != State::Running.as_str()) => return None,
                None => {
                    rt::time::sleep(LOOK).await;
                    load(&db, &running, principal.clone(), id.clone()).await.ok()?
                }
            };
            if sent.as_ref() != Some(&import) {
                let event = format!("event: import\ndata: {}\n\n", serde_json::to_string(&import).ok()?);
                let state = (None, Some(import), db, running, principal, id);
                return Some((Ok(Bytes::from(event)), state));
            }
        }
        let state = (None, sent, db, running, principal, id);
        Some((Ok(Bytes::from_static(b": \n\n")), state))
    })
}

/// Which imports to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// By id, from the least or from the greatest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: the id of its last import.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<ImportId>,
}

/// List imports
///
/// Without their faults. A unit's token sees its own; the bureau and auditors see all.
#[utoipa::path(
    get,
    path = "/api/v1/imports",
    operation_id = "list_imports",
    tag = "imports",
    security(("token" = ["read"])),
    params(ListQuery),
    responses((status = 200, description = "A page of imports", body = Page<Import>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list(
    Reader(principal): Reader,
    Query(query): Query<ListQuery>,
    db: Data<Db>,
    running: Data<Running>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let rows = db
        .primary()
        .scan(move |conn| {
            let order = query.order.unwrap_or_default();
            Ok(store::list(conn, own(&principal), order, query.cursor.as_ref(), limit)?)
        })
        .await?;
    let shared = db.is_shared();
    let show = |row| with_progress(Import::new(row, Vec::new()), &running, shared);
    Ok(Page::new(rows, limit, |row: &Row| &row.id, show).respond(&request))
}

/// Which faults to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FaultQuery {
    /// In the order of the file, or against it.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: the number of its last fault.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<Ordinal>,
}

/// A fault of an import in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedFault {
    /// Which fault of the import it is, from 1.
    #[schema(example = 1)]
    pub number: i64,
    /// The fault.
    #[serde(flatten)]
    pub fault: RowFault,
}

/// List the faults of an import
///
/// In the order of the file: row, column, value, fault and remedy.
#[utoipa::path(
    get,
    path = "/api/v1/imports/{id}/faults",
    operation_id = "list_import_faults",
    tag = "imports",
    security(("token" = ["read"])),
    params(("id" = ImportId, Path, description = "The import's id"), FaultQuery),
    responses((status = 200, description = "A page of faults", body = Page<ListedFault>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list_faults(
    Reader(principal): Reader,
    Path(id): Path<ImportId>,
    Query(query): Query<FaultQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let rows = db
        .primary()
        .scan(move |conn| {
            let row = store::find(conn, id.as_str())?.ok_or_else(|| no_import(id.as_str()))?;
            may_see(&principal, &row)?;
            let order = query.order.unwrap_or_default();
            let rows = store::faults(conn, id.as_str(), order, query.cursor, limit)?;
            let read = |(number, body): (i64, String)| {
                let fault = read_fault(&body)?;
                Ok(ListedFault { number, fault })
            };
            rows.into_iter().map(read).collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    Ok(Page::new(rows, limit, |fault| &fault.number, |fault| fault).respond(&request))
}
