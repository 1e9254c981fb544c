//! What becomes of messages that could not be delivered.

mod dead_letters;

pub use dead_letters::{DeadLetter, DeadLetterSink};

pub(crate) use dead_letters::DeadLetters;
