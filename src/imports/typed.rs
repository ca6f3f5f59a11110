//! A row's JSON as its key and its input, or every fault of it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{CowStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::codes::{FiscalYear, FundId, UnitCode};
use crate::fault::{Fault, Text};
use crate::http::contract::Contract;
use crate::http::{body, duplicates};

/// What a row is addressed by, beside the input that the single operation takes.
pub trait Key: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The fields, each with the name of its schema.
    const FIELDS: &'static [(&'static str, &'static str)];
}

/// A unit's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UnitKey {
    /// Its code.
    pub code: UnitCode,
}

/// The key of a document of a unit's year.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct YearKey {
    /// The unit.
    pub unit: UnitCode,
    /// The fiscal year.
    pub year: FiscalYear,
}

/// A special fund's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FundKey {
    /// Its id.
    pub id: FundId,
}

impl Key for UnitKey {
    const FIELDS: &'static [(&'static str, &'static str)] = &[("code", "UnitCode")];
}

impl Key for YearKey {
    const FIELDS: &'static [(&'static str, &'static str)] = &[("unit", "UnitCode"), ("year", "FiscalYear")];
}

impl Key for FundKey {
    const FIELDS: &'static [(&'static str, &'static str)] = &[("id", "FundId")];
}

/// Reads a row.
///
/// # Errors
/// Every fault of it, in the order of their places.
pub fn read<K: Key, T: DeserializeOwned + ToSchema>(json: &[u8], contract: &Contract) -> Result<(K, T), Vec<Fault>> {
    if let Ok(text) = std::str::from_utf8(json)
        && let Ok(Keyed(key, input)) = serde_json::from_str(text)
        && contract.arrays_are_lists(&T::name(), json)
    {
        return Ok((key, input));
    }
    let document: Value = serde_json::from_slice(json).map_err(|error| {
        vec![match std::str::from_utf8(json) {
            Err(_) => Fault::new("", "not_utf8", "该行不是UTF-8编码。", "the row is not in UTF-8"),
            Ok(_) => Fault::new(
                "",
                "malformed_json",
                format!("第{}个字节附近JSON语法有误。", error.column()),
                format!("it is not valid JSON near byte {}: {error}", error.column()),
            ),
        }]
    })?;
    let Value::Object(mut rest) = document else {
        return Err(vec![Fault::new(
            "",
            "wrong_type",
            "每行应为一个JSON对象。",
            "each row is one JSON object",
        )]);
    };
    let mut faults = duplicates::faults(json);
    if faults.iter().any(duplicates::is_too_much) {
        return Err(faults);
    }
    let mut own = Map::new();
    for (name, schema) in K::FIELDS {
        match rest.shift_remove(*name) {
            None => faults.push(Fault::new(
                format!("/{name}"),
                "missing_field",
                format!("缺少必填项“{name}”。"),
                format!("\"{name}\" is required"),
            )),
            Some(value) => {
                let at = format!("/{name}");
                faults.extend(
                    contract
                        .faults(schema, &value)
                        .into_iter()
                        .map(|fault| fault.under(&at)),
                );
                own.insert((*name).to_owned(), value);
            }
        }
    }
    let rest = Value::Object(rest);
    let bytes = serde_json::to_vec(&rest).unwrap_or_default();
    let input = body::judge::<T>(&bytes, &rest, serde_json::from_slice(&bytes), Some(contract));
    match (input, serde_json::from_value(Value::Object(own))) {
        (Ok(input), Ok(key)) if faults.is_empty() => return Ok((key, input)),
        (Err(more), _) => faults.extend(more),
        (Ok(_), Err(error)) if faults.is_empty() => {
            let text = Text::from_joined(&error.to_string());
            faults.push(Fault {
                pointer: String::new(),
                code: "invalid_value",
                text,
            });
        }
        _ => {}
    }
    Err(faults)
}

/// A row as a document: its key, then its input.
///
/// # Errors
/// None for a program that passed its tests.
pub fn document(key: &impl Key, input: &impl Serialize) -> Result<Value, serde_json::Error> {
    let mut document = serde_json::to_value(key)?;
    if let (Value::Object(document), Value::Object(input)) = (&mut document, serde_json::to_value(input)?) {
        document.extend(input);
    }
    Ok(document)
}

/// A key and an input read from the fields of one object. serde's own `flatten` would let fields pass that neither has.
struct Keyed<K, T>(K, T);

impl<'de, K: Key, T: Deserialize<'de>> Deserialize<'de> for Keyed<K, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<K, T>(PhantomData<(K, T)>);

        impl<'de, K: Key, T: Deserialize<'de>> Visitor<'de> for Fields<K, T> {
            type Value = Keyed<K, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let mut key = Map::new();
                let input = T::deserialize(MapAccessDeserializer::new(Others {
                    map,
                    names: K::FIELDS,
                    key: &mut key,
                }))?;
                let key = serde_json::from_value(Value::Object(key)).map_err(A::Error::custom)?;
                Ok(Keyed(key, input))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// The entries of a map but those of the key, which are kept aside.
struct Others<'a, A> {
    map: A,
    names: &'static [(&'static str, &'static str)],
    key: &'a mut Map<String, Value>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Others<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        while let Some(name) = self.map.next_key::<String>()? {
            if !self.names.iter().any(|(known, _)| *known == name) {
                let name: CowStrDeserializer<'_, A::Error> = Cow::<str>::Owned(name).into_deserializer();
                return seed.deserialize(name).map(Some);
            }
            if self.key.insert(name, self.map.next_value()?).is_some() {
                return Err(A::Error::custom("a field of the key is given twice"));
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
