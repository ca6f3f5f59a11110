//! How long a client may take to send its body: one that stops, or sends a byte now and then, is cut off.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;
use tokio::time::{Sleep, sleep};

/// How many bytes a second a body must bring on the whole, after the time that it has for the first.
const RATE: u64 = 1024;

/// A body that must arrive in time. Only waiting for the client counts, not what is done with a piece.
struct Timely {
    body: Payload,
    /// How long the client may keep the server waiting, for each piece.
    patience: Duration,
    received: u64,
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Stream for Timely {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_next(context) {
            Poll::Ready(next) => {
                if let Some((since, _)) = this.waiting.take() {
                    this.waited += since.elapsed();
                }
                if let Some(Ok(bytes)) = &next {
                    this.received += bytes.len() as u64;
                }
                Poll::Ready(next)
            }
            Poll::Pending => {
                let in_all = this.patience + Duration::from_secs(this.received / RATE);
                let left = in_all.saturating_sub(this.waited).min(this.patience);
                let (_, timer) = this
                    .waiting
                    .get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
                timer.as_mut().poll(context).map(|()| Some(Err(late())))
            }
        }
    }
}

/// What a body that does not arrive ends with.
fn late() -> PayloadError {
    PayloadError::Io(std::io::ErrorKind::TimedOut.into())
}

/// Whether that is what it ended with.
pub fn is_late(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == std::io::ErrorKind::TimedOut)
}

/// How long a client may keep the server waiting.
#[derive(Debug, Clone, Copy)]
pub struct Patience(pub Duration);

/// Has the body of a request arrive in time.
pub fn in_time(request: &mut ServiceRequest, Patience(patience): Patience) {
    match request.take_payload() {
        Payload::None => {}
        body => request.set_payload(Payload::Stream {
            payload: Box::pin(Timely {
                body,
                patience,
                received: 0,
                waited: Duration::ZERO,
                waiting: None,
            }),
        }),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use futures_util::stream;

    use super::*;

    /// A body of pieces that each come after this long.
    fn body(pieces: usize, each: Duration, bytes: usize, patience: Duration) -> Timely {
        let pieces = stream::iter(0..pieces).then(move |_| async move {
            sleep(each).await;
            Ok(Bytes::from(vec![b' '; bytes]))
        });
        Timely {
            body: Payload::Stream {
                payload: Box::pin(pieces),
            },
            patience,
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[actix_web::test]
    async fn a_body_is_cut_off_that_stops_or_trickles_and_not_one_that_is_only_long() {
        let all_good = |body: Timely| async { body.all(|piece| async move { piece.is_ok() }).await };
        assert!(!all_good(body(1, ms(500), 1 << 20, ms(100))).await, "stops");
        assert!(!all_good(body(30, ms(20), 1, ms(100))).await, "trickles");
        assert!(all_good(body(10, ms(20), 64 << 10, ms(100))).await, "is long");
    }
}
