//! Settings: defaults, then a TOML file, then the environment (`JIXIAO_…`), then the command line; the later wins.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::db::{DbConfig, Target};
use crate::http::cors::AllowedOrigin;
use crate::http::network::Network;
use crate::http::{limits, load, tls};
use crate::identity::settings::{self as identity, ClaimPath, KeySource, RoleName};
use crate::settings;
use crate::telemetry::traces::Endpoint;
use crate::webhooks::{self, Allowed};

/// What a setting may be given as: on the command line or in the environment.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// A TOML file with any of the settings below, under the same names with underscores.
    #[arg(long, env = "JIXIAO_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    settings: Partial,
}

/// Settings of which any may be left out.
// No Debug of its own: an address may hold a password.
#[derive(Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
struct Partial {
    /// The address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "JIXIAO_LISTEN", value_name = "ADDRESS", global = true)]
    listen: Option<SocketAddr>,
    /// The folder of the SQLite database [default: data]
    #[arg(long, env = "JIXIAO_DATA_DIR", value_name = "FOLDER", global = true)]
    data_dir: Option<PathBuf>,
    /// postgres://… to use PostgreSQL instead of SQLite
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        global = true
    )]
    database_url: Option<String>,
    /// Streaming replicas of the PostgreSQL that reads may go to: postgres://… each, with commas between [default: none]
    #[arg(
        long,
        env = "DATABASE_REPLICA_URL",
        hide_env_values = true,
        value_name = "URLS",
        global = true
    )]
    database_replica_url: Option<String>,
    /// Connections to PostgreSQL, and to each replica [default: 10]
    #[arg(long, env = "JIXIAO_POOL_SIZE", value_name = "N", global = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pool_size: Option<u32>,
    /// Threads that serve requests [default: one per processor]
    #[arg(long, env = "JIXIAO_WORKERS", value_name = "N", global = true)]
    workers: Option<usize>,
    /// The certificate to show (PEM, with those that signed it), for https; without one it is plain http
    #[arg(long, env = "JIXIAO_TLS_CERT", value_name = "FILE", global = true)]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, env = "JIXIAO_TLS_KEY", value_name = "FILE", global = true)]
    tls_key: Option<PathBuf>,
    /// Requests in progress beyond which more are told to come again; 0: any number [default: 512]
    #[arg(long, env = "JIXIAO_MAX_REQUESTS", value_name = "N", global = true)]
    max_requests: Option<usize>,
    /// Connections beyond which more wait to be taken [default: 10000]
    #[arg(long, env = "JIXIAO_MAX_CONNECTIONS", value_name = "N", global = true)]
    max_connections: Option<usize>,
    /// How many seconds a request may take until its answer begins; imports, exports and events may take longer [default: 60]
    #[arg(long, env = "JIXIAO_REQUEST_TIMEOUT", value_name = "SECONDS", global = true, value_parser = clap::value_parser!(u32).range(1..=3600))]
    request_timeout: Option<u32>,
    /// How many seconds a client may keep the server waiting: for its request, the next piece of a body, or until it reads on [default: 30]
    #[arg(long, env = "JIXIAO_CLIENT_TIMEOUT", value_name = "SECONDS", global = true, value_parser = clap::value_parser!(u32).range(1..=3600))]
    client_timeout: Option<u32>,
    /// The largest body that is read, in bytes [default: 2097152]
    #[arg(long, env = "JIXIAO_BODY_LIMIT", value_name = "BYTES", global = true)]
    body_limit: Option<usize>,
    /// The largest file that is imported, in bytes [default: 1073741824]
    #[arg(long, env = "JIXIAO_IMPORT_LIMIT", value_name = "BYTES", global = true)]
    import_limit: Option<u64>,
    /// Days after which an import and its faults are forgotten, not what it stored; 0: never [default: 90]
    #[arg(long, env = "JIXIAO_IMPORT_RETENTION_DAYS", value_name = "DAYS", global = true)]
    import_retention_days: Option<u32>,
    /// Requests a minute with one token; 0: no limit [default: 60000]
    #[arg(long, env = "JIXIAO_RATE_LIMIT", value_name = "N", global = true)]
    rate_limit: Option<u32>,
    /// Requests a minute from one address; 0: no limit [default: 120000]
    #[arg(long, env = "JIXIAO_ADDRESS_RATE_LIMIT", value_name = "N", global = true)]
    address_rate_limit: Option<u32>,
    /// Attempts with a wrong token, from one address within 5 minutes, that lock it out for as long; 0: never [default: 300]
    #[arg(long, env = "JIXIAO_LOCKOUT", value_name = "N", global = true)]
    lockout: Option<u32>,
    /// Proxies that are believed in X-Forwarded-For: addresses or networks such as 10.0.0.0/8, with commas between [default: none]
    #[arg(
        long,
        env = "JIXIAO_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        value_delimiter = ',',
        global = true
    )]
    trusted_proxies: Option<Vec<Network>>,
    /// What webhooks may do besides https to other machines: http, loopback, with a comma between [default: neither]
    #[arg(
        long,
        env = "JIXIAO_WEBHOOK_ALLOW",
        value_name = "WHAT",
        value_delimiter = ',',
        global = true
    )]
    webhook_allow: Option<Vec<Allowed>>,
    /// How many milliseconds a webhook waits after its first failure; each further one doubles it, to an hour [default: 10000]
    #[arg(long, env = "JIXIAO_WEBHOOK_RETRY", value_name = "MS", global = true)]
    webhook_retry: Option<u32>,
    /// After how many failed attempts an event of a webhook is given up [default: 15]
    #[arg(long, env = "JIXIAO_WEBHOOK_ATTEMPTS", value_name = "N", global = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    webhook_attempts: Option<u32>,
    /// Whose tokens (JWT) are taken beside the service's own: what they have in `iss` [default: nobody's]
    #[arg(long, env = "JIXIAO_JWT_ISSUER", value_name = "ISSUER", global = true)]
    jwt_issuer: Option<String>,
    /// What such a token must have in `aud`
    #[arg(long, env = "JIXIAO_JWT_AUDIENCE", value_name = "AUDIENCE", global = true)]
    jwt_audience: Option<String>,
    /// Where the issuer's public keys are (JWKS): a file or an https address
    #[arg(long, env = "JIXIAO_JWT_JWKS", value_name = "FILE|URL", global = true)]
    jwt_jwks: Option<KeySource>,
    /// Where such a token says what its bearer is, such as realm_access.roles or /realm_access/roles
    #[arg(long, env = "JIXIAO_JWT_ROLE_CLAIM", value_name = "PATH", global = true)]
    jwt_role_claim: Option<ClaimPath>,
    /// What that means here, such as finance=bureau,towns=unit,audit=auditor; the first that a token has counts
    #[arg(
        long,
        env = "JIXIAO_JWT_ROLES",
        value_name = "NAME=ROLE",
        value_delimiter = ',',
        global = true
    )]
    jwt_roles: Option<Vec<RoleName>>,
    /// Where such a token has the codes of its bearer's units
    #[arg(long, env = "JIXIAO_JWT_UNITS_CLAIM", value_name = "PATH", global = true)]
    jwt_units_claim: Option<ClaimPath>,
    /// Where such a token has its bearer's name [default: preferred_username, or else sub]
    #[arg(long, env = "JIXIAO_JWT_NAME_CLAIM", value_name = "PATH", global = true)]
    jwt_name_claim: Option<ClaimPath>,
    /// Where such a token says what it may do of what its role may, such as scope [default: all that its role may]
    #[arg(long, env = "JIXIAO_JWT_SCOPES_CLAIM", value_name = "PATH", global = true)]
    jwt_scopes_claim: Option<ClaimPath>,
    /// By how many seconds the issuer's clock may differ, at most 300 [default: 30]
    #[arg(long, env = "JIXIAO_JWT_LEEWAY", value_name = "SECONDS", global = true)]
    jwt_leeway: Option<u16>,
    /// Pages of which origins may call from a browser (CORS), such as https://portal.county.gov.cn, with commas between; *: of any [default: none]
    #[arg(
        long,
        env = "JIXIAO_CORS_ORIGINS",
        value_name = "ORIGINS",
        value_delimiter = ',',
        global = true
    )]
    cors_origins: Option<Vec<AllowedOrigin>>,
    /// A folder with fonts for PDF: fangsong, heiti, kaiti, xiaobiaosong and songti, or as Windows calls them (simfang.ttf …) [default: the free ones of the program]
    #[arg(long, env = "JIXIAO_FONTS", value_name = "FOLDER", global = true)]
    fonts: Option<PathBuf>,
    /// What to log: error, warn, info, debug, or a filter such as jixiao=debug,access=warn [default: info]
    #[arg(long, env = "JIXIAO_LOG", value_name = "FILTER", global = true)]
    log: Option<String>,
    /// Log lines as text or as JSON [default: text]
    #[arg(long, env = "JIXIAO_LOG_FORMAT", value_name = "FORMAT", global = true)]
    log_format: Option<LogFormat>,
    /// From how many milliseconds on a request is logged as slow, with the reason; 0: never [default: 1000]
    #[arg(long, env = "JIXIAO_SLOW_REQUEST", value_name = "MS", global = true)]
    slow_request: Option<u32>,
    /// The address at which GET /metrics is answered, without a token; keep it to the network of those who operate [default: nowhere]
    #[arg(long, env = "JIXIAO_METRICS_LISTEN", value_name = "ADDRESS", global = true)]
    metrics_listen: Option<SocketAddr>,
    /// Where traces are sent by OTLP over HTTP, such as http://127.0.0.1:4318 [default: OTEL_EXPORTER_OTLP_ENDPOINT, or nowhere]
    #[arg(long, env = "JIXIAO_OTLP_ENDPOINT", value_name = "URL", global = true)]
    otlp_endpoint: Option<Endpoint>,
}

