//! When a failed delivery is tried again.

use std::time::Duration;

/// The longest wait that is taken by itself.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The longest wait that a receiver may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait after so many failed attempts (from 1): `first`, doubled by each further one, an hour at most; of that the
/// upper half at random (`dice`), so that those who failed together do not come back together. No less than the receiver
/// `asked` for, a day at most.
pub fn wait(first: Duration, attempts: u32, dice: u32, asked: Option<Duration>) -> Duration {
    let doubled = 2u32.saturating_pow(attempts.saturating_sub(1));
    let whole = first.saturating_mul(doubled).min(LONGEST);
    let half = whole / 2;
    let random = half / 1000 * (dice % 1001);
    asked.unwrap_or_default().min(LONGEST_ASKED).max(half + random)
}

/// The wait that a `Retry-After` asks for (RFC 9110): seconds, or a date; `None` for what is neither.
pub fn asked(retry_after: &str, now: jiff::Timestamp) -> Option<Duration> {
    let text = retry_after.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date.duration_since(now).try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_an_hour_and_half_of_it_is_random() {
        let least = |attempts| wait(seconds(10), attempts, 0, None);
        let most = |attempts| wait(seconds(10), attempts, 1000, None);
        assert_eq!((least(1), most(1)), (seconds(5), seconds(10)));
        assert_eq!((least(3), most(3)), (seconds(20), seconds(40)));
        // 10 × 2⁹ seconds would be more than an hour.
        assert_eq!((least(10), most(10)), (seconds(1800), seconds(3600)));
        assert_eq!(most(u32::MAX), seconds(3600));
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_not_for_more_than_a_day() {
        assert_eq!(wait(seconds(10), 1, 0, Some(seconds(120))), seconds(120));
        assert_eq!(wait(seconds(10), 1, 0, Some(seconds(1))), seconds(5));
        assert_eq!(wait(seconds(10), 1, 0, Some(seconds(1_000_000))), seconds(86_400));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2015-10-21T07:27:00Z".parse().unwrap();
        assert_eq!(asked("120", now), Some(seconds(120)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT", now), Some(seconds(60)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:26:00 GMT", now), Some(seconds(0)));
        assert_eq!(asked("-1", now), None);
        assert_eq!(asked("soon", now), None);
    }
}
