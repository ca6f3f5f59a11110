//! What can be allowed, and which role is allowed what: the one table that access is judged by.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::Role;
use super::model::Role::{Auditor, Bureau, Unit};

/// What an operation demands (权限范围): every operation but the open ones demands one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Reads the data of the units that the token reaches, and what all share (查询).
    Read,
    /// Looks at all units together: rankings and summaries (汇总).
    Oversee,
    /// Files figures, assessments, claims, reasons and special funds (填报).
    File,
    /// Submits a unit's year and takes it back (提交).
    Submit,
    /// Reviews, returns, approves, publishes and reopens (复核).
    Review,
    /// Sets up units, fiscal years and scoring schemes (设置).
    Configure,
    /// Imports in bulk (导入) what it may store one by one.
    Import,
    /// Reads the audit trail (审计).
    Audit,
    /// Manages webhooks (推送).
    Webhooks,
    /// Manages tokens (令牌).
    Tokens,
}

/// A permission: what it is called, and who has it.
#[derive(Debug)]
pub struct Entry {
    /// The permission.
    pub permission: Permission,
    /// The word that it is on the wire and in the table.
    pub word: &'static str,
    /// What it is called in Chinese.
    pub zh: &'static str,
    /// The roles that have it.
    pub roles: &'static [Role],
}

const fn entry(permission: Permission, word: &'static str, zh: &'static str, roles: &'static [Role]) -> Entry {
    Entry {
        permission,
        word,
        zh,
        roles,
    }
}

/// Every permission, in the order of the type.
pub static TABLE: &[Entry] = &[
    entry(Permission::Read, "read", "查询", &[Bureau, Unit, Auditor]),
    entry(Permission::Oversee, "oversee", "汇总", &[Bureau, Auditor]),
    entry(Permission::File, "file", "填报", &[Bureau, Unit]),
    entry(Permission::Submit, "submit", "提交", &[Bureau, Unit]),
    entry(Permission::Review, "review", "复核", &[Bureau]),
    entry(Permission::Configure, "configure", "设置", &[Bureau]),
    entry(Permission::Import, "import", "导入", &[Bureau, Unit]),
    entry(Permission::Audit, "audit", "审计", &[Bureau, Auditor]),
    entry(Permission::Webhooks, "webhooks", "推送", &[Bureau]),
    entry(Permission::Tokens, "tokens", "令牌", &[Bureau]),
];

impl Permission {
    /// Its row of the table.
    pub fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }

    /// The permission of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|entry| entry.word == word)
            .map(|entry| entry.permission)
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u16);

impl Permissions {
    /// All that a role may do.
    pub fn of(role: Role) -> Self {
        let entries = TABLE.iter().filter(|entry| entry.roles.contains(&role));
        entries.map(|entry| entry.permission).collect()
    }

    /// Whether `permission` is among them.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u16) != 0
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        let entries = TABLE.iter().map(|entry| entry.permission);
        entries.filter(move |permission| self.has(*permission))
    }

    /// Their words between spaces, as they are stored and as OAuth writes them.
    pub fn words(self) -> String {
        let words: Vec<_> = self.iter().map(|permission| permission.entry().word).collect();
        words.join(" ")
    }

    /// Reads what [`Self::words`] wrote. A word that this program does not know allows nothing.
    pub fn from_words(words: &str) -> Self {
        words.split_whitespace().filter_map(Permission::from_word).collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, one| set | 1 << one as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_stands_at_its_own_place_under_the_word_that_it_has_on_the_wire() {
        for (n, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.permission as usize, n, "{}", entry.word);
            assert_eq!(serde_json::to_value(entry.permission).unwrap(), entry.word);
            assert_eq!(Permission::from_word(entry.word), Some(entry.permission));
        }
    }

    #[test]
    fn the_bureau_may_do_everything_and_an_auditor_changes_nothing() {
        let all: Permissions = TABLE.iter().map(|entry| entry.permission).collect();
        assert_eq!(Permissions::of(Bureau), all);
        assert_eq!(Permissions::of(Auditor).words(), "read oversee audit");
        assert_eq!(Permissions::of(Unit).words(), "read file submit import");
        assert_eq!(
            Permissions::from_words("submit  unheard_of read").words(),
            "read submit"
        );
    }
}
