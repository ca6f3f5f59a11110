//! Which identity provider is believed, and what the claims of its tokens mean here.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use ureq::http::Uri;

use crate::http::contract::escape;
use crate::tokens::model::Role;

/// By how much clocks may differ at most, in seconds: a token that has expired works on for as long.
const MOST_LEEWAY: u16 = 300;

/// The settings as they are given, any of which may be left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    /// `JIXIAO_JWT_ISSUER`.
    pub issuer: Option<String>,
    /// `JIXIAO_JWT_AUDIENCE`.
    pub audience: Option<String>,
    /// `JIXIAO_JWT_JWKS`.
    pub jwks: Option<KeySource>,
    /// `JIXIAO_JWT_ROLE_CLAIM`.
    pub role_claim: Option<ClaimPath>,
    /// `JIXIAO_JWT_ROLES`.
    pub roles: Option<Vec<RoleName>>,
    /// `JIXIAO_JWT_UNITS_CLAIM`.
    pub units_claim: Option<ClaimPath>,
    /// `JIXIAO_JWT_NAME_CLAIM`.
    pub name_claim: Option<ClaimPath>,
    /// `JIXIAO_JWT_SCOPES_CLAIM`.
    pub scopes_claim: Option<ClaimPath>,
    /// `JIXIAO_JWT_LEEWAY`, in seconds.
    pub leeway: Option<u16>,
}

/// The provider that is believed.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What `iss` must be, to the letter.
    pub issuer: String,
    /// What `aud` must be, or have among others.
    pub audience: String,
    /// Where the provider's keys are.
    pub keys: KeySource,
    /// When its keys are fetched again.
    pub refresh: Refresh,
    /// Where a token says what its bearer is: a text, or a list of them.
    pub role_claim: ClaimPath,
    /// What those texts mean here. Of several that a token has, the first of this list counts.
    pub roles: Vec<RoleName>,
    /// Where a token says for which units: the code of one, or a list of them. There is one if any text means the role `unit`.
    pub units_claim: Option<ClaimPath>,
    /// Where a token says how its bearer is called; where it says nothing, by `sub`.
    pub name_claim: ClaimPath,
    /// Where a token says what it may do of what its role may; `None`: it may do all of that.
    pub scopes_claim: Option<ClaimPath>,
    /// By how much the provider's clock may differ.
    pub leeway: SignedDuration,
}

impl Given {
    /// The provider, or none if nothing is given.
    ///
    /// # Errors
    /// Which settings are missing beside those that are there, or that the clocks differ by too much.
    pub fn resolve(self) -> Result<Option<Settings>, String> {
        if self == Self::default() {
            return Ok(None);
        }
        let leeway = self.leeway.unwrap_or(30);
        if leeway > MOST_LEEWAY {
            return Err(format!("JIXIAO_JWT_LEEWAY is at most {MOST_LEEWAY} seconds"));
        }
        let units = self.roles.iter().flatten().any(|name| name.role == Role::Unit);
        let needed = [
            ("JIXIAO_JWT_ISSUER", self.issuer.is_some()),
            ("JIXIAO_JWT_AUDIENCE", self.audience.is_some()),
            ("JIXIAO_JWT_JWKS", self.jwks.is_some()),
            ("JIXIAO_JWT_ROLE_CLAIM", self.role_claim.is_some()),
            ("JIXIAO_JWT_ROLES", self.roles.is_some()),
            ("JIXIAO_JWT_UNITS_CLAIM", self.units_claim.is_some() || !units),
        ];
        let missing: Vec<_> = needed
            .iter()
            .filter(|(_, there)| !there)
            .map(|(name, _)| *name)
            .collect();
        match self {
            Self {
                issuer: Some(issuer),
                audience: Some(audience),
                jwks: Some(keys),
                role_claim: Some(role_claim),
                roles: Some(roles),
                ..
            } if missing.is_empty() => Ok(Some(Settings {
                issuer,
                audience,
                keys,
                refresh: Refresh::usual(),
                role_claim,
                roles,
                units_claim: self.units_claim,
                name_claim: self
                    .name_claim
                    .unwrap_or_else(|| ClaimPath::member("preferred_username")),
                scopes_claim: self.scopes_claim,
                leeway: SignedDuration::from_secs(leeway.into()),
            })),
            _ => Err(format!(
                "the identity provider is set up by halves; missing: {}",
                missing.join(", ")
            )),
        }
    }
}

/// When keys that are known are fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    /// When they are this old.
    pub after: Duration,
    /// For a token that names another key, or while there are none; not again within this.
    pub pause: Duration,
}

impl Refresh {
    /// A key that the provider took back is believed for ten minutes at most; it is not asked more than six times a minute.
    pub fn usual() -> Self {
        Self {
            after: Duration::from_secs(600),
            pause: Duration::from_secs(10),
        }
    }
}

/// Where a provider's keys are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum KeySource {
    /// In a file.
    File(PathBuf),
    /// At an address: over TLS, or on this machine.
    Url(String),
}

impl FromStr for KeySource {
    /// What it should be.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let uri: Option<Uri> = text.parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
        // Whoever can change the keys on their way here can be anyone.
        let good = match uri.as_ref().and_then(Uri::scheme_str) {
            Some("https") => !host.is_empty(),
            Some("http") => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
            _ => false,
        };
        match good {
            true => Ok(Self::Url(text.to_owned())),
            false => Err(format!("{text:?} is neither a file nor an https address")),
        }
    }
}

