//! Tokens (JWT) of the county's identity provider: whose are taken, and who one is with them.

use std::path::Path;
use std::time::{Duration, Instant};

use jixiao::http::limits;
use jixiao::identity::settings::Settings;
use jixiao::tokens::model::{Role, hash};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::access::each_does_what_is_its_own;
use crate::support::client::{Client, Response};
use crate::support::process::{Process, free_port, jixiao};
use crate::support::provider::{
    AUDIENCE, ISSUER, Key, Published, claims, encoded, jwks, now, refreshed, settings, with_file,
};
use crate::support::{Engine, TestApp, at_once, count};

const SELF: &str = "/api/v1/tokens/self";

/// A service that takes tokens signed by this key.
struct County {
    app: TestApp,
    key: Key,
    _folder: TempDir,
}

impl County {
    fn on(engine: Engine, change: impl FnOnce(&mut Settings)) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::new("k1");
        let mut settings = with_file(folder.path(), &[&key]);
        change(&mut settings);
        let app = TestApp::start_with(engine, |config| config.identity = Some(settings))?;
        Some(Self {
            app,
            key,
            _folder: folder,
        })
    }

    /// Where the database does not matter.
    fn new() -> Self {
        Self::on(Engine::Sqlite, |_| {}).unwrap()
    }

    fn client(&self, claims: &Value) -> Client {
        self.app.client(&self.key.token(claims))
    }

    fn of_role(&self, role: Role, units: &[&str]) -> Client {
        let name = match role {
            Role::Bureau => "finance",
            Role::Unit => "towns",
            Role::Auditor => "audit",
        };
        self.client(&claims(
            &format!("{name}-{}", units.join("-")),
            &["offline_access", name],
            units,
        ))
    }
}

/// Runs on both engines.
fn on_both(check: impl Fn(County)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if let Some(county) = County::on(engine, |_| {}) {
            check(county);
        }
    }
}

/// A good token but for what `change` does to its claims.
fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = claims("u-1", &["finance"], &[]);
    change(&mut claims);
    claims
}