impl std::fmt::Debug for Partial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Partial")
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Where the data is, and how much of the database to use.
    pub db: DbConfig,
    /// Threads that serve requests.
    pub workers: usize,
    /// The certificate to show; `None`: plain http.
    pub tls: Option<tls::Files>,
    /// How much is done at once, and for how long.
    pub load: load::Settings,
    /// How many connections there may be.
    pub max_connections: usize,
    /// How long a client may keep the server waiting.
    pub client_timeout: Duration,
    /// The largest body that is read, in bytes.
    pub body_limit: usize,
    /// The largest file that is imported, in bytes.
    pub import_limit: u64,
    /// Days after which an import is forgotten; 0: never.
    pub import_retention_days: u32,
    /// How often may be asked.
    pub limits: limits::Settings,
    /// How webhooks are delivered.
    pub webhooks: webhooks::Settings,
    /// The identity provider whose tokens are taken, if there is one.
    pub identity: Option<identity::Settings>,
    /// The origins whose pages may call from a browser.
    pub cors_origins: Vec<AllowedOrigin>,
    /// A folder with fonts for PDF.
    pub fonts: Option<PathBuf>,
    /// What to log.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// From how many milliseconds on a request is slow; 0: never.
    pub slow_request: u32,
    /// Where metrics are scraped, if they are.
    pub metrics_listen: Option<SocketAddr>,
    /// The collector of traces, if there is one.
    pub otlp_endpoint: Option<Endpoint>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the settings in {0}: {1} / 无法读取设置文件 {0}：{1}。")]
    File(PathBuf, std::io::Error),
    /// The file is not TOML, or names what is no setting.
    #[error("{file}:{line}: {fault}{meant} / 设置文件 {file} 第{line}行有误：{fault}{meant_zh}")]
    Content {
        /// The file.
        file: String,
        /// The line at fault.
        line: usize,
        /// What is wrong there.
        fault: String,
        /// What may have been meant, in English.
        meant: String,
        /// What may have been meant, in Chinese.
        meant_zh: String,
    },
    /// The address of the database is neither a path nor PostgreSQL.
    #[error(
        "DATABASE_URL: use postgres://user:password@host/database, with @ and / in a password as %40 and %2F; sqlite:<path>; or leave it out for SQLite in the data folder. / \
         DATABASE_URL应为postgres://用户名:密码@主机/数据库（密码中的@和/须写作%40和%2F）或sqlite:路径；使用数据目录中的SQLite时不必设置。"
    )]
    DatabaseUrl,
    /// The addresses of the replicas are not PostgreSQL's, or there is nothing that they could be replicas of.
    #[error(
        "DATABASE_REPLICA_URL: give postgres://… addresses with commas between, beside a DATABASE_URL of PostgreSQL"
    )]
    ReplicaUrl,
    /// Only one of the two is there.
    #[error(
        "JIXIAO_TLS_CERT and JIXIAO_TLS_KEY belong together: give both or neither. / JIXIAO_TLS_CERT与JIXIAO_TLS_KEY须同时设置。"
    )]
    Tls,
    /// Some of what an identity provider takes is missing.
    #[error("{0}")]
    Identity(String),
}

