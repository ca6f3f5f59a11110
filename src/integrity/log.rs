//! Rows held against the last word of the change log.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Findings, Kind};
use crate::db::changes::{Action, Row};
use crate::fault::Text;

/// What the log must say of what is at some addresses.
#[derive(Debug, Default)]
pub(super) struct Expected(BTreeMap<String, Wanted>);

#[derive(Debug)]
enum Wanted {
    /// Exactly this document.
    Document(Value),
    /// A document with these members, among others that no column holds.
    Members(Value),
    /// It is there, whatever is said of it.
    There,
    /// It may be there or not.
    Whatever,
}

impl Expected {
    /// What is at the address is this document.
    pub(super) fn document(&mut self, key: String, document: Value) {
        self.0.insert(key, Wanted::Document(document));
    }

    /// What is at the address has these members.
    pub(super) fn members(&mut self, key: String, members: Value) {
        self.0.insert(key, Wanted::Members(members));
    }

    /// Something is at the address that cannot be compared.
    pub(super) fn there(&mut self, key: String) {
        self.0.insert(key, Wanted::There);
    }

    /// What the log says of the address is not looked at.
    pub(super) fn whatever(&mut self, key: String) {
        self.0.insert(key, Wanted::Whatever);
    }

    /// The addresses.
    pub(super) fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Compares with the last changes of these addresses, and of others that the rows do not have.
    pub(super) fn compare(mut self, last: Vec<Row>, findings: &Findings) {
        for row in last {
            let wanted = self.0.remove(&row.key);
            let gone = row.action == Action::Deleted.as_str();
            let differs = match (wanted, gone) {
                (Some(Wanted::Whatever), _) | (Some(Wanted::There), false) | (None, true) => continue,
                (Some(_), true) => Text::new(
                    format!("变更{}将其删除，但数据仍在。", row.seq),
                    format!("change {} deleted it, and it is there", row.seq),
                ),
                (None, false) => Text::new(
                    format!("变更{}保存了它，但数据已不在。", row.seq),
                    format!("change {} stored it, and it is not there", row.seq),
                ),
                (Some(wanted), false) => match wanted.agrees(row.after.as_deref()) {
                    true => continue,
                    false => Text::new(
                        format!("与最后一次变更{}记录的内容不一致。", row.seq),
                        format!("it is not what the last change of it, {}, left", row.seq),
                    ),
                },
            };
            findings.add(Kind::NotAsLogged, row.key, differs);
        }
        let rest = self
            .0
            .into_iter()
            .filter(|(_, wanted)| !matches!(wanted, Wanted::Whatever));
        for (key, _) in rest {
            let never = Text::fixed("审计轨迹中没有它的任何变更。", "the audit trail has no change of it");
            findings.add(Kind::NotAsLogged, key, never);
        }
    }
}

impl Wanted {
    fn agrees(&self, after: Option<&str>) -> bool {
        let Some(after) = after.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
            return false;
        };
        match self {
            Self::Document(document) => *document == after,
            Self::Members(members) => match (members, &after) {
                (Value::Object(members), Value::Object(after)) => members
                    .iter()
                    .all(|(name, value)| *value == *after.get(name).unwrap_or(&Value::Null)),
                _ => false,
            },
            Self::There | Self::Whatever => true,
        }
    }
}
