//! An identity provider: keys that sign tokens, and a place where it publishes them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jixiao::identity::settings::{Given, Refresh, Settings};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://sso.county.example/realms/county";
pub const AUDIENCE: &str = "jixiao";

/// How this service is told of the provider whose keys are at `jwks`.
pub fn settings(jwks: &str) -> Settings {
    let roles = ["finance=bureau", "towns=unit", "audit=auditor"];
    let given = Given {
        issuer: Some(ISSUER.to_owned()),
        audience: Some(AUDIENCE.to_owned()),
        jwks: Some(jwks.parse().unwrap()),
        role_claim: Some("realm_access.roles".parse().unwrap()),
        roles: Some(roles.map(|name| name.parse().unwrap()).into()),
        units_claim: Some("units".parse().unwrap()),
        leeway: Some(0),
        ..Given::default()
    };
    let mut settings = given.resolve().unwrap().unwrap();
    // As soon as it is needed: what makes it wait has a test of its own.
    settings.refresh.pause = Duration::ZERO;
    settings
}

/// The same, with the keys in a file that is written to `folder`.
pub fn with_file(folder: &Path, keys: &[&Key]) -> Settings {
    let path = folder.join("jwks.json");
    std::fs::write(&path, jwks(keys)).unwrap();
    settings(path.to_str().unwrap())
}

/// The same, with the keys fetched again when they are that old, and not twice within that pause.
pub fn refreshed(mut settings: Settings, after: Duration, pause: Duration) -> Settings {
    settings.refresh = Refresh { after, pause };
    settings
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of a good token with these roles, for these units.
pub fn claims(subject: &str, roles: &[&str], units: &[&str]) -> Value {
    json!({
        "iss": ISSUER, "aud": [AUDIENCE, "account"], "exp": now() + 300, "iat": now(), "sub": subject,
        "typ": "Bearer", "preferred_username": "zhangsan", "realm_access": {"roles": roles}, "units": units,
    })
}

/// The public keys as the provider publishes them.
pub fn jwks(keys: &[&Key]) -> String {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()}).to_string()
}

pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key of the provider.
pub struct Key {
    pub id: String,
    pub key: PKey<Private>,
}

impl Key {
    /// One of P-256, quickly made.
    pub fn new(id: &str) -> Self {
        Self::on(Nid::X9_62_PRIME256V1, id)
    }

    pub fn on(curve: Nid, id: &str) -> Self {
        let group = EcGroup::from_curve_name(curve).unwrap();
        Self::of(id, PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap())
    }

    pub fn ed25519(id: &str) -> Self {
        Self::of(id, PKey::generate_ed25519().unwrap())
    }

    /// The one RSA key of all tests, which takes a while to make.
    pub fn rsa(id: &str) -> Self {
        static KEY: LazyLock<PKey<Private>> = LazyLock::new(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap());
        Self::of(id, KEY.clone())
    }

    pub fn of(id: &str, key: PKey<Private>) -> Self {
        Self { id: id.to_owned(), key }
    }

    pub fn jwk(&self) -> Value {
        let mut jwk = self.public();
        jwk["kid"] = json!(self.id);
        jwk["use"] = json!("sig");
        jwk
    }