impl TryFrom<String> for KeySource {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Where a claim is: names with dots between (`realm_access.roles`), or a JSON Pointer (`/realm_access/roles`) for names that
/// have dots themselves. Kept as a pointer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ClaimPath(String);

impl ClaimPath {
    fn member(name: &str) -> Self {
        Self(format!("/{}", escape(name)))
    }

    /// The texts that stand there: one, or a list; `None` for anything else, and where nothing is.
    pub fn texts<'a>(&self, claims: &'a Value) -> Option<Vec<&'a str>> {
        texts(claims.pointer(&self.0)?)
    }
}

/// One text, or each of a list; `None` for anything else.
pub fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

impl std::fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClaimPath {
    /// What it should be.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pointer = match text.starts_with('/') {
            true => text.to_owned(),
            false => text.split('.').map(|name| format!("/{}", escape(name))).collect(),
        };
        match pointer.split('/').skip(1).all(|name| !name.is_empty()) {
            true => Ok(Self(pointer)),
            false => Err(format!("{text:?} is no path to a claim, such as realm_access.roles")),
        }
    }
}

impl TryFrom<String> for ClaimPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// What a role of the provider means here: `jixiao-bureau=bureau`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RoleName {
    /// What the provider calls it.
    pub name: String,
    /// What its bearer is here.
    pub role: Role,
}

impl FromStr for RoleName {
    /// What it should be.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text
            .rsplit_once('=')
            .map(|(name, role)| (name.trim(), role.trim().parse()));
        match parts {
            Some((name, Ok(role))) if !name.is_empty() => Ok(Self {
                name: name.to_owned(),
                role,
            }),
            _ => Err(format!(
                "{text:?} is not of the form <role of the provider>=bureau, =unit or =auditor"
            )),
        }
    }
}

impl TryFrom<String> for RoleName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given() -> Given {
        Given {
            issuer: Some("https://sso.example".to_owned()),
            audience: Some("jixiao".to_owned()),
            jwks: Some("https://sso.example/keys".parse().unwrap()),
            role_claim: Some("realm_access.roles".parse().unwrap()),
            roles: Some(vec!["finance=bureau".parse().unwrap()]),
            ..Given::default()
        }
    }

    #[test]
    fn a_provider_that_is_set_up_by_halves_is_refused_with_what_is_missing() {
        assert!(Given::default().resolve().unwrap().is_none());
        assert!(given().resolve().unwrap().is_some());
        let missing = |given: Given| given.resolve().unwrap_err();
        let error = missing(Given {
            audience: None,
            jwks: None,
            ..given()
        });
        assert!(error.ends_with(": JIXIAO_JWT_AUDIENCE, JIXIAO_JWT_JWKS"), "{error}");
        let error = missing(Given {
            roles: Some(vec!["finance=bureau".parse().unwrap(), "towns=unit".parse().unwrap()]),
            ..given()
        });
        assert!(error.ends_with(": JIXIAO_JWT_UNITS_CLAIM"), "{error}");
        let error = missing(Given {
            leeway: Some(301),
            ..given()
        });
        assert!(error.contains("JIXIAO_JWT_LEEWAY"), "{error}");
        // Whatever is given alone, needed or not.
        for given in [
            Given {
                leeway: Some(5),
                ..Given::default()
            },
            Given {
                roles: Some(vec!["towns=unit".parse().unwrap()]),
                ..Given::default()
            },
        ] {
            missing(given);
        }
    }

    #[test]
    fn keys_come_from_a_file_over_tls_or_from_this_machine() {
        for good in [
            "https://sso.example/keys",
            "http://127.0.0.1:8081/keys",
            "http://localhost/keys",
            "http://[::1]:1/",
        ] {
            assert_eq!(good.parse(), Ok(KeySource::Url(good.to_owned())), "{good}");
        }
        assert_eq!("keys.json".parse(), Ok(KeySource::File("keys.json".into())));
        for bad in [
            "http://sso.example/keys",
            "http://localhost.example/",
            "ftp://x/y",
            "file:///x",
            "https://",
        ] {
            assert!(bad.parse::<KeySource>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_claim_is_found_by_dots_or_by_a_pointer() {
        let claims = json!({"a": {"b": ["x", "y"]}, "https://county.example/role": "z", "n": 1, "mixed": ["x", 1]});
        let at = |path: &str| path.parse::<ClaimPath>().unwrap();
        assert_eq!(at("a.b").texts(&claims), Some(vec!["x", "y"]));
        assert_eq!(at("/a/b").texts(&claims), Some(vec!["x", "y"]));
        assert_eq!(at("/https:~1~1county.example~1role").texts(&claims), Some(vec!["z"]));
        for nothing in ["n", "a", "mixed", "missing.b"] {
            assert_eq!(at(nothing).texts(&claims), None, "{nothing}");
        }
        for bad in ["", ".", "a..b", "/", "/a/"] {
            assert!(bad.parse::<ClaimPath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_role_of_the_provider_means_one_of_the_three() {
        let name = |text: &str| text.parse::<RoleName>().map(|name| (name.name, name.role));
        assert_eq!(name("a=b=unit"), Ok(("a=b".to_owned(), Role::Unit)));
        assert_eq!(name(" finance = bureau "), Ok(("finance".to_owned(), Role::Bureau)));
        for bad in ["", "bureau", "=bureau", "a=", "a=king"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
