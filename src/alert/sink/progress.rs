//! Receivers that are told of one alert at a time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::delivery::Delivered;
use super::error::{RetryClass, SinkError, Step};

/// Deliveries under way that are remembered. Of more, the oldest is forgotten, and what was told of it is told again.
const MOST: usize = 1_024;

/// How long one attempt may take over all its requests.
const LONGEST: Duration = Duration::from_secs(60);

/// What receivers that take one alert at a time were told of each delivery, over its attempts.
///
/// Kept in memory only: after a restart everything is said again, and the receiver knows it by its key.
#[derive(Default)]
pub(super) struct Progress(Mutex<Deliveries>);

#[derive(Default)]
struct Deliveries {
    by_id: HashMap<String, Part>,
    by_age: VecDeque<String>,
}

/// What of a delivery is done.
#[derive(Default, Clone)]
struct Part {
    told: HashSet<String>,
    refused: HashMap<String, SinkError>,
}

impl Progress {
    /// Sends each of `requests`, by their keys, that was neither told nor refused at an earlier attempt, in their order.
    ///
    /// What the receiver will not have for its content is not sent again, and does not stop the others; any other fault does.
    pub(super) async fn send_each<R, F>(
        &self,
        delivery: &str,
        requests: Vec<(String, R)>,
        mut send: impl FnMut(R) -> F,
    ) -> Result<Delivered, SinkError>
    where
        F: Future<Output = Result<(), SinkError>>,
    {
        let of = requests.len();
        if of == 0 {
            return Ok(Delivered::Nothing);
        }
        let start = Instant::now();
        let mut part = self.part(delivery);
        let mut stopped = None;
        for (key, request) in requests {
            if part.told.contains(&key) || part.refused.contains_key(&key) {
                continue;
            }
            if start.elapsed() >= LONGEST {
                stopped = Some(SinkError::TimedOut { step: Step::Answer, limit: LONGEST });
                break;
            }
            match send(request).await {
                Ok(()) => {
                    part.told.insert(key);
                }
                Err(error) if is_about_content(&error) => {
                    part.refused.insert(key, error);
                }
                Err(error) => {
                    stopped = Some(error);
                    break;
                }
            }
            // At each step: whoever called may stop waiting at the next.
            self.keep(delivery, &part);
        }
        let told = part.told.len();
        let error = match stopped {
            Some(error) => {
                if error.retry() == RetryClass::Never {
                    self.forget(delivery);
                }
                error
            }
            None => {
                self.forget(delivery);
                match part.refused.into_values().next() {
                    None => return Ok(Delivered::Told),
                    Some(error) => error,
                }
            }
        };
        Err(if of == 1 { error } else { SinkError::Partly { told, of, source: Box::new(error) } })
    }

    fn part(&self, delivery: &str) -> Part {
        self.lock().by_id.get(delivery).cloned().unwrap_or_default()
    }

    fn keep(&self, delivery: &str, part: &Part) {
        let mut deliveries = self.lock();
        if deliveries.by_id.insert(delivery.to_owned(), part.clone()).is_none() {
            deliveries.by_age.push_back(delivery.to_owned());
        }
        while deliveries.by_age.len() > MOST {
            let oldest = deliveries.by_age.pop_front().unwrap_or_default();
            deliveries.by_id.remove(&oldest);
        }
    }

    fn forget(&self, delivery: &str) {
        let mut deliveries = self.lock();
        if deliveries.by_id.remove(delivery).is_some() {
            deliveries.by_age.retain(|it| it != delivery);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Deliveries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether another alert could be welcome all the same.
fn is_about_content(error: &SinkError) -> bool {
    matches!(error, SinkError::Refused { status: 400 | 413 | 422 } | SinkError::TooLarge { .. })
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("under_way", &self.lock().by_id.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: SinkError = SinkError::Failed { status: 500, after: None };
    const BAD: SinkError = SinkError::Refused { status: 400 };
    const KEY: SinkError = SinkError::Refused { status: 403 };

    /// Sends `a` to `d`, and says what was sent and what came of it.
    async fn attempt(
        progress: &Progress,
        faults: &[(&str, SinkError)],
    ) -> (String, Result<Delivered, SinkError>) {
        let sent = Mutex::new(String::new());
        let requests = ["a", "b", "c", "d"].map(|it| (it.to_owned(), it)).to_vec();
        let result = progress
            .send_each("one", requests, async |key| {
                sent.lock().unwrap().push_str(key);
                faults.iter().find(|(it, _)| *it == key).map_or(Ok(()), |(_, error)| Err(error.clone()))
            })
            .await;
        (sent.into_inner().unwrap(), result)
    }

    fn partly(told: usize, source: SinkError) -> Result<Delivered, SinkError> {
        Err(SinkError::Partly { told, of: 4, source: Box::new(source) })
    }

    #[tokio::test]
    async fn what_was_told_is_not_told_again() {
        let progress = Progress::default();
        assert_eq!(attempt(&progress, &[("c", DOWN)]).await, ("abc".to_owned(), partly(2, DOWN)));
        assert_eq!(attempt(&progress, &[]).await, ("cd".to_owned(), Ok(Delivered::Told)));
        assert_eq!(attempt(&progress, &[]).await.0, "abcd", "a delivery that is done is forgotten");
    }

    #[tokio::test]
    async fn what_is_refused_for_its_content_stops_nothing_and_is_said_in_the_end() {
        let progress = Progress::default();
        let attempted = attempt(&progress, &[("a", BAD), ("d", DOWN)]).await;
        assert_eq!(attempted, ("abcd".to_owned(), partly(2, DOWN)));
        assert_eq!(attempted.1.unwrap_err().retry(), RetryClass::Later);
        let attempted = attempt(&progress, &[]).await;
        assert_eq!(attempted, ("d".to_owned(), partly(3, BAD)));
        assert_eq!(attempted.1.unwrap_err().retry(), RetryClass::Never);
    }

    #[tokio::test]
    async fn a_wrong_key_stops_everything() {
        assert_eq!(attempt(&Progress::default(), &[("b", KEY)]).await, ("ab".to_owned(), partly(1, KEY)));
    }

    #[tokio::test]
    async fn what_is_remembered_is_bounded() {
        let progress = Progress::default();
        for number in 0..MOST + 10 {
            progress.keep(&number.to_string(), &Part::default());
            progress.keep(&number.to_string(), &Part::default());
        }
        let deliveries = progress.lock();
        assert_eq!((deliveries.by_id.len(), deliveries.by_age.len()), (MOST, MOST));
        assert!(!deliveries.by_id.contains_key("9") && deliveries.by_id.contains_key("10"));
    }
}
