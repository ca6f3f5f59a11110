//! The change feed, followed: by asking again and again, by waiting, or as a stream of server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write;
use std::time::{Duration, Instant};

use actix_web::web::{Bytes, Data};
use futures_util::stream::{self, Stream};

use super::bell::{Bell, Woken};
use super::model::CloudEvent;
use super::store::{self, Filter};
use crate::db::Db;
use crate::db::changes::{Head, Row};
use crate::fault::Text;
use crate::http::problem::{At, Problem};
use crate::telemetry::timeline::{self, Stage};

/// How long a stream is silent before a comment keeps it open: less than proxies wait.
const SILENCE: Duration = Duration::from_secs(15);

/// How long a stream lasts; the client then comes again by itself and is judged anew, as its token may be revoked.
const LIFE: Duration = Duration::from_secs(300);

/// The feed from one reader's side: what is read, and how far.
pub struct Feed {
    /// The database.
    pub db: Data<Db>,
    /// What wakes the reader.
    pub bell: Data<Bell>,
    /// Which changes are read.
    pub filter: Filter,
    /// How many at once, at most.
    pub limit: i64,
    /// The number of the change that the reader has come to.
    pub after: i64,
}

impl Feed {
    /// Reads on; also tells the number of the last change of all.
    ///
    /// # Errors
    /// 422 where the log ends before the place that the reader has come to.
    pub async fn next(&mut self) -> Result<(Vec<Row>, i64), Problem> {
        let (filter, after, limit) = (self.filter.clone(), self.after, self.limit);
        let (rows, head) = self
            .db
            .scan(move |conn| {
                // The end is looked up first: what is committed after it is left for the next time.
                let head = Head::load(conn)?.seq;
                if head < after {
                    return Err(beyond_the_end(after, head));
                }
                Ok((store::between(conn, &filter, (after, head), limit)?, head))
            })
            .await?;
        let full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
        // All up to the end was looked at, also what the filter left out.
        self.after = rows.last().filter(|_| full).map_or(head, |last| last.seq);
        Ok((rows, head))
    }

    /// Waits until there may be more to read.
    pub async fn wait(&self, until: Instant) -> Woken {
        let _lingering = timeline::lasting(Stage::Linger);
        self.bell.wait(self.after, until).await
    }

    /// All changes from here on, as server-sent events.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        let following = Following {
            end: Instant::now() + LIFE,
            feed: self,
            ready: VecDeque::from([Bytes::from_static(b"retry: 1000\n\n")]),
        };
        stream::unfold(following, |mut following| async move {
            let bytes = following.next().await?;
            Some((Ok(bytes), following))
        })
    }
}

/// A log that is shorter than what the reader has seen is another log: the database was restored or replaced.
fn beyond_the_end(after: i64, head: i64) -> Problem {
    Problem::unfit_parameters(vec![At::parameter(
        "after",
        "beyond_the_end",
        Text::new(
            format!("变更序号{after}超出变更日志的末尾（{head}）：数据库可能已从备份恢复，请从头重新同步。"),
            format!(
                "change {after} is beyond the end of the log, {head}: the database may have been restored; begin from 0 again"
            ),
        ),
    )])
}

struct Following {
    feed: Feed,
    end: Instant,
    ready: VecDeque<Bytes>,
}

impl Following {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            let rows = match self.feed.next().await {
                Ok((rows, _)) => rows,
                Err(problem) => {
                    tracing::warn!(%problem, "a stream of events ends early");
                    return None;
                }
            };
            if !rows.is_empty() {
                self.ready.push_back(frames(rows)?);
                continue;
            }
            match self.feed.wait(self.end.min(Instant::now() + SILENCE)).await {
                Woken::Changes => {}
                Woken::Late if Instant::now() < self.end => {
                    // The number, so that who comes again need not begin where the filter last let something through.
                    let alive = format!(": keep-alive\nid: {}\n\n", self.feed.after);
                    self.ready.push_back(alive.into());
                }
                Woken::Late | Woken::Stopping => return None,
            }
        }
    }
}

fn frames(rows: Vec<Row>) -> Option<Bytes> {
    let mut text = String::new();
    for row in rows {
        let seq = row.seq;
        let written = CloudEvent::try_from(row)
            .map_err(|problem| problem.to_string())
            .and_then(|event| {
                let json = serde_json::to_string(&event).map_err(|error| error.to_string())?;
                writeln!(text, "id: {seq}\nevent: {}\ndata: {json}\n", event.r#type).map_err(|error| error.to_string())
            });
        if let Err(error) = written {
            tracing::error!(error, "a stream of events ends early");
            return None;
        }
    }
    Some(text.into())
}
