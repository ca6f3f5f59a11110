//! The links of the OpenAPI document, from what makes or changes something to what can be asked of it then.
//!
//! They follow from the addresses, so none is written by hand. PUT makes what is at its own address. POST makes an item of
//! its list; at the address of an action it changes what is above (`…/{id}/rotate`) or makes another such thing
//! (`…/{id}/copy`), by the key in its answer. What can be asked is at that address and, of something new, one word below it.

use serde_json::{Map, Value};
use utoipa::openapi::link::{Link, LinkBuilder};
use utoipa::openapi::{OpenApi, RefOr, Responses};

use super::members::Members;

/// Adds the links of every operation that makes or changes something.
pub fn add(document: &mut OpenApi) {
    // Read as the JSON that clients read.
    let stated = serde_json::to_value(&*document).unwrap_or_default();
    let Some(paths) = stated.get("paths").and_then(Value::as_object) else {
        return;
    };
    let schemas = stated.pointer("/components/schemas").unwrap_or(&Value::Null);
    for (address, item) in &mut document.paths.paths {
        if let Some(put) = &mut item.put {
            let links = links(paths, address, true, |name| format!("$request.path.{name}"));
            insert(&mut put.responses, &["200", "201"], &links);
        }
        if let (Some(post), Some(made)) = (&mut item.post, made_by_post(paths, address)) {
            let Some((status, schema)) = paths.get(address).and_then(answer) else {
                continue;
            };
            let members = Members::of(schemas, [schema]);
            let value = |name: &str| match members.names().contains(&name) {
                true => format!("$response.body#/{name}"),
                false => format!("$request.path.{name}"),
            };
            let is_new = made.len() > address.len();
            insert(&mut post.responses, &[status], &links(paths, made, is_new, value));
        }
    }
}

/// What POST answers when it is done, and its schema. Where it can answer 201, what it answers 200 may be a trial.
fn answer(item: &Value) -> Option<(&'static str, &Value)> {
    let responses = item.pointer("/post/responses")?;
    let done = |status| Some((status, responses.get(status)?));
    let (status, done) = done("201").or_else(|| done("200"))?;
    Some((status, done.pointer("/content/application~1json/schema")?))
}

/// The address of what POST makes or changes, if the document has it.
fn made_by_post<'a>(paths: &'a Map<String, Value>, address: &'a str) -> Option<&'a str> {
    let is_item = |known: &&String| known.strip_prefix(address).is_some_and(|rest| is_step(rest, "/{"));
    let above = || address.rfind('}').map(|end| &address[..=end]);
    let item = paths.keys().find(is_item).map(String::as_str);
    item.or_else(above).filter(|made| paths.contains_key(*made))
}

/// Whether `rest` of an address is one step, and begins like this.
fn is_step(rest: &str, begins: &str) -> bool {
    rest.starts_with(begins) && rest.rfind('/') == Some(0)
}

/// Links to what can be asked at `made`, and `below` it too; `value` says where each parameter comes from.
fn links(paths: &Map<String, Value>, made: &str, below: bool, value: impl Fn(&str) -> String) -> Vec<(String, Link)> {
    let mut links = Vec::new();
    for (address, item) in paths {
        let methods = match address.strip_prefix(made) {
            Some("") => ["get", "patch", "delete"].as_slice(),
            Some(rest) if below && is_step(rest, "/") && !rest.contains('{') => &["get", "post"],
            _ => continue,
        };
        for operation in methods.iter().filter_map(|method| item.get(method)) {
            let Some(id) = operation.get("operationId").and_then(Value::as_str) else {
                continue;
            };
            let link = parameters(address).fold(LinkBuilder::new().operation_id(id), |link, name| {
                link.parameter(name, value(name))
            });
            links.push((id.to_owned(), link.build()));
        }
    }
    links
}

/// The names of the parameters in an address.
fn parameters(address: &str) -> impl Iterator<Item = &str> {
    address
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// Adds links to the answers of these statuses.
fn insert(responses: &mut Responses, statuses: &[&str], links: &[(String, Link)]) {
    for status in statuses {
        if let Some(RefOr::T(response)) = responses.responses.get_mut(*status) {
            let links = links.iter().map(|(id, link)| (id.clone(), RefOr::T(link.clone())));
            response.links.extend(links);
        }
    }
}
