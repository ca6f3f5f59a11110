//! Sparse answers: `?fields=code,name,links.self` leaves only these fields in a JSON answer, in a list in each of its items.
//!
//! What is no field is judged by the schema of the answer in the OpenAPI document, so that one which happens to be absent is
//! not called unknown.

use std::borrow::Cow;
use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Data;
use serde_json::Value;

use super::contract::{Contract, unknown};
use super::members::{Members, Schemas};
use super::problem::{At, Problem};
use crate::fault::Text;

/// The name of the parameter, with what parts it from its value.
const NAME: &str = "fields=";

/// How many fields may be named.
const MOST: usize = 200;

/// How many levels a name may have: no answer has as many, and what is open to any name has no end.
const DEEPEST: usize = 32;

/// Whether a request asks for a sparse answer. Every request is asked this, so it is a look at the query and no more.
pub fn is_asked(method: &Method, query: &str) -> bool {
    query.contains(NAME) && matches!(*method, Method::GET | Method::HEAD) && query.split('&').any(is_own)
}

fn is_own(pair: &str) -> bool {
    pair.starts_with(NAME)
}

/// The query as the operation is asked it, for which answers are never sparse.
pub fn without(request: &HttpRequest) -> Cow<'_, str> {
    let query = request.query_string();
    match is_asked(request.method(), query) {
        false => query.into(),
        true => {
            let others: Vec<&str> = query.split('&').filter(|pair| !is_own(pair)).collect();
            others.join("&").into()
        }
    }
}

/// 400: an answer that is no JSON document, such as a file or a stream, has no fields to choose from.
pub fn of_no_json() -> Problem {
    Problem::invalid_parameters(vec![At::parameter(
        "fields",
        "unknown_parameter",
        Text::new(
            "该应答不是JSON文档（为文件或数据流），不能用fields选取字段。",
            "this answer is a file or a stream and no JSON document; it has no fields to choose from",
        ),
    )])
}

/// Which fields an answer is to have.
#[derive(Debug)]
pub struct Fields {
    wanted: Tree,
    of_items: bool,
}

/// Names, each with what is wanted of it; nothing stands for all of it.
#[derive(Debug, Default, PartialEq)]
struct Tree(BTreeMap<String, Tree>);

impl Fields {
    /// The fields that a request asks for, judged by what its operation answers; `None` where it is no JSON of a known schema.
    ///
    /// # Errors
    /// 400 for what is no list of names, 422 with each name that is no field.
    pub fn of(request: &HttpRequest) -> Result<Option<Self>, Problem> {
        let contract = request
            .app_data::<Data<Contract>>()
            .ok_or_else(|| Problem::internal("the app has no contract"))?;
        let address = request.match_pattern().unwrap_or_default();
        let Some(schema) = contract.answer(&address) else {
            return Ok(None);
        };
        let names = names(request.query_string())?;
        let schemas = contract.get_ref();
        let items = Members::of(schemas, [schema]).items();
        let of_items = !items.is_empty();
        let top = if of_items { items } else { vec![schema] };
        let faults: Vec<At> = names.iter().filter_map(|name| fault(schemas, &top, name)).collect();
        if !faults.is_empty() {
            return Err(Problem::unfit_parameters(faults));
        }
        let mut wanted = Tree::default();
        for name in &names {
            wanted.add(name);
        }
        Ok(Some(Self { wanted, of_items }))
    }

    /// What is left of an answer.
    ///
    /// # Errors
    /// 500 for what is no JSON.
    pub fn select(&self, body: &[u8]) -> Result<Vec<u8>, Problem> {
        let broken = |error: serde_json::Error| Problem::internal(error.to_string());
        let mut answer: Value = serde_json::from_slice(body).map_err(broken)?;
        match &mut answer {
            Value::Object(page) if self.of_items => {
                if let Some(items) = page.get_mut("items") {
                    self.wanted.keep(items);
                }
            }
            answer => self.wanted.keep(answer),
        }
        serde_json::to_vec(&answer).map_err(broken)
    }
}

