//! Tokens on the wire and as they are kept.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use diesel::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::permission::{Permission, Permissions};
use crate::codes::{Moment, TokenId, TokenName, UnitCode};
use crate::db::schema::tokens;
use crate::fault::LANGUAGES;
use crate::http::etag::ETag;
use crate::scoring::values::Count;

/// A stored token, as its row holds it.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tokens, treat_none_as_null = true)]
pub struct Row {
    /// The part of the token that is no secret.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What [`hash`] makes of its secret.
    pub secret_hash: String,
    /// What its bearer is, as a word.
    pub role: String,
    /// When it was made.
    pub created_at: String,
    /// What it may do of what its role may, as words; `None`: all of it.
    pub scopes: Option<String>,
    /// When it ends by itself.
    pub expires_at: Option<String>,
    /// What [`hash`] made of the secret before the last rotation.
    pub previous_hash: Option<String>,
    /// Until when that secret works.
    pub previous_until: Option<String>,
    /// Counts the changes.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: String,
}

/// When a token was last used, and from where: an address, where it is known.
pub type LastUse = (String, Option<String>);

/// A stored token with all that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The token.
    pub row: Row,
    /// The codes of the units that it is bound to, in order.
    pub units: Vec<String>,
    /// When it was last used; `None`: never.
    pub last_use: Option<LastUse>,
}

impl Stored {
    /// The tag of what is answered of it.
    pub fn etag(&self) -> ETag {
        let last_use = self.last_use.as_ref().map_or("", |(at, _)| at.as_str());
        ETag::over([&*self.row.version.to_string(), &self.row.updated_at, last_use])
    }

    /// What it may do.
    ///
    /// # Errors
    /// The word of a role that this program does not know.
    pub fn permissions(&self) -> Result<Permissions, String> {
        permissions(self.row.role.parse()?, self.row.scopes.as_deref())
    }
}

fn permissions(role: Role, scopes: Option<&str>) -> Result<Permissions, String> {
    let all = Permissions::of(role);
    Ok(scopes.map_or(all, |scopes| all.and(Permissions::from_words(scopes))))
}

/// What the bearer of a token is (角色).
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The finance bureau (财政局): everything.
    Bureau,
    /// A unit (预算单位): reads and files for its own units and those below them.
    Unit,
    /// An auditor (审计): reads everything.
    Auditor,
}

impl Role {
    /// The word that it is on the wire and in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bureau => "bureau",
            Self::Unit => "unit",
            Self::Auditor => "auditor",
        }
    }

    /// What it is called in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Bureau => "财政局",
            Self::Unit => "预算单位",
            Self::Auditor => "审计",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    /// The word that is none.
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let all = [Self::Bureau, Self::Unit, Self::Auditor];
        let found = all.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| format!("stored role {word:?}"))
    }
}

/// The bearer of a token, as all requests with it know him.
#[derive(Debug)]
pub struct Bearer {
    /// The id of the token, for the log; `None` where no token is needed.
    pub token_id: Option<String>,
    /// Whose token it is, for the history of what is done.
    pub name: String,
    /// What the bearer is.
    pub role: Role,
    /// What it may do.
    pub permissions: Permissions,
    /// The places in the hierarchy of the units that it is bound to; empty for other roles.
    pub paths: Vec<String>,
    /// When the token ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// A token as requests are judged by it.
#[derive(Debug)]
pub struct StoredToken {
    /// The part of the token that is no secret.
    pub id: String,
    /// The [`digest()`] of its secret.
    pub digest: [u8; 32],
    /// The [`digest()`] of the secret before the last rotation, and until when that one works.
    pub previous: Option<([u8; 32], Timestamp)>,
    /// Whose it is, what that one may do, and until when.
    pub bearer: Arc<Bearer>,
    /// When the database last heard that it was used.
    pub last_used: Option<Timestamp>,
}

impl StoredToken {
    /// Puts together what requests are judged by.
    ///
    /// # Errors
    /// The column that this program cannot read.
    pub fn new(row: Row, paths: Vec<String>, last_used_at: Option<&str>) -> Result<Self, String> {
        let role: Role = row.role.parse()?;
        Ok(Self {
            bearer: Arc::new(Bearer {
                token_id: Some(row.id.clone()),
                name: row.name,
                role,
                permissions: permissions(role, row.scopes.as_deref())?,
                paths,
                expires_at: instant(row.expires_at.as_deref())?,
            }),
            digest: stored_digest(&row.secret_hash)?,
            previous: row
                .previous_hash
                .zip(instant(row.previous_until.as_deref())?)
                .map(|(hash, until)| Ok::<_, String>((stored_digest(&hash)?, until)))
                .transpose()?,
            last_used: instant(last_used_at)?,
            id: row.id,
        })
    }
}

fn instant(text: Option<&str>) -> Result<Option<Timestamp>, String> {
    text.map(|text| text.parse().map_err(|_| format!("stored time {text:?}")))
        .transpose()
}

fn stored_digest(hash: &str) -> Result<[u8; 32], String> {
    let mut digest = [0; 32];
    hex::decode_to_slice(hash, &mut digest).map_err(|_| "stored hash of a secret".to_owned())?;
    Ok(digest)
}

/// A new secret for the token of an id: what is shown once, and what is stored of it.
#[derive(Debug)]
pub struct Secret {
    /// The token, `jx_<id>_<secret>`; nobody can find it out again.
    pub token: String,
    /// What [`hash`] makes of the secret.
    pub hash: String,
}

impl Secret {
    /// Makes a secret of 256 random bits.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn generate(id: &str) -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let secret = hex::encode(secret);
        Ok(Self {
            token: format!("jx_{id}_{secret}"),
            hash: hash(&secret),
        })
    }
}

