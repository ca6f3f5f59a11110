//! What can be imported: per kind of row its key, its input, and the room that stores it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::model::Resource;
use super::typed::{FundKey, Key, UnitKey, YearKey};
use crate::db::{Saved, Tx};
use crate::evaluations::parts::{self, Document};
use crate::http::auth::Principal;
use crate::http::problem::Problem;
use crate::schemes::library::Library;
use crate::scoring::assessment::Assessments;
use crate::scoring::sheet::BaseData;
use crate::special_funds;
use crate::special_funds::model::SpecialFundInput;
use crate::units;
use crate::units::model::UnitInput;

/// Who imports, and by which schemes rows are judged.
pub struct By<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// The schemes.
    pub library: &'a Library,
}

/// What became of each row: stored, or why not. The outer error is not of a row.
pub type Outcomes = Result<Vec<Result<Saved, Problem>>, Problem>;

/// A kind of rows.
pub trait Bulk: Send + Sync + 'static {
    /// What a row is addressed by.
    type Key: Key;
    /// What the single operation takes.
    type Input: Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static;
    /// What it is called.
    const RESOURCE: Resource;
    /// How many rows share a transaction: some 50 ms of work, for which other writes wait.
    const BATCH: usize;

    /// Stores rows, in their order, by the rules of the single operation.
    ///
    /// # Errors
    /// What is not of a row.
    fn store(tx: &mut Tx<'_>, by: &By<'_>, rows: &[(&Self::Key, &Self::Input)]) -> Outcomes;
}

/// Units.
pub struct Units;
/// Base data sheets.
pub struct BaseDataSheets;
/// Assessments.
pub struct AssessmentForms;
/// Special funds.
pub struct SpecialFunds;

impl Bulk for Units {
    type Key = UnitKey;
    type Input = UnitInput;
    const RESOURCE: Resource = Resource::Units;
    const BATCH: usize = 5000;

    fn store(tx: &mut Tx<'_>, _: &By<'_>, rows: &[(&UnitKey, &UnitInput)]) -> Outcomes {
        let rows: Vec<_> = rows.iter().map(|(key, input)| (&key.code, *input)).collect();
        units::bulk::put_all(tx, &rows)
    }
}

impl Bulk for BaseDataSheets {
    type Key = YearKey;
    type Input = BaseData;
    const RESOURCE: Resource = Resource::BaseData;
    const BATCH: usize = 500;

    fn store(tx: &mut Tx<'_>, by: &By<'_>, rows: &[(&YearKey, &BaseData)]) -> Outcomes {
        documents(tx, by, rows)
    }
}

impl Bulk for AssessmentForms {
    type Key = YearKey;
    type Input = Assessments;
    const RESOURCE: Resource = Resource::Assessments;
    const BATCH: usize = 500;

    fn store(tx: &mut Tx<'_>, by: &By<'_>, rows: &[(&YearKey, &Assessments)]) -> Outcomes {
        documents(tx, by, rows)
    }
}

fn documents<T: Document>(tx: &mut Tx<'_>, by: &By<'_>, rows: &[(&YearKey, &T)]) -> Outcomes {
    let rows: Vec<_> = rows
        .iter()
        .map(|(key, document)| (&key.unit, key.year, *document))
        .collect();
    parts::put_all(tx, by.library, by.principal, &rows)
}

impl Bulk for SpecialFunds {
    type Key = FundKey;
    type Input = SpecialFundInput;
    const RESOURCE: Resource = Resource::SpecialFunds;
    const BATCH: usize = 500;

    fn store(tx: &mut Tx<'_>, by: &By<'_>, rows: &[(&FundKey, &SpecialFundInput)]) -> Outcomes {
        let rows: Vec<_> = rows.iter().map(|(key, input)| (&key.id, *input)).collect();
        special_funds::saving::put_all(tx, by.library, by.principal, &rows)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::connection::{Connection, InstrumentationEvent};
    use serde_json::{Value, json};

    use super::*;
    use crate::db::{AnyConnection, Origin, Target, open_once};
    use crate::fiscal_years;
    use crate::schemes::store::install_builtins;
    use crate::tokens::model::{Bearer, Role};
    use crate::tokens::permission::Permissions;

    /// Stores new rows, each given as its key and its input.
    fn store<B: Bulk>(conn: &mut AnyConnection, rows: impl IntoIterator<Item = (Value, Value)>) {
        fn read<T: DeserializeOwned>(value: Value) -> T {
            serde_json::from_value(value).unwrap()
        }
        let bureau = Bearer {
            token_id: None,
            name: "财政局".to_owned(),
            role: Role::Bureau,
            permissions: Permissions::of(Role::Bureau),
            paths: Vec::new(),
            expires_at: None,
        };
        let principal = Principal::new(Arc::new(bureau), None);
        let rows: Vec<(B::Key, B::Input)> = rows.into_iter().map(|(key, input)| (read(key), read(input))).collect();
        let rows: Vec<_> = rows.iter().map(|(key, input)| (key, input)).collect();
        let by = By {
            principal: &principal,
            library: &Library::default(),
        };
        let outcomes = conn.write(&Origin::program(), |tx| B::store(tx, &by, &rows)).unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Saved::Created))));
    }

    /// Other writers wait meanwhile, and PostgreSQL may be far away.
    #[test]
    fn rows_that_are_stored_together_are_looked_up_together() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = open_once(&Target::Sqlite(folder.path().join("jixiao.db"))).unwrap();
        conn.write(&Origin::program(), install_builtins).unwrap();
        let year = serde_json::from_value(json!(2019)).unwrap();
        let season = serde_json::from_value(json!({"scheme": "hunan-2019"})).unwrap();
        fiscal_years::store::save(&mut conn, year, None, &season).unwrap();

        let lookups = Arc::new(AtomicUsize::new(0));
        let counted = lookups.clone();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                counted.fetch_add(usize::from(query.to_string().starts_with("SELECT")), Ordering::Relaxed);
            }
        });
        macro_rules! compare {
            ($kind:ty, $row:expr) => {{
                let mut taken = |rows: std::ops::Range<usize>| {
                    lookups.store(0, Ordering::Relaxed);
                    store::<$kind>(&mut conn, rows.map($row));
                    lookups.load(Ordering::Relaxed)
                };
                let (by_two, by_many) = (taken(0..2), taken(2..502));
                assert_eq!(by_two, by_many, stringify!($kind));
                assert!((1..=12).contains(&by_two), "{} took {by_two}", stringify!($kind));
            }};
        }
        let code = |n: usize| format!("{n:06}");
        let of_year = |n: usize| json!({"unit": code(n), "year": 2019});
        compare!(Units, |n| (
            json!({"code": code(n)}),
            json!({"name": code(n), "kind": "town"})
        ));
        compare!(BaseDataSheets, |n| (of_year(n), json!({"staff": {"posts": 171}})));
        compare!(AssessmentForms, |n| (of_year(n), json!({"indicators": {}})));
        compare!(SpecialFunds, |n| (
            json!({"id": format!("fund-{n}")}),
            json!({"unit": code(n), "year": 2019, "name": "道路养护"})
        ));
    }
}
