//! Follows the change log for every webhook, and delivers.
//!
//! One task looks which webhooks have something to send, whenever the log grows or a wait is over, and begins a task for each,
//! so that a slow receiver holds nobody up. Such a task claims its webhook in the database before it sends, so that of several
//! processes one delivers; a claim ends by itself, so that the webhooks of a process that died are taken over. How far a webhook
//! is, is stored every second and at the end: after a crash the events of the last second are sent again, under their old ids.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::rt;
use futures_util::future::select;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::model::{CLAIM, Row, State};
use super::sender::{Answer, Message, Sender};
use super::{Settings, backoff, store};
use crate::db::changes::{self, Head};
use crate::db::{Db, Origin, Tx, now};
use crate::events::model::CloudEvent;
use crate::events::store::between;
use crate::http::problem::Problem;

/// How many events are read at once.
const PAGE: i64 = 20;

/// How often it is stored how far a webhook is.
const STORE: Duration = Duration::from_secs(1);

/// How long there is between two looks at the webhooks, so that many commits do not mean as many looks.
const PAUSE: Duration = Duration::from_millis(100);

/// How long to wait when the database does not answer.
const TROUBLE: Duration = Duration::from_secs(5);

/// The delivery of webhooks by this process.
pub struct Deliveries {
    courier: Rc<Courier>,
    task: rt::task::JoinHandle<()>,
}

impl Deliveries {
    /// Begins to deliver.
    pub fn start(settings: &Settings, db: &Db) -> Self {
        let courier = Rc::new(Courier {
            // Where webhooks stand is not in the log.
            db: db.primary(),
            sender: Sender::new(&settings.allowed),
            settings: settings.clone(),
            name: uuid::Uuid::now_v7().to_string(),
            busy: RefCell::default(),
            passed: Cell::new(None),
            stopping: Cell::new(false),
            wake: Notify::new(),
        });
        let task = rt::spawn(courier.clone().run());
        Self { courier, task }
    }

    /// Ends after the attempts that are under way, ten seconds at most.
    pub async fn stop(self) {
        self.courier.stopping.set(true);
        self.courier.wake.notify_one();
        if self.task.await.is_err() {
            tracing::error!("the delivery of webhooks panicked");
        }
    }
}

struct Courier {
    db: Db,
    sender: Sender,
    settings: Settings,
    /// What its claims are known by.
    name: String,
    /// The webhooks that are being delivered.
    busy: RefCell<HashSet<String>>,
    /// When webhooks were last moved over what they do not send.
    passed: Cell<Option<Instant>>,
    stopping: Cell<bool>,
    /// Rings when a webhook is no longer busy, and to stop.
    wake: Notify,
}

/// What a look at the webhooks found.
#[derive(Default)]
struct Found {
    /// The number of the last change.
    head: i64,
    /// Those that have something to send.
    ready: Vec<String>,
    /// Those that have changes before them, but none to send; and where they are.
    passing: Vec<(String, i64)>,
    /// When another one is due.
    next: Option<String>,
}

/// An event on its way.
struct Letter {
    seq: i64,
    message: Message,
    /// Whether it was given up before.
    dead: bool,
}

/// Some events of a webhook, in order.
struct Batch {
    letters: Vec<Letter>,
    /// Where the log ended, if these are all up to there.
    complete_to: Option<i64>,
}

/// What becomes of an event besides moving on.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Delivered,
    /// It is tried again later.
    Waits,
    /// It is given up, after so many attempts.
    Dies(i64),
    /// It was given up before, and delivered now.
    Rises,
    /// The receiver is gone for good.
    Gone,
}

/// An event that was sent, and what came of it.
struct Attempt {
    seq: i64,
    /// Where the webhook stood before.
    stood: i64,
    fate: Fate,
    answer: Answer,
}

impl Courier {
    async fn run(self: Rc<Self>) {
        if !self.db.is_shared() {
            // SQLite has one process: what is claimed was left by one that died.
            let released = self.write(|tx| Ok(store::release(tx, None)?)).await;
            if let Err(problem) = released {
                tracing::error!(%problem, "claims of webhooks could not be released");
            }
        }
        let mut changes = self.db.changes().subscribe();
        loop {
            changes.mark_unchanged();
            let stopping = self.stopping.get();
            if stopping && self.busy.borrow().is_empty() {
                return;
            }
            let looked = Instant::now();
            let due = match stopping {
                true => None,
                false => self.look().await.unwrap_or_else(|problem| {
                    tracing::error!(%problem, "webhooks could not be looked at");
                    Some(TROUBLE)
                }),
            };
            let woken = select(Box::pin(changes.changed()), Box::pin(self.wake.notified()));
            match due {
                Some(due) => drop(rt::time::timeout(due, woken).await),
                None => drop(woken.await),
            }
            rt::time::sleep_until((looked + PAUSE).into()).await;
        }
    }

