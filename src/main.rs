//! The command line.

mod commands;

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use actix_web::web;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use commands::{manager, reload};
use jixiao::app::Live;
use jixiao::audit::verify::Anchor;
use jixiao::codes::{TokenName, UnitCode};
use jixiao::config::{Config, Flags};
use jixiao::db::changes::Head;
use jixiao::db::{Db, DbConfig, OpenError, Origin, Target, open_existing, open_once};
use jixiao::fault::Text;
use jixiao::http::gate::Gate;
use jixiao::telemetry::scrape;
use jixiao::tokens::model::{Overlap, Role, TokenInput};
use jixiao::tokens::permission::{self, Permission};
use jixiao::webhooks::delivery::Deliveries;
use jixiao::{app, audit, demo, telemetry, tokens};
use ureq::tls::{TlsConfig, TlsProvider};

// The system's allocator keeps what many small, short-lived requests freed, and grows; this one gives it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 绩效 Jixiao: the yearly performance self-evaluation of budget units, as a JSON API.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve. The first start on an empty database prints one token for the finance bureau
    Serve,
    /// Serve the examples on this machine only, without tokens, from a database that is thrown away
    Demo,
    /// Make, list and take back tokens; also beside a running server
    #[command(subcommand)]
    Token(TokenCommand),
    /// Hold the audit trail against its hashes
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print the OpenAPI document
    Openapi,
    /// Bring the tables of the database up to date, and end; `serve` does the same when it starts
    Migrate(commands::migrate::Migrate),
    /// Tell whether the database is sound, one line for each fault; ends with 1 if not. Also beside a running server
    Check(commands::check::Check),
    /// Write all that the database holds into a file, and verify it. Also beside a running server
    Backup(commands::backup::Backup),
    /// Put what a backup holds into an empty database, of either kind
    Restore(commands::backup::Restore),
    /// Move the database to another one, from SQLite to PostgreSQL or back; stop its servers first
    Move(commands::backup::Move),
    /// Ask the server on this machine whether it can work; ends with 1 if not
    Health,
    /// Print the settings in force and where each came from; ends with 1 if no server could start by them
    Config,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print it; nobody can find it out again
    Create {
        /// What it may do
        #[arg(long)]
        role: Role,
        /// Whose it is
        #[arg(long)]
        name: String,
        /// For the role `unit`: the code of a unit that it files for, with those below; may be given several times
        #[arg(long = "unit", value_name = "CODE", required_if_eq("role", "unit"))]
        units: Vec<String>,
        /// What it may do of what its role may, such as read or file; may be given several times [default: all]
        #[arg(long = "scope", value_name = "PERMISSION")]
        scopes: Vec<String>,
        /// When it ends by itself, such as 2027-01-05T00:00:00+08:00 [default: never]
        #[arg(long, value_name = "MOMENT")]
        expires_at: Option<String>,
    },
    /// List the tokens, without their secrets
    List,
    /// Give a token a new secret and print it
    Rotate {
        /// Its id: the part between jx_ and the second underscore
        id: String,
        /// For how many seconds the old secret works on; by default no more
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        overlap: u32,
    },
    /// Take a token back; running servers know within two seconds
    Revoke {
        /// Its id: the part between jx_ and the second underscore
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Tell whether a change was altered, put in or taken out; ends with 1 if so. Also beside a running server
    Verify {
        /// A hash that was noted down earlier, of the change of that number; may be given several times
        #[arg(long = "anchor", value_name = "NUMBER:HASH")]
        anchors: Vec<Anchor>,
    },
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[actix_web::main]
async fn main() -> ExitCode {
    // Huge pages make the memory of a program this small some 20 MB more, for hardly any speed. Without the system's
    // consent it runs as well.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let given = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&given).unwrap_or_else(|error| error.exit());
    match run(cli, given).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jixiao: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli, given: ArgMatches) -> Result<(), Failure> {
    let config = cli.flags.resolve()?;
    match cli.command {
        Command::Serve => serve(config, given).await,
        Command::Demo => serve_demo(config).await,
        Command::Token(command) => token(command, &config.db.target),
        Command::Openapi => {
            match std::io::stdout().write_all(app::openapi_json()?.as_bytes()) {
                // Whoever reads it has seen enough: `jixiao openapi | head`.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                written => Ok(written?),
            }
        }
        Command::Audit(AuditCommand::Verify { anchors }) => verify(&config.db.target, &anchors),
        Command::Migrate(command) => {
            telemetry::start(&config)?;
            commands::migrate::run(&command, &config.db.target)
        }
        Command::Check(command) => commands::check::run(&command, &config.db.target),
        Command::Backup(command) => commands::backup::backup(&command, &config.db.target),
        Command::Restore(command) => commands::backup::restore(&command, &config.db.target),
        Command::Move(command) => commands::backup::move_to(&command, &config.db.target),
        Command::Health => health(&config),
        Command::Config => commands::config::run(&config, &given),
    }
}

async fn serve(config: Config, given: ArgMatches) -> Result<(), Failure> {
    let filter = telemetry::start(&config)?;
    let listener = bind(config.listen, "--listen")?;
    let metrics = bind_metrics(&config)?;
    let live = Live::new(&config, Gate::new(config.identity.as_ref())?)?;
    let db = Db::open(&config.db)?;
    let first = db
        .write(Origin::program(), tokens::store::create_first)
        .await
        .map_err(|problem| OpenError::connect(&config.db.target, &problem))?;
    if let Some(token) = first {
        show(
            "财政局访问令牌（仅显示这一次，请妥善保存） / The bureau's token, shown only this once:\n",
            &token,
        )?;
    }
    let server = app::serve(&config, &db, live.clone(), listener).await?;
    reload::on_hangup(given, live, filter)?;
    tracing::info!(listen = %config.listen, tls = config.tls.is_some(), database = ?config.db.target, "serving");
    let deliveries = Deliveries::start(&config.webhooks, &db);
    let metrics = metrics.map(|listener| scrape::server(&db, listener)).transpose()?;
    let scraped = metrics.map(|server| (server.handle(), actix_web::rt::spawn(server)));
    manager::tell("READY=1");
    manager::keep_telling();
    server.await?;
    manager::tell("STOPPING=1");
    deliveries.stop().await;
    if let Some((handle, task)) = scraped {
        handle.stop(false).await;
        task.await??;
    }
    db.close();
    telemetry::stop().await;
    tracing::info!("stopped");
    Ok(())
}

async fn serve_demo(mut config: Config) -> Result<(), Failure> {
    if !config.listen.ip().is_loopback() {
        return Err("demo needs no token, so it listens on this machine only: give a loopback address".into());
    }
    if config.log == "info" {
        // The tables are what is to be seen.
        config.log = "warn".to_owned();
    }
    telemetry::start(&config)?;
    let listener = bind(config.listen, "--listen")?;
    let metrics = bind_metrics(&config)?;
    let address = listener.local_addr()?;
    let folder = tempfile::tempdir()?;
    config.db = DbConfig::new(Target::Sqlite(folder.path().join("jixiao.db")));
    let db = Db::open(&config.db)?;
    let server = app::server(&config, &db, Gate::open(), listener).await?;
    let serving = actix_web::rt::spawn(server);
    if let Some(listener) = metrics {
        actix_web::rt::spawn(scrape::server(&db, listener)?);
    }
    let deliveries = Deliveries::start(&config.webhooks, &db);
    let base = format!("http://{address}");
    let to = base.clone();
    print!("{}", web::block(move || demo::load(&to)).await??);
    println!(
        "演示服务已启动，无需令牌，退出后数据不保留。接口文档：{base}/docs\n\
         Serving the examples, without tokens; the data go when you stop it (Ctrl-C). Documentation: {base}/docs\n\n  \
         curl {base}/api/v1/units/219001/evaluations/2019/score\n"
    );
    serving.await??;
    deliveries.stop().await;
    db.close();
    Ok(())
}

fn bind(address: SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|error| {
        let (zh, en) = match error.kind() {
            ErrorKind::AddrInUse => ("该端口已被占用", "another program has this port"),
            ErrorKind::PermissionDenied => (
                "监听1024以下的端口需要权限（CAP_NET_BIND_SERVICE）",
                "a port below 1024 takes a privilege (CAP_NET_BIND_SERVICE)",
            ),
            ErrorKind::AddrNotAvailable => ("本机没有该地址", "this machine has no such address"),
            _ => ("操作系统拒绝", "the system refuses"),
        };
        format!(
            "cannot listen on {address}: {en} ({error}); give another address with {option}. / \
             无法监听{address}：{zh}，请用{option}另行指定地址。"
        )
        .into()
    })
}