/// The codes of what is wrong, after checking that it is said in the words of RFC 6750 too.
#[track_caller]
fn faults(answer: Response, kind: &str) -> Vec<String> {
    let header = answer.header("WWW-Authenticate").unwrap().to_owned();
    let problem = answer.problem(401, kind);
    let begin = "Bearer realm=\"jixiao\", error=\"invalid_token\", error_description=\"";
    assert_eq!(header, format!("{begin}{}\"", problem["detail"].as_str().unwrap()));
    assert!(!problem["detail_zh"].as_str().unwrap().is_empty());
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|error| error["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_token_of_the_provider_says_who_one_is() {
    on_both(|county| {
        county.app.with_units(&[("219", None), ("219001", Some("219"))]);
        let claims = claims("u-1", &["offline_access", "towns"], &["219001", "219"]);
        let id = format!("jwt:{}:u-1", &hash(ISSUER)[..8]);
        let me = county.client(&claims).get(SELF).expect(200).json();
        let end = jiff::Timestamp::from_second(claims["exp"].as_i64().unwrap()).unwrap();
        assert_eq!(
            me,
            json!({"id": id, "name": "zhangsan", "role": "unit", "units": ["219", "219001"],
                "permissions": ["read", "file", "submit", "import"], "expires_at": format!("{end:.6}")})
        );
    });
}

#[test]
fn each_role_of_the_provider_does_what_is_its_own_and_nothing_else() {
    on_both(|county| each_does_what_is_its_own(&county.app, |role, units| county.of_role(role, units)));
}

#[test]
fn what_is_done_is_written_down_under_the_name_and_the_subject_whichever_token_was_shown() {
    on_both(|county| {
        county.app.with_kaiyun();
        let sheet = "/api/v1/units/219001/evaluations/2019/base-data";
        let client = |n: u32| {
            let mut claims = claims("u-1", &["towns"], &["219001"]);
            claims["jti"] = json!(n);
            claims["preferred_username"] = json!(" 张三\n（开云镇）");
            county.client(&claims)
        };
        client(1).put(sheet, &json!({})).expect(201);
        client(2).delete(sheet).expect(204);
        let id = format!("jwt:{}:u-1", &hash(ISSUER)[..8]);
        let trail = county
            .of_role(Role::Auditor, &[])
            .get(&format!("/api/v1/audit?actor={id}"))
            .expect(200)
            .json();
        let entries = trail["items"].as_array().unwrap();
        assert_eq!(entries.len(), 2);
        for entry in entries {
            assert_eq!(
                (&entry["actor_name"], &entry["role"], &entry["address"]),
                (&json!("张三（开云镇）"), &json!("unit"), &json!("127.0.0.1"))
            );
        }
    });
}

#[test]
fn a_unit_reaches_those_of_its_units_that_are_there_and_one_without_any_is_told_so() {
    on_both(|county| {
        county
            .app
            .with_units(&[("219", None), ("219001", Some("219")), ("300", None)]);
        let units = |units: Value| {
            let mut claims = claims("u-1", &["towns"], &[]);
            claims["units"] = units;
            county.client(&claims).get("/api/v1/units")
        };
        assert_eq!(units(json!(["219", "999"])).each("code"), ["219", "219001"]);
        assert_eq!(units(json!("300")).each("code"), ["300"]);
        let many: Vec<_> = (0..201).map(|n| format!("9{n:05}")).collect();
        for none in [
            json!([]),
            json!(["999"]),
            json!(null),
            json!(219),
            json!(["219", 300]),
            json!("219,300"),
            json!(many),
        ] {
            let problem = units(none.clone()).problem(403, "forbidden");
            assert!(problem["detail"].as_str().unwrap().contains("/units"), "{none}");
        }
    });
}

#[test]
fn whoever_has_no_role_here_is_known_and_may_do_nothing() {
    let county = County::new();
    for roles in [
        json!([]),
        json!(["bureau"]),
        json!(null),
        json!(7),
        json!({"finance": true}),
        json!("finance audit"),
    ] {
        let claims = changed(|claims| claims["realm_access"]["roles"] = roles.clone());
        let problem = county.client(&claims).get(SELF).problem(403, "forbidden");
        assert!(
            problem["detail"].as_str().unwrap().contains("/realm_access/roles"),
            "{roles}"
        );
    }
    // Of several, the first in the settings counts; one may be a text by itself.
    for (roles, role) in [(json!(["audit", "finance"]), "bureau"), (json!("audit"), "auditor")] {
        let claims = changed(|claims| claims["realm_access"]["roles"] = roles);
        assert_eq!(county.client(&claims).get(SELF).expect(200).json()["role"], role);
    }
}

#[test]
fn scopes_narrow_what_the_role_has_where_they_are_asked_for() {
    let county = County::on(Engine::Sqlite, |settings| {
        settings.scopes_claim = Some("scope".parse().unwrap())
    })
    .unwrap();
    for (scopes, permissions) in [
        (json!("openid read  oversee profile"), json!(["read", "oversee"])),
        (json!(["read", "tokens"]), json!(["read", "tokens"])),
        (json!("openid"), json!([])),
        (json!(null), json!([])),
    ] {
        let client = county.client(&changed(|claims| claims["scope"] = scopes.clone()));
        assert_eq!(
            client.get(SELF).expect(200).json()["permissions"],
            permissions,
            "{scopes}"
        );
        let reads = if permissions == json!([]) { 403 } else { 200 };
        client.get("/api/v1/units").expect(reads);
        client
            .put("/api/v1/units/219001", &json!({"name": "甲", "kind": "town"}))
            .problem(403, "forbidden");
    }
}

#[test]
fn a_name_fits_on_a_line_and_is_the_subject_where_there_is_none() {
    let county = County::on(Engine::Sqlite, |settings| {
        settings.name_claim = "profile.display".parse().unwrap()
    })
    .unwrap();
    for (profile, name) in [
        (json!({"display": "甲".repeat(61)}), "甲".repeat(60)),
        (json!({"display": " \u{7}\n"}), "u-1".to_owned()),
        (json!({"display": 7}), "u-1".to_owned()),
        (json!(null), "u-1".to_owned()),
    ] {
        let claims = changed(|claims| claims["profile"] = profile.clone());
        assert_eq!(
            county.client(&claims).get(SELF).expect(200).json()["name"],
            name,
            "{profile}"
        );
    }
}

#[test]
fn every_claim_at_fault_is_named_at_once() {
    let county = County::new();
    let at_fault = |change: fn(&mut Value)| faults(county.client(&changed(change)).get(SELF), "unauthorized");
    assert_eq!(
        at_fault(|claims| claims["iss"] = json!(format!("{ISSUER}/"))),
        ["wrong_issuer"]
    );
    assert_eq!(at_fault(|claims| claims["iss"] = json!([ISSUER])), ["wrong_issuer"]);
    assert_eq!(at_fault(|claims| claims["aud"] = json!("other")), ["wrong_audience"]);
    assert_eq!(at_fault(|claims| claims["aud"] = json!([])), ["wrong_audience"]);
    assert_eq!(
        at_fault(|claims| claims["aud"] = json!({"jixiao": 1})),
        ["wrong_audience"]
    );
    for exp in [json!(null), json!("soon"), json!(true), json!(1e300), json!(u64::MAX)] {
        let claims = changed(|claims| claims["exp"] = exp.clone());
        assert_eq!(
            faults(county.client(&claims).get(SELF), "unauthorized"),
            ["no_expiry"],
            "{exp}"
        );
    }
    assert_eq!(at_fault(|claims| claims["nbf"] = json!(now() + 60)), ["not_yet_valid"]);
    assert_eq!(at_fault(|claims| claims["nbf"] = json!("now")), ["not_yet_valid"]);
    assert_eq!(at_fault(|claims| claims["sub"] = json!("")), ["no_subject"]);
    assert_eq!(at_fault(|claims| claims["sub"] = json!("u\n1")), ["no_subject"]);
    assert_eq!(
        at_fault(|claims| *claims = json!({"exp": 1})),
        ["wrong_issuer", "wrong_audience", "expired", "no_subject"]
    );
    assert_eq!(at_fault(|claims| *claims = json!({})).len(), 4);

    let good = |change: fn(&mut Value)| drop(county.client(&changed(change)).get(SELF).expect(200));
    good(|claims| claims["aud"] = json!(AUDIENCE));
    good(|claims| claims["nbf"] = json!(now()));
    good(|claims| claims["nbf"] = json!(null));
    let decimals = changed(|claims| claims["exp"] = json!(0));
    let decimals = decimals
        .to_string()
        .replace("\"exp\":0", &format!("\"exp\":{}.25", now() + 60));
    let token = county.key.sign(&json!({"alg": "ES256", "kid": "k1"}), &decimals);
    county.app.client(&token).get(SELF).expect(200);
}

#[test]
fn a_token_ends_when_it_says_and_its_bearer_is_told_to_sign_in_again() {
    let county = County::new();
    let end = now() + 2;
    let client = county.client(&changed(|claims| claims["exp"] = json!(end)));
    client.get(SELF).expect(200);
    // Found good a moment ago, it ends in time all the same.
    let deadline = Instant::now() + Duration::from_secs(20);
    let refused = loop {
        let before = now();
        let answer = client.get(SELF);
        assert!(answer.status == 401 || before <= end, "it works after its end");
        if answer.status != 200 || Instant::now() > deadline {
            break answer;
        }
    };
    assert!(now() >= end);
    assert_eq!(faults(refused, "sign-in-expired"), ["expired"]);
    // The provider's clock may be a little ahead, if the settings say so.
    let lenient = County::on(Engine::Sqlite, |settings| {
        settings.leeway = jiff::SignedDuration::from_secs(30)
    })
    .unwrap();
    for (exp, nbf, status) in [(now() - 10, now() + 10, 200), (now() - 31, 0, 401)] {
        let claims = changed(|claims| (claims["exp"], claims["nbf"]) = (json!(exp), json!(nbf)));
        lenient.client(&claims).get(SELF).expect(status);
    }
}

#[test]
fn tokens_are_signed_by_any_public_key_algorithm_that_the_key_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let keys = [
        Key::rsa("rsa"),
        Key::new("p256"),
        Key::on(Nid::SECP384R1, "p384"),
        Key::on(Nid::SECP521R1, "p521"),
        Key::ed25519("ed"),
    ];
    let [rsa, p256, p384, p521, ed] = &keys;
    let settings = with_file(folder.path(), &keys.each_ref());
    let app = TestApp::start_with(Engine::Sqlite, |config| config.identity = Some(settings)).unwrap();
    let claims = changed(|_| {}).to_string();
    let all = [
        (rsa, ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].as_slice()),
        (p256, &["ES256"]),
        (p384, &["ES384"]),
        (p521, &["ES512"]),
        (ed, &["EdDSA", "Ed25519"]),
    ];
    for (key, algorithms) in all {
        for algorithm in algorithms {
            let token = |id: &str| key.sign(&json!({"alg": algorithm, "kid": id, "typ": "at+JWT"}), &claims);
            app.client(&token(&key.id)).get(SELF).expect(200);
            // The key of that name is for other algorithms, unless it is another one of these.
            for other in keys.iter().filter(|other| other.id != key.id) {
                faults(app.client(&token(&other.id)).get(SELF), "unauthorized");
            }
        }
    }
    // Without a name the only key that it can be, if it is the only one.
    app.client(&p384.sign(&json!({"alg": "ES384"}), &claims))
        .get(SELF)
        .expect(200);
}

