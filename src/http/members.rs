//! Which fields a document can have, by its schema in the OpenAPI document.

use serde_json::Value;

/// Where schemas are found that others refer to.
pub trait Schemas {
    /// The schema of that name; `None` if there is no such schema.
    fn named(&self, name: &str) -> Option<&Value>;
}

/// An object of schemas by name.
impl Schemas for Value {
    fn named(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

/// The fields that what is of certain schemas can have; a list has those of its items.
#[derive(Debug, Default)]
pub struct Members<'a> {
    properties: Vec<(&'a str, &'a Value)>,
    /// The schemas of what stands under any other name.
    others: Vec<&'a Value>,
    /// Whether it can be anything at all.
    is_open: bool,
    is_list: bool,
}

impl<'a> Members<'a> {
    /// Those of what is of any of the schemas `of`; `schemas` are those that they can refer to.
    pub fn of(schemas: &'a impl Schemas, of: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut members = Self::default();
        for schema in of {
            members.add(schemas, schema);
        }
        members
    }

    fn add(&mut self, schemas: &'a impl Schemas, schema: &'a Value) {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            if let Some(schema) = schemas.named(name) {
                self.add(schemas, schema);
            }
            return;
        }
        let list = |name: &str| schema.get(name).and_then(Value::as_array).into_iter().flatten();
        for branch in list("allOf").chain(list("anyOf")).chain(list("oneOf")) {
            self.add(schemas, branch);
        }
        let own = schema.get("properties").and_then(Value::as_object);
        self.properties
            .extend(own.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema)));
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            self.is_list = true;
            self.add(schemas, items);
        }
        match schema.get("additionalProperties") {
            Some(others @ Value::Object(_)) => self.others.push(others),
            Some(Value::Bool(true)) => self.is_open = true,
            _ => {}
        }
        let says = ["type", "allOf", "anyOf", "oneOf", "enum", "const"];
        self.is_open |= !says.iter().any(|word| schema.get(word).is_some());
    }

    /// Whether there can be anything at all.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The names that are known.
    pub fn names(&self) -> Vec<&'a str> {
        self.properties.iter().map(|(name, _)| *name).collect()
    }

    /// The schemas of what stands under `name`; none if nothing can.
    pub fn named(&self, name: &str) -> Vec<&'a Value> {
        let own = self.properties.iter().filter(|(known, _)| *known == name);
        own.map(|(_, schema)| *schema)
            .chain(self.others.iter().copied())
            .collect()
    }

    /// The schemas of the items of a page; none if it is no page.
    pub fn items(&self) -> Vec<&'a Value> {
        let items = self.named("items");
        let lists = items
            .iter()
            .all(|schema| schema.get("type").is_some_and(|kind| kind == "array"));
        items.into_iter().filter(|_| lists && !self.is_list).collect()
    }
}
