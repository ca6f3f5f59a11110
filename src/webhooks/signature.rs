//! Signatures of messages, by the Standard Webhooks specification (<https://www.standardwebhooks.com>), version 1: symmetric.

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What secrets begin with.
const PREFIX: &str = "whsec_";

/// A new secret: `whsec_` and 256 random bits in Base64.
///
/// # Errors
/// When the operating system has no random bytes to give.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    Ok(format!("{PREFIX}{}", BASE64_STANDARD.encode(key)))
}

/// The value of `webhook-signature`: one signature by each of `secrets` over the message's id, the time in seconds since 1970 and
/// the body. `None` if one of them is no secret.
pub fn sign(secrets: &[String], id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let signatures = secrets.iter().map(|secret| {
        let key = BASE64_STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    });
    Some(signatures.collect::<Option<Vec<_>>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn the_example_of_the_specification_has_its_signature() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
        let signature = sign(
            std::slice::from_ref(&secret),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn each_secret_signs_and_what_is_none_does_not() {
        let (one, two) = (new_secret().unwrap(), new_secret().unwrap());
        let both = sign(&[one.clone(), two.clone()], "a", 1, b"x").unwrap();
        let alone = |secret: &String| sign(std::slice::from_ref(secret), "a", 1, b"x").unwrap();
        assert_eq!(both, format!("{} {}", alone(&one), alone(&two)));
        assert_eq!(one.len(), "whsec_".len() + 44);
        assert_eq!(sign(&["whsec_ÿ".to_owned()], "a", 1, b"x"), None);
    }
}
