//! Tokens as they are kept.

use std::fmt;
use std::str::FromStr;

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::db::schema::tokens;

/// A stored token, as its row holds it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = tokens)]
pub struct Row {
    /// The part of the token that is no secret.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What [`hash`] makes of its secret.
    pub secret_hash: String,
    /// What it may do, as a word.
    pub role: String,
    /// When it was made.
    pub created_at: String,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// The finance bureau (财政局): everything.
    Bureau,
    /// A unit (预算单位): reads and files for its own units and those below them.
    Unit,
    /// An auditor (审计): reads everything.
    Auditor,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bureau => "bureau",
            Self::Unit => "unit",
            Self::Auditor => "auditor",
        })
    }
}

impl FromStr for Role {
    /// The word that is none.
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "bureau" => Ok(Self::Bureau),
            "unit" => Ok(Self::Unit),
            "auditor" => Ok(Self::Auditor),
            _ => Err(format!("stored role {word:?}")),
        }
    }
}

/// A token as requests are judged by it.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// The part of the token that is no secret.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What [`hash`] makes of its secret.
    pub secret_hash: String,
    /// What it may do.
    pub role: Role,
    /// The places in the hierarchy of the units that it is bound to.
    pub paths: Vec<String>,
}

/// A new token: what is shown once, and what is stored of it.
#[derive(Debug)]
pub struct NewToken {
    /// The token, `jx_<id>_<secret>`; nobody can find it out again.
    pub token: String,
    /// What is stored.
    pub row: Row,
}

impl NewToken {
    /// Makes a token of 256 random bits.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn generate(name: &str, role: Role, created_at: String) -> Result<Self, getrandom::Error> {
        let mut id = [0; 8];
        let mut secret = [0; 32];
        getrandom::fill(&mut id)?;
        getrandom::fill(&mut secret)?;
        let (id, secret) = (hex::encode(id), hex::encode(secret));
        Ok(Self {
            token: format!("jx_{id}_{secret}"),
            row: Row {
                id,
                name: name.to_owned(),
                secret_hash: hash(&secret),
                role: role.to_string(),
                created_at,
            },
        })
    }
}

/// What is stored of a token's secret. The secret is 256 random bits, so one round of SHA-256 is as good as many.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
