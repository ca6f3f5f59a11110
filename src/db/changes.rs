//! The change log: one row for each change of data, written in the transaction that makes it, numbered without a gap in the
//! order of the commits, and chained by hashes. The change feed and the audit trail are two views of it.
//!
//! A row's hash is the SHA-256, in lower-case hex, of the hash of the row before it (64 zeros before the first), a line feed, and
//! the JSON array (RFC 8785) of `seq, at, actor, actor_name, role, request_id, address, action, resource, key, unit_code, year,
//! after`, where `after` is the document's text as one string. So no row can be changed, put in between or taken out without
//! changing all that follow it, and the head.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::schema::{change_head, changes};
use super::sql::insert_all;
use super::{AnyConnection, now};
use crate::http::problem::Problem;
use crate::{json, on_engine};

/// Who makes changes, and by which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The id of the token, or the subject of a token of the county's identity provider; `None` for the program itself.
    pub actor: Option<String>,
    /// Whose it is.
    pub name: String,
    /// What it may do, as a word; `system` for the program and its command line.
    pub role: String,
    /// The id of the request.
    pub request_id: Option<String>,
    /// The address that the request came from.
    pub address: Option<String>,
    /// Where the request stands in a trace (W3C `traceparent`), if it is traced.
    pub traceparent: Option<String>,
}

impl Origin {
    fn system(name: &str) -> Self {
        Self {
            actor: None,
            name: name.to_owned(),
            role: "system".to_owned(),
            request_id: None,
            address: None,
            traceparent: None,
        }
    }

    /// The program, when it starts.
    pub fn program() -> Self {
        Self::system("程序 program")
    }

    /// Someone at the command line of the machine.
    pub fn command_line() -> Self {
        Self::system("命令行 command line")
    }
}

// The wire, the table and the words of types are the same.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        $(#[$doc])*
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word that it is on the wire and in the table.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

words! {
    /// What was done.
    #[schema(as = ChangeAction)]
    Action {
        /// It was not there before (新增).
        Created = "created",
        /// It was replaced, or a part of it changed (修改).
        Updated = "updated",
        /// It is gone (删除).
        Deleted = "deleted",
        /// The unit handed its year in (提交).
        Submitted = "submitted",
        /// The unit took it back (撤回).
        Withdrawn = "withdrawn",
        /// The bureau began to review it (开始复核).
        ReviewBegun = "review_begun",
        /// The bureau gave it back (退回).
        Returned = "returned",
        /// The bureau ended the review (审定).
        Approved = "approved",
        /// The bureau made it public (公开).
        Published = "published",
        /// The bureau opened it again (重新开放).
        Reopened = "reopened",
        /// The token or webhook got a new secret (轮换).
        Rotated = "rotated",
        /// The webhook was told to send again (重发).
        Replayed = "replayed",
    }
}

words! {
    /// What was changed.
    #[schema(as = ChangedResource)]
    Resource {
        /// A unit (预算单位).
        Unit = "unit",
        /// A fiscal year (年度).
        FiscalYear = "fiscal_year",
        /// A scoring scheme (评分标准).
        ScoringScheme = "scoring_scheme",
        /// A special fund (专项资金).
        SpecialFund = "special_fund",
        /// The base data sheet of a unit's year (基础数据表).
        BaseData = "base_data",
        /// The assessments of a unit's year (评价打分依据).
        Assessments = "assessments",
        /// What a unit claims for its year (自填得分).
        Claims = "claims",
        /// The reasons for what the checks found (情况说明).
        Reasons = "reasons",
        /// The words of a unit's report (自评报告文字部分).
        Narrative = "narrative",
        /// The template of a year's reports (自评报告模板).
        ReportTemplate = "report_template",
        /// The points of the bureau's review (复核).
        Review = "review",
        /// A unit's year as a whole: its state (绩效自评).
        Evaluation = "evaluation",
        /// An access token, never its secret (访问令牌).
        Token = "token",
        /// A bulk import (批量导入).
        Import = "import",
        /// A webhook, never its secret (推送).
        Webhook = "webhook",
    }
}