#[test]
fn what_is_forged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (rsa, ec, forger) = (Key::rsa("rsa"), Key::new("ec"), Key::new("ec"));
    let settings = with_file(folder.path(), &[&rsa, &ec]);
    let app = TestApp::start_with(Engine::Sqlite, |config| config.identity = Some(settings)).unwrap();
    let claims = changed(|_| {}).to_string();
    let good = ec.sign(&json!({"alg": "ES256", "kid": "ec"}), &claims);
    app.client(&good).get(SELF).expect(200);
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();

    // The public key as the secret of an algorithm with a shared one.
    let secret = PKey::hmac(&rsa.key.public_key_to_pem().unwrap()).unwrap();
    let shared = format!("{}.{payload}", encoded(r#"{"alg":"HS256","kid":"rsa"}"#));
    let mut hmac = Signer::new(openssl::hash::MessageDigest::sha256(), &secret).unwrap();
    let shared = format!(
        "{shared}.{}",
        encoded(hmac.sign_oneshot_to_vec(shared.as_bytes()).unwrap())
    );

    let richer = encoded(claims.replace("u-1", "u-2"));
    let none = encoded(r#"{"alg":"none"}"#);
    let long = changed(|claims| claims["more"] = json!("x".repeat(17_000)));
    let twice = claims.replacen('{', "{\"sub\":\"u-2\",", 1);
    let sign = |header: Value| ec.sign(&header, &claims);
    let zeros = encoded([0; 64]);
    for (forged, what) in [
        (shared, "alg"),
        (format!("{none}.{payload}."), "alg"),
        (format!("{}.{payload}.", encoded(r#"{"alg":"None"}"#)), "alg"),
        (sign(json!({"alg": "ES256", "kid": "gone"})), "kid"),
        (sign(json!({"alg": "ES256", "kid": "rsa"})), "kid"),
        // The forger's own key, sent along.
        (
            forger.sign(&json!({"alg": "ES256", "kid": "x", "jwk": forger.jwk()}), &claims),
            "kid",
        ),
        (
            forger.sign(
                &json!({"alg": "ES256", "kid": "ec", "jku": "https://forger.example/keys"}),
                &claims,
            ),
            "signature",
        ),
        (format!("{header}.{richer}.{signature}"), "signature"),
        (format!("{header}.{payload}.{zeros}"), "signature"),
        (format!("{header}.{payload}."), "signature"),
        (format!("{header}.{payload}.{}", &signature[..40]), "signature"),
        (
            sign(json!({"alg": "ES256", "kid": "ec", "crit": ["b64"], "b64": false})),
            "crit",
        ),
        (sign(json!({"alg": "ES256", "kid": "ec", "crit": []})), "crit"),
        (sign(json!({"alg": "ES256", "kid": "ec", "typ": "logout+jwt"})), "typ"),
        (ec.sign(&json!({"alg": "ES256", "kid": "ec"}), &twice), "twice"),
        (ec.sign(&json!({"alg": "ES256", "kid": "ec"}), "[]"), "object"),
        (
            format!("{}.{payload}.{signature}", encoded(r#"{"alg":"ES256","alg":"none"}"#)),
            "JWT",
        ),
        (format!("{header}.{payload}.{signature}="), "JWT"),
        (format!("{header}.{payload}.{signature}!"), "JWT"),
        ("..".to_owned(), "JWT"),
        (
            ec.sign(&json!({"alg": "ES256", "kid": "ec"}), &long.to_string()),
            "longer",
        ),
    ] {
        let answer = app.client(&forged).get(SELF);
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(what), "{what}: {detail}");
        faults(answer, "unauthorized");
    }
    // Encrypted ones have five parts.
    app.client(&format!("{good}.x.y"))
        .get(SELF)
        .problem(401, "unauthorized");
    app.client(&good).get(SELF).expect(200);
}

#[test]
fn keys_that_are_not_for_signatures_or_too_weak_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let weak = Key::of("weak", PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap());
    let (encrypting, only_es384, good) = (Key::new("enc"), Key::new("es384"), Key::new("good"));
    let mut set: Value = serde_json::from_str(&jwks(&[&weak, &encrypting, &only_es384, &good])).unwrap();
    set["keys"][1]["use"] = json!("enc");
    set["keys"][2]["alg"] = json!("ES384");
    for odd in [
        json!({"kty": "oct", "k": "c2VjcmV0"}),
        json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        json!(7),
    ] {
        set["keys"].as_array_mut().unwrap().push(odd);
    }
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, set.to_string()).unwrap();
    let settings = settings(path.to_str().unwrap());
    let app = TestApp::start_with(Engine::Sqlite, |config| config.identity = Some(settings)).unwrap();
    let claims = changed(|_| {});
    app.client(&good.token(&claims)).get(SELF).expect(200);
    for key in [&weak, &encrypting, &only_es384] {
        faults(app.client(&key.token(&claims)).get(SELF), "unauthorized");
    }
}

/// A service that fetches keys from where they are published.
fn fetching(published: &str, after: Duration, pause: Duration) -> TestApp {
    let settings = refreshed(settings(published), after, pause);
    TestApp::start_with(Engine::Sqlite, |config| config.identity = Some(settings)).unwrap()
}

const NEVER: Duration = Duration::from_secs(3600);

#[test]
fn a_new_key_of_the_provider_is_found_and_one_that_it_took_back_is_believed_no_more() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let published = Published::start(&[&old]);
    let app = fetching(&published.url, NEVER, Duration::ZERO);
    let status = |key: &Key| app.client(&key.token(&changed(|_| {}))).get(SELF).status;
    assert_eq!((status(&old), published.asked()), (200, 1));
    assert_eq!((status(&old), published.asked()), (200, 1));
    assert_eq!((status(&new), published.asked()), (401, 2));
    published.answer(200, &jwks(&[&new]));
    assert_eq!((status(&new), published.asked()), (200, 3));
    // The same token was found good a moment ago, and is looked at again soon.
    let token = app.client(&old.token(&changed(|claims| claims["jti"] = json!("another"))));
    faults(token.get(SELF), "unauthorized");
}

#[test]
fn keys_are_fetched_again_when_they_are_old_without_anyone_waiting() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let published = Published::start(&[&old]);
    let app = fetching(&published.url, Duration::ZERO, Duration::ZERO);
    let mut n = 0;
    let mut status = |key: &Key| {
        n += 1;
        app.client(&key.token(&changed(|claims| claims["jti"] = json!(n))))
            .get(SELF)
            .status
    };
    assert_eq!(status(&old), 200);
    published.answer(200, &jwks(&[&new]));
    let deadline = Instant::now() + Duration::from_secs(20);
    while status(&old) == 200 {
        assert!(Instant::now() < deadline, "the key that was taken back is believed on");
    }
    assert_eq!(status(&new), 200);
}

#[test]
fn a_provider_that_is_down_takes_nothing_down_that_has_its_keys() {
    let key = Key::new("k1");
    let published = Published::start(&[&key]);
    let app = fetching(&published.url, Duration::ZERO, Duration::ZERO);
    let client = |n: u32| app.client(&key.token(&changed(|claims| claims["jti"] = json!(n))));
    client(0).get(SELF).expect(200);
    for (n, (status, body)) in [
        (503, String::new()),
        (302, String::new()),
        (200, "<html>".to_owned()),
        (200, json!({"keys": []}).to_string()),
        (200, format!("{}{}", jwks(&[&key]), " ".repeat(300 * 1024))),
    ]
    .into_iter()
    .enumerate()
    {
        published.answer(status, &body);
        let before = published.asked();
        // One that names another key waits for the answer; it is no good, so nobody knows of that key, and what is known stays.
        app.client(&Key::new("other").token(&changed(|_| {})))
            .get(SELF)
            .problem(503, "identity-provider-unavailable");
        assert!(published.asked() > before);
        client(u32::try_from(n).unwrap() + 1).get(SELF).expect(200);
    }
}

#[test]
fn while_no_key_was_ever_had_one_is_told_to_come_again_and_own_tokens_work() {
    let key = Key::new("k1");
    let published = Published::start(&[&key]);
    published.answer(500, "");
    let app = fetching(&published.url, NEVER, Duration::ZERO);
    let client = app.client(&key.token(&changed(|_| {})));
    let refused = client.get(SELF);
    assert_eq!(refused.header("Retry-After"), Some("1"));
    refused.problem(503, "identity-provider-unavailable");
    app.auditor().get(SELF).expect(200);
    published.answer(200, &jwks(&[&key]));
    client.get(SELF).expect(200);
    // Nobody is there at all.
    let nowhere = format!("http://127.0.0.1:{}/keys", free_port());
    let app = fetching(&nowhere, NEVER, NEVER);
    let refused = app.client(&key.token(&changed(|_| {}))).get(SELF);
    assert_eq!(refused.header("Retry-After"), Some("3600"));
    refused.problem(503, "identity-provider-unavailable");
}

/// What the program, set up in earnest by its environment and by `more` of it, answers to a token signed by this key.
fn answer_of_program(data: &Path, published: &Published, key: &Key, more: (&str, &str)) -> Response {
    let mut command = jixiao(&["serve", "--data-dir", &data.display().to_string()]);
    command.envs([
        ("JIXIAO_JWT_ISSUER", ISSUER),
        ("JIXIAO_JWT_AUDIENCE", AUDIENCE),
        ("JIXIAO_JWT_JWKS", &published.url),
        ("JIXIAO_JWT_ROLE_CLAIM", "realm_access.roles"),
        ("JIXIAO_JWT_ROLES", "towns=unit, finance=bureau"),
        ("JIXIAO_JWT_UNITS_CLAIM", "units"),
        more,
    ]);
    let process = Process::start_as(command);
    process.client(&key.token(&changed(|_| {}))).get(SELF)
}

#[test]
fn keys_on_this_machine_are_asked_for_without_the_proxy_that_leads_out_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let key = Key::new("k1");
    let published = Published::start(&[&key]);
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    answer_of_program(folder.path(), &published, &key, ("ALL_PROXY", &nowhere)).expect(200);
}

#[test]
fn keys_are_fetched_over_tls_from_a_provider_that_the_system_trusts_and_from_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("ca.pem");
    let key = Key::new("k1");
    let published = Published::start_tls(&[&key], &certificate);
    let answer = |data: &str, certificates: &Path| {
        let more = ("SSL_CERT_FILE", certificates.to_str().unwrap());
        answer_of_program(&folder.path().join(data), &published, &key, more)
    };
    assert_eq!(answer("trusting", &certificate).expect(200).json()["role"], "bureau");
    let none = folder.path().join("none.pem");
    std::fs::write(&none, "").unwrap();
    answer("wary", &none).problem(503, "identity-provider-unavailable");
    assert_eq!(published.asked(), 1);
}