/// The names in the parameter, which is given once.
fn names(query: &str) -> Result<Vec<String>, Problem> {
    let refuse = |code, zh: String, en: String| {
        Err(Problem::invalid_parameters(vec![At::parameter(
            "fields",
            code,
            Text::new(zh, en),
        )]))
    };
    let own: Vec<&str> = query.split('&').filter(|pair| is_own(pair)).collect();
    let [own] = own.as_slice() else {
        return refuse(
            "duplicate",
            "参数“fields”重复；多个字段以逗号分隔。".to_owned(),
            "\"fields\" is given twice; name several fields with commas between".to_owned(),
        );
    };
    let decoded: Vec<(String, String)> = serde_html_form::from_str(own).unwrap_or_default();
    let text = decoded.first().map(|(_, text)| text.as_str()).unwrap_or_default();
    let names: Vec<String> = text.split(',').map(str::to_owned).collect();
    let is_path = |name: &String| name.split('.').count() <= DEEPEST && name.split('.').all(|part| !part.is_empty());
    if names.len() > MOST || !names.iter().all(is_path) {
        return refuse(
            "invalid_value",
            format!(
                "应为以逗号分隔的字段名（下级字段以“.”连接），如code,links.self，最多{MOST}个，每个最多{DEEPEST}级。"
            ),
            format!(
                "expected at most {MOST} names of fields with commas between, each of at most {DEEPEST} levels, such as \
                 code,links.self"
            ),
        );
    }
    Ok(names)
}

/// Says that `name` is no field of what is of one of these schemas.
fn fault(schemas: &impl Schemas, top: &[&Value], name: &str) -> Option<At> {
    let mut here = top.to_vec();
    for part in name.split('.') {
        let members = Members::of(schemas, here);
        if members.is_open() {
            return None;
        }
        here = members.named(part);
        if here.is_empty() {
            let (zh, en) = unknown(part, &members.names());
            let shown: String = name.chars().take(100).collect();
            let text = Text::new(format!("{shown}：{zh}"), format!("{shown}: {en}"));
            return Some(At::parameter("fields", "unknown_field", text));
        }
    }
    None
}

impl Tree {
    fn add(&mut self, name: &str) {
        let mut here = self;
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            let is_new = !here.0.contains_key(part);
            let below = here.0.entry(part.to_owned()).or_default();
            // What is wanted whole stays so, and becomes so when it is wanted whole as well.
            if below.0.is_empty() && !is_new {
                return;
            }
            if parts.peek().is_none() {
                below.0.clear();
            }
            here = below;
        }
    }

    fn keep(&self, value: &mut Value) {
        match value {
            _ if self.0.is_empty() => {}
            Value::Array(items) => items.iter_mut().for_each(|item| self.keep(item)),
            Value::Object(fields) => {
                fields.retain(|name, _| self.0.contains_key(name));
                for (name, below) in fields.iter_mut() {
                    if let Some(tree) = self.0.get(name) {
                        tree.keep(below);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(names: &[&str], mut value: Value) -> Value {
        let mut tree = Tree::default();
        names.iter().for_each(|name| tree.add(name));
        tree.keep(&mut value);
        value
    }

    #[test]
    fn only_what_is_named_is_left_in_its_order_and_in_each_item_of_a_list() {
        let value = || json!({"a": 1, "b": {"c": 2, "d": [{"e": 3, "f": 4}, {"f": 5}]}, "g": null});
        assert_eq!(kept(&["g", "a"], value()).to_string(), r#"{"a":1,"g":null}"#);
        assert_eq!(kept(&["b.d.f"], value()), json!({"b": {"d": [{"f": 4}, {"f": 5}]}}));
        assert_eq!(kept(&["g.x", "a.x"], value()), json!({"a": 1, "g": null}));
    }

    #[test]
    fn what_is_named_whole_and_in_part_is_left_whole() {
        let value = || json!({"b": {"c": 2, "d": 3}});
        for names in [["b", "b.c"], ["b.c", "b"]] {
            assert_eq!(kept(&names, value()), value(), "{names:?}");
        }
        assert_eq!(kept(&["b.c", "b.d"], value()), value());
    }

    #[test]
    fn a_name_is_looked_for_through_references_branches_lists_and_maps() {
        let schemas = json!({
            "A": {"type": "object", "properties": {"b": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/B"}]}, "any": {}}},
            "B": {"allOf": [{"type": "object", "properties": {"c": {"type": "array", "items": {"$ref": "#/components/schemas/C"}}}}]},
            "C": {"type": "object", "additionalProperties": {"type": "object", "properties": {"d": {"type": "string"}}}}
        });
        let top = json!({"$ref": "#/components/schemas/A"});
        for good in ["b", "b.c", "b.c.name", "b.c.name.d", "any", "any.x.y"] {
            assert_eq!(fault(&schemas, &[&top], good), None, "{good}");
        }
        for bad in ["c", "b.d", "b.c.name.e", "b.c.name.d.e"] {
            assert!(fault(&schemas, &[&top], bad).is_some(), "{bad}");
        }
    }
}
