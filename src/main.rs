//! The command line.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use actix_web::web;
use clap::{Parser, Subcommand};
use jixiao::codes::{TokenName, UnitCode};
use jixiao::config::{Config, Flags};
use jixiao::db::{Db, DbConfig, Origin, Target, open_once};
use jixiao::fault::Text;
use jixiao::http::auth::{Gate, TokenCache};
use jixiao::tokens::model::Role;
use jixiao::{app, demo, telemetry, tokens};

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
    /// Print the OpenAPI document
    Openapi,
    /// Bring the tables of the database up to date, and end; `serve` does the same when it starts
    Migrate,
    /// Ask the server on this machine whether it can work; ends with 1 if not
    Health,
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
    },
    /// List the tokens, without their secrets
    List,
    /// Take a token back; running servers know within two seconds
    Revoke {
        /// Its id: the part between jx_ and the second underscore
        id: String,
    },
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[actix_web::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jixiao: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let config = cli.flags.resolve()?;
    match cli.command {
        Command::Serve => serve(config).await,
        Command::Demo => serve_demo(config).await,
        Command::Token(command) => token(command, &config.db.target),
        Command::Openapi => {
            print!("{}", app::openapi_json()?);
            Ok(())
        }
        Command::Migrate => {
            telemetry::start(&config)?;
            open_once(&config.db.target)?;
            println!("The tables of {:?} are up to date.", config.db.target);
            Ok(())
        }
        Command::Health => health(config.listen),
    }
}

async fn serve(config: Config) -> Result<(), Failure> {
    telemetry::start(&config)?;
    let listener = bind(config.listen)?;
    let db = Db::open(&config.db)?;
    let first = db
        .write(Origin::program(), tokens::store::create_first)
        .await
        .map_err(|problem| problem.to_string())?;
    if let Some(token) = first {
        println!("财政局访问令牌（仅显示这一次，请妥善保存） / The bureau's token, shown only this once:\n{token}");
    }
    let server = app::server(&config, &db, Gate::Tokens(TokenCache::default()), listener).await?;
    tracing::info!(listen = %config.listen, database = ?config.db.target, "serving");
    server.await?;
    db.close();
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
    let listener = bind(config.listen)?;
    let address = listener.local_addr()?;
    let folder = tempfile::tempdir()?;
    config.db = DbConfig::new(Target::Sqlite(folder.path().join("jixiao.db")));
    let db = Db::open(&config.db)?;
    let server = app::server(&config, &db, Gate::Open, listener).await?;
    let serving = actix_web::rt::spawn(server);
    let base = format!("http://{address}");
    let to = base.clone();
    print!("{}", web::block(move || demo::load(&to)).await??);
    println!(
        "演示服务已启动，无需令牌，退出后数据不保留。接口文档：{base}/docs\n\
         Serving the examples, without tokens; the data go when you stop it (Ctrl-C). Documentation: {base}/docs\n\n  \
         curl {base}/api/v1/units/219001/evaluations/2019/score\n"
    );
    serving.await??;
    db.close();
    Ok(())
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}; give another address with --listen").into())
}

fn token(command: TokenCommand, target: &Target) -> Result<(), Failure> {
    let mut conn = open_once(target)?;
    match command {
        TokenCommand::Create { role, name, units } => {
            let english = |message: String| Text::from_joined(&message).en;
            let name = TokenName::try_from(name).map_err(|message| format!("--name: {}", english(message)))?;
            if role != Role::Unit && !units.is_empty() {
                return Err(format!("--unit is for the role unit; a token of the role {role} sees all units").into());
            }
            let units = units
                .into_iter()
                .map(|code| UnitCode::try_from(code).map_err(|message| format!("--unit: {}", english(message))))
                .collect::<Result<std::collections::BTreeSet<_>, _>>()?;
            let codes: Vec<&str> = units.iter().map(UnitCode::as_str).collect();
            let token = conn
                .write(&Origin::command_line(), |tx| {
                    let unknown = tokens::store::unknown_units(tx, &codes)?;
                    match unknown.is_empty() {
                        true => tokens::store::create(tx, name.as_str(), role, &codes).map(Ok),
                        false => Ok(Err(unknown.join(", "))),
                    }
                })
                .map_err(|problem| problem.to_string())?
                .map_err(|unknown| format!("no token was made: there is no unit {unknown}"))?;
            println!("{token}");
        }
        TokenCommand::List => {
            for (row, units) in tokens::store::list(&mut conn)? {
                println!(
                    "{}  {:8}  {}  {}  {}",
                    row.id,
                    row.role,
                    row.created_at,
                    row.name,
                    units.join(",")
                );
            }
        }
        TokenCommand::Revoke { id } => {
            let gone = conn
                .write(&Origin::command_line(), |tx| tokens::store::revoke(tx, &id))
                .map_err(|problem| problem.to_string())?;
            if !gone {
                return Err(format!("there is no token {id}; `jixiao token list` shows all").into());
            }
            println!("{id}");
        }
    }
    Ok(())
}

/// For a container's health check, which has no curl at hand.
fn health(listen: SocketAddr) -> Result<(), Failure> {
    // A server on all addresses is asked on this machine's own.
    let host = match listen.ip() {
        ip if ip.is_unspecified() && ip.is_ipv4() => "127.0.0.1".to_owned(),
        ip if ip.is_unspecified() => "[::1]".to_owned(),
        ip => SocketAddr::new(ip, 0).to_string().trim_end_matches(":0").to_owned(),
    };
    let url = format!("http://{host}:{}/health/ready", listen.port());
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(3)))
        .build()
        .into();
    agent.get(&url).call().map_err(|error| format!("{url}: {error}"))?;
    println!("ok");
    Ok(())
}
