//! When an open model sends what.

use rand_chacha::ChaCha8Rng;

use super::draw::{Mix, dice, exponential};
use super::schedule::{Next, Phase, Schedule};
use super::timeline::Moment;
use crate::load::target::Request;
use crate::sync::Arc;

/// A message and when it is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::load) struct Arrival {
    pub(in crate::load) at: Moment,
    pub(in crate::load) request: Request,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::load) enum Coming {
    Message(Arrival),
    /// The schedule does not say yet.
    Later,
    /// Nothing.
    Nothing,
}

/// The messages of an open model, in order.
///
/// Whoever sends draws all of them and sends every n-th: so the run is the same however many send, for some tens of nanoseconds a
/// message. Arrivals are drawn in units of messages and laid on the schedule by the inverse of its integral, which gives
/// exactly the messages of a ramp, at a constant distance or by chance.
#[derive(Debug)]
pub(in crate::load) struct Arrivals {
    schedule: Arc<Schedule>,
    mix: Arc<Mix>,
    /// In place of constant distances.
    by_chance: Option<ChaCha8Rng>,
    contents: ChaCha8Rng,
    phase: Option<Arc<Phase>>,
    place: usize,
    /// Messages of the phases before.
    before: f64,
    /// Where the next message is, in messages.
    next: f64,
    sequence: u64,
    sender: u64,
    senders: u64,
}

impl Arrivals {
    /// Those of one of several senders, numbered from 0 on.
    pub(in crate::load) fn new(
        schedule: Arc<Schedule>,
        mix: Arc<Mix>,
        seed: u64,
        by_chance: bool,
        sender: u64,
        senders: u64,
    ) -> Self {
        let mut by_chance = by_chance.then(|| dice(seed, 0));
        Self {
            schedule,
            mix,
            contents: dice(seed, 1),
            phase: None,
            place: 0,
            before: 0.0,
            // Constant distances begin with half of one: as many messages come as the integral says, rounded.
            next: by_chance.as_mut().map_or(0.5, exponential),
            by_chance,
            sequence: 0,
            sender,
            senders,
        }
    }

    /// The next message.
    pub(in crate::load) fn next(&mut self) -> Coming {
        loop {
            let Some(phase) = &self.phase else {
                match self.schedule.get(self.place) {
                    Next::Phase(phase) => self.phase = Some(phase),
                    Next::Later => return Coming::Later,
                    Next::End => return Coming::Nothing,
                }
                continue;
            };
            let within = self.next - self.before;
            if within >= phase.messages() {
                self.before += phase.messages();
                self.place += 1;
                self.phase = None;
                continue;
            }
            let at = phase.moment_of(within);
            let users = phase.users_at(at).max(1);
            let sequence = self.sequence;
            let request = self.mix.draw(&mut self.contents, sequence, (sequence % u64::from(users)) as u32);
            self.sequence += 1;
            self.next += self.by_chance.as_mut().map_or(1.0, exponential);
            if sequence % self.senders == self.sender {
                return Coming::Message(Arrival { at, request });
            }
        }
    }
}
