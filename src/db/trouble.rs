//! What an engine means by an error that comes from its disk, its server or its settings, and not from what was asked of it.
//!
//! diesel keeps no code of either engine for these and does not hand out the connection by which SQLite's could be asked for, so they
//! are known by their words. SQLite and libpq are compiled in and speak English; a PostgreSQL server may speak Chinese. SQLite has
//! words of its own for a disk without space; whatever else its disk refuses has the same words, which is passed on as it is.

use diesel::result::{DatabaseErrorKind, Error};

use crate::fault::Text;

/// What kind of trouble it is, for a request that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The disk takes no more; the transaction is undone.
    Full,
    /// The disk could not be read or written, and it is not said why: it fails, or a quota or the largest size of a file is reached.
    /// Unless it was at a commit, the transaction is undone.
    Disk,
    /// The server is stopping, starting, gone, or has become a replica; the connection is of no more use.
    Gone,
}

/// Words of a trouble that requests can meet.
const WORDS: [(Trouble, &[&str]); 3] = [
    (
        Trouble::Full,
        &[
            "database or disk is full",
            "No space left on device",
            "Disk quota exceeded",
            "设备上没有空间",
            "超出磁盘限额",
        ],
    ),
    (
        Trouble::Disk,
        &["disk I/O error", "Input/output error", "输入/输出错误"],
    ),
    (
        Trouble::Gone,
        &[
            "terminating connection",
            "server closed the connection",
            "no connection to the server",
            "system is shutting down",
            "system is starting up",
            "in recovery mode",
            "read-only transaction",
            "终止连接",
            "中断联接",
            "正在关闭",
            "正在启动",
            "只读事务",
        ],
    ),
];

/// The trouble that an error comes from; `None`: from something else.
pub fn of(error: &Error) -> Option<Trouble> {
    match error {
        Error::DatabaseError(
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ReadOnlyTransaction,
            _,
        )
        | Error::BrokenTransactionManager => Some(Trouble::Gone),
        Error::DatabaseError(_, information) => in_words(information.message()),
        _ => None,
    }
}

/// Whether an engine says that its disk cannot be written to.
pub fn is_of_the_disk(message: &str) -> bool {
    message.contains("readonly database") || matches!(in_words(message), Some(Trouble::Full | Trouble::Disk))
}

fn in_words(message: &str) -> Option<Trouble> {
    let known = WORDS.iter().find(|(_, words)| is_any(message, words));
    known.map(|(trouble, _)| *trouble)
}

fn is_any(message: &str, words: &[&str]) -> bool {
    words.iter().any(|word| message.contains(word))
}

/// What to do about a database that cannot be opened: words of the engine, and advice in Chinese and in English.
const ADVICE: [(&[&str], &str, &str); 8] = [
    (
        &["file is not a database", "malformed"],
        "该文件不是SQLite数据库，或已损坏：请另行指定数据目录，或从备份恢复。",
        "It is no SQLite database, or a damaged one: give another folder with --data-dir, or restore a backup.",
    ),
    (
        &["readonly database", "unable to open database", "Permission denied"],
        "请确认运行本服务的用户对数据目录及其中文件有读写权限，且文件系统未以只读方式挂载。",
        "Let the user that runs this service write in the folder of the data and its files, on a file system that is not read-only.",
    ),
    (
        &["disk is full", "disk I/O error", "No space left"],
        "磁盘已满或发生故障：请清理磁盘空间后重新启动。",
        "The disk is full, or failing: make room on it and start again.",
    ),
    (
        &["could not translate host name", "Name or service not known"],
        "无法解析数据库主机名，请检查DATABASE_URL中的主机名。",
        "Nothing has this name: see to the host in DATABASE_URL.",
    ),
    (
        &[
            "Connection refused",
            "timeout expired",
            "No route to host",
            "timed out",
            "unreachable",
        ],
        "数据库主机无应答：请检查DATABASE_URL中的主机和端口，并确认PostgreSQL已启动、防火墙已放行。",
        "Nothing answers there: see to host and port in DATABASE_URL, whether PostgreSQL runs, and to the firewall.",
    ),
    (
        &["password", "authentication", "认证", "role", "角色", "pg_hba"],
        "数据库拒绝登录：请检查DATABASE_URL中的用户名和密码（密码中的特殊字符须作百分号编码），以及pg_hba.conf。",
        "It lets nobody in: see to user and password in DATABASE_URL (special characters percent-encoded), and to pg_hba.conf.",
    ),
    (
        &["does not exist", "不存在"],
        "数据库不存在，请先创建（createdb），或检查DATABASE_URL中的数据库名称。",
        "There is no such database: make it (createdb), or see to its name in DATABASE_URL.",
    ),
    (
        &["too many clients", "too many connections", "remaining connection slots"],
        "数据库连接数已满：请减小JIXIAO_POOL_SIZE，或增大PostgreSQL的max_connections。",
        "It has too many connections: lower JIXIAO_POOL_SIZE, or raise max_connections of PostgreSQL.",
    ),
];

/// What to do about a database that cannot be opened, by what the engine says.
pub fn advice(message: &str) -> Text {
    let known = ADVICE.iter().find(|(words, ..)| is_any(message, words));
    known.map_or_else(
        || {
            Text::new(
                "请检查DATABASE_URL或数据目录的设置。",
                "See to DATABASE_URL, or the folder of the data.",
            )
        },
        |(_, zh, en)| Text::new(*zh, *en),
    )
}

/// What an engine says, on one line and without the password of `address`.
pub fn said(message: &str, address: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches("connection to server ").to_owned();
    match password(address) {
        Some(password) if !password.is_empty() => line.replace(password, "***"),
        _ => line,
    }
}

/// The password in `postgres://user:password@host`.
fn password(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let (user, _) = rest.split_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::kinds;
    use crate::http::problem::Problem;

    #[test]
    fn an_engine_is_quoted_on_one_line_and_never_with_a_password() {
        let address = "postgres://jixiao:s3cret@db/jixiao";
        let line = said("invalid percent-encoded token:\n\t\"s3cret\"", address);
        assert_eq!(line, "invalid percent-encoded token: \"***\"");
        assert_eq!(password("postgres://db/jixiao"), None);
    }

    #[test]
    fn a_full_disk_is_told_apart_from_one_that_fails_and_from_a_server_that_is_gone() {
        for (said, kind) in [
            ("database or disk is full", &kinds::STORAGE_FULL),
            (
                "could not extend file \"base/5/16384\": No space left on device",
                &kinds::STORAGE_FULL,
            ),
            ("disk I/O error", &kinds::STORAGE_FAILED),
            (
                "could not read block 7 in file \"base/5/16384\": Input/output error",
                &kinds::STORAGE_FAILED,
            ),
            (
                "terminating connection due to administrator command",
                &kinds::UNAVAILABLE,
            ),
            ("near \"SELEC\": syntax error", &kinds::INTERNAL),
        ] {
            let error = Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(said.to_owned()));
            assert!(std::ptr::eq(Problem::from(error).kind(), kind), "{said}");
        }
    }

    #[test]
    fn what_a_database_says_is_followed_by_what_to_do() {
        for (said, part) in [
            (
                "FATAL:  password authentication failed for user \"jixiao\"",
                "percent-encoded",
            ),
            ("FATAL:  database \"jixiao\" does not exist", "createdb"),
            ("FATAL:  role \"x\" does not exist", "user and password"),
            ("could not translate host name \"db\" to address", "the host"),
            ("file is not a database", "backup"),
        ] {
            assert!(advice(said).en.contains(part), "{said}");
        }
    }
}