impl Flags {
    /// The settings in force.
    ///
    /// # Errors
    /// When the file that is named cannot be used, or settings contradict each other.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let file: Partial = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let given = self.settings;
        let data_dir = given.data_dir.or(file.data_dir).unwrap_or_else(|| "data".into());
        let target = match given.database_url.or(file.database_url) {
            None => Target::Sqlite(data_dir.join("jixiao.db")),
            // libpq would take the rest of the password for the host, and complain of it by name.
            Some(url) if url.contains("://") && before_query(&url).matches('@').count() > 1 => {
                return Err(ConfigError::DatabaseUrl);
            }
            Some(url) => Target::parse(&url).ok_or(ConfigError::DatabaseUrl)?,
        };
        let mut db = DbConfig::new(target);
        if let Some(urls) = given.database_replica_url.or(file.database_replica_url) {
            db.replicas = replicas(&urls, &db.target)?;
        }
        if let (Target::Postgres(_), Some(size)) = (&db.target, given.pool_size.or(file.pool_size)) {
            db.pool_size = size;
        }
        let usual = limits::Settings::usual();
        let limits = limits::Settings {
            per_token: given.rate_limit.or(file.rate_limit).unwrap_or(usual.per_token),
            per_address: given
                .address_rate_limit
                .or(file.address_rate_limit)
                .unwrap_or(usual.per_address),
            failures: given.lockout.or(file.lockout).unwrap_or(usual.failures),
            trusted_proxies: given.trusted_proxies.or(file.trusted_proxies).unwrap_or_default(),
        };
        let seconds = |n: u32| Duration::from_secs(n.into());
        let usual = load::Settings::usual();
        let load = load::Settings {
            requests: given.max_requests.or(file.max_requests).unwrap_or(usual.requests),
            time: given
                .request_timeout
                .or(file.request_timeout)
                .map_or(usual.time, seconds),
        };
        let tls = match (given.tls_cert.or(file.tls_cert), given.tls_key.or(file.tls_key)) {
            (Some(certificate), Some(key)) => Some(tls::Files { certificate, key }),
            (None, None) => None,
            _ => return Err(ConfigError::Tls),
        };
        let usual = webhooks::Settings::usual();
        let webhooks = webhooks::Settings {
            allowed: given.webhook_allow.or(file.webhook_allow).unwrap_or(usual.allowed),
            retry: given
                .webhook_retry
                .or(file.webhook_retry)
                .map_or(usual.retry, |ms| Duration::from_millis(ms.into())),
            attempts: given
                .webhook_attempts
                .or(file.webhook_attempts)
                .unwrap_or(usual.attempts)
                .max(1),
        };
        let identity = identity::Given {
            issuer: given.jwt_issuer.or(file.jwt_issuer),
            audience: given.jwt_audience.or(file.jwt_audience),
            jwks: given.jwt_jwks.or(file.jwt_jwks),
            role_claim: given.jwt_role_claim.or(file.jwt_role_claim),
            roles: given.jwt_roles.or(file.jwt_roles),
            units_claim: given.jwt_units_claim.or(file.jwt_units_claim),
            name_claim: given.jwt_name_claim.or(file.jwt_name_claim),
            scopes_claim: given.jwt_scopes_claim.or(file.jwt_scopes_claim),
            leeway: given.jwt_leeway.or(file.jwt_leeway),
        };
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Config {
            listen: given
                .listen
                .or(file.listen)
                .unwrap_or_else(|| ([127, 0, 0, 1], 8080).into()),
            db,
            workers: given.workers.or(file.workers).unwrap_or(processors).clamp(1, 512),
            tls,
            load,
            max_connections: given.max_connections.or(file.max_connections).unwrap_or(10_000),
            client_timeout: seconds(given.client_timeout.or(file.client_timeout).unwrap_or(30)),
            body_limit: given.body_limit.or(file.body_limit).unwrap_or(2 << 20),
            import_limit: given.import_limit.or(file.import_limit).unwrap_or(1 << 30),
            import_retention_days: given.import_retention_days.or(file.import_retention_days).unwrap_or(90),
            limits,
            webhooks,
            identity: identity.resolve().map_err(ConfigError::Identity)?,
            cors_origins: given.cors_origins.or(file.cors_origins).unwrap_or_default(),
            fonts: given.fonts.or(file.fonts),
            log: given.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: given.log_format.or(file.log_format).unwrap_or_default(),
            slow_request: given.slow_request.or(file.slow_request).unwrap_or(1000),
            metrics_listen: given.metrics_listen.or(file.metrics_listen),
            otlp_endpoint: given.otlp_endpoint.or(file.otlp_endpoint),
        })
    }
}

