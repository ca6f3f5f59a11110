//! Webhooks on the wire and as they are kept.

use std::collections::HashMap;

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sender::{Answer, Receiver};
use crate::codes::{FiscalYear, UnitCode, WebhookId, WebhookUrl};
use crate::db::schema::{webhook_dead_letters, webhooks};
use crate::db::stored_time;
use crate::events::model::EventType;
use crate::events::store::Filter;
use crate::http::etag::ETag;
use crate::scoring::text::Label;
use crate::scoring::values::Count;

/// How many webhooks there can be.
pub const MOST: i64 = 50;

/// For how long a webhook is claimed: longer than an attempt and what is stored after it take, by more than clocks differ.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(30);

/// How many types a webhook can name.
pub const MOST_TYPES: usize = 50;

/// A stored webhook, as its row holds it. It has no `Debug`, since it holds secrets.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Where it sends to.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// Only what belongs to this unit and those below it.
    pub unit_code: Option<String>,
    /// Only what belongs to this fiscal year.
    pub year: Option<i64>,
    /// Only events of these types, between spaces.
    pub types: Option<String>,
    /// Whether it sends.
    pub enabled: bool,
    /// What its messages are signed with.
    pub secret: String,
    /// What they were signed with before the last rotation.
    pub previous_secret: Option<String>,
    /// Until when that one signs too.
    pub previous_until: Option<String>,
    /// Counts the changes of what it is, not of where it stands.
    pub version: i64,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// How far it is.
    #[diesel(embed)]
    pub state: State,
}

/// How far a webhook is.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true)]
pub struct State {
    /// The number of the last change that is done with.
    pub position: i64,
    /// The number of the last one that was delivered.
    pub delivered: Option<i64>,
    /// When that was.
    pub delivered_at: Option<String>,
    /// How often the next one has failed.
    pub attempts: i64,
    /// Since when attempts fail.
    pub failing_since: Option<String>,
    /// When the next one is tried again.
    pub next_attempt_at: Option<String>,
    /// When something was last tried.
    pub attempted_at: Option<String>,
    /// The status that was then answered; `None` for no answer.
    pub last_status: Option<i64>,
    /// What was answered, or why nothing was.
    pub last_answer: Option<String>,
    /// The process that delivers.
    pub claimed_by: Option<String>,
    /// Until when others leave it alone.
    pub claimed_until: Option<String>,
}

impl State {
    /// That of a webhook which sends what comes after the change of that number.
    pub fn after(position: i64) -> Self {
        Self {
            position,
            delivered: None,
            delivered_at: None,
            attempts: 0,
            failing_since: None,
            next_attempt_at: None,
            attempted_at: None,
            last_status: None,
            last_answer: None,
            claimed_by: None,
            claimed_until: None,
        }
    }

    /// Takes down what an attempt at any event came to.
    pub fn attempted(&mut self, answer: &Answer, at: &str) {
        self.attempted_at = Some(at.to_owned());
        self.last_status = answer.status.map(i64::from);
        self.last_answer = Some(answer.text.clone());
        match answer.is_success() {
            true => self.failing_since = None,
            false => drop(self.failing_since.get_or_insert_with(|| at.to_owned())),
        }
    }

    /// Moves on to after the change of that number.
    pub fn done_with(&mut self, seq: i64) {
        self.position = seq;
        self.at_once();
    }

    /// Forgets the failures of the next event, which is tried at once.
    pub fn at_once(&mut self) {
        self.attempts = 0;
        self.next_attempt_at = None;
    }

    /// Ends the claim on it.
    pub fn release(&mut self) {
        self.claimed_by = None;
        self.claimed_until = None;
    }

    /// From when on `runner` may deliver: when the wait is over, and the claim of another one; `None`: at once. Neither counts that
    /// is from before the clock was set back.
    pub fn due(&self, runner: &str) -> Option<&String> {
        let others = self.claimed_by.as_deref().is_some_and(|by| by != runner);
        let latest = latest();
        let claimed = self.claimed_until.as_ref().filter(|until| others && **until <= latest);
        let waits = self.attempted_at.as_ref().is_none_or(|at| *at <= latest);
        self.next_attempt_at.as_ref().filter(|_| waits).max(claimed)
    }
}

/// The latest moment up to which a claim made now, here or on a machine whose clock differs a little, can go on: what claims or tells
/// of a later one was written before the clock was set back.
pub fn latest() -> String {
    stored_time(Timestamp::now() + CLAIM * 2)
}

impl Row {
    /// The tag of what it is.
    pub fn etag(&self) -> ETag {
        ETag::of(self.version, &self.updated_at)
    }

    /// Which changes it sends. A type that only a later version of the program knows cannot come up.
    pub fn filter(&self) -> Filter {
        let types = self.types.as_deref();
        Filter {
            unit: None,
            year: self.year.and_then(|year| FiscalYear::try_from(year).ok()),
            kinds: types.map(|types| types.split(' ').filter_map(|word| word.parse().ok()).collect()),
            scope: self.unit_code.clone().map(|unit| vec![unit]),
        }
    }

