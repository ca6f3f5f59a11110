//! How often may be asked: quotas per token and per address, and the lock-out of an address that keeps failing.
//!
//! A quota of n requests a minute lets n through at once and then one each n-th of a minute, so that no window has an
//! edge to wait for (the generic cell rate algorithm: per key, one instant until which its past requests count). What is
//! counted is counted by this process: several servers on one database let through as many times as much.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::{HttpMessage, HttpRequest};

use super::kinds::{self, Kind};
use super::network::{Network, client_of};
use super::problem::Problem;

/// The settings; 0 is off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Requests a minute with one token.
    pub per_token: u32,
    /// Requests a minute from one address, with a token or without.
    pub per_address: u32,
    /// Failed attempts to show a token, from one address within [`LOCKED`], after which it is locked out for as long.
    pub failures: u32,
    /// The proxies that are believed when they say whom they ask for.
    pub trusted_proxies: Vec<Network>,
}

impl Settings {
    /// Far beyond what an honest client does.
    pub fn usual() -> Self {
        Self {
            per_token: 60_000,
            per_address: 120_000,
            failures: 300,
            trusted_proxies: Vec::new(),
        }
    }
}

/// The window of the quotas.
const WINDOW: Duration = Duration::from_secs(60);

/// The window of failed attempts, and for how long an address is locked out after too many.
pub const LOCKED: Duration = Duration::from_secs(300);

/// How much of a quota is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    /// Requests that would be let through at this moment.
    requests: u64,
    /// Until the quota is whole again.
    whole_in: Duration,
}

/// A quota that is counted per key.
#[derive(Debug)]
struct Quota<K> {
    window: Duration,
    /// How long one request counts.
    each: Duration,
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    /// Until when, since the beginning, the requests of a key count.
    counted: HashMap<K, Duration>,
    /// How many keys there may be before those are thrown out that count no more.
    room: usize,
}

/// How many keys are kept without looking whether they count: some 100 bytes each.
const ROOM: usize = 10_000;

/// How many keys are kept at all. Who comes with more addresses than that is not stopped by counting them.
const MOST: usize = 1_000_000;

impl<K: Hash + Eq> Quota<K> {
    /// `requests` in each window; `None` for 0.
    fn new(requests: u32, window: Duration) -> Option<Self> {
        let each = window.checked_div(requests)?;
        Some(Self {
            window,
            each: each.max(Duration::from_nanos(1)),
            state: Mutex::new(State {
                counted: HashMap::new(),
                room: ROOM,
            }),
        })
    }

    /// Counts a request at `now`, or says how long to wait for the next one.
    fn take<Q>(&self, key: &Q, now: Duration) -> Result<Left, Duration>
    where
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        K: std::borrow::Borrow<Q>,
    {
        let mut state = self.lock();
        let known = state.counted.get_mut(key);
        let counted = known.as_deref().copied().unwrap_or_default().max(now) + self.each;
        let whole_in = counted - now;
        if whole_in > self.window {
            return Err(whole_in - self.window);
        }
        match known {
            Some(known) => *known = counted,
            None => self.set(&mut state, key, counted, now),
        }
        let requests = (self.window - whole_in).as_nanos() / self.each.as_nanos();
        Ok(Left {
            requests: u64::try_from(requests).unwrap_or(u64::MAX),
            whole_in,
        })
    }

    /// How long a key has to wait, if it has to, without counting anything.
    fn wait<Q>(&self, key: &Q, now: Duration) -> Option<Duration>
    where
        Q: Hash + Eq + ?Sized,
        K: std::borrow::Borrow<Q>,
    {
        let counted = self.lock().counted.get(key).copied()?;
        (counted + self.each)
            .checked_sub(now + self.window)
            .filter(|wait| !wait.is_zero())
    }

    /// Lets nothing of a key through for a whole window.
    fn shut<Q>(&self, key: &Q, now: Duration)
    where
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        K: std::borrow::Borrow<Q>,
    {
        self.set(&mut self.lock(), key, now + self.window + self.window - self.each, now);
    }

