//! The form and the signature of a token: JWS in its compact form (RFC 7515), by public keys only.
//!
//! A key knows by its type which algorithms it can be used for, so none can be talked into another: there is no `none`, and no
//! algorithm that signs with what verifies.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Verifier};
use serde::Deserialize;
use serde_json::Value;

use super::LONGEST;
use crate::fault::Text;
use crate::http::duplicates;

/// How a signature is made, beside the digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// RSA, PKCS #1 v1.5.
    Pkcs1,
    /// RSA-PSS.
    Pss,
    /// ECDSA on this curve; the two numbers of a signature have so many bytes each.
    Ecdsa(Nid, usize),
    /// Ed25519.
    EdDsa,
}

/// An algorithm that tokens may be signed with.
#[derive(Debug)]
pub struct Algorithm {
    name: &'static str,
    scheme: Scheme,
    digest: Option<fn() -> MessageDigest>,
}

const fn algorithm(name: &'static str, scheme: Scheme, digest: fn() -> MessageDigest) -> Algorithm {
    Algorithm {
        name,
        scheme,
        digest: Some(digest),
    }
}

const fn ed25519(name: &'static str) -> Algorithm {
    Algorithm {
        name,
        scheme: Scheme::EdDsa,
        digest: None,
    }
}

/// Every algorithm (RFC 7518, RFC 8037, RFC 9864).
static ALGORITHMS: [Algorithm; 11] = [
    algorithm("RS256", Scheme::Pkcs1, MessageDigest::sha256),
    algorithm("RS384", Scheme::Pkcs1, MessageDigest::sha384),
    algorithm("RS512", Scheme::Pkcs1, MessageDigest::sha512),
    algorithm("PS256", Scheme::Pss, MessageDigest::sha256),
    algorithm("PS384", Scheme::Pss, MessageDigest::sha384),
    algorithm("PS512", Scheme::Pss, MessageDigest::sha512),
    algorithm("ES256", Scheme::Ecdsa(Nid::X9_62_PRIME256V1, 32), MessageDigest::sha256),
    algorithm("ES384", Scheme::Ecdsa(Nid::SECP384R1, 48), MessageDigest::sha384),
    algorithm("ES512", Scheme::Ecdsa(Nid::SECP521R1, 66), MessageDigest::sha512),
    ed25519("EdDSA"),
    ed25519("Ed25519"),
];

/// A token that was taken apart, and not yet believed in anything.
#[derive(Debug)]
pub struct Signed<'a> {
    algorithm: &'static Algorithm,
    key_id: Option<String>,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

