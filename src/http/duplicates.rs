//! What is wrong with a JSON text before its content is looked at: names that stand twice in one object, of which a parser keeps
//! the last silently and so would drop what the client sent; and what is so large that looking for every fault in it would take
//! the server longer than anybody waits.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::contract::{MOST_FAULTS, escape};
use crate::fault::Fault;

/// How long a name may be, in bytes. The longest that is right, the key of a finding, has 300 characters.
const LONGEST_NAME: usize = 2000;

/// How many values a document at fault may have: more than the largest that is right.
const MOST_VALUES: usize = 200_000;

/// How long the places of all its values may be together, in bytes: each is told with the names of all that it stands in.
const LONGEST_PLACES: usize = 32 << 20;

/// A fault for each name that is given again in its object, or is longer than any, and one for a text of too many values; none
/// for what is no JSON.
pub fn faults(json: &[u8]) -> Vec<Fault> {
    let mut found = Found::default();
    let walk = Walk {
        at: &Place::Root,
        found: &mut found,
    };
    // What cannot be parsed was told to the client already.
    let _ = serde_json::Deserializer::from_slice(json).deserialize_any(walk);
    found.faults
}

/// Whether a fault says that a text is too large to look for anything else that is wrong with it.
pub fn is_too_much(fault: &Fault) -> bool {
    matches!(fault.code, "too_many_values" | "name_too_long")
}

#[derive(Default)]
struct Found {
    faults: Vec<Fault>,
    values: usize,
    places: usize,
}

/// A place in the text. It is written out where something is wrong there, and nowhere else.
enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn length(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Member(parent, name) => parent.length() + 1 + name.len(),
            Self::Item(parent, _) => parent.length() + 1,
        }
    }

    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Member(parent, name) => format!("{}/{}", parent.pointer(), escape(name)),
            Self::Item(parent, n) => format!("{}/{n}", parent.pointer()),
        }
    }
}

/// Goes through the value at a place.
struct Walk<'a> {
    at: &'a Place<'a>,
    found: &'a mut Found,
}

impl Walk<'_> {
    fn below<'a>(&'a mut self, at: &'a Place<'a>) -> Walk<'a> {
        Walk { at, found: self.found }
    }

    /// Counts a value; an error where nothing more needs to be looked at.
    fn goes_on<E: Error>(&mut self) -> Result<(), E> {
        self.found.values += 1;
        self.found.places += self.at.length();
        let too_much = self.found.values > MOST_VALUES || self.found.places > LONGEST_PLACES;
        if too_much {
            self.found.faults.push(Fault::new(
                "",
                "too_many_values",
                format!("内容过多：超过{MOST_VALUES}个值，或名称过长。"),
                format!("it has more than {MOST_VALUES} values, or fewer with long names"),
            ));
        }
        match too_much || self.found.faults.len() >= MOST_FAULTS {
            true => Err(E::custom("enough")),
            false => Ok(()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        self.goes_on()?;
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
            let at = self.at;
            let place = Place::Member(at, &name);
            let shown: String = name.chars().take(60).collect();
            if name.len() > LONGEST_NAME {
                self.found.faults.push(Fault::new(
                    at.pointer(),
                    "name_too_long",
                    format!("名称“{shown}…”过长，不得超过{LONGEST_NAME}字节。"),
                    format!("the name \"{shown}…\" is longer than {LONGEST_NAME} bytes"),
                ));
                return Err(A::Error::custom("enough"));
            }
            map.next_value_seed(self.below(&place))?;
            if seen.contains(&name) {
                self.found.faults.push(Fault::new(
                    place.pointer(),
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
        let at = self.at;
        let mut n = 0;
        while items.next_element_seed(self.below(&Place::Item(at, n)))?.is_some() {
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

    #[test]
    fn what_is_too_large_to_look_for_all_that_is_wrong_in_it_says_so_and_no_more() {
        let codes = |json: String| -> Vec<(String, &str)> {
            let found = faults(json.as_bytes());
            found.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
        };
        let many = |values: usize| format!("{{\"a\": [{}0]}}", "0,".repeat(values - 1));
        // The list itself is a value too.
        assert_eq!(codes(many(MOST_VALUES - 1)), []);
        assert_eq!(codes(many(MOST_VALUES)), [(String::new(), "too_many_values")]);
        // The place of the list is 1000 bytes long, that of each of its items 1001.
        let below = |items: usize| format!("{{\"{}\": [{}0]}}", "n".repeat(999), "0,".repeat(items - 1));
        let most = (LONGEST_PLACES - 1000) / 1001;
        assert_eq!(codes(below(most)), []);
        assert_eq!(codes(below(most + 1)), [(String::new(), "too_many_values")]);
        let name = |length: usize| format!("{{\"b\": {{\"{}\": [0, 0]}}}}", "n".repeat(length));
        assert_eq!(codes(name(LONGEST_NAME)), []);
        assert_eq!(codes(name(LONGEST_NAME + 1)), [("/b".to_owned(), "name_too_long")]);
        let twice = format!("{{\"a\": 0{}}}", ", \"a\": 0".repeat(2 * MOST_FAULTS));
        assert_eq!(codes(twice).len(), MOST_FAULTS);
    }
}