    /// Writes down until when a key counts, and makes room for it where there are too many.
    fn set<Q>(&self, state: &mut State<K>, key: &Q, counted: Duration, now: Duration)
    where
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        K: std::borrow::Borrow<Q>,
    {
        if state.counted.len() >= state.room {
            state.counted.retain(|_, counted| *counted > now);
            state.room = (state.counted.len() * 2).clamp(ROOM, MOST);
            if state.counted.len() >= MOST {
                state.counted.clear();
            }
        }
        state.counted.insert(key.to_owned(), counted);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that is counted, in one process.
#[derive(Debug)]
pub struct Limits {
    settings: Settings,
    since: Instant,
    tokens: Option<Quota<String>>,
    token_policy: HeaderValue,
    addresses: Option<Quota<IpAddr>>,
    address_policy: HeaderValue,
    failures: Option<Quota<IpAddr>>,
}

static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The address of the client, kept with its request.
#[derive(Debug, Clone, Copy)]
struct ClientAddress(IpAddr);

/// What is left of the quota that a request was counted under last, kept with it for the answer's headers.
#[derive(Debug, Clone, Copy)]
struct Counted {
    by: CountedBy,
    left: Left,
}

/// By what requests are counted.
#[derive(Debug, Clone, Copy)]
enum CountedBy {
    Token,
    Address,
}

/// The name and the value of the header that states a quota (draft-ietf-httpapi-ratelimit-headers).
fn policy(name: &str, requests: u32) -> HeaderValue {
    let value = format!("\"{name}\";q={requests};w={}", WINDOW.as_secs());
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}

impl Limits {
    /// Counts from nothing.
    pub fn new(settings: &Settings) -> Self {
        Self {
            since: Instant::now(),
            tokens: Quota::new(settings.per_token, WINDOW),
            token_policy: policy("token", settings.per_token),
            addresses: Quota::new(settings.per_address, WINDOW),
            address_policy: policy("address", settings.per_address),
            failures: Quota::new(settings.failures, LOCKED),
            settings: settings.clone(),
        }
    }

    /// Whether it counts by these settings.
    pub fn is_by(&self, settings: &Settings) -> bool {
        self.settings == *settings
    }

    /// Counts a request under the address that it comes from, before anything else is done with it.
    ///
    /// # Errors
    /// 429 when the quota is used up.
    pub fn arrive(&self, request: &ServiceRequest) -> Result<(), Problem> {
        let Some(peer) = request.peer_addr() else {
            return Ok(());
        };
        let address = client_of(peer.ip(), request.headers(), &self.settings.trusted_proxies);
        request.extensions_mut().insert(ClientAddress(address));
        let Some(quota) = &self.addresses else {
            return Ok(());
        };
        match quota.take(&counted_as(address), self.since.elapsed()) {
            Ok(left) => {
                request.extensions_mut().insert(Counted {
                    by: CountedBy::Address,
                    left,
                });
                Ok(())
            }
            Err(wait) => Err(self.used_up(CountedBy::Address, wait)),
        }
    }

    /// Counts a request under its token.
    ///
    /// # Errors
    /// 429 when the quota is used up.
    pub fn count_token(&self, request: &HttpRequest, id: &str) -> Result<(), Problem> {
        let Some(quota) = &self.tokens else {
            return Ok(());
        };
        let left = quota
            .take(id, self.since.elapsed())
            .map_err(|wait| self.used_up(CountedBy::Token, wait))?;
        request.extensions_mut().insert(Counted {
            by: CountedBy::Token,
            left,
        });
        Ok(())
    }

    /// Lets an address show a token unless it failed too often.
    ///
    /// # Errors
    /// 429 while it is locked out.
    pub fn may_try(&self, address: Option<IpAddr>) -> Result<(), Problem> {
        let locked = self.failures.as_ref().zip(address);
        let wait = locked.and_then(|(quota, address)| quota.wait(&counted_as(address), self.since.elapsed()));
        wait.map_or(Ok(()), |wait| Err(locked_out(wait)))
    }

    /// Counts an attempt that failed; the last one that is let pass locks the address out.
    pub fn failed(&self, address: Option<IpAddr>) {
        let (Some(quota), Some(address)) = (&self.failures, address) else {
            return;
        };
        let key = counted_as(address);
        let now = self.since.elapsed();
        match quota.take(&key, now) {
            Ok(left) if left.requests > 0 => {}
            _ => {
                tracing::warn!(%address, seconds = LOCKED.as_secs(), "locked out after too many failed attempts");
                quota.shut(&key, now);
            }
        }
    }

    /// Says in the headers of an answer what is left of the quota that its request was counted under, also where that was one before
    /// these; nothing where there is none any more.
    pub fn tell(&self, request: &HttpRequest, headers: &mut HeaderMap) {
        let extensions = request.extensions();
        let Some(Counted { by, left }) = extensions.get::<Counted>() else {
            return;
        };
        let is_counted = match by {
            CountedBy::Token => self.tokens.is_some(),
            CountedBy::Address => self.addresses.is_some(),
        };
        // One that was refused says so already.
        if !is_counted || headers.contains_key(&RATE_LIMIT) {
            return;
        }
        let (name, policy) = self.policy(*by);
        let value = format!("\"{name}\";r={};t={}", left.requests, seconds(left.whole_in));
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(RATE_LIMIT.clone(), value);
            headers.insert(RATE_LIMIT_POLICY.clone(), policy.clone());
        }
    }

    fn policy(&self, by: CountedBy) -> (&'static str, &HeaderValue) {
        match by {
            CountedBy::Token => ("token", &self.token_policy),
            CountedBy::Address => ("address", &self.address_policy),
        }
    }

    fn used_up(&self, by: CountedBy, wait: Duration) -> Problem {
        let after = seconds(wait);
        let (name, policy) = self.policy(by);
        let (zh, en) = match by {
            CountedBy::Token => ("该令牌", "with this token"),
            CountedBy::Address => ("该地址", "from this address"),
        };
        wait_for(
            &kinds::RATE_LIMITED,
            format!("{zh}的请求过于频繁，请{after}秒后重试。"),
            format!("There are too many requests {en}; wait {after} s for the next."),
            wait,
        )
        .with_header(RATE_LIMIT.clone(), format!("\"{name}\";r=0;t={after}"))
        .with_header(RATE_LIMIT_POLICY.clone(), policy.to_str().unwrap_or_default())
    }
}

/// An IPv6 client has a whole /64 to choose its addresses from, and counts as one.
fn counted_as(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_none() => Ipv6Addr::from_bits(v6.to_bits() & !0 << 64).into(),
        other => other.to_canonical(),
    }
}