/// A new id: 64 random bits.
///
/// # Errors
/// When the operating system has no random bytes to give.
pub fn new_id() -> Result<String, getrandom::Error> {
    let mut id = [0; 8];
    getrandom::fill(&mut id)?;
    Ok(hex::encode(id))
}

/// By what a token's secret is known again. The secret is 256 random bits, so one round of SHA-256 is as good as many.
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// The [`digest()`] of a secret as it is stored.
pub fn hash(secret: &str) -> String {
    hex::encode(digest(secret))
}

/// A token (访问令牌) as it is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenInput {
    /// Whose it is.
    pub name: TokenName,
    /// What its bearer is.
    pub role: Role,
    /// For the role `unit`, and only for it: the units that it reads and files for, with those below them; at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 200, example = json!(["219001"]))]
    pub units: Option<Vec<UnitCode>>,
    /// What it may do, all of which its role must allow; left out for all that its role may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 20, example = json!(["read", "file"]))]
    pub scopes: Option<Vec<Permission>>,
    /// When it ends by itself; left out for one that lasts until it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
}

/// How many units a token may be bound to.
pub const MOST_UNITS: usize = 200;

impl TokenInput {
    /// The codes of its units, each once and in order.
    pub fn codes(&self) -> Vec<String> {
        let mut codes: Vec<String> = self.units.iter().flatten().map(ToString::to_string).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// The same content, in the one form that two of the same content have.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        if let Some(units) = &mut self.units {
            units.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
            units.dedup();
        }
        self.units = self.units.filter(|units| !units.is_empty());
        let scopes = self.scopes.map(|scopes| scopes.into_iter().collect::<Permissions>());
        self.scopes = scopes.map(|scopes| scopes.iter().collect());
        self
    }

    /// What it may do.
    pub fn permissions(&self) -> Permissions {
        let all = Permissions::of(self.role);
        let scopes = self.scopes.as_ref();
        scopes.map_or(all, |scopes| all.and(scopes.iter().copied().collect()))
    }

    /// Its scopes as they are stored.
    pub fn stored_scopes(&self) -> Option<String> {
        let scopes = self.scopes.as_ref()?;
        Some(scopes.iter().copied().collect::<Permissions>().words())
    }
}

impl TryFrom<&Stored> for TokenInput {
    /// Which column this program cannot read.
    type Error = String;

    fn try_from(stored: &Stored) -> Result<Self, String> {
        let row = &stored.row;
        let units: Result<Vec<_>, _> = stored.units.iter().cloned().map(UnitCode::try_from).collect();
        let scopes = row.scopes.as_deref().map(Permissions::from_words);
        Ok(Self {
            name: row.name.clone().try_into()?,
            role: row.role.parse()?,
            units: Some(units?).filter(|units| !units.is_empty()),
            scopes: scopes.map(|scopes| scopes.iter().collect()),
            expires_at: row.expires_at.as_deref().map(str::parse).transpose()?,
        })
    }
}

/// A token (访问令牌), without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// The part of the token that is no secret, between `jx_` and the second underscore.
    #[schema(value_type = TokenId)]
    pub id: String,
    /// Whose it is.
    #[schema(value_type = TokenName)]
    pub name: String,
    /// What its bearer is.
    #[schema(value_type = Role, example = "unit")]
    pub role: String,
    /// The units that it is bound to, by code; none for the other roles.
    #[schema(value_type = Vec<UnitCode>, example = json!(["219001"]))]
    pub units: Vec<String>,
    /// What it was limited to; `null` where it may do all that its role may.
    #[schema(example = json!(["read", "file"]))]
    pub scopes: Option<Vec<Permission>>,
    /// What it may do.
    #[schema(example = json!(["read", "file"]))]
    pub permissions: Vec<Permission>,
    /// When it ends by itself (RFC 3339, UTC); `null`: never.
    #[schema(format = DateTime, example = "2027-01-05T00:00:00.000000Z")]
    pub expires_at: Option<String>,
    /// Until when the secret from before the last rotation works; `null` if there is none that works.
    #[schema(format = DateTime, example = json!(null))]
    pub previous_until: Option<String>,
    /// When it was last used, within a minute; `null`: never.
    #[schema(format = DateTime, example = "2026-03-05T08:30:00.000000Z")]
    pub last_used_at: Option<String>,
    /// The address that it was then used from.
    #[schema(example = "10.1.2.3")]
    pub last_used_from: Option<String>,
    /// Counts the changes, from 1.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
}