    /// Where to send to, and with which secrets at this time.
    pub fn receiver(&self, now: &str) -> Receiver {
        let works = self.previous_until.as_deref().is_some_and(|until| now < until);
        let previous = self.previous_secret.clone().filter(|_| works);
        Receiver {
            url: self.url.clone(),
            secrets: [Some(self.secret.clone()), previous].into_iter().flatten().collect(),
        }
    }
}

/// A stored dead letter, as its row holds it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhook_dead_letters, treat_none_as_null = true)]
pub struct DeadRow {
    /// The webhook.
    pub webhook_id: String,
    /// The number of the change.
    pub number: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// The status that was answered last; `None` for no answer.
    pub last_status: Option<i64>,
    /// What was answered, or why nothing was.
    pub last_answer: String,
    /// When it was given up.
    pub died_at: String,
    /// Whether it is to be sent once more.
    pub queued: bool,
}

/// A webhook (推送) as it is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookInput {
    /// Where it sends to: https to another machine; what else is allowed is a setting of the server. It is shown to everyone who
    /// reads the audit trail, so it should hold no key.
    pub url: WebhookUrl,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Label>,
    /// Only events of this unit and of those that are below it when they are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
    /// Only events of this fiscal year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<FiscalYear>,
    /// Only events of these types, or of all that begin with one: `jixiao.evaluation.submitted` or `jixiao.evaluation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 50, example = json!(["jixiao.evaluation"]))]
    pub types: Option<Vec<EventType>>,
    /// Whether it sends. While it does not it keeps its place, and sends what it missed when it does again.
    #[serde(default = "enabled")]
    #[schema(default = true)]
    pub enabled: bool,
}

fn enabled() -> bool {
    true
}

impl WebhookInput {
    /// Its types as they are stored: each once, in the order in which they were given.
    pub fn stored_types(&self) -> Option<String> {
        let mut words: Vec<String> = Vec::new();
        for word in self.types.as_ref()?.iter().map(ToString::to_string) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        Some(words.join(" "))
    }
}

impl TryFrom<&Row> for WebhookInput {
    /// Which column this program cannot read.
    type Error = String;

    fn try_from(row: &Row) -> Result<Self, String> {
        let types = row.types.as_deref();
        Ok(Self {
            url: row.url.clone().try_into()?,
            description: row.description.clone().map(Label::try_from).transpose()?,
            unit: row.unit_code.clone().map(UnitCode::try_from).transpose()?,
            year: row.year.map(FiscalYear::try_from).transpose()?,
            types: types
                .map(|types| types.split(' ').map(str::parse).collect())
                .transpose()?,
            enabled: row.enabled,
        })
    }
}

/// A webhook (推送), without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    #[schema(value_type = WebhookId)]
    pub id: String,
    /// Where it sends to.
    #[schema(value_type = WebhookUrl)]
    pub url: String,
    /// What it is for.
    #[schema(value_type = Option<Label>, example = "办公系统待办")]
    pub description: Option<String>,
    /// Only events of this unit and of those below it; `null`: of all, also of those that belong to no unit.
    #[schema(value_type = Option<UnitCode>)]
    pub unit: Option<String>,
    /// Only events of this fiscal year; `null`: of all, also of those that belong to none.
    #[schema(value_type = Option<FiscalYear>)]
    pub year: Option<i64>,
    /// Only events of these types; `null`: of all.
    #[schema(value_type = Option<Vec<EventType>>, example = json!(["jixiao.evaluation"]))]
    pub types: Option<Vec<String>>,
    /// Whether it sends. A receiver that answers 410 turns it off.
    pub enabled: bool,
    /// Until when the secret from before the last rotation signs too; `null`: only the one of now does.
    #[schema(format = DateTime, example = json!(null))]
    pub previous_until: Option<String>,
    /// Counts the changes, from 1.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
}