/// A change of one thing.
#[derive(Debug, Clone)]
pub struct Change {
    /// What was done.
    pub action: Action,
    /// What was changed.
    pub resource: Resource,
    /// Its address, such as `/api/v1/units/219001`.
    pub key: String,
    /// The unit that it belongs to; `None` for what belongs to no unit.
    pub unit: Option<String>,
    /// The fiscal year that it belongs to; `None` for what belongs to no year.
    pub year: Option<i64>,
    /// The document after the change, as JSON; `None` when it is gone. Never holds a secret.
    pub after: Option<String>,
}

impl Change {
    /// Something was done to what is at `key`, and this is how it is now.
    ///
    /// # Errors
    /// 500 if the document cannot be written as JSON.
    pub fn done(action: Action, resource: Resource, key: String, after: &impl Serialize) -> Result<Self, Problem> {
        let after = serde_json::to_string(after).map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Self {
            after: Some(after),
            ..Self::gone(action, resource, key)
        })
    }

    /// It was created, or replaced.
    ///
    /// # Errors
    /// 500 if the document cannot be written as JSON.
    pub fn saved(created: bool, resource: Resource, key: String, after: &impl Serialize) -> Result<Self, Problem> {
        let action = if created { Action::Created } else { Action::Updated };
        Self::done(action, resource, key, after)
    }

    /// It was deleted.
    pub fn deleted(resource: Resource, key: String) -> Self {
        Self::gone(Action::Deleted, resource, key)
    }

    fn gone(action: Action, resource: Resource, key: String) -> Self {
        Self {
            action,
            resource,
            key,
            unit: None,
            year: None,
            after: None,
        }
    }

    /// The same, of this unit.
    #[must_use]
    pub fn of_unit(mut self, code: impl Into<String>) -> Self {
        self.unit = Some(code.into());
        self
    }

    /// The same, in this fiscal year.
    #[must_use]
    pub fn in_year(mut self, year: i64) -> Self {
        self.year = Some(year);
        self
    }
}

/// A stored change.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = changes, treat_none_as_default_value = false)]
pub struct Row {
    /// Counts the changes, from 1, without a gap.
    pub seq: i64,
    /// When.
    pub at: String,
    /// Who, as in [`Origin::actor`].
    pub actor: Option<String>,
    /// Whose token it was.
    pub actor_name: String,
    /// What it may do, as a word.
    pub role: String,
    /// The id of the request.
    pub request_id: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    /// What was done, as a word.
    pub action: String,
    /// What was changed, as a word.
    pub resource: String,
    /// Its address.
    pub key: String,
    /// The unit that it belongs to.
    pub unit_code: Option<String>,
    /// The fiscal year that it belongs to.
    pub year: Option<i64>,
    /// The document after the change, as JSON.
    pub after: Option<String>,
    /// What [`Row::hash_after`] makes of it.
    pub hash: String,
    /// Where it was made in a trace, as in [`Origin::traceparent`]; not part of the hash.
    pub traceparent: Option<String>,
}

impl Row {
    fn new(seq: i64, at: &str, origin: &Origin, change: Change) -> Self {
        Self {
            seq,
            at: at.to_owned(),
            actor: origin.actor.clone(),
            actor_name: origin.name.clone(),
            role: origin.role.clone(),
            request_id: origin.request_id.clone(),
            address: origin.address.clone(),
            action: change.action.as_str().to_owned(),
            resource: change.resource.as_str().to_owned(),
            key: change.key,
            unit_code: change.unit,
            year: change.year,
            after: change.after,
            hash: String::new(),
            traceparent: origin.traceparent.clone(),
        }
    }

