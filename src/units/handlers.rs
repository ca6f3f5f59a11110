//! The addresses of the units.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::{MOST_PREDECESSORS, Stored, Unit, UnitInput, UnitKind};
use super::store::{self, Filter};
use crate::codes::{FiscalYear, UnitCode};
use crate::db::changes::{Change, Resource};
use crate::db::sql::lineage;
use crate::db::{AnyConnection, Db, Tx};
use crate::fault::Fault;
use crate::http::accept::{Form, json};
use crate::http::answers::Answer;
use crate::http::auth::{Bureau, Principal, Reader};
use crate::http::body::{Json, MergePatch};
use crate::http::etag::Preconditions;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, SearchText, given};
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::patch_of;

patch_of!(
    /// Some fields of [`UnitInput`].
    UnitPatch,
    UnitInput
);

/// Adds the routes of the units.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("").get(list))
        .service(resource("/{code}").get(get).put(put).patch(patch).delete(delete));
}

/// The longest place in the hierarchy: ten levels of the longest codes.
const LONGEST_PATH: i32 = 211;

/// Which units to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only units of this kind.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    kind: Option<UnitKind>,
    /// Only the units directly below this one.
    #[serde(default, deserialize_with = "given")]
    parent: Option<UnitCode>,
    /// Only this unit and all below it, on any level.
    #[serde(default, deserialize_with = "given")]
    under: Option<UnitCode>,
    /// Only the units that file for this fiscal year.
    #[serde(default, deserialize_with = "given")]
    year: Option<FiscalYear>,
    /// Only units whose name contains this, or whose code begins with it.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    q: Option<SearchText>,
    /// By code, from the least or from the greatest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: the code of its last unit.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<UnitCode>,
}

