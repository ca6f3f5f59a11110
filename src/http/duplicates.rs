//! Names that stand twice in one JSON object. A parser keeps the last silently, and so would drop what the client sent.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::contract::escape;
use crate::fault::Fault;

/// A fault for each name that is given again in its object; none for what is no JSON.
pub fn faults(json: &[u8]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let walk = Walk {
        at: String::new(),
        faults: &mut faults,
    };
    // What cannot be parsed was told to the client already.
    let _ = serde_json::Deserializer::from_slice(json).deserialize_any(walk);
    faults
}

/// Goes through the value at a JSON Pointer.
struct Walk<'a> {
    at: String,
    faults: &'a mut Vec<Fault>,
}

impl Walk<'_> {
    fn below(&mut self, name: &str) -> Walk<'_> {
        Walk {
            at: format!("{}/{}", self.at, escape(name)),
            faults: self.faults,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(self.below(&name))?;
            if seen.contains(&name) {
                let shown: String = name.chars().take(60).collect();
                self.faults.push(Fault::new(
                    format!("{}/{}", self.at, escape(&name)),
                    "duplicate_field",
                    format!("“{shown}”重复出现，只能填写一次。"),
                    format!("\"{shown}\" is given more than once"),
                ));
            }
            seen.insert(name);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let mut n = 0;
        while items.next_element_seed(self.below(&n.to_string()))?.is_some() {
            n += 1;
        }
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_given_again_is_found_wherever_it_stands() {
        let json = br#"{"a": 1.50, "b": [{"c/d": null, "c/d": "x"}, {"c/d": true}], "a": {"e": -1}}"#;
        let pointers: Vec<_> = faults(json).into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(pointers, ["/b/0/c~1d", "/a"]);
    }
}
