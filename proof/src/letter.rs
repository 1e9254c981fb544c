//! What the models send: a message with a number.

use crate::message::{Key, Message, Priority};

/// What the models send.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) id: usize,
    pub(crate) priority: Priority,
    pub(crate) subject: Option<u8>,
    batch: Option<u8>,
}

impl Letter {
    pub(crate) fn new(id: usize, priority: Priority) -> Self {
        Self { id, priority, subject: None, batch: None }
    }

    pub(crate) fn low(id: usize) -> Self {
        Self::new(id, Priority::Low)
    }

    pub(crate) fn about(self, subject: u8) -> Self {
        Self { subject: Some(subject), ..self }
    }

    pub(crate) fn batched(self, batch: u8) -> Self {
        Self { batch: Some(batch), ..self }
    }
}

impl Message for Letter {
    fn priority(&self) -> Priority {
        self.priority
    }

    fn key(&self) -> Option<Key> {
        self.subject.map(|subject| Key::of([0, subject]))
    }

    fn batch_key(&self) -> Option<Key> {
        self.batch.map(|batch| Key::of([1, batch]))
    }
}
