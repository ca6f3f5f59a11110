//! The OpenAPI document as a judge of bodies: it finds every fault of one, where reading it into its type finds the first.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{Keyword, ValidationError, Validator};
use memchr::{memchr, memchr_iter};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::members::Schemas;

use crate::codes::{Date, Uscc, WebhookUrl};
use crate::fault::{Fault, Text};
use crate::scoring::text::DESCRIPTION_ZH;
use crate::scoring::values::{Amount, Percent, Points, Quantity, Share, SignedAmount};

/// How many faults of a body are listed: what has more is no slip of the pen, and a list of all would be many times as long as the
/// body.
pub const MOST_FAULTS: usize = 1000;

/// The code of what says that there are more.
pub const MORE_FAULTS: &str = "more_faults";

/// The schemas of the OpenAPI document.
///
/// The document is several times as large read as it is written, and most of it is never asked for. So it is cut into its
/// parts when the first is asked for, and of these only those are read that are.
#[derive(Debug)]
pub struct Contract {
    document: &'static str,
    parts: OnceLock<Parts>,
    met: Mutex<HashMap<String, Arc<Met>>>,
}

/// The schemas by name, and what can be done at each address.
#[derive(Debug, Default)]
struct Parts {
    schemas: HashMap<&'static str, Part>,
    paths: HashMap<&'static str, Part>,
}

/// A part of the document, read when it is first asked for.
#[derive(Debug)]
struct Part {
    text: &'static RawValue,
    read: OnceLock<Option<Value>>,
}

/// A schema that bodies were read by.
#[derive(Debug)]
struct Met {
    /// The names of the properties that are lists wherever it has them, with how many items each has at least and at most.
    lists: HashMap<String, (u64, u64)>,
    /// Compiled for the first body that is at fault.
    validator: OnceLock<Option<Validator>>,
}

impl Parts {
    fn of(document: &'static str) -> Self {
        #[derive(Deserialize)]
        struct Document<'a> {
            #[serde(borrow, default)]
            paths: HashMap<&'a str, &'a RawValue>,
            #[serde(borrow)]
            components: Components<'a>,
        }
        #[derive(Deserialize)]
        struct Components<'a> {
            #[serde(borrow)]
            schemas: HashMap<&'a str, &'a RawValue>,
        }
        let parts = |texts: HashMap<&'static str, &'static RawValue>| {
            let part = |text| Part {
                text,
                read: OnceLock::new(),
            };
            texts.into_iter().map(|(name, text)| (name, part(text))).collect()
        };
        match serde_json::from_str::<Document<'static>>(document) {
            Ok(document) => Self {
                schemas: parts(document.components.schemas),
                paths: parts(document.paths),
            },
            Err(error) => {
                tracing::error!(%error, "the OpenAPI document cannot be used");
                Self::default()
            }
        }
    }
}

impl Part {
    /// What `of` makes of the part when it is first asked for.
    fn get(&self, of: impl FnOnce(Value) -> Option<Value>) -> Option<&Value> {
        let read = || serde_json::from_str(self.text.get()).ok().and_then(of);
        self.read.get_or_init(read).as_ref()
    }
}

impl Schemas for Contract {
    fn named(&self, name: &str) -> Option<&Value> {
        self.parts().schemas.get(name)?.get(|mut schema| {
            if STRICTER.iter().any(|(stricter, _)| *stricter == name) {
                schema[STRICTER_KEYWORD] = Value::from(name);
            }
            Some(schema)
        })
    }
}

impl Contract {
    /// The contract that an OpenAPI document states; none of its schemas where that is no such document.
    pub fn new(document: &'static str) -> Self {
        Self {
            document,
            parts: OnceLock::new(),
            met: Mutex::default(),
        }
    }

    fn parts(&self) -> &Parts {
        self.parts.get_or_init(|| Parts::of(self.document))
    }

    /// The schema of what GET answers in JSON at an address of the document.
    pub fn answer(&self, address: &str) -> Option<&Value> {
        const SCHEMA: &str = "/get/responses/200/content/application~1json/schema";
        let part = self.parts().paths.get(address)?;
        part.get(|mut item| item.pointer_mut(SCHEMA).map(Value::take))
    }