    /// The hash of this row when it follows one with the hash `before`.
    ///
    /// # Errors
    /// None: texts, integers and nulls can always be written as JSON.
    pub fn hash_after(&self, before: &str) -> Result<String, json::Unwritable> {
        let listed = (
            self.seq,
            &self.at,
            &self.actor,
            &self.actor_name,
            &self.role,
            &self.request_id,
            &self.address,
            &self.action,
            &self.resource,
            &self.key,
            &self.unit_code,
            self.year,
            &self.after,
        );
        // Most of it is the document, whose quotation marks get longer.
        let room = self.after.as_ref().map_or(0, String::len) * 3 / 2 + 512;
        let fields = json::write(&listed, room)?;
        let mut digest = Sha256::new();
        digest.update(before);
        digest.update("\n");
        digest.update(fields);
        Ok(hex::encode(digest.finalize()))
    }
}

/// Where the log ends.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Head {
    /// The number of the last change; 0 before the first.
    pub seq: i64,
    /// Its hash; 64 zeros before the first.
    pub hash: String,
}

impl Head {
    /// The head as it is stored.
    ///
    /// # Errors
    /// Those of the database.
    pub fn load(conn: &mut AnyConnection) -> QueryResult<Self> {
        let head = change_head::table.find(1).select((change_head::seq, change_head::hash));
        on_engine!(conn => head.first(conn))
    }

    /// Whether the change that was the last one of this head is in the log of `conn`, itself and not another of its number.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn is_in_log(&self, conn: &mut AnyConnection) -> QueryResult<bool> {
        let change = changes::table.find(self.seq).select(changes::hash);
        let hash: Option<String> = on_engine!(conn => change.first(conn).optional())?;
        Ok(self.seq == 0 || hash.as_ref() == Some(&self.hash))
    }

    /// Stores the head, if it is not this one already.
    pub(super) fn store(&self, conn: &mut AnyConnection, before: &Self) -> QueryResult<()> {
        if self != before {
            diesel::update(change_head::table.find(1))
                .set((change_head::seq.eq(self.seq), change_head::hash.eq(&self.hash)))
                .execute(conn)?;
        }
        Ok(())
    }

    /// Adds changes to the log, after this head, which moves on.
    pub(super) fn append(
        &mut self,
        conn: &mut AnyConnection,
        origin: &Origin,
        changes: impl IntoIterator<Item = Change>,
    ) -> Result<(), Problem> {
        let at = now();
        let mut rows = Vec::new();
        for change in changes {
            let mut row = Row::new(self.seq + 1, &at, origin, change);
            row.hash = row
                .hash_after(&self.hash)
                .map_err(|error| Problem::internal(error.to_string()))?;
            self.seq = row.seq;
            self.hash.clone_from(&row.hash);
            rows.push(row);
        }
        insert_all!(conn, changes::table, rows);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the audit trail is documented, and as verifiers elsewhere compute it.
    #[test]
    fn the_hash_is_that_of_the_json_whatever_the_texts_hold() {
        let texts = (0..0x3000).step_by(0x40).map(|first| {
            let characters = (first..first + 0x40).filter_map(char::from_u32);
            characters.collect::<String>()
        });
        let texts = texts.chain([
            "".to_owned(),
            "绩效\u{10ffff}\u{1f600}\u{fffd}".to_owned(),
            "\"\\/".repeat(2000),
        ]);
        for (seq, text) in texts.enumerate() {
            let row = Row {
                seq: i64::try_from(seq).unwrap() - 3,
                at: "2026-01-31T08:00:00.000000Z".to_owned(),
                actor: (seq % 2 == 0).then(|| text.clone()),
                actor_name: text.clone(),
                role: "bureau".to_owned(),
                request_id: None,
                address: Some(text.clone()),
                action: "updated".to_owned(),
                resource: "unit".to_owned(),
                key: text.clone(),
                unit_code: None,
                year: Some(2026),
                after: Some(text.clone()),
                hash: String::new(),
                traceparent: Some("not part of it".to_owned()),
            };
            let actor = (seq % 2 == 0).then_some(&text);
            let listed = serde_json::json!([
                row.seq, row.at, actor, text, "bureau", null, text, "updated", "unit", text, null, 2026, text
            ]);
            let expected = Sha256::digest(format!("before\n{listed}"));
            assert_eq!(row.hash_after("before").unwrap(), hex::encode(expected), "{text:?}");
        }
    }
}
