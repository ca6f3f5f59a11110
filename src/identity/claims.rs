//! What a token says, once its signature is believed: for whom it is and until when, and who shows it.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use super::refused;
use super::settings::{Settings, texts};
use crate::codes::UnitCode;
use crate::fault::Text;
use crate::http::kinds;
use crate::http::problem::{At, Problem};
use crate::tokens::model::{MOST_UNITS, Role};
use crate::tokens::permission::Permissions;

/// Lets a token pass that the provider issued, for this service, and for now.
///
/// # Errors
/// 401 with every claim at fault. One that has only expired is told apart: its bearer need but sign in again.
pub fn check(settings: &Settings, claims: &Value, now: Timestamp) -> Result<(), Problem> {
    let mut faults = Vec::new();
    let mut fault = |code, zh, en| faults.push((code, Text::fixed(zh, en)));
    if claims["iss"].as_str() != Some(&settings.issuer) {
        fault(
            "wrong_issuer",
            "令牌不是由本系统认可的统一身份认证平台签发（iss）。",
            "The issuer (iss) is not the identity provider of this service.",
        );
    }
    if !texts(&claims["aud"]).is_some_and(|audience| audience.contains(&settings.audience.as_str())) {
        fault(
            "wrong_audience",
            "令牌不是签发给本系统使用的（aud）。",
            "The audience (aud) is not this service.",
        );
    }
    match instant(&claims["exp"]) {
        None => fault(
            "no_expiry",
            "令牌没有有效的到期时间（exp）。",
            "There is no valid expiry (exp).",
        ),
        Some(end) if now.duration_since(end) >= settings.leeway => {
            fault("expired", "登录已过期（exp）。", "The token has expired (exp).");
        }
        Some(_) => {}
    }
    match (&claims["nbf"], instant(&claims["nbf"])) {
        (Value::Null, _) => {}
        (_, Some(start)) if start.duration_since(now) <= settings.leeway => {}
        _ => fault(
            "not_yet_valid",
            "令牌尚未生效，或生效时间有误（nbf）。",
            "The token is not valid yet, or does not say since when (nbf).",
        ),
    }
    if subject(claims).is_none() {
        fault(
            "no_subject",
            "令牌没有有效的用户标识（sub）。",
            "There is no valid subject (sub).",
        );
    }
    let kind = match faults.as_slice() {
        [] => return Ok(()),
        [("expired", _)] => &kinds::SIGN_IN_EXPIRED,
        _ => &kinds::UNAUTHORIZED,
    };
    let zh: String = faults.iter().map(|(_, text)| text.zh.as_ref()).collect();
    let en: Vec<_> = faults.iter().map(|(_, text)| text.en.as_ref()).collect();
    let text = Text::new(zh, en.join(" "));
    let errors = faults
        .into_iter()
        .map(|(code, text)| At::header("Authorization", code, text));
    Err(refused(kind, text).with_errors(errors))
}

/// A moment as claims state it: seconds since 1970, perhaps with decimals, which are cut.
fn instant(value: &Value) -> Option<Timestamp> {
    let seconds: Decimal = value.as_number()?.to_string().parse().ok()?;
    Timestamp::from_second(seconds.trunc().to_i64()?).ok()
}

fn subject(claims: &Value) -> Option<&str> {
    let good = |sub: &&str| (1..=255).contains(&sub.len()) && !sub.chars().any(char::is_control);
    claims["sub"].as_str().filter(good)
}

/// Who shows a token.
#[derive(Debug)]
pub struct Person {
    /// Who it is, at the provider.
    pub subject: String,
    /// How he is called.
    pub name: String,
    /// What he is here.
    pub role: Role,
    /// What he may do.
    pub permissions: Permissions,
    /// The codes of the units that he reads and files for; none for the other roles.
    pub units: Vec<String>,
    /// When the token ends by itself.
    pub expires_at: Timestamp,
}

impl Person {
    /// Who it is by the claims of a token that [`check`] let pass.
    ///
    /// # Errors
    /// 403 where the claims give no role, or no unit to one who is to have some: who it is is known, and signing in again would
    /// not help.
    pub fn read(settings: &Settings, claims: &Value) -> Result<Self, Problem> {
        let subject = subject(claims).unwrap_or_default();
        let role = role(settings, claims).ok_or_else(|| {
            Problem::forbidden(
                format!(
                    "该用户在统一身份认证平台中没有本系统的角色（令牌的{}）。",
                    settings.role_claim
                ),
                format!(
                    "The identity provider gives this user no role here (claim {}).",
                    settings.role_claim
                ),
            )
        })?;
        let units = match role {
            Role::Unit => units(settings, claims).ok_or_else(|| no_unit(settings))?,
            Role::Bureau | Role::Auditor => Vec::new(),
        };
        let all = Permissions::of(role);
        let permissions = match &settings.scopes_claim {
            None => all,
            Some(path) => {
                let words = path.texts(claims).unwrap_or_default().join(" ");
                all.and(Permissions::from_words(&words))
            }
        };
        Ok(Self {
            subject: subject.to_owned(),
            name: name(settings, claims).unwrap_or_else(|| on_one_line(subject)),
            role,
            permissions,
            units,
            expires_at: instant(&claims["exp"]).unwrap_or_default(),
        })
    }
}

/// The first of the roles that the settings know, of those that the token has.
fn role(settings: &Settings, claims: &Value) -> Option<Role> {
    let names = settings.role_claim.texts(claims)?;
    let known = settings.roles.iter().find(|known| names.contains(&known.name.as_str()));
    known.map(|known| known.role)
}

/// The units that a token names; `None` for none, for what is no code, and for too many.
fn units(settings: &Settings, claims: &Value) -> Option<Vec<String>> {
    let codes = settings.units_claim.as_ref()?.texts(claims)?;
    let codes = codes.into_iter().map(|code| UnitCode::try_from(code.to_owned()));
    let codes: Vec<UnitCode> = codes.collect::<Result<_, _>>().ok()?;
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    (1..=MOST_UNITS).contains(&codes.len()).then_some(codes)
}

/// 403: one of the role `unit` without a unit that is known here.
pub fn no_unit(settings: &Settings) -> Problem {
    let claim = settings
        .units_claim
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    Problem::forbidden(
        format!("统一身份认证平台未为该用户指定本系统已录入的预算单位（令牌的{claim}，最多{MOST_UNITS}个）。"),
        format!(
            "The identity provider gives this user no unit that is known here (claim {claim}, at most {MOST_UNITS})."
        ),
    )
}

/// How the token says that its bearer is called.
fn name(settings: &Settings, claims: &Value) -> Option<String> {
    let names = settings.name_claim.texts(claims)?;
    let name = on_one_line(names.first()?);
    Some(name).filter(|name| !name.is_empty())
}

/// A text as the name of a token can be: on one line, and at most 60 characters long.
fn on_one_line(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let text: String = text.trim().chars().take(60).collect();
    text.trim_end().to_owned()
}
