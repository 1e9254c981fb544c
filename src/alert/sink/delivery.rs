//! One attempt, and what came of it.

use std::time::SystemTime;

use super::super::notification::Notification;

/// A notification on its way to one sink.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// What is to be said.
    pub notification: Notification,
    /// The same over every attempt, and different for every notification and sink: by it a receiver knows a repetition.
    pub id: String,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// When it is made, by the wall clock: signatures and ends are told from it.
    pub now: SystemTime,
}

/// What came of a delivery that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The receiver has taken it.
    Told,
    /// Nothing was sent, since nothing of it concerns this sink: a repetition, to one that keeps incidents itself.
    Nothing,
}
