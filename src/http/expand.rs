//! `?expand=unit,score`: an answer that says where other things are holds them too, under `expanded`, for who would ask for
//! each of them next.
//!
//! Such an answer follows from more than its resource, so `shape` gives it a tag over its content in place of the resource's.

use serde::de::value::StringDeserializer;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::problem::Problem;

/// What an answer is to hold besides: words with commas between.
#[derive(Debug, Clone, ToSchema)]
#[schema(min_items = 1)]
pub struct Expand<T>(#[schema(inline)] Vec<T>);

impl<T: PartialEq> Expand<T> {
    /// What `make` makes, if it is asked for.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn with<V>(&self, what: &T, make: impl FnOnce() -> Result<V, Problem>) -> Result<Option<V>, Problem> {
        self.0.contains(what).then(make).transpose()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Expand<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let words = text.split(',').map(str::to_owned);
        words
            .map(|word| T::deserialize(StringDeserializer::new(word)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}
