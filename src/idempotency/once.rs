//! The key of a request, and how what is done under it is done once.

use std::collections::HashSet;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

use super::answer::Answer;
use super::store;
use crate::db::{Db, Origin, Tx};
use crate::fault::Text;
use crate::http::body::BodyDigest;
use crate::http::kinds;
use crate::http::problem::{At, Problem};

/// The header that names a request, so that it can be sent again.
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// For how long what was done under a key is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How long a key is at most.
const LONGEST: usize = 255;

/// A request that is done once under the key that it carries, however often it is sent; without a key, whenever it is sent.
#[derive(Debug)]
pub struct Once {
    key: Option<String>,
    request: HttpRequest,
}

impl FromRequest for Once {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(key(request).map(|key| {
            if key.is_some() {
                BodyDigest::want(request);
            }
            Self {
                key,
                request: request.clone(),
            }
        }))
    }
}

/// The key that a request carries, without the quotes that it may stand in.
fn key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let mut values = request.headers().get_all(&IDEMPOTENCY_KEY);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let key = quoted.unwrap_or(text);
    let good = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if values.next().is_none() && (1..=LONGEST).contains(&key.len()) && key.bytes().all(good) {
        return Ok(Some(key.to_owned()));
    }
    Err(Problem::invalid_parameters(vec![At::header(
        "Idempotency-Key",
        "invalid_value",
        Text::new(
            format!(
                "幂等键应为1至{LONGEST}个可见ASCII字符，不含引号（整体可加双引号）和反斜杠，且只能给出一个，建议使用UUID。"
            ),
            format!(
                "a key has 1 to {LONGEST} visible ASCII characters without quotes (it may stand in them) and backslashes, and is \
                 given once; use a UUID"
            ),
        ),
    )]))
}

/// Who asks for what under which key.
#[derive(Debug)]
pub(super) struct Asked {
    /// Who, as in the change log; empty where no token is needed.
    pub actor: String,
    /// Under which key.
    pub key: String,
    /// The SHA-256 of the request: method, address, type and content.
    pub fingerprint: String,
}