impl From<Row> for Webhook {
    fn from(row: Row) -> Self {
        let now = crate::db::now();
        Self {
            types: row.types.map(|types| types.split(' ').map(str::to_owned).collect()),
            id: row.id,
            url: row.url,
            description: row.description,
            unit: row.unit_code,
            year: row.year,
            enabled: row.enabled,
            previous_until: row.previous_until.filter(|until| *until > now),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A webhook with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedWebhook {
    /// What the receiver verifies signatures with (Standard Webhooks). It is shown only this once.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
    /// The webhook.
    #[serde(flatten)]
    pub of: Webhook,
}

/// How far a webhook is with the events that there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// The number of the last change that is done with: delivered, of no interest to it, or a dead letter.
    #[schema(example = 42)]
    pub position: i64,
    /// How many changes come after that one. 0: it has all there is.
    #[schema(example = 0)]
    pub lag: i64,
    /// The number of the event that was delivered last; `null`: none yet.
    #[schema(example = 41)]
    pub delivered: Option<i64>,
    /// When that was.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub delivered_at: Option<String>,
    /// How often the next event has failed.
    #[schema(example = 0)]
    pub attempts: i64,
    /// Since when attempts fail; `null`: the last one did not.
    #[schema(format = DateTime, example = json!(null))]
    pub failing_since: Option<String>,
    /// When the next event is tried again; `null`: at once.
    #[schema(format = DateTime, example = json!(null))]
    pub next_attempt_at: Option<String>,
    /// When something was last tried; `null`: nothing yet.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub attempted_at: Option<String>,
    /// The status that was then answered; `null` if there was no answer.
    #[schema(example = 204)]
    pub last_status: Option<i64>,
    /// The beginning of that answer, or why there was none.
    #[schema(example = "")]
    pub last_answer: Option<String>,
    /// How many events were given up.
    #[schema(example = 0)]
    pub dead_letters: i64,
}

impl Delivery {
    /// That of a webhook with so many dead letters, where the log ends at `head`.
    pub fn new(state: State, dead_letters: i64, head: i64) -> Self {
        Self {
            position: state.position,
            lag: head - state.position,
            delivered: state.delivered,
            delivered_at: state.delivered_at,
            attempts: state.attempts,
            failing_since: state.failing_since,
            next_attempt_at: state.next_attempt_at.filter(|due| *due > crate::db::now()),
            attempted_at: state.attempted_at,
            last_status: state.last_status,
            last_answer: state.last_answer,
            dead_letters,
        }
    }
}

/// A webhook in a list, with how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// How far it is.
    pub delivery: Delivery,
}

impl ListedWebhook {
    /// One of a list, given how many dead letters each has and where the log ends.
    pub fn new(row: Row, dead_letters: &HashMap<String, i64>, head: i64) -> Self {
        let dead = dead_letters.get(&row.id).copied().unwrap_or_default();
        Self {
            delivery: Delivery::new(row.state.clone(), dead, head),
            webhook: row.into(),
        }
    }
}

/// An event that was given up.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetter {
    /// The number of the event: its `id` in the feed.
    #[schema(example = 42)]
    pub number: i64,
    /// How often it was tried.
    #[schema(example = 15)]
    pub attempts: i64,
    /// The status that was answered last; `null` if there was no answer.
    #[schema(example = 500)]
    pub last_status: Option<i64>,
    /// The beginning of that answer, or why there was none.
    #[schema(example = "Internal Server Error")]
    pub last_answer: String,
    /// When it was given up.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub died_at: String,
    /// Whether it is about to be sent once more.
    #[schema(example = false)]
    pub queued: bool,
}

impl From<DeadRow> for DeadLetter {
    fn from(row: DeadRow) -> Self {
        Self {
            number: row.number,
            attempts: row.attempts,
            last_status: row.last_status,
            last_answer: row.last_answer,
            died_at: row.died_at,
            queued: row.queued,
        }
    }
}

/// From where a webhook sends again.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookReplay)]
pub struct Replay {
    /// The number of the change after which it goes on: 0 for all there are, the feed's `head` to leave out what it has missed.
    #[schema(value_type = u32, minimum = 0, maximum = 999_999_999, example = 41)]
    pub after: Count,
}

/// What came of a test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookPing)]
pub struct Ping {
    /// Whether the receiver took it: whether it answered 2xx.
    pub delivered: bool,
    /// The status that was answered; `null` if there was no answer.
    #[schema(example = 204)]
    pub status: Option<u16>,
    /// The beginning of the answer, or why there was none.
    #[schema(example = "")]
    pub answer: String,
}

/// The event that a test sends. It is not in the feed.
#[derive(Serialize)]
pub struct PingEvent {
    specversion: &'static str,
    id: String,
    source: &'static str,
    r#type: &'static str,
    subject: String,
    time: String,
}

impl PingEvent {
    /// One of that id, for the webhook at `subject`.
    pub fn new(id: String, subject: String) -> Self {
        Self {
            specversion: "1.0",
            id,
            source: "/api/v1",
            r#type: "jixiao.ping",
            subject,
            time: format!("{:.6}", Timestamp::now()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_seconds(ahead: i64) -> Option<String> {
        Some(stored_time(Timestamp::now() + SignedDuration::from_secs(ahead)))
    }

    #[test]
    fn a_claim_of_another_is_kept_unless_it_is_from_before_the_clock_was_set_back() {
        let claimed = |ahead: i64| {
            let state = State {
                claimed_by: Some("other".to_owned()),
                claimed_until: in_seconds(ahead),
                ..State::after(0)
            };
            (state.due("us").is_some(), state.due("other").is_some())
        };
        assert_eq!(claimed(30), (true, false));
        assert_eq!(claimed(3600), (false, false));
    }

    #[test]
    fn a_wait_is_kept_however_long_unless_it_began_before_the_clock_was_set_back() {
        let waits = |attempted: i64, next: i64| {
            let state = State {
                attempted_at: in_seconds(attempted),
                next_attempt_at: in_seconds(next),
                ..State::after(0)
            };
            state.due("us").is_some()
        };
        // A receiver may ask for a day; clocks of two machines may differ by some seconds.
        assert!(waits(-1, 86_400) && waits(5, 20));
        assert!(!waits(3600, 3610));
    }
}