    fn public(&self) -> Value {
        if let Ok(rsa) = self.key.rsa() {
            return json!({"kty": "RSA", "n": encoded(rsa.n().to_vec()), "e": encoded(rsa.e().to_vec())});
        }
        let Ok(ec) = self.key.ec_key() else {
            return json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(self.key.raw_public_key().unwrap())});
        };
        let curve = match ec.group().curve_name() {
            Some(Nid::X9_62_PRIME256V1) => ("P-256", 32),
            Some(Nid::SECP384R1) => ("P-384", 48),
            Some(Nid::SECP521R1) => ("P-521", 66),
            other => panic!("{other:?}"),
        };
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut context = BigNumContext::new().unwrap();
        ec.public_key()
            .affine_coordinates(ec.group(), &mut x, &mut y, &mut context)
            .unwrap();
        let bytes = |number: BigNum| encoded(number.to_vec_padded(curve.1).unwrap());
        json!({"kty": "EC", "crv": curve.0, "x": bytes(x), "y": bytes(y)})
    }

    /// A token with these claims, signed by the algorithm that is usual for the key.
    pub fn token(&self, claims: &Value) -> String {
        let algorithm = match (self.key.rsa().is_ok(), self.key.ec_key()) {
            (true, _) => "RS256",
            (_, Ok(_)) => "ES256",
            _ => "EdDSA",
        };
        self.sign(
            &json!({"alg": algorithm, "typ": "JWT", "kid": self.id}),
            &claims.to_string(),
        )
    }

    /// A token with this header and these claims, signed as the header says.
    pub fn sign(&self, header: &Value, claims: &str) -> String {
        let message = format!("{}.{}", encoded(header.to_string()), encoded(claims));
        let signature = self.signature(header["alg"].as_str().unwrap(), message.as_bytes());
        format!("{message}.{}", encoded(signature))
    }

    fn signature(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let digest = match &algorithm[2..] {
            "256" => MessageDigest::sha256(),
            "384" => MessageDigest::sha384(),
            "512" => MessageDigest::sha512(),
            _ => {
                return Signer::new_without_digest(&self.key)
                    .unwrap()
                    .sign_oneshot_to_vec(message)
                    .unwrap();
            }
        };
        let mut signer = Signer::new(digest, &self.key).unwrap();
        if algorithm.starts_with("PS") {
            signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
            signer.set_rsa_mgf1_md(digest).unwrap();
            signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
        }
        let signature = signer.sign_oneshot_to_vec(message).unwrap();
        let bytes = match algorithm {
            "ES256" => 32,
            "ES384" => 48,
            "ES512" => 66,
            _ => return signature,
        };
        let signature = EcdsaSig::from_der(&signature).unwrap();
        let half = |number: &openssl::bn::BigNumRef| number.to_vec_padded(bytes).unwrap();
        [half(signature.r()), half(signature.s())].concat()
    }
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// A certificate for `localhost` that vouches for itself.
fn certificate() -> (PKey<Private>, X509) {
    let key = Key::new("tls").key;
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    let number = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
    certificate.set_serial_number(&number).unwrap();
    certificate.set_subject_name(&name).unwrap();
    certificate.set_issuer_name(&name).unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    certificate.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    let ca = BasicConstraints::new().ca().build().unwrap();
    certificate.append_extension(ca).unwrap();
    let host = SubjectAlternativeName::new()
        .dns("localhost")
        .build(&certificate.x509v3_context(None, None))
        .unwrap();
    certificate.append_extension(host).unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    (key, certificate.build())
}

/// Where a provider publishes its keys, on this machine.
pub struct Published {
    pub url: String,
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Published {
    /// Begins to answer with these keys.
    pub fn start(keys: &[&Key]) -> Self {
        Self::serve(keys, "http://127.0.0.1", |stream| Some(Box::new(stream)))
    }

    /// The same over TLS, with a certificate of its own that is written to `path`.
    pub fn start_tls(keys: &[&Key], path: &Path) -> Self {
        let (key, certificate) = certificate();
        std::fs::write(path, certificate.to_pem().unwrap()).unwrap();
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(&key).unwrap();
        acceptor.set_certificate(&certificate).unwrap();
        let acceptor = acceptor.build();
        // A client that does not believe it goes away.
        Self::serve(keys, "https://localhost", move |stream| {
            Some(Box::new(acceptor.accept(stream).ok()?))
        })
    }

    fn serve(
        keys: &[&Key],
        host: &str,
        accept: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{host}:{}/keys", listener.local_addr().unwrap().port());
        let answer = Arc::new(Mutex::new((200, jwks(keys))));
        let asked = Arc::new(AtomicUsize::new(0));
        let (current, count) = (Arc::clone(&answer), Arc::clone(&asked));
        // It ends with the process.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().filter_map(|stream| accept(stream.unwrap())) {
                let lines = BufReader::new(&mut stream).lines();
                let _request: Vec<_> = lines
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                count.fetch_add(1, Ordering::SeqCst);
                let (status, body) = current.lock().unwrap().clone();
                let length = body.len();
                let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        Self { url, answer, asked }
    }

    /// Answers with this from now on.
    pub fn answer(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
