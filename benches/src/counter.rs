//! What every actor under test does with its messages: as little as possible, and enough to prove that none is missing.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::urgent::Ward;
use crate::{Ask, Fault, Work};

/// The state of the actor under test: counts and sums messages, and speaks up when the last one has been handled.
#[derive(Debug)]
pub struct Counter {
    left: u64,
    sum: u64,
    done: Option<oneshot::Sender<u64>>,
    /// Where each message is real work, instead of being counted.
    ward: Option<Arc<Ward>>,
}

/// The driver's end: resolves once the last message has been handled.
#[derive(Debug)]
pub struct Done {
    expected: u64,
    sum: oneshot::Receiver<u64>,
}

impl Counter {
    /// A counter that expects the messages numbered `0..messages`, and the end that hears of the last.
    pub fn expecting(messages: u64) -> (Self, Done) {
        let (done, sum) = oneshot::channel();
        let counter = Self { left: messages, sum: 0, done: Some(done), ward: None };
        (counter, Done { expected: messages * messages.saturating_sub(1) / 2, sum })
    }

    /// One that does the work of a ward, and expects no end.
    pub fn at_ward(ward: Arc<Ward>) -> Self {
        Self { left: 0, sum: 0, done: None, ward: Some(ward) }
    }

    /// Handles one message.
    pub fn work(&mut self, work: Work) {
        if let Some(ward) = &self.ward {
            return ward.attend(work);
        }
        self.sum = self.sum.wrapping_add(work.value);
        self.left = self.left.saturating_sub(1);
        if self.left == 0
            && let Some(done) = self.done.take()
        {
            // The driver may have given up; its own fault says so.
            let _ = done.send(self.sum);
        }
    }

    /// Answers one question.
    pub fn answer(&mut self, ask: Ask) -> u64 {
        self.sum = self.sum.wrapping_add(ask.0);
        ask.0 + 1
    }
}

impl Done {
    /// Waits until as many messages as expected have been handled.
    ///
    /// # Errors
    /// The actor stopped first, or the messages handled are not those sent.
    pub async fn confirmed(self) -> Result<(), Fault> {
        let found = self.sum.await.map_err(Fault::gone)?;
        if found == self.expected { Ok(()) } else { Err(Fault::Sum { expected: self.expected, found }) }
    }
}