/// Addresses with commas between; one may have commas of its own, between hosts.
fn replicas(urls: &str, primary: &Target) -> Result<Vec<Target>, ConfigError> {
    let urls = urls.trim();
    if urls.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<String> = Vec::new();
    for part in urls.split(',') {
        match (part.trim().starts_with("postgres"), found.last_mut()) {
            (true, _) => found.push(part.trim().to_owned()),
            (false, Some(url)) => *url = format!("{url},{part}"),
            (false, None) => return Err(ConfigError::ReplicaUrl),
        }
    }
    let targets: Option<Vec<_>> = found.iter().map(|url| Target::parse(url)).collect();
    let is_postgres = |target: &Target| matches!(target, Target::Postgres(_));
    targets
        .filter(|targets| is_postgres(primary) && targets.iter().all(is_postgres))
        .ok_or(ConfigError::ReplicaUrl)
}

/// What stands between `//` and the query.
fn before_query(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    rest.split(['?', '#']).next().unwrap_or_default()
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::File(path.to_owned(), error))?;
    toml::from_str(&text).map_err(|error| {
        let (meant, meant_zh) = meant(error.message());
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        ConfigError::Content {
            file: path.display().to_string(),
            line: before.matches('\n').count() + 1,
            // What follows is a list of all settings.
            fault: error
                .message()
                .split(", expected one of")
                .next()
                .unwrap_or_default()
                .replace('\n', " "),
            meant,
            meant_zh,
        }
    })
}