impl<'a> Signed<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// What is wrong with its form or its header.
    pub fn read(token: &'a str) -> Result<Self, Text> {
        if token.len() > LONGEST {
            return Err(Text::new(
                format!("令牌过长，不得超过{LONGEST}字节。"),
                format!("The token is longer than {LONGEST} bytes."),
            ));
        }
        let malformed = || {
            Text::fixed(
                "令牌不是合法的JWT（应为以点分隔的三段base64url，且头部为JSON对象）。",
                "The token is no JWT: three parts in base64url with dots between, the first of them a JSON object.",
            )
        };
        let (message, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = message.split_once('.').ok_or_else(malformed)?;
        let header = decoded(header).ok_or_else(malformed)?;
        let signature = decoded(signature).ok_or_else(malformed)?;
        if !duplicates::faults(&header).is_empty() {
            return Err(malformed());
        }
        let header: Header = serde_json::from_slice(&header).map_err(|_| malformed())?;
        let algorithm = ALGORITHMS
            .iter()
            .find(|known| known.name == header.alg)
            .ok_or_else(|| {
                let names: Vec<_> = ALGORITHMS.iter().map(|known| known.name).collect();
                Text::new(
                    format!("不接受令牌的签名算法（alg），应为{}之一。", names.join("、")),
                    format!("The algorithm (alg) of the token is none of {}.", names.join(", ")),
                )
            })?;
        if header.crit.is_some() {
            return Err(Text::fixed(
                "令牌要求支持扩展（crit），本系统不支持。",
                "The token demands extensions (crit), and none is known here.",
            ));
        }
        let typ = header.typ.as_deref().map(|typ| typ.to_ascii_lowercase());
        if !matches!(
            typ.as_deref(),
            None | Some("jwt" | "at+jwt" | "application/at+jwt" | "application/jwt")
        ) {
            return Err(Text::fixed(
                "令牌类型（typ）应为JWT或at+jwt。",
                "The type (typ) of the token is neither JWT nor at+jwt.",
            ));
        }
        Ok(Self {
            algorithm,
            key_id: header.kid,
            message,
            payload,
            signature,
        })
    }

    /// What is signed, if it is signed by this key.
    ///
    /// # Errors
    /// That the key is not known, that the signature is wrong, or that what is signed is no JSON object.
    pub fn verified_by(&self, key: Option<&Key>) -> Result<Value, Text> {
        let key = key.ok_or_else(|| {
            Text::fixed(
                "统一身份认证平台公布的密钥中没有签发该令牌的密钥（kid、alg）。",
                "The identity provider publishes no key that this token can be signed with (kid, alg).",
            )
        })?;
        // What OpenSSL cannot take for a signature is none.
        if !key.verifies(self).unwrap_or(false) {
            return Err(Text::fixed("令牌签名无效。", "The signature of the token is wrong."));
        }
        decoded(self.payload)
            .filter(|payload| duplicates::faults(payload).is_empty())
            .and_then(|payload| serde_json::from_slice(&payload).ok())
            .filter(Value::is_object)
            .ok_or_else(|| {
                Text::fixed(
                    "令牌的声明不是合法的JSON对象，或有重复的名称。",
                    "The claims of the token are no JSON object, or have a name twice.",
                )
            })
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// A public key of the provider.
#[derive(Debug)]
pub struct Key {
    id: Option<String>,
    /// The one algorithm that it is for, where the provider says so.
    algorithm: Option<String>,
    key: PKey<Public>,
}

/// A key as the provider publishes it (RFC 7517).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

/// RSA keys of fewer bits are not believed (RFC 7518, 3.3).
const LEAST_RSA_BITS: u32 = 2048;

impl Key {
    /// A key of a set; `None` for one that is not for signatures, of another type, or too weak.
    fn read(jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        let for_signatures = jwk.r#use.as_ref().is_none_or(|use_| use_ == "sig")
            && jwk
                .key_ops
                .as_ref()
                .is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let key = public_key(&jwk).filter(|_| for_signatures)?;
        Some(Self {
            id: jwk.kid,
            algorithm: jwk.alg,
            key,
        })
    }

    fn fits(&self, algorithm: &Algorithm) -> bool {
        let by_type = match algorithm.scheme {
            Scheme::Pkcs1 | Scheme::Pss => self.key.id() == Id::RSA,
            Scheme::Ecdsa(curve, _) => self
                .key
                .ec_key()
                .is_ok_and(|key| key.group().curve_name() == Some(curve)),
            Scheme::EdDsa => self.key.id() == Id::ED25519,
        };
        by_type && self.algorithm.as_ref().is_none_or(|only| only == algorithm.name)
    }

    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, ErrorStack> {
        let Algorithm { scheme, digest, .. } = signed.algorithm;
        let mut verifier = match digest {
            Some(digest) => Verifier::new(digest(), &self.key)?,
            None => Verifier::new_without_digest(&self.key)?,
        };
        let message = signed.message.as_bytes();
        match (*scheme, digest) {
            (Scheme::Pss, Some(digest)) => {
                verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
                verifier.set_rsa_mgf1_md(digest())?;
                verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
                verifier.verify_oneshot(&signed.signature, message)
            }
            (Scheme::Ecdsa(_, bytes), _) => {
                if signed.signature.len() != 2 * bytes {
                    return Ok(false);
                }
                let (r, s) = signed.signature.split_at(bytes);
                let signature = EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?;
                verifier.verify_oneshot(&signature.to_der()?, message)
            }
            _ => verifier.verify_oneshot(&signed.signature, message),
        }
    }
}

fn public_key(jwk: &Jwk) -> Option<PKey<Public>> {
    let number = |text: &str| BigNum::from_slice(&decoded(text)?).ok();
    match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            let key = Rsa::from_public_components(number(&jwk.n)?, number(&jwk.e)?).ok()?;
            PKey::from_rsa(key).ok().filter(|key| key.bits() >= LEAST_RSA_BITS)
        }
        ("EC", Some(curve)) => {
            let curve = match curve {
                "P-256" => Nid::X9_62_PRIME256V1,
                "P-384" => Nid::SECP384R1,
                "P-521" => Nid::SECP521R1,
                _ => return None,
            };
            let group = EcGroup::from_curve_name(curve).ok()?;
            // Refuses what is not on the curve.
            let key = EcKey::from_public_key_affine_coordinates(&group, &*number(&jwk.x)?, &*number(&jwk.y)?).ok()?;
            PKey::from_ec_key(key).ok()
        }
        ("OKP", Some("Ed25519")) => PKey::public_key_from_raw_bytes(&decoded(&jwk.x)?, Id::ED25519).ok(),
        _ => None,
    }
}

/// The keys that a provider publishes.
#[derive(Debug)]
pub struct Keys(Vec<Arc<Key>>);

impl Keys {
    /// The keys of a JWKS that can be used; others may stand beside them.
    ///
    /// # Errors
    /// That it is none, or has no key that can be used.
    pub fn read(jwks: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Jwks {
            keys: Vec<Value>,
        }
        let jwks: Jwks = serde_json::from_slice(jwks).map_err(|error| format!("it is no JWKS: {error}"))?;
        let keys: Vec<_> = jwks.keys.into_iter().filter_map(Key::read).map(Into::into).collect();
        match keys.is_empty() {
            true => Err(format!(
                "no key of the JWKS can be used: for signatures; RSA of {LEAST_RSA_BITS} bits or more, P-256, P-384, P-521 or Ed25519"
            )),
            false => Ok(Self(keys)),
        }
    }

    /// The key that a token says it is signed with; where it does not say, the only one that it can be.
    pub fn find(&self, signed: &Signed<'_>) -> Option<Arc<Key>> {
        let mut fitting = self.0.iter().filter(|key| key.fits(signed.algorithm));
        match &signed.key_id {
            Some(id) => fitting.find(|key| key.id.as_ref() == Some(id)).cloned(),
            None => fitting.next().filter(|_| fitting.next().is_none()).cloned(),
        }
    }
}