    /// What stands at a JSON Pointer into the document that begins at its schemas.
    fn pointer(&self, pointer: &str) -> Option<&Value> {
        let below = pointer.strip_prefix(SCHEMAS)?;
        match below.split_once('/') {
            None => self.named(below),
            Some((name, _)) => self.named(name)?.pointer(&below[name.len()..]),
        }
    }

    /// Every fault of `instance` as a `schema` of the document; none if the document has no such schema.
    pub fn faults(&self, schema: &str, instance: &Value) -> Vec<Fault> {
        let met = self.met(schema);
        let Some(validator) = met.validator.get_or_init(|| self.compile(schema)) else {
            return Vec::new();
        };
        let mut faults = Vec::new();
        let mut errors = validator.iter_errors(instance);
        for error in errors.by_ref() {
            self.describe(&error, &mut faults);
            if faults.len() >= MOST_FAULTS {
                break;
            }
        }
        let is_all = faults.len() <= MOST_FAULTS && errors.next().is_none();
        faults.truncate(MOST_FAULTS);
        faults.sort_by(|a, b| (&a.pointer, a.code).cmp(&(&b.pointer, b.code)));
        faults.dedup_by(|a, b| a.pointer == b.pointer && a.code == b.code);
        // A type has something to add only where the schema has found nothing.
        let found: HashSet<String> = faults
            .iter()
            .filter(|fault| fault.code != "invalid_value")
            .map(|fault| fault.pointer.clone())
            .collect();
        faults.retain(|fault| fault.code != "invalid_value" || !found.contains(&fault.pointer));
        if !is_all {
            faults.push(Fault::new(
                "",
                MORE_FAULTS,
                "其余问题未逐一列出，请先更正以上各项。",
                "there is more wrong than is listed; correct this first",
            ));
        }
        faults
    }

    /// Whether each array of a JSON text is the value of a property that is a list in a `schema` of the document, and has as many
    /// items as that may have.
    ///
    /// An array where an object belongs is read as the object's fields in their order, without an error, and a list of any length
    /// into its type; only the schema sees it. This look at the text tells, far faster, that there is nothing to see.
    pub fn arrays_are_lists(&self, schema: &str, json: &[u8]) -> bool {
        let Some(first) = memchr(b'[', json) else {
            return true;
        };
        let met = self.met(schema);
        let mut rest = json.get(last_name_before(json, first)..).unwrap_or_default();
        let (mut name, mut text): (&[u8], &[u8]) = (&[], &[]);
        // A name is the last text before a colon; nothing else may stand between the colon and the array.
        let mut after_colon = false;
        // What is open: of a list, how many items more it may have; `None` for an object.
        let mut open: Vec<Option<u64>> = Vec::new();
        while let [byte, tail @ ..] = rest {
            rest = tail;
            match byte {
                b'"' => {
                    let end = end_of_string(rest);
                    text = rest.get(..end).unwrap_or_default();
                    rest = rest.get(end + 1..).unwrap_or_default();
                    after_colon = false;
                }
                b':' => {
                    name = text;
                    after_colon = true;
                }
                b'[' => {
                    let list = std::str::from_utf8(name).ok().and_then(|name| met.lists.get(name));
                    let Some((least, most)) = list.filter(|_| after_colon) else {
                        return false;
                    };
                    let is_empty = rest.trim_ascii_start().first() == Some(&b']');
                    if (is_empty && *least > 0) || (!is_empty && *most == 0) {
                        return false;
                    }
                    open.push(Some(most.saturating_sub(1)));
                    after_colon = false;
                }
                b'{' => {
                    open.push(None);
                    after_colon = false;
                }
                b']' => {
                    open.pop();
                    // Outside of lists nothing matters but the beginning of one.
                    if open.iter().all(Option::is_none) && memchr(b'[', rest).is_none() {
                        return true;
                    }
                    after_colon = false;
                }
                b'}' => {
                    open.pop();
                    after_colon = false;
                }
                b',' => {
                    if let Some(Some(more)) = open.last_mut() {
                        match more.checked_sub(1) {
                            Some(rest) => *more = rest,
                            None => return false,
                        }
                    }
                    after_colon = false;
                }
                b' ' | b'\n' | b'\r' | b'\t' => {}
                _ => after_colon = false,
            }
        }
        true
    }