fn bind_metrics(config: &Config) -> Result<Option<TcpListener>, Failure> {
    let address = config.metrics_listen;
    address.map(|address| bind(address, "--metrics-listen")).transpose()
}

fn token(command: TokenCommand, target: &Target) -> Result<(), Failure> {
    let mut conn = match command {
        // The first token may be made before the first start.
        TokenCommand::Create { .. } => open_once(target)?,
        _ => open_existing(target)?,
    };
    match command {
        TokenCommand::Create {
            role,
            name,
            units,
            scopes,
            expires_at,
        } => {
            let input = token_input(role, name, units, &scopes, expires_at)?;
            let (_, token) = conn
                .write(&Origin::command_line(), |tx| {
                    tokens::handlers::check(tx, &input, None)?;
                    tokens::store::create(tx, &input)
                })
                .map_err(|problem| format!("no token was made: {}", problem.in_english()))?;
            show("", &token)?;
        }
        TokenCommand::List => {
            for stored in tokens::store::list(&mut conn)? {
                let (row, units) = (stored.row, stored.units);
                println!(
                    "{}  {:8}  {}  {}  {}  scopes: {}  expires: {}  last used: {}",
                    row.id,
                    row.role,
                    row.created_at,
                    row.name,
                    units.join(","),
                    row.scopes.as_deref().unwrap_or("all"),
                    row.expires_at.as_deref().unwrap_or("never"),
                    stored.last_use.as_ref().map_or("never", |(at, _)| at),
                );
            }
        }
        TokenCommand::Rotate { id, overlap } => {
            let overlap = Overlap::seconds(overlap).map_err(|message| format!("--overlap: {}", english(message)))?;
            let rotated = conn
                .write(&Origin::command_line(), |tx| match tokens::store::get(tx, &id)? {
                    Some(before) => tokens::store::rotate(tx, before, overlap.until()).map(Some),
                    None => Ok(None),
                })
                .map_err(|problem| problem.to_string())?;
            let (_, token) = rotated.ok_or_else(|| no_token(&id))?;
            show("", &token)?;
        }
        TokenCommand::Revoke { id } => {
            let gone = conn
                .write(&Origin::command_line(), |tx| tokens::store::revoke(tx, &id))
                .map_err(|problem| problem.to_string())?;
            if !gone {
                return Err(no_token(&id).into());
            }
            println!("{id}");
        }
    }
    Ok(())
}

