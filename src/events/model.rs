//! Events on the wire: CloudEvents 1.0 in their JSON form.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{Number, PartialSchema, ToSchema};

use crate::codes::{FiscalYear, UnitCode};
use crate::db::changes::{Action, Resource, Row};
use crate::fault::LANGUAGES;
use crate::http::problem::Problem;

/// What all types of events begin with.
const PREFIX: &str = "jixiao.";

/// The number of a change; 0 is before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seq(pub i64);

/// The greatest that a number of JSON holds everywhere.
const GREATEST: i64 = 9_007_199_254_740_991;

impl std::str::FromStr for Seq {
    /// The refusal in Chinese and English.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(seq @ 0..=GREATEST) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(Self(seq)),
            _ => Err(format!(
                "变更序号应为非负整数。{LANGUAGES}the number of a change is a whole number, 0 or more"
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Seq {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .minimum(Some(Number::Int(0)))
            .maximum(Some(Number::Int(9_007_199_254_740_991)))
            .default(Some(0.into()))
            .into()
    }
}

impl ToSchema for Seq {}

/// How many seconds to wait for a change: 0 to 60.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wait(pub u64);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(seconds @ 0..=60) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(Self(seconds)),
            _ => Err(de::Error::custom(format!(
                "等待秒数应为0至60的整数。{LANGUAGES}wait is a whole number of seconds from 0 to 60"
            ))),
        }
    }
}

impl PartialSchema for Wait {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .minimum(Some(Number::Int(0)))
            .maximum(Some(Number::Int(60)))
            .default(Some(0.into()))
            .into()
    }
}

impl ToSchema for Wait {}

/// A type of events: `jixiao.base_data.updated`, or all of a resource: `jixiao.base_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventType {
    /// What was changed.
    pub resource: Resource,
    /// What was done; `None`: anything.
    pub action: Option<Action>,
}

impl std::str::FromStr for EventType {
    /// The refusal in Chinese and English.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (resource, action) = match text.strip_prefix(PREFIX)?.split_once('.') {
                Some((resource, action)) => (resource, Some(action)),
                None => (text.strip_prefix(PREFIX)?, None),
            };
            let resource = *Resource::ALL.iter().find(|known| known.as_str() == resource)?;
            let action = match action {
                Some(word) => Some(*Action::ALL.iter().find(|known| known.as_str() == word)?),
                None => None,
            };
            Some(Self { resource, action })
        };
        parse().ok_or_else(|| {
            format!(
                "事件类型应为“jixiao.资源”或“jixiao.资源.操作”，如jixiao.base_data.updated。{LANGUAGES}\
                 a type of events is jixiao.RESOURCE or jixiao.RESOURCE.ACTION, such as jixiao.base_data.updated"
            )
        })
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.resource.as_str())?;
        match self.action {
            Some(action) => write!(f, ".{}", action.as_str()),
            None => Ok(()),
        }
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        let words = |words: Vec<&str>| words.join("|");
        let resources = words(Resource::ALL.iter().map(|word| word.as_str()).collect());
        let actions = words(Action::ALL.iter().map(|word| word.as_str()).collect());
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .pattern(Some(format!(r"^jixiao\.({resources})(\.({actions}))?$")))
            .examples([serde_json::Value::from("jixiao.base_data")])
            .into()
    }
}

impl ToSchema for EventType {}

/// A change, as a CloudEvent (specversion 1.0).
#[derive(Debug, Serialize, ToSchema)]
pub struct CloudEvent {
    /// The version of CloudEvents.
    #[schema(example = "1.0")]
    pub specversion: &'static str,
    /// The number of the change: counted from 1, without a gap, in the order of the commits.
    #[schema(example = "42")]
    pub id: String,
    /// Where events come from: this API.
    #[schema(example = "/api/v1")]
    pub source: &'static str,
    /// `jixiao.`, what was changed, and what was done.
    #[schema(example = "jixiao.base_data.updated")]
    pub r#type: String,
    /// The address of what was changed.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/base-data")]
    pub subject: String,
    /// When (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub time: String,
    /// The media type of `data`.
    #[schema(example = "application/json")]
    pub datacontenttype: &'static str,
    /// The unit that it belongs to; left out for what belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<UnitCode>, example = "219001")]
    pub unit: Option<String>,
    /// The fiscal year that it belongs to; left out for what belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<FiscalYear>, example = 2019)]
    pub year: Option<i64>,
    /// What was done.
    pub data: EventData,
}

/// What was done, by whom, and how it is now.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventData {
    /// What was changed.
    #[schema(value_type = Resource)]
    pub resource: String,
    /// What was done.
    #[schema(value_type = Action)]
    pub action: String,
    /// Whose token it was.
    #[schema(example = "开云镇财政所")]
    pub actor: String,
    /// What that token may do; `system` for the program itself.
    #[schema(example = "unit")]
    pub role: String,
    /// The document after the change, as a PUT to `subject` takes it; of an evaluation its `state`, `submission` and `reason`.
    /// `null` when it is gone.
    #[schema(value_type = Option<Object>, example = json!({"staff": {"posts": 171, "in_post": 104}}))]
    pub document: Option<Box<RawValue>>,
}

impl TryFrom<Row> for CloudEvent {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        let document = row
            .after
            .map(RawValue::from_string)
            .transpose()
            .map_err(|error| Problem::internal(format!("change {}: {error}", row.seq)))?;
        Ok(Self {
            specversion: "1.0",
            id: row.seq.to_string(),
            source: "/api/v1",
            r#type: format!("{PREFIX}{}.{}", row.resource, row.action),
            subject: row.key,
            time: row.at,
            datacontenttype: "application/json",
            unit: row.unit_code,
            year: row.year,
            data: EventData {
                resource: row.resource,
                action: row.action,
                actor: row.actor_name,
                role: row.role,
                document,
            },
        })
    }
}

/// Some events, in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    /// The events; none when nothing happened.
    pub items: Vec<CloudEvent>,
    /// What to send as `after` next time. Never `null`: there is always a next time.
    #[schema(example = 42)]
    pub next_after: i64,
    /// The number of the last change that there was, of any kind: how far behind the reader is.
    #[schema(example = 42)]
    pub head: i64,
}