#[test]
fn whoever_names_keys_that_are_not_makes_the_provider_be_asked_no_more_than_once_in_a_while() {
    let key = Key::new("k1");
    let published = Published::start(&[&key]);
    let app = fetching(&published.url, NEVER, NEVER);
    let answers = at_once(8, |n| {
        app.client(&Key::new(&format!("other-{n}")).token(&changed(|_| {})))
            .get(SELF)
    });
    // Whoever came before the provider was asked knows; the others are to come again.
    assert!(count(&answers, 401) >= 1);
    assert_eq!(count(&answers, 401) + count(&answers, 503), 8);
    app.client(&key.token(&changed(|_| {}))).get(SELF).expect(200);
    assert_eq!(published.asked(), 1);
}

#[test]
fn a_new_key_that_cannot_be_asked_for_yet_makes_its_bearer_wait_and_locks_nobody_out() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    // Asked a moment ago, or not answering.
    for (pause, status, retry) in [(NEVER, 200, "3600"), (Duration::ZERO, 500, "1")] {
        let published = Published::start(&[&old]);
        let settings = refreshed(settings(&published.url), NEVER, pause);
        let app = TestApp::start_with(Engine::Sqlite, |config| {
            config.identity = Some(settings);
            config.limits.failures = 3;
        })
        .unwrap();
        let get = |key: &Key| app.client(&key.token(&changed(|_| {}))).get(SELF);
        get(&old).expect(200);
        published.answer(status, &jwks(&[&old, &new]));
        for _ in 0..5 {
            let wait = get(&new);
            assert_eq!(wait.header("Retry-After"), Some(retry));
            wait.problem(503, "identity-provider-unavailable");
        }
        get(&old).expect(200);
        if pause.is_zero() {
            published.answer(200, &jwks(&[&old, &new]));
            get(&new).expect(200);
        }
    }
}