/// Shows a secret that is shown only this once.
fn show(before: &str, token: &impl std::fmt::Display) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{before}{token}").map_err(|error| {
        format!(
            "a token was made, but it cannot be shown ({error}); take it back (`jixiao token list`, `revoke`) and make another. / \
             令牌已生成但无法输出，请撤销后重新生成。"
        )
        .into()
    })
}

fn no_token(id: &str) -> String {
    format!("there is no token {id}; `jixiao token list` shows all")
}

fn english(message: String) -> String {
    Text::from_joined(&message).en.into_owned()
}

/// What the command line asks for, in the words of its own options where something is wrong.
fn token_input(
    role: Role,
    name: String,
    units: Vec<String>,
    scopes: &[String],
    expires_at: Option<String>,
) -> Result<TokenInput, String> {
    if role != Role::Unit && !units.is_empty() {
        return Err(format!(
            "--unit is for the role unit; a token of the role {role} sees all units"
        ));
    }
    let option = |name: &'static str| move |message: String| format!("--{name}: {}", english(message));
    let units = units
        .into_iter()
        .map(|code| UnitCode::try_from(code).map_err(option("unit")));
    let scopes = scopes.iter().map(|word| {
        Permission::from_word(word).ok_or_else(|| {
            let words: Vec<_> = permission::TABLE.iter().map(|entry| entry.word).collect();
            format!("--scope: {word:?} is none of {}", words.join(", "))
        })
    });
    let (units, scopes) = (
        units.collect::<Result<Vec<_>, _>>()?,
        scopes.collect::<Result<Vec<_>, _>>()?,
    );
    Ok(TokenInput {
        name: TokenName::try_from(name).map_err(option("name"))?,
        role,
        units: Some(units).filter(|units| !units.is_empty()),
        scopes: Some(scopes).filter(|scopes| !scopes.is_empty()),
        expires_at: expires_at
            .map(|text| text.parse().map_err(option("expires-at")))
            .transpose()?,
    })
}

fn verify(target: &Target, anchors: &[Anchor]) -> Result<(), Failure> {
    let mut conn = open_existing(target)?;
    let report = audit::verify::verify(&mut conn, anchors).map_err(|problem| problem.to_string())?;
    for fault in &report.faults {
        println!("{fault}");
    }
    let Head { seq, hash } = report.head;
    match report.faults.is_empty() {
        true => {
            println!(
                "审计轨迹完整，共{}项变更。 / The audit trail is whole: {} changes.\n{seq}:{hash}",
                report.read, report.read
            );
            Ok(())
        }
        false => Err("the audit trail was tampered with, or damaged".into()),
    }
}

/// For a container's health check, which has no curl at hand.
fn health(config: &Config) -> Result<(), Failure> {
    let listen = config.listen;
    // A server on all addresses is asked on this machine's own.
    let host = match listen.ip() {
        ip if ip.is_unspecified() && ip.is_ipv4() => "127.0.0.1".to_owned(),
        ip if ip.is_unspecified() => "[::1]".to_owned(),
        ip => SocketAddr::new(ip, 0).to_string().trim_end_matches(":0").to_owned(),
    };
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{host}:{}/health/ready", listen.port());
    // The certificate is for the name that clients use, and this is no client but the machine itself.
    let tls = TlsConfig::builder()
        .provider(TlsProvider::NativeTls)
        .disable_verification(true);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(3)))
        .tls_config(tls.build())
        .build()
        .into();
    agent.get(&url).call().map_err(|error| format!("{url}: {error}"))?;
    println!("ok");
    Ok(())
}