    fn met(&self, schema: &str) -> Arc<Met> {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = met.get(schema) {
            return Arc::clone(known);
        }
        let new = Arc::new(Met {
            lists: self.lists(schema),
            validator: OnceLock::new(),
        });
        met.insert(schema.to_owned(), Arc::clone(&new));
        new
    }

    /// A schema and all that it refers to, by name.
    fn reached<'a>(&'a self, schema: &'a str) -> BTreeMap<&'a str, &'a Value> {
        let mut reached = BTreeMap::new();
        let mut open = vec![schema];
        while let Some(name) = open.pop() {
            if let Some(schema) = self.named(name).filter(|_| !reached.contains_key(name)) {
                reached.insert(name, schema);
                for part in parts_of(schema) {
                    open.extend(part.get("$ref").and_then(Value::as_str).and_then(referred));
                }
            }
        }
        reached
    }

    /// The names of the properties that are lists in a schema and what it refers to, and objects nowhere in them; with how many
    /// items each has at least and at most, wherever it stands.
    fn lists(&self, schema: &str) -> HashMap<String, (u64, u64)> {
        let mut lists: HashMap<&String, (u64, u64)> = HashMap::new();
        let mut others = HashSet::new();
        let reached = self.reached(schema);
        let parts = reached.values().flat_map(|schema| parts_of(schema));
        for (name, property) in parts.filter_map(|part| part.get("properties")?.as_object()).flatten() {
            let kinds: Vec<&str> = match property.get("type") {
                Some(Value::String(kind)) => vec![kind],
                Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
                // A reference, or a choice: may be an object.
                _ => vec!["object"],
            };
            if kinds.contains(&"array") {
                let bound = |keyword: &str| property.get(keyword).and_then(Value::as_u64);
                let (least, most) = lists.entry(name).or_insert((0, u64::MAX));
                *least = (*least).max(bound("minItems").unwrap_or(0));
                *most = (*most).min(bound("maxItems").unwrap_or(u64::MAX));
            }
            if kinds.contains(&"object") {
                others.insert(name);
            }
        }
        let lists = lists.into_iter().filter(|(name, _)| !others.contains(name));
        lists.map(|(name, bounds)| (name.clone(), bounds)).collect()
    }

    fn compile(&self, schema: &str) -> Option<Validator> {
        // References stay local when what they refer to stands in the same document.
        let root = json!({ "$ref": format!("#{SCHEMAS}{schema}"), "components": { "schemas": self.reached(schema) } });
        jsonschema::options()
            .with_keyword(STRICTER_KEYWORD, |_, name, _| Ok(Box::new(stricter(name))))
            .build(&root)
            .inspect_err(|error| tracing::error!(%error, schema, "a schema of the OpenAPI document cannot be used"))
            .ok()
    }

    fn describe(&self, error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
        let at = error.instance_path().to_string();
        let found = shown(error.instance());
        let found_zh = shown_zh(error.instance());
        let expected = self.expectation(error);
        let mut fault = |pointer: String, code, zh: String, en: String| faults.push(Fault::new(pointer, code, zh, en));
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = self.properties(error);
                for name in unexpected.iter().take(MOST_FAULTS + 1) {
                    let (zh, en) = unknown(name, &known);
                    fault(format!("{at}/{}", escape(name)), "unknown_field", zh, en);
                }
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                fault(
                    format!("{at}/{}", escape(name)),
                    "missing_field",
                    format!("缺少必填项“{name}”。"),
                    format!("\"{name}\" is required"),
                );
            }
            ValidationErrorKind::Type { kind } => {
                let wanted = type_names(kind);
                fault(
                    at,
                    "wrong_type",
                    format!("类型应为{}，收到的是{found_zh}。", wanted.0),
                    format!("expected {}, found {found}", wanted.1),
                );
            }
            ValidationErrorKind::Enum { options } => {
                let options: Vec<_> = options.as_array().into_iter().flatten().map(shown).collect();
                fault(
                    at,
                    "not_one_of",
                    format!("应为{}之一，收到的是{found}。", options.join("、")),
                    format!("expected one of {}, found {found}", options.join(", ")),
                );
            }
            ValidationErrorKind::Pattern { pattern } => fault(
                at,
                "pattern",
                match self.expectation_zh(error) {
                    "" => format!("{found_zh}的格式不符合要求（{pattern}）。"),
                    wanted => format!("应为{wanted}，收到的是{found_zh}。"),
                },
                format!("{found} does not match {pattern}{expected}"),
            ),
            ValidationErrorKind::MinLength { limit } => fault(
                at,
                "too_short",
                match self.expectation_zh(error) {
                    "" => format!("至少应有{limit}个字符。"),
                    wanted => format!("至少应有{limit}个字符，应为{wanted}。"),
                },
                format!("must have at least {limit} characters{expected}"),
            ),
            ValidationErrorKind::MaxLength { limit } => fault(
                at,
                "too_long",
                match self.expectation_zh(error) {
                    "" => format!("不应超过{limit}个字符。"),
                    wanted => format!("不应超过{limit}个字符，应为{wanted}。"),
                },
                format!("must have at most {limit} characters{expected}"),
            ),
            ValidationErrorKind::Minimum { limit } | ValidationErrorKind::ExclusiveMinimum { limit } => fault(
                at,
                "out_of_range",
                format!("{found}小于下限{limit}。"),
                format!("{found} is below the least allowed, {limit}"),
            ),
            ValidationErrorKind::Maximum { limit } | ValidationErrorKind::ExclusiveMaximum { limit } => fault(
                at,
                "out_of_range",
                format!("{found}大于上限{limit}。"),
                format!("{found} is above the most allowed, {limit}"),
            ),
            ValidationErrorKind::MinItems { limit } => fault(
                at,
                "too_few",
                format!("至少应有{limit}项。"),
                format!("must have at least {limit} items"),
            ),
            ValidationErrorKind::MaxProperties { limit } => fault(
                at,
                "too_many",
                format!("不应超过{limit}项。"),
                format!("must have at most {limit} entries"),
            ),
            ValidationErrorKind::MaxItems { limit } => fault(
                at,
                "too_many",
                format!("不应超过{limit}项。"),
                format!("must have at most {limit} items"),
            ),
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context }
            | ValidationErrorKind::OneOfMultipleValid { context } => match meant(context) {
                Some(branch) => {
                    for error in branch {
                        self.describe(error, faults);
                    }
                }
                None if self.has_kinds(error) => self.describe_kind(error, faults),
                None if !types(context, &at).is_empty() => {
                    let wanted = type_words(&types(context, &at));
                    fault(
                        at,
                        "wrong_type",
                        format!("类型应为{}，收到的是{found_zh}。", wanted.0),
                        format!("expected {}, found {found}", wanted.1),
                    );
                }
                None => fault(
                    at,
                    "not_acceptable",
                    format!("{found_zh}不符合要求。"),
                    format!("{found} is not acceptable{expected}"),
                ),
            },
            ValidationErrorKind::Custom { message, .. } => {
                let text = Text::from_joined(message);
                fault(at, "invalid_value", text.zh.into_owned(), text.en.into_owned());
            }
            ValidationErrorKind::PropertyNames { error } => {
                let name = error.instance().as_str().unwrap_or_default();
                let shown = shown(error.instance());
                fault(
                    format!("{at}/{}", escape(name)),
                    "pattern",
                    match self.expectation_zh(error) {
                        "" => format!("名称{shown}的格式不符合要求。"),
                        wanted => format!("名称应为{wanted}，收到的是{shown}。"),
                    },
                    format!("the name {shown} is not acceptable{}", self.expectation(error)),
                );
            }
            _ => fault(
                at,
                "not_acceptable",
                format!("{found_zh}不符合要求。"),
                format!("{found} is not acceptable: {error}"),
            ),
        }
    }

    /// The schema that holds the keyword which failed.
    fn schema_of(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let path = error.schema_path().to_string();
        let (parent, _) = path.rsplit_once('/')?;
        self.pointer(parent)
    }

    /// The values that `kind` can have in a union that is told apart by it; empty for any other schema.
    fn kinds(&self, error: &ValidationError<'_>) -> Vec<&Value> {
        let schema = self.schema_of(error);
        let branches = schema.and_then(|schema| schema.get("oneOf")?.as_array());
        branches
            .into_iter()
            .flatten()
            .filter_map(|branch| match branch.get("$ref").and_then(Value::as_str) {
                Some(reference) => self.pointer(reference.strip_prefix('#')?),
                None => Some(branch),
            })
            .filter_map(|branch| branch.pointer("/properties/kind/enum")?.as_array())
            .flatten()
            .collect()
    }

    fn has_kinds(&self, error: &ValidationError<'_>) -> bool {
        !self.kinds(error).is_empty()
    }

    /// Says what is wrong with the `kind` of a value that is none of a union.
    fn describe_kind(&self, error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
        let at = error.instance_path().to_string();
        let options: Vec<_> = self.kinds(error).into_iter().map(shown).collect();
        let (zh, en) = (options.join("、"), options.join(", "));
        let instance = error.instance();
        faults.push(match instance.as_object().map(|object| object.get("kind")) {
            None => Fault::new(
                at,
                "wrong_type",
                format!("类型应为对象，收到的是{}。", shown_zh(instance)),
                format!("expected object, found {}", shown(instance)),
            ),
            Some(None) => Fault::new(
                format!("{at}/kind"),
                "missing_field",
                format!("缺少必填项“kind”，应为{zh}之一。"),
                format!("\"kind\" is required: one of {en}"),
            ),
            Some(Some(kind)) => Fault::new(
                format!("{at}/kind"),
                "not_one_of",
                format!("应为{zh}之一，收到的是{}。", shown_zh(kind)),
                format!("expected one of {en}, found {}", shown(kind)),
            ),
        });
    }

    /// What the failing schema says of itself, to end a sentence with.
    fn expectation(&self, error: &ValidationError<'_>) -> String {
        let description = self
            .schema_of(error)
            .and_then(|schema| schema.get("description")?.as_str());
        description.map(|text| format!(". {}", text.trim())).unwrap_or_default()
    }

    /// The same in Chinese, to go on from “应为”; empty where it says nothing.
    fn expectation_zh(&self, error: &ValidationError<'_>) -> &str {
        let description = self
            .schema_of(error)
            .and_then(|schema| schema.get(DESCRIPTION_ZH)?.as_str());
        description.unwrap_or_default()
    }

    /// The names of the properties that the failing schema has.
    fn properties(&self, error: &ValidationError<'_>) -> Vec<&str> {
        let properties = self
            .schema_of(error)
            .and_then(|schema| schema.get("properties")?.as_object());
        properties
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect()
    }
}