/// List units
///
/// By budget unit code. A unit's token sees its own units and those below them.
#[utoipa::path(
    get,
    path = "/api/v1/units",
    operation_id = "list_units",
    tag = "units",
    security(("token" = ["read"])),
    params(ListQuery),
    responses((status = 200, description = "A page of units", body = Page<Unit>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list(
    Reader(principal): Reader,
    Query(query): Query<ListQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<Answer, Problem> {
    let scope = principal.scope();
    let filter = Filter {
        kind: query.kind,
        parent: query.parent,
        under: query.under,
        year: query.year,
        q: query.q.map(|q| q.as_str().to_owned()),
        scope: scope.clone(),
    };
    let (order, limit) = (query.order.unwrap_or_default(), query.limit.unwrap_or_default());
    let rows = db.scan(move |conn| {
        let rows = store::list(conn, &filter, order, query.cursor.as_ref(), limit)?;
        Ok(store::with_links(conn, rows)?)
    });
    let page = Page::new(rows.await?, limit, |stored: &Stored| &stored.row.code, Unit::from);
    Answer::page(&page, scope, page.next(&request).as_deref())
}

/// Get a unit
///
/// By its budget unit code.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}",
    operation_id = "get_unit",
    tag = "units",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)")),
    responses((status = 200, description = "The unit", body = Unit, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(Reader(principal): Reader, Path(code): Path<UnitCode>, db: Data<Db>) -> Result<Answer, Problem> {
    let stored = db.read(move |conn| require(conn, &code)).await?;
    principal.may_see(&stored.row.path)?;
    let (path, etag) = (stored.row.path.clone(), stored.etag());
    Answer::of_unit(path, etag, Form::Json, json(&Unit::from(stored))?)
}

/// Create or replace a unit
///
/// The same request may be sent again: a unit that is already so keeps its version. A unit that gets another `parent`
/// takes all below it along. After a reform (机构改革) `valid_from`, `valid_to` and `predecessors` say for which years a unit
/// files and which units it continues, so that its history stays comparable. Only for the finance bureau.
#[utoipa::path(
    put,
    path = "/api/v1/units/{code}",
    operation_id = "put_unit",
    tag = "units",
    security(("token" = ["configure"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)")),
    request_body(content = UnitInput,
        example = json!({"name": "衡山县开云镇人民政府", "kind": "town", "division_code": "430423"})),
    responses((status = 201, description = "It was created", body = Unit,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        (status = 200, description = "It was replaced, or was so already", body = Unit,
            headers(("ETag" = String, description = "Its version"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put(
    Bureau(principal): Bureau,
    Path(code): Path<UnitCode>,
    preconditions: Preconditions,
    Json(input): Json<UnitInput>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let address = address(&code);
    let (created, stored) = db
        .write(principal.origin(), move |tx| {
            let before = find(tx, &code)?;
            preconditions.check(before.as_ref().map(Stored::etag).as_ref())?;
            Ok((before.is_none(), save(tx, &code, before, &input)?))
        })
        .await?;
    Ok(stored.etag().saved(created, &address).json(Unit::from(stored)))
}

/// Change some fields of a unit
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes a field away. Only for the finance bureau.
#[utoipa::path(
    patch,
    path = "/api/v1/units/{code}",
    operation_id = "patch_unit",
    tag = "units",
    security(("token" = ["configure"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)")),
    request_body(content = UnitPatch, content_type = "application/merge-patch+json", example = json!({"parent": "219"})),
    responses((status = 200, description = "The unit after the change", body = Unit,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch(
    Bureau(principal): Bureau,
    Path(code): Path<UnitCode>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let stored = db
        .write(principal.origin(), move |tx| {
            let before = require(tx, &code)?;
            preconditions.check(Some(&before.etag()))?;
            let input = patch.apply(&UnitInput::try_from(&before).map_err(Problem::internal)?)?;
            save(tx, &code, Some(before), &input)
        })
        .await?;
    Ok(stored.etag().saved(false, "").json(Unit::from(stored)))
}

/// Delete a unit
///
/// Refused while other units, also those that continue it, evaluations, special funds or tokens refer to it. Only for the finance bureau.
#[utoipa::path(
    delete,
    path = "/api/v1/units/{code}",
    operation_id = "delete_unit",
    tag = "units",
    security(("token" = ["configure"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)")),
    responses((status = 204, description = "It is gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete(
    Bureau(principal): Bureau,
    Path(code): Path<UnitCode>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    db.write(principal.origin(), move |tx| {
        let stored = require(tx, &code)?;
        preconditions.check(Some(&stored.etag()))?;
        let by = store::references(tx, code.as_str())?;
        Problem::if_referenced(&[
            ("units", by.children, "个下级单位", "units below it"),
            ("successors", by.successors, "个承接单位", "units that continue it"),
            ("evaluations", by.evaluations, "份绩效自评", "evaluations"),
            ("special_funds", by.special_funds, "项专项资金", "special funds"),
            ("tokens", by.tokens, "个访问令牌", "tokens"),
        ])?;
        store::delete(tx, code.as_str())?;
        tx.record(Change::deleted(Resource::Unit, address(&code)).of_unit(code.as_str()))
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) fn address(code: &UnitCode) -> String {
    format!("/api/v1/units/{code}")
}

pub(super) fn find(conn: &mut AnyConnection, code: &UnitCode) -> Result<Option<Stored>, Problem> {
    let row = store::find(conn, code.as_str())?;
    Ok(store::with_links(conn, row.into_iter().collect())?.pop())
}

/// The unit of that code as it is answered.
///
/// # Errors
/// 404 if there is none.
pub fn view(conn: &mut AnyConnection, code: &UnitCode) -> Result<Unit, Problem> {
    require(conn, code).map(Unit::from)
}

/// What bounds an answer about many units: the one that was asked for, and those that the token sees.
///
/// # Errors
/// 404 for a unit that there is not, 403 for one of which nothing is the token's: an empty answer would say that nothing was filed.
pub fn bounds(
    conn: &mut AnyConnection,
    principal: &Principal,
    unit: Option<&UnitCode>,
) -> Result<Vec<Vec<String>>, Problem> {
    if let Some(code) = unit {
        let row = store::find(conn, code.as_str())?.ok_or_else(|| Problem::no_unit(code))?;
        // Of a unit above its own a token gets what is its own.
        if !principal.paths.iter().any(|path| path.starts_with(&row.path)) {
            principal.may_see(&row.path)?;
        }
    }
    Ok(principal.within(unit))
}

fn require(conn: &mut AnyConnection, code: &UnitCode) -> Result<Stored, Problem> {
    find(conn, code)?.ok_or_else(|| Problem::no_unit(code))
}

/// Stores what the row does not say already, after looking at what only the database can judge. Nothing is written where a
/// fault is found.
pub(super) fn save(
    tx: &mut Tx<'_>,
    code: &UnitCode,
    before: Option<Stored>,
    input: &UnitInput,
) -> Result<Stored, Problem> {
    let after = input.clone().in_order();
    if let Some(stored) = &before
        && UnitInput::try_from(stored).map_err(Problem::internal)? == after
    {
        return Ok(stored.clone());
    }
    let above = match &input.parent {
        Some(parent) => store::find(tx, parent.as_str())?,
        None => None,
    };
    let holder = match &input.uscc {
        Some(uscc) => store::holder_of(tx, uscc.as_str(), code.as_str())?,
        None => None,
    };
    let above = above.as_ref().map(|row| row.path.as_str());
    let (path, mut faults) = placed(code, input, above, holder.as_deref());
    if let Some(old) = before.as_ref().map(|stored| &stored.row.path)
        && *old != path
        && faults.is_empty()
    {
        // What is below it moves along, and gets as much longer as it does.
        let longest = store::longest_path(tx, old)? + length(&path) - length(old);
        faults.extend((longest > LONGEST_PATH).then(too_deep));
    }
    faults.extend(validity_in_order(input));
    if before.is_some() && faults.is_empty() {
        validity_faults(tx, code, input, &mut faults)?;
    }
    predecessor_faults(tx, code, input, &mut faults)?;
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let row = store::save(tx, code, before.as_ref().map(|stored| &stored.row), input, path)?;
    tx.record(Change::saved(before.is_none(), Resource::Unit, address(code), &after)?.of_unit(code.as_str()))?;
    Ok(Stored {
        predecessors: input.continues(),
        successors: before.map(|stored| stored.successors).unwrap_or_default(),
        row,
    })
}

/// The place in the hierarchy that a unit gets below the place `above`, and what stands against it; `holder` is the other
/// unit that has its unified social credit code.
pub(super) fn placed(
    code: &UnitCode,
    input: &UnitInput,
    above: Option<&str>,
    holder: Option<&str>,
) -> (String, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut path = format!("/{code}/");
    if let Some(parent) = &input.parent {
        match above {
            None if parent != code => faults.push(Fault::new(
                "/parent",
                "unknown_unit",
                format!("上级单位{parent}不存在，请先录入。"),
                format!("there is no unit {parent}; store it first"),
            )),
            Some(above) if !above.contains(&path) => path = format!("{above}{code}/"),
            _ => faults.push(Fault::new(
                "/parent",
                "cycle",
                format!("{parent}是本单位或其下级单位，不能作为上级单位。"),
                format!("{parent} is this unit or below it, and so cannot be above it"),
            )),
        }
    }
    faults.extend((length(&path) > LONGEST_PATH).then(too_deep));
    if let Some(holder) = holder {
        faults.push(Fault::new(
            "/uscc",
            "taken",
            format!("该统一社会信用代码已属于单位{holder}。"),
            format!("unit {holder} has this unified social credit code"),
        ));
    }
    (path, faults)
}

fn length(path: &str) -> i32 {
    i32::try_from(path.len()).unwrap_or(i32::MAX)
}

fn too_deep() -> Fault {
    Fault::new(
        "/parent",
        "too_deep",
        "单位层级过深。",
        "the hierarchy of units is too deep",
    )
}

/// A last year that is before the first.
pub(super) fn validity_in_order(input: &UnitInput) -> Option<Fault> {
    let (from, to) = (input.valid_from?, input.valid_to?);
    (from > to).then(|| {
        Fault::new(
            "/valid_to",
            "out_of_order",
            format!("终止年度{to}早于起始年度{from}。"),
            format!("the last year {to} is before the first, {from}"),
        )
    })
}

/// Years of validity that leave out a year that something is filed for.
fn validity_faults(
    conn: &mut AnyConnection,
    code: &UnitCode,
    input: &UnitInput,
    faults: &mut Vec<Fault>,
) -> Result<(), Problem> {
    let (from, to) = (input.valid_from, input.valid_to);
    if from.is_none() && to.is_none() {
        return Ok(());
    }
    let Some((first, last)) = store::years_filed(conn, code.as_str())? else {
        return Ok(());
    };
    let filed = |pointer: &str, year: i64| {
        Fault::new(
            pointer,
            "year_in_use",
            format!("该单位{year}年度已有填报资料，不能排除在有效年度之外。"),
            format!("something is filed for {year}, so the unit must be there for that year"),
        )
    };
    faults.extend(
        from.filter(|from| first < from.get())
            .map(|_| filed("/valid_from", first)),
    );
    faults.extend(to.filter(|to| last > to.get()).map(|_| filed("/valid_to", last)));
    Ok(())
}

/// Predecessors that do not exist, are named twice, or continue the unit themselves.
fn predecessor_faults(
    conn: &mut AnyConnection,
    code: &UnitCode,
    input: &UnitInput,
    faults: &mut Vec<Fault>,
) -> Result<(), Problem> {
    let Some(predecessors) = &input.predecessors else {
        return Ok(());
    };
    if predecessors.len() > MOST_PREDECESSORS {
        faults.push(Fault::new(
            "/predecessors",
            "too_many",
            format!("前身单位不得超过{MOST_PREDECESSORS}个。"),
            format!("a unit continues at most {MOST_PREDECESSORS} units"),
        ));
        return Ok(());
    }
    let codes = input.continues();
    let existing = store::existing(conn, &codes)?;
    let (links, whole) = lineage(conn, codes)?;
    for (n, predecessor) in predecessors.iter().enumerate() {
        let at = format!("/predecessors/{n}");
        if predecessors[..n].contains(predecessor) {
            faults.push(Fault::new(
                at,
                "duplicate",
                format!("前身单位{predecessor}重复。"),
                format!("{predecessor} is named twice"),
            ));
        } else if predecessor != code && !existing.iter().any(|known| known == predecessor.as_str()) {
            faults.push(Fault::new(
                at,
                "unknown_unit",
                format!("前身单位{predecessor}不存在，请先录入。"),
                format!("there is no unit {predecessor}; store it first"),
            ));
        } else if predecessor == code || !whole || continues(&links, predecessor.as_str(), code.as_str()) {
            faults.push(Fault::new(
                at,
                "cycle",
                format!("{predecessor}是本单位或承接本单位的单位，不能作为前身单位。"),
                format!("{predecessor} is this unit or continues it, and so cannot come before it"),
            ));
        }
    }
    Ok(())
}

/// Whether a unit continues another, directly or through others.
fn continues(links: &[(String, String)], unit: &str, other: &str) -> bool {
    let mut line = vec![unit];
    let mut seen = 0;
    while let Some(unit) = line.get(seen).copied() {
        seen += 1;
        let before = links.iter().filter(|(successor, _)| successor == unit);
        for (_, predecessor) in before {
            if !line.contains(&predecessor.as_str()) {
                line.push(predecessor);
            }
        }
    }
    line.contains(&other)
}