fn limited(limits: limits::Settings) -> County {
    let folder = tempfile::tempdir().unwrap();
    let key = Key::new("k1");
    let settings = with_file(folder.path(), &[&key]);
    let app = TestApp::start_with(Engine::Sqlite, |config| {
        config.identity = Some(settings);
        config.limits = limits;
    });
    County {
        app: app.unwrap(),
        key,
        _folder: folder,
    }
}

#[test]
fn a_person_has_one_quota_whichever_token_is_shown() {
    let county = limited(limits::Settings {
        per_token: 2,
        ..Default::default()
    });
    let client = |subject: &str, n: u32| {
        let mut claims = claims(subject, &["audit"], &[]);
        claims["jti"] = json!(n);
        county.client(&claims)
    };
    client("u-1", 1).get("/api/v1/units").expect(200);
    client("u-1", 2).get("/api/v1/units").expect(200);
    client("u-1", 3).get("/api/v1/units").problem(429, "rate-limited");
    client("u-2", 4).get("/api/v1/units").expect(200);
    // A subject may be as long as it likes, and is another one all the same.
    client(&"u".repeat(255), 5).get("/api/v1/units").expect(200);
    client(&"u".repeat(254), 6).get("/api/v1/units").expect(200);
}

#[test]
fn forging_locks_an_address_out_and_a_sign_in_that_expired_does_not() {
    let county = limited(limits::Settings {
        failures: 3,
        ..Default::default()
    });
    let good = county.client(&changed(|_| {}));
    let expired = county.client(&changed(|claims| claims["exp"] = json!(now() - 1)));
    let of_no_role = county.client(&changed(|claims| claims["realm_access"] = json!(null)));
    for _ in 0..5 {
        expired.get(SELF).problem(401, "sign-in-expired");
        of_no_role.get(SELF).problem(403, "forbidden");
    }
    let forged = county.app.client(&Key::new("k1").token(&changed(|_| {})));
    for _ in 0..3 {
        forged.get(SELF).problem(401, "unauthorized");
    }
    good.get(SELF).problem(429, "locked-out");
}