/// The file as it stands.
pub(crate) fn read_table(path: &Path) -> Result<toml::Table, ConfigError> {
    read(path)
}

/// The setting that comes nearest to one that there is not, in English and in Chinese.
fn meant(message: &str) -> (String, String) {
    let unknown = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'));
    let nothing = || (String::new(), "。".to_owned());
    let Some((unknown, _)) = unknown else {
        return nothing();
    };
    let near = settings::names()
        .into_iter()
        .map(|name| (strsim::osa_distance(unknown, &name), name))
        .filter(|(distance, name)| *distance <= name.len() / 3)
        .min();
    near.map_or_else(nothing, |(_, name)| {
        (format!("; did you mean `{name}`?"), format!("，是否应为`{name}`？"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(config: Option<PathBuf>, settings: Partial) -> Flags {
        Flags { config, settings }
    }

    #[test]
    fn what_is_given_wins_over_the_file_and_the_file_over_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jixiao.toml");
        std::fs::write(&path, "listen = \"127.0.0.1:1\"\nworkers = 7\nlog_format = \"json\"\n").unwrap();
        let given = Partial {
            workers: Some(3),
            ..Partial::default()
        };
        let config = flags(Some(path), given).resolve().unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.workers, 3);
        assert_eq!(config.log_format, LogFormat::Json);
        assert_eq!(config.body_limit, 2 << 20);
        assert_eq!(config.db.target, Target::Sqlite("data/jixiao.db".into()));
    }

    #[test]
    fn a_file_that_names_what_is_no_setting_is_refused_and_a_password_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jixiao.toml");
        std::fs::write(&path, "lisen = \"127.0.0.1:1\"\n").unwrap();
        let error = flags(Some(path), Partial::default()).resolve().unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("jixiao.toml:1: unknown field `lisen`; did you mean `listen`?"),
            "{error}"
        );

        let given = Partial {
            database_url: Some("postgres://jixiao:secret@db:5432/jixiao?password=secret".to_owned()),
            ..Partial::default()
        };
        let flags = flags(None, given);
        assert!(!format!("{flags:?}").contains("secret"));
        let config = format!("{:?}", flags.resolve().unwrap());
        assert!(
            config.contains("db:5432/jixiao") && !config.contains("secret"),
            "{config}"
        );
        for bad in ["mysql://x/y", "http://x", "postgres://jixiao:p@ss@db/jixiao"] {
            let given = Partial {
                database_url: Some(bad.to_owned()),
                ..Partial::default()
            };
            assert!(
                super::Flags {
                    config: None,
                    settings: given
                }
                .resolve()
                .is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn several_replicas_stand_between_commas_and_only_beside_postgresql() {
        let resolve = |url: &str, replicas: &str| {
            let given = Partial {
                database_url: Some(url.to_owned()),
                database_replica_url: Some(replicas.to_owned()),
                ..Partial::default()
            };
            flags(None, given).resolve().map(|config| config.db.replicas)
        };
        let target = |url: &str| Target::Postgres(url.to_owned());
        assert_eq!(
            resolve(
                "postgres://a/x",
                "postgres://b,c:1/x?connect_timeout=1, postgresql://d/x"
            )
            .unwrap(),
            [
                target("postgres://b,c:1/x?connect_timeout=1"),
                target("postgresql://d/x")
            ]
        );
        assert_eq!(resolve("postgres://a/x", "").unwrap(), []);
        for (url, replicas) in [
            ("data.db", "postgres://a/x"),
            ("postgres://a/x", "b"),
            ("postgres://a/x", "postgres.db"),
        ] {
            assert!(resolve(url, replicas).is_err(), "{url} {replicas}");
        }
    }
}