/// The address of the client of a request, behind proxies that are trusted; `None` where there is none, as in a test.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let kept = request
        .extensions()
        .get::<ClientAddress>()
        .map(|ClientAddress(address)| *address);
    kept.or_else(|| request.peer_addr().map(|peer| peer.ip()))
}

/// Whole seconds, never too few.
fn seconds(duration: Duration) -> u128 {
    duration.as_millis().div_ceil(1000)
}

fn wait_for(kind: &'static Kind, zh: String, en: String, wait: Duration) -> Problem {
    Problem::new(kind, zh, en).with_header(RETRY_AFTER, seconds(wait).to_string())
}

fn locked_out(wait: Duration) -> Problem {
    let after = seconds(wait);
    wait_for(
        &kinds::LOCKED_OUT,
        format!("该地址多次使用无效令牌，已被锁定，请{after}秒后重试。"),
        format!("This address showed too many tokens that are not known, and is locked out for {after} s."),
        wait,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_quota_lets_all_through_at_once_and_then_one_each_part_of_the_window() {
        // 3 a minute: one counts for 20 s.
        let quota: Quota<String> = Quota::new(3, WINDOW).unwrap();
        let left = |result: Result<Left, Duration>| result.map(|left| left.requests);
        for n in [2, 1, 0] {
            assert_eq!(left(quota.take("a", ms(0))), Ok(n));
        }
        assert_eq!(left(quota.take("a", ms(0))), Err(ms(20_000)));
        // Being refused counts nothing, and others have a quota of their own.
        assert_eq!(left(quota.take("a", ms(19_000))), Err(ms(1_000)));
        assert_eq!(left(quota.take("b", ms(19_000))), Ok(2));
        assert_eq!(left(quota.take("a", ms(20_000))), Ok(0));
        // After a whole window it is whole again: 3, of which one is used.
        let again = quota.take("a", ms(20_000 + 60_000)).unwrap();
        assert_eq!((again.requests, again.whole_in), (2, ms(20_000)));
    }

    #[test]
    fn what_is_shut_opens_after_a_window_and_waiting_counts_nothing() {
        let quota: Quota<u8> = Quota::new(3, WINDOW).unwrap();
        assert_eq!(quota.wait(&1, ms(0)), None);
        quota.take(&1, ms(0)).unwrap();
        assert_eq!(quota.wait(&1, ms(0)), None);
        quota.shut(&1, ms(1_000));
        assert_eq!(quota.wait(&1, ms(1_000)), Some(ms(60_000)));
        assert_eq!(quota.wait(&1, ms(61_000)), None);
        assert_eq!(quota.wait(&2, ms(1_000)), None);
    }

    #[test]
    fn zero_is_no_quota_and_keys_that_count_no_more_are_thrown_out() {
        assert!(Quota::<u8>::new(0, WINDOW).is_none());
        let quota: Quota<usize> = Quota::new(60, WINDOW).unwrap();
        for n in 0..ROOM {
            quota.take(&n, ms(0)).unwrap();
        }
        quota.take(&ROOM, ms(2_000)).unwrap();
        assert_eq!(quota.lock().counted.len(), 1);
    }

    #[test]
    fn neighbours_of_a_v6_network_count_as_one() {
        let key = |text: &str| counted_as(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
    }
}
