//! A count that many actors take part in and one driver waits for.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::Fault;

/// Opens once as many messages as announced have been counted, and then proves that they were the right ones.
#[derive(Debug, Default)]
pub struct Gate {
    left: AtomicU64,
    sum: AtomicU64,
    open: Notify,
}

impl Gate {
    /// Closes the gate until so many more messages have been counted.
    pub fn expect(&self, messages: u64) {
        self.left.store(messages, Ordering::SeqCst);
    }

    /// Counts one message.
    pub fn count(&self, value: u64) {
        self.sum.fetch_add(value, Ordering::Relaxed);
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.open.notify_one();
        }
    }

    /// Waits until all that were expected have been counted.
    pub async fn opened(&self) {
        self.open.notified().await;
    }

    /// That the messages numbered `0..messages` were counted, each once.
    ///
    /// # Errors
    /// Their numbers sum to something else.
    pub fn confirm(&self, messages: u64) -> Result<(), Fault> {
        let expected = messages * messages.saturating_sub(1) / 2;
        let found = self.sum.load(Ordering::SeqCst);
        if found == expected { Ok(()) } else { Err(Fault::Sum { expected, found }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_opens_with_the_last_message_and_not_before() {
        let gate = Gate::default();
        gate.expect(2);
        let mut opened = looking_at(gate.opened());
        gate.count(0);
        assert!(!opened());
        gate.count(1);
        assert!(opened());
        assert!(gate.confirm(2).is_ok());
    }

    #[test]
    fn a_message_counted_twice_in_place_of_another_is_told() {
        let gate = Gate::default();
        gate.expect(3);
        [0, 1, 1].into_iter().for_each(|value| gate.count(value));
        assert!(matches!(gate.confirm(3), Err(Fault::Sum { expected: 3, found: 2 })));
    }

    /// Looks whether a future is done.
    fn looking_at<'a>(future: impl Future<Output = ()> + 'a) -> impl FnMut() -> bool + 'a {
        let mut future = Box::pin(future);
        move || future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
    }
}