impl Once {
    /// Changes something, as [`Db::write`] does, and answers. What was done under this key by the same actor is not done
    /// again, but answered as it was; the answer is kept by the transaction that makes the change.
    ///
    /// Only what was done is kept: a request that was refused has changed nothing and may be sent again.
    ///
    /// It is for what whoever has the permission may do anywhere; else see [`Once::write_within`].
    ///
    /// # Errors
    /// Those of `work`; 409 while the first request of the key is being worked on, or when its answer held a secret;
    /// 422 when the key was used for another request.
    pub async fn write<F>(self, db: &Db, origin: Origin, work: F) -> Result<HttpResponse, Problem>
    where
        F: Fn(&mut Tx<'_>) -> Result<Answer, Problem> + Send + 'static,
    {
        self.write_within(db, origin, |_| Ok(()), move |tx, ()| work(tx)).await
    }

    /// The same for what not everyone reaches: `reach` lets those pass who do, and hands what it read to `work`. It is asked first
    /// and each time, since what is reached can be less by the time that the answer is shown again.
    ///
    /// # Errors
    /// Those of `reach`, and of [`Once::write`].
    pub async fn write_within<T, R, F>(
        self,
        db: &Db,
        origin: Origin,
        reach: R,
        work: F,
    ) -> Result<HttpResponse, Problem>
    where
        R: Fn(&mut Tx<'_>) -> Result<T, Problem> + Send + 'static,
        F: Fn(&mut Tx<'_>, T) -> Result<Answer, Problem> + Send + 'static,
    {
        let Some(asked) = self.asked(&origin) else {
            let write = db.write(origin, move |tx| {
                let reached = reach(tx)?;
                work(tx, reached)
            });
            return Ok(write.await?.respond(false));
        };
        let running = self
            .request
            .app_data::<Data<InFlight>>()
            .ok_or_else(|| Problem::internal("the app has no list of keys"))?;
        // Until this is answered. What another process works on, the transaction waits for.
        let _running = running.begin(&asked)?;
        let since = format!("{:.6}", Timestamp::now() - KEPT);
        let (answer, replayed) = db
            .write(origin, move |tx| {
                let reached = reach(tx)?;
                match store::find(tx, &asked.actor, &asked.key, &since)? {
                    None => {
                        let answer = work(tx, reached)?;
                        store::keep(tx, &answer.row(&asked), &since)?;
                        Ok((answer, false))
                    }
                    Some(row) if row.fingerprint == asked.fingerprint => Ok((Answer::again(row)?, true)),
                    Some(_) => Err(reused(Vec::new())),
                }
            })
            .await?;
        Ok(answer.respond(replayed))
    }

    /// A name for what is made under the key of this request, the same whenever this actor sends it; `None` without a key.
    pub fn name(&self, origin: &Origin) -> Option<String> {
        let key = self.key.as_deref()?;
        let digest = digest([origin.actor.as_deref().unwrap_or_default(), key]);
        digest.get(..32).map(str::to_owned)
    }

    /// `None` without a key.
    fn asked(&self, origin: &Origin) -> Option<Asked> {
        let header = self.request.headers().get(CONTENT_TYPE);
        Some(Asked {
            actor: origin.actor.clone().unwrap_or_default(),
            key: self.key.clone()?,
            fingerprint: digest([
                self.request.method().as_str(),
                self.request.path(),
                self.request.query_string(),
                header.and_then(|value| value.to_str().ok()).unwrap_or_default(),
                &BodyDigest::of(&self.request),
            ]),
        })
    }
}

/// 422: the key was used for another request; `errors` may say what is different.
pub fn reused(errors: Vec<At>) -> Problem {
    let text = Text::new(
        "该幂等键已用于内容不同的请求。",
        "This key was used for another request.",
    );
    let at = At::header("Idempotency-Key", "reused", text.clone());
    Problem::new(&kinds::IDEMPOTENCY_KEY_REUSED, text.zh, text.en).with_errors([at].into_iter().chain(errors))
}

fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// The keys whose requests this process is working on.
#[derive(Debug, Default)]
pub struct InFlight(Arc<Mutex<HashSet<(String, String)>>>);

impl InFlight {
    /// Takes the key until what is returned is dropped.
    ///
    /// # Errors
    /// 409 when another request has it.
    fn begin(&self, asked: &Asked) -> Result<Begun, Problem> {
        let key = (asked.actor.clone(), asked.key.clone());
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match keys.insert(key.clone()) {
            true => Ok(Begun {
                keys: self.0.clone(),
                key,
            }),
            false => Err(Problem::new(
                &kinds::REQUEST_RUNNING,
                "以该幂等键提交的请求正在处理。",
                "The request that was sent with this key before is being worked on.",
            )
            .with_header(RETRY_AFTER, "1")),
        }
    }
}

struct Begun {
    keys: Arc<Mutex<HashSet<(String, String)>>>,
    key: (String, String),
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

/// The header in the OpenAPI document.
impl IntoParams for Once {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .pattern(Some(format!(
                r#"^([!#-\[\]-~]{{1,{LONGEST}}}|"[!#-\[\]-~]{{1,{LONGEST}}}")$"#
            )));
        let parameter = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "A name for this request, best a UUID, so that it can be sent again when its answer was lost: what was done under \
                 the key is not done again within 24 hours, but answered as it was, with `Idempotency-Replayed: true`.",
            ))
            .schema(Some(schema));
        vec![parameter.build()]
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_key_may_stand_in_quotes_and_is_the_same_without_them() {
        let key = |value: &str| {
            key(&TestRequest::default()
                .insert_header(("Idempotency-Key", value))
                .to_http_request())
        };
        for (sent, wanted) in [
            ("k-1", "k-1"),
            ("\"k-1\"", "k-1"),
            ("~!{}", "~!{}"),
            (&"x".repeat(255), &"x".repeat(255)),
        ] {
            assert_eq!(key(sent).ok().flatten().as_deref(), Some(wanted), "{sent}");
        }
        for bad in [
            "",
            "\"",
            "\"\"",
            "a b",
            "\"a",
            "a\"",
            "a\"b",
            "a\\b",
            "键",
            &"x".repeat(256),
        ] {
            assert!(key(bad).is_err(), "{bad}");
        }
        assert!(super::key(&TestRequest::default().to_http_request()).is_ok_and(|key| key.is_none()));
        let twice = TestRequest::default()
            .append_header(("Idempotency-Key", "a"))
            .append_header(("Idempotency-Key", "a"));
        assert!(super::key(&twice.to_http_request()).is_err());
    }

    #[test]
    fn parts_of_a_request_do_not_run_together() {
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
    }
}