#[test]
fn where_no_provider_is_set_up_its_tokens_are_just_not_known() {
    let app = TestApp::start(Engine::Sqlite).unwrap();
    let answer = app.client(&Key::new("k1").token(&changed(|_| {}))).get(SELF);
    assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer realm=\"jixiao\""));
    answer.problem(401, "unauthorized");
}

#[test]
fn a_provider_that_is_set_up_by_halves_or_whose_keys_cannot_be_read_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let fails = |settings: &[(&str, &str)]| {
        let mut command = jixiao(&["serve", "--data-dir", &data, "--listen", "127.0.0.1:0"]);
        let output = command.envs(settings.iter().copied()).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let error = fails(&[
        ("JIXIAO_JWT_ISSUER", ISSUER),
        ("JIXIAO_JWT_ROLES", "finance=bureau,towns=unit"),
    ]);
    for missing in [
        "JIXIAO_JWT_AUDIENCE",
        "JIXIAO_JWT_JWKS",
        "JIXIAO_JWT_ROLE_CLAIM",
        "JIXIAO_JWT_UNITS_CLAIM",
    ] {
        assert!(error.contains(missing), "{error}");
    }
    assert!(
        !error.contains("JIXIAO_JWT_ISSUER") && !error.contains("JIXIAO_JWT_NAME_CLAIM"),
        "{error}"
    );
    let whole = |jwks: &str, roles: &str| {
        fails(&[
            ("JIXIAO_JWT_ISSUER", ISSUER),
            ("JIXIAO_JWT_AUDIENCE", AUDIENCE),
            ("JIXIAO_JWT_JWKS", jwks),
            ("JIXIAO_JWT_ROLE_CLAIM", "roles"),
            ("JIXIAO_JWT_ROLES", roles),
        ])
    };
    assert!(whole("missing.json", "finance=bureau").contains("missing.json"));
    assert!(whole("http://sso.county.example/keys", "finance=bureau").contains("https"));
    assert!(whole("missing.json", "finance=king").contains("finance=king"));
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, r#"{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}"#).unwrap();
    assert!(whole(path.to_str().unwrap(), "finance=bureau").contains("no key of the JWKS can be used"));
}