/// Where the schemas stand in the document.
const SCHEMAS: &str = "/components/schemas/";

/// The name of the schema that a reference is to.
fn referred(reference: &str) -> Option<&str> {
    reference.strip_prefix('#')?.strip_prefix(SCHEMAS)
}

/// A schema and all objects in it.
fn parts_of(schema: &Value) -> Vec<&Value> {
    let (mut found, mut open) = (Vec::new(), vec![schema]);
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                found.push(value);
                open.extend(object.values());
            }
            Value::Array(array) => open.extend(array),
            _ => {}
        }
    }
    found
}

/// Where a JSON string ends, of which the opening quote was read.
fn end_of_string(json: &[u8]) -> usize {
    let mut escaped = false;
    json.iter()
        .position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        })
        .unwrap_or(json.len())
}

/// Where the last text before the first array begins: from there on it can be told what the array is the value of. The beginning of the
/// JSON where this would take reading it: before a text with escapes, or where what looks like an array stands in a text.
fn last_name_before(json: &[u8], array: usize) -> usize {
    let before = &json[..array];
    let mut quotes = memchr_iter(b'"', before);
    if memchr(b'\\', before).is_some() || quotes.clone().count() % 2 == 1 {
        return 0;
    }
    quotes.nth_back(1).unwrap_or(0)
}