    /// Begins what there is to deliver, and says after how long there may be more.
    async fn look(self: &Rc<Self>) -> Result<Option<Duration>, Problem> {
        let (busy, name) = (self.busy.borrow().clone(), self.name.clone());
        let found = self
            .db
            .scan(move |conn| {
                let mut found = Found {
                    // First, as below.
                    head: Head::load(conn)?.seq,
                    ..Found::default()
                };
                let at = now();
                let (rows, queued) = store::sending(conn)?;
                for row in rows {
                    let revives = queued.contains(&row.id);
                    if busy.contains(&row.id) || row.state.position >= found.head && !revives {
                        continue;
                    }
                    if let Some(due) = row.state.due(&name).filter(|due| **due > at) {
                        let first = found.next.take().map_or(due.clone(), |next| next.min(due.clone()));
                        found.next = Some(first);
                    } else if revives || !between(conn, &row.filter(), (row.state.position, found.head), 1)?.is_empty()
                    {
                        found.ready.push(row.id);
                    } else {
                        found.passing.push((row.id, row.state.position));
                    }
                }
                Ok(found)
            })
            .await?;
        for id in found.ready {
            self.busy.borrow_mut().insert(id.clone());
            rt::spawn(self.clone().serve(id));
        }
        let mut due = found.next.map(until);
        if !found.passing.is_empty() {
            // Once a second is enough to see how far each is.
            let since = self.passed.get().map_or(STORE, |passed| passed.elapsed());
            if let Some(left) = STORE.checked_sub(since).filter(|left| !left.is_zero()) {
                due = Some(due.map_or(left, |due| due.min(left)));
            } else {
                self.passed.set(Some(Instant::now()));
                let (passing, head) = (found.passing, found.head);
                self.write(move |tx| Ok(store::pass_over(tx, &passing, head)?)).await?;
            }
        }
        Ok(due)
    }

    /// Delivers what one webhook has to send.
    async fn serve(self: Rc<Self>, id: String) {
        if let Err(problem) = self.deliver(&id).await {
            tracing::error!(webhook = id, %problem, "a webhook could not be delivered for now");
            rt::time::sleep(TROUBLE).await;
            // If this fails too, it can still be claimed again by this process.
            drop(self.release(&id).await);
        }
        self.busy.borrow_mut().remove(&id);
        self.wake.notify_one();
    }

    async fn deliver(&self, id: &str) -> Result<(), Problem> {
        let (wanted, name) = (id.to_owned(), self.name.clone());
        let claimed = self
            .write(move |tx| Ok(store::claim(tx, &wanted, &name, &claim_end())?))
            .await?;
        let Some(mut row) = claimed else {
            return Ok(());
        };
        while !self.stopping.get() {
            let Some((fresh, batch)) = self.next(row).await? else {
                break;
            };
            match self.send(fresh, batch).await? {
                Some(now) if now.state.claimed_by.is_some() => row = now,
                Some(_) => return Ok(()),
                None => break,
            }
        }
        self.release(id).await
    }

    async fn release(&self, id: &str) -> Result<(), Problem> {
        let (id, name) = (id.to_owned(), self.name.clone());
        self.write(move |tx| Ok(store::release(tx, Some((&id, &name)))?)).await
    }

    /// The webhook as it is now and its next events: first those that were given up and are to be sent once more. `None` if it
    /// is another's by now, was told to go on elsewhere, was turned off, or is gone.
    async fn next(&self, before: Row) -> Result<Option<(Row, Batch)>, Problem> {
        self.db
            .scan(move |conn| {
                // Where the log ends is read first: what the filter was told by a change up to there is then known.
                let head = Head::load(conn)?.seq;
                let Some(row) = store::still(conn, &before)?.filter(|row| row.enabled) else {
                    return Ok(None);
                };
                let queued = store::queued(conn, &row.id, PAGE)?;
                if !queued.is_empty() {
                    return Ok(Some((row, Batch::new(queued, true, None)?)));
                }
                let rows = between(conn, &row.filter(), (row.state.position, head), PAGE)?;
                let all = i64::try_from(rows.len()).is_ok_and(|rows| rows < PAGE);
                Ok(Some((row, Batch::new(rows, false, all.then_some(head))?)))
            })
            .await
    }