impl TryFrom<Stored> for Token {
    /// Which column this program cannot read.
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let permissions = stored.permissions()?;
        let Stored { row, units, last_use } = stored;
        let (last_used_at, last_used_from) = last_use.map_or((None, None), |(at, from)| (Some(at), from));
        let now = crate::db::now();
        Ok(Self {
            id: row.id,
            name: row.name,
            role: row.role,
            units,
            scopes: row
                .scopes
                .as_deref()
                .map(|words| Permissions::from_words(words).iter().collect()),
            permissions: permissions.iter().collect(),
            expires_at: row.expires_at,
            previous_until: row.previous_until.filter(|until| *until > now),
            last_used_at,
            last_used_from,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A token with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedToken {
    /// What to send as `Authorization: Bearer …`. It is shown only this once; nobody can find it out again.
    #[schema(example = "jx_0123456789abcdef_9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub token: String,
    /// The token.
    #[serde(flatten)]
    pub of: Token,
}

/// How a token or a webhook gets a new secret.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// For how many seconds the old secret works on, so that there is time to hand out the new one: 0 to 2592000 (30 days);
    /// 0 where it is left out, as it must be for one that leaked.
    #[serde(default)]
    pub overlap_seconds: Overlap,
}

/// Who asks, and what that one may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Identity {
    /// The id of the token, or `jwt:`, eight digits for the issuer and the subject where the identity provider vouches for it; `null`
    /// where no token is needed.
    #[schema(example = "0123456789abcdef")]
    pub id: Option<String>,
    /// Whose token it is.
    #[schema(value_type = TokenName)]
    pub name: String,
    /// What its bearer is.
    pub role: Role,
    /// The units that it reads and files for, with those below them; none for the other roles, which are not bound to any.
    #[schema(value_type = Vec<UnitCode>, example = json!(["219001"]))]
    pub units: Vec<String>,
    /// What it may do.
    #[schema(example = json!(["read", "file", "submit"]))]
    pub permissions: Vec<Permission>,
    /// When it ends by itself (RFC 3339, UTC); `null`: never.
    #[schema(format = DateTime, example = json!(null))]
    pub expires_at: Option<String>,
}

/// For how long an old secret works on, in seconds: 0 to 30 days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "Count")]
#[schema(value_type = u32, minimum = 0, maximum = 2_592_000, default = 0, example = 86400)]
pub struct Overlap(u32);

impl Overlap {
    /// The longest: 30 days.
    pub const MOST: u32 = 30 * 24 * 60 * 60;

    /// That many seconds.
    ///
    /// # Errors
    /// The refusal in Chinese and English.
    pub fn seconds(seconds: u32) -> Result<Self, String> {
        match seconds {
            ..=Self::MOST => Ok(Self(seconds)),
            _ => Err(format!(
                "重叠时长应为0至2592000秒（30天）。{LANGUAGES}an overlap is 0 to 2592000 seconds (30 days)"
            )),
        }
    }

    /// When it ends, if it begins now; `None` for none at all.
    pub fn until(self) -> Option<String> {
        let end = Timestamp::now().checked_add(jiff::SignedDuration::from_secs(self.0.into()));
        end.ok().filter(|_| self.0 > 0).map(|end| format!("{end:.6}"))
    }
}

impl TryFrom<Count> for Overlap {
    type Error = String;

    fn try_from(count: Count) -> Result<Self, String> {
        Self::seconds(u32::try_from(count.get()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(secret_hash: &str, previous_hash: &str, previous_until: Option<&str>) -> Row {
        Row {
            id: "1".to_owned(),
            name: "甲".to_owned(),
            secret_hash: secret_hash.to_owned(),
            role: "bureau".to_owned(),
            created_at: "2026-01-01T00:00:00Z".to_owned(),
            scopes: None,
            expires_at: None,
            previous_hash: Some(previous_hash.to_owned()),
            previous_until: previous_until.map(str::to_owned),
            version: 1,
            updated_at: "2026-01-01T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn what_is_stored_of_a_secret_is_its_digest_or_cannot_be_judged_by() {
        let good = hash("a");
        let until = Some("2026-01-02T00:00:00Z");
        let token = StoredToken::new(row(&good, &hash("b"), until), Vec::new(), None).unwrap();
        assert_eq!((token.digest, token.previous.unwrap().0), (digest("a"), digest("b")));
        for bad in ["", "x", &good[1..], &format!("{good}00")] {
            assert!(StoredToken::new(row(bad, &good, until), Vec::new(), None).is_err());
            assert!(StoredToken::new(row(&good, bad, until), Vec::new(), None).is_err());
            // A secret that works no more does not matter.
            assert!(StoredToken::new(row(&good, bad, None), Vec::new(), None).is_ok());
        }
    }
}