/// Reads a value into its type; what is wrong with it, in both languages, if it does not fit.
type Judge = fn(&Value) -> Result<(), String>;

/// Types that refuse more than a schema can say (a check character, a day that does not exist, a decimal too many), by
/// the names of their schemas. So that this is found in the same pass, their schemas get a keyword of our own here.
static STRICTER: &[(&str, Judge)] = &[
    ("Date", judge::<Date>),
    ("Uscc", judge::<Uscc>),
    ("Amount", judge::<Amount>),
    ("SignedAmount", judge::<SignedAmount>),
    ("Quantity", judge::<Quantity>),
    ("Points", judge::<Points>),
    ("Percent", judge::<Percent>),
    ("Share", judge::<Share>),
    ("WebhookUrl", judge::<WebhookUrl>),
];

const STRICTER_KEYWORD: &str = "x-type";

fn judge<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
    T::deserialize(value).map(drop).map_err(|error| error.to_string())
}

fn stricter(name: &Value) -> Stricter {
    let judge = STRICTER.iter().find(|(known, _)| name == known);
    Stricter(judge.map_or(|_| Ok(()), |(_, judge)| *judge))
}

struct Stricter(Judge);

impl<'i> Keyword<'i> for Stricter {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        (self.0)(instance).map_err(ValidationError::custom)
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        (self.0)(instance).is_ok()
    }
}