    /// Sends a batch. The webhook as it then is, still claimed if there may be more to send at once; `None` if it is another's
    /// by now, or gone.
    async fn send(&self, mut row: Row, batch: Batch) -> Result<Option<Row>, Problem> {
        let mut state = row.state.clone();
        let mut left = batch.letters.len();
        if left == 0 {
            state.position = batch.complete_to.unwrap_or(state.position);
            state.release();
            return self.store(&row, state, None).await;
        }
        let mut stored = Instant::now();
        for letter in batch.letters {
            left -= 1;
            let stood = state.position;
            let answer = self.sender.send(row.receiver(&now()), letter.message).await;
            let fate = self.judge(&mut state, letter.seq, letter.dead, &answer);
            if !answer.is_success() {
                // Not the address, which may hold a key.
                tracing::info!(
                    webhook = row.id,
                    event = letter.seq,
                    status = answer.status,
                    "not delivered"
                );
            }
            let mut ends = state.next_attempt_at.is_some() || fate == Fate::Gone || self.stopping.get();
            if let Some(head) = batch.complete_to.filter(|_| left == 0 && !ends) {
                state.position = head;
                ends = true;
            }
            match ends {
                true => state.release(),
                false => state.claimed_until = Some(claim_end()),
            }
            if ends || left == 0 || fate != Fate::Delivered || stored.elapsed() >= STORE {
                let event = Attempt {
                    seq: letter.seq,
                    stood,
                    fate,
                    answer,
                };
                let Some(now) = self.store(&row, state, Some(event)).await? else {
                    return Ok(None);
                };
                // What was changed meanwhile holds from the next event on.
                let changed = now.version != row.version;
                row = now;
                if ends || changed {
                    break;
                }
                state = row.state.clone();
                stored = Instant::now();
            }
        }
        Ok(Some(row))
    }

    /// What an answer makes of an event, and of where the webhook stands.
    fn judge(&self, state: &mut State, seq: i64, dead: bool, answer: &Answer) -> Fate {
        let at = now();
        state.attempted(answer, &at);
        match (answer.is_success(), dead) {
            (true, false) => {
                state.done_with(seq);
                state.delivered = Some(seq);
                state.delivered_at = Some(at);
                Fate::Delivered
            }
            (true, true) => {
                state.next_attempt_at = None;
                Fate::Rises
            }
            (false, _) if answer.status == Some(410) => Fate::Gone,
            (false, true) => {
                // As after a first failure, since what is next is another event.
                state.next_attempt_at = Some(self.next_attempt(1, answer));
                Fate::Dies(1)
            }
            (false, false) => {
                state.attempts += 1;
                let attempts = state.attempts;
                if attempts >= self.settings.attempts.into() {
                    state.done_with(seq);
                    return Fate::Dies(attempts);
                }
                state.next_attempt_at = Some(self.next_attempt(attempts, answer));
                Fate::Waits
            }
        }
    }

    /// When to try again after so many failed attempts.
    fn next_attempt(&self, attempts: i64, answer: &Answer) -> String {
        let dice = getrandom::u32().unwrap_or_default();
        let failures = u32::try_from(attempts).unwrap_or(u32::MAX);
        after(backoff::wait(self.settings.retry, failures, dice, answer.retry_after))
    }

    /// Stores where a webhook stands, and what became of an event.
    async fn store(&self, before: &Row, state: State, attempt: Option<Attempt>) -> Result<Option<Row>, Problem> {
        let before = before.clone();
        self.write(move |tx| {
            let failed = attempt.as_ref().filter(|attempt| !attempt.answer.is_success());
            let failed_after = failed.map(|attempt| attempt.stood);
            let Some(row) = store::advance(tx, &before, &state, failed_after)? else {
                return Ok(None);
            };
            let Some(Attempt { seq, fate, answer, .. }) = &attempt else {
                return Ok(Some(row));
            };
            // If it was changed meanwhile, as to another address, neither it nor the event is given up.
            let same = row.version == before.version;
            match fate {
                Fate::Dies(attempts) if same => store::bury(tx, &row.id, *seq, *attempts, answer)?,
                Fate::Rises => store::unbury(tx, &row.id, *seq)?,
                Fate::Gone if same => return store::turn_off(tx, row).map(Some),
                _ => {}
            }
            Ok(Some(row))
        })
        .await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.db.write(Origin::program(), work).await
    }
}

impl Batch {
    fn new(rows: Vec<changes::Row>, dead: bool, complete_to: Option<i64>) -> Result<Self, Problem> {
        let letters = rows.into_iter().map(|row| {
            Ok(Letter {
                seq: row.seq,
                message: message(row)?,
                dead,
            })
        });
        Ok(Self {
            letters: letters.collect::<Result<_, Problem>>()?,
            complete_to,
        })
    }
}

/// The message that tells of a change. Its id has some of the hash of the change, so that after a restored backup a number that is
/// used again is not taken for the one before.
fn message(mut row: changes::Row) -> Result<Message, Problem> {
    let traceparent = row.traceparent.take();
    let id = format!("evt_{}_{}", row.seq, row.hash.get(..12).unwrap_or_default());
    let event = CloudEvent::try_from(row)?;
    let body = serde_json::to_vec(&event).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(Message { id, body, traceparent })
}

fn claim_end() -> String {
    after(CLAIM.unsigned_abs())
}

/// The moment that is so far ahead, as it is stored.
fn after(wait: Duration) -> String {
    let end = SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| Timestamp::now().checked_add(wait).ok());
    format!("{:.6}", end.unwrap_or(Timestamp::MAX))
}

/// How long it is until a stored moment.
fn until(moment: String) -> Duration {
    let moment: Timestamp = moment.parse().unwrap_or_default();
    moment.duration_since(Timestamp::now()).try_into().unwrap_or_default()
}