/// The branch that a value was meant for: the one whose tag fits, or the only one of its type; `null` is nobody's meaning.
fn meant<'a>(context: &'a [Vec<ValidationError<'static>>]) -> Option<&'a Vec<ValidationError<'static>>> {
    let fits = |branch: &&Vec<ValidationError<'static>>| {
        !branch.is_empty()
            && !branch.iter().any(|error| {
                let tag = error
                    .instance_path()
                    .segments()
                    .last()
                    .is_some_and(|segment| matches!(segment, LocationSegment::Property(name) if name == "kind"));
                let tag_missing =
                    matches!(error.kind(), ValidationErrorKind::Required { property } if property == "kind");
                let top_type = matches!(error.kind(), ValidationErrorKind::Type { .. }) && branch.len() == 1;
                (tag && matches!(
                    error.kind(),
                    ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. }
                )) || tag_missing
                    || (top_type && wants_only_null(error))
            })
    };
    let mut fitting = context.iter().filter(fits);
    let first = fitting.next()?;
    match fitting.next() {
        None => Some(first),
        // Several could be meant (a string or a number): the one that got furthest says most.
        Some(second) => [first, second].into_iter().chain(fitting).find(|branch| {
            !branch
                .iter()
                .any(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }))
        }),
    }
}

fn wants_only_null(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind } if type_names(kind).1 == "null")
}

/// The types that were wanted `at` the value of a union, where the type is all that is wrong in each branch.
fn types(context: &[Vec<ValidationError<'static>>], at: &str) -> Vec<String> {
    let wanted = context.iter().map(|branch| match branch.as_slice() {
        [error] if error.instance_path().to_string() == at => match error.kind() {
            ValidationErrorKind::Type { kind } => Some(type_list(kind)),
            _ => None,
        },
        _ => None,
    });
    let wanted: Option<Vec<Vec<String>>> = wanted.collect();
    let mut names: Vec<String> = wanted.unwrap_or_default().concat();
    names.retain(|name| name != "null");
    names
}

fn type_list(kind: &TypeKind) -> Vec<String> {
    match kind {
        TypeKind::Single(name) => vec![name.to_string()],
        TypeKind::Multiple(names) => names.iter().map(|name| name.to_string()).collect(),
    }
}

fn type_names(kind: &TypeKind) -> (String, String) {
    type_words(&type_list(kind))
}

fn type_words(names: &[String]) -> (String, String) {
    let zh: Vec<_> = names
        .iter()
        .map(|name| match name.as_str() {
            "string" => "字符串",
            "number" => "数值",
            "integer" => "整数",
            "boolean" => "布尔值（true 或 false）",
            "object" => "对象",
            "array" => "数组",
            _ => "null",
        })
        .collect();
    (zh.join("或"), names.join(" or "))
}

/// Which of the names that there are is meant by one that is none. Likeness takes its time, so one that is far longer than any is
/// compared with none.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 200;
    let known = known.into_iter().filter(|_| name.len() <= LONGEST);
    known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Says that there is no field of that name, and which of those there are is meant.
pub(super) fn unknown(name: &str, known: &[&str]) -> (String, String) {
    let nearest = nearest(name, known.iter().copied());
    let name: String = name.chars().take(60).collect();
    match nearest {
        Some(nearest) => (
            format!("没有“{name}”这一项，是否为“{nearest}”？"),
            format!("there is no field \"{name}\"; did you mean \"{nearest}\"?"),
        ),
        None => (format!("没有“{name}”这一项。"), format!("there is no field \"{name}\"")),
    }
}

/// A value as it is shown in a message: shortened.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object {…}".to_owned(),
        Value::Array(_) => "an array […]".to_owned(),
        value => {
            let text = value.to_string();
            match text.chars().count() {
                0..=60 => text,
                _ => text.chars().take(60).chain(['…']).collect(),
            }
        }
    }
}

/// The same for a message in Chinese.
fn shown_zh(value: &Value) -> String {
    match value {
        Value::Object(_) => "对象{…}".to_owned(),
        Value::Array(_) => "数组[…]".to_owned(),
        value => shown(value),
    }
}

/// A name as a part of a JSON Pointer (RFC 6901).
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_seen_unless_it_is_the_value_of_a_list() {
        let document = json!({"components": {"schemas": {
            "A": {"properties": {
                "rows": {"type": "array"}, "maybe": {"type": ["array", "null"]}, "both": {"type": "array"},
                "some": {"type": "array", "minItems": 1, "maxItems": 2},
                "part": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/B"}]}
            }},
            "B": {"properties": {"both": {"type": "object"}, "name": {"type": "string"}}},
            "Apart": {"properties": {"rows": {"type": "object"}}}
        }}});
        let contract = Contract::new(document.to_string().leak());
        for good in [
            "{}",
            "{\"rows\": [], \"maybe\" : [{\"name\": \"[\\\"[\", \"rows\":\n[1]}]}",
            r#"{"name": "\\", "rows": [{}, {}]}"#,
            r#"{"some": [{"rows": [1, 2, 3], "a": 1, "b": ",,"}, 2]}"#,
            r#"{"rows": [1, 2, 3], "name": "[", "some": [1]}"#,
            r#"{"name": "a", "a": {"b": {"name": "c"}, "rows" : [{}, {"a": {}}], "name": "d"}, "some": [1]}"#,
            r#"{"name": "a\"b", "a": {"rows": [1]}}"#,
            r#"{"name": "\": [", "rows": [1]}"#,
        ] {
            assert!(contract.arrays_are_lists("A", good.as_bytes()), "{good}");
        }
        for bad in [
            "[]",
            r#"{"name": []}"#,
            r#"{"both": []}"#,
            r#"{"rows": [[]]}"#,
            r#"{"unknown": []}"#,
            r#"{"rows": [{}, []]}"#,
            r#"{"rows": ["rows", []]}"#,
            r#"{"some": [ ]}"#,
            r#"{"some": [1, {"rows": [1, 2]}, 3]}"#,
            r#"{"rows": [1], "name": []}"#,
            r#"{"some": [{"rows": [1]}, 2, 3]}"#,
            r#"{"a": {"b": {"name": "c"}, "rows": 1}, "name": ["rows"]}"#,
            r#"{"rows": "rows", "a": {"rows": {}}, "b": [], "rows": []}"#,
            r#"{"name": "\\", "rows": {}, "name": []}"#,
            r#"{"name": "rows:[", "both": []}"#,
            " [\"rows\"]",
        ] {
            assert!(!contract.arrays_are_lists("A", bad.as_bytes()), "{bad}");
        }
    }
}
