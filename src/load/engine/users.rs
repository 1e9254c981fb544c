//! Who sends what when in a closed model.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand_chacha::ChaCha8Rng;

use super::arrivals::{Arrival, Coming};
use super::draw::{Mix, below, dice};
use super::schedule::{Next, Phase, Schedule};
use super::timeline::Moment;
use crate::sync::Arc;

/// The users of a closed model that one of several senders speaks for: every n-th.
///
/// A user sends, waits for the end, thinks, and sends again. A stage with fewer users lets them go after what they are
/// about; one with more calls them, each for a first message at a random moment within the time of thinking, so that they do not
/// come all at once.
#[derive(Debug)]
pub(in crate::load) struct Users {
    schedule: Arc<Schedule>,
    mix: Arc<Mix>,
    dice: ChaCha8Rng,
    think: u64,
    phase: Option<Arc<Phase>>,
    place: usize,
    /// Who thinks, until when.
    thinking: BinaryHeap<Reverse<(Moment, u32)>>,
    /// Whether each user of ours is thinking or has a message under way, by number over senders.
    called: Vec<bool>,
    /// How many of them are.
    present: usize,
    sequence: u64,
    sender: u32,
    senders: u32,
}

impl Users {
    pub(in crate::load) fn new(
        schedule: Arc<Schedule>,
        mix: Arc<Mix>,
        seed: u64,
        think: u64,
        sender: u32,
        senders: u32,
    ) -> Self {
        Self {
            schedule,
            mix,
            // Streams 0 and 1 are those of the open models.
            dice: dice(seed, 2 + u64::from(sender)),
            think,
            phase: None,
            place: 0,
            thinking: BinaryHeap::new(),
            called: Vec::new(),
            present: 0,
            sequence: u64::from(sender),
            sender,
            senders,
        }
    }

    /// The next message that anybody is to send, once; it is to be asked for again after every change of a user's state, and at
    /// least every few milliseconds, for the number of users changes with time.
    pub(in crate::load) fn next(&mut self, now: Moment) -> Coming {
        let Some(phase) = self.phase_at(now) else {
            let ended = matches!(self.schedule.get(self.place), Next::End);
            return if ended { Coming::Nothing } else { Coming::Later };
        };
        let users = phase.users_at(now);
        self.call(users, now);
        match self.thinking.peek() {
            Some(Reverse((at, user))) if *at <= now => {
                let (at, user) = (*at, *user);
                self.thinking.pop();
                if user >= users {
                    self.called[(user / self.senders) as usize] = false;
                    self.present -= 1;
                    return Coming::Later;
                }
                let request = self.mix.draw(&mut self.dice, self.sequence, user);
                self.sequence += u64::from(self.senders);
                Coming::Message(Arrival { at, request })
            }
            _ => Coming::Later,
        }
    }

    /// When somebody stops thinking.
    pub(in crate::load) fn wakes_at(&self) -> Option<Moment> {
        self.thinking.peek().map(|Reverse((at, _))| *at)
    }

    /// Says that a user's message has ended.
    pub(in crate::load) fn ended(&mut self, user: u32, now: Moment) {
        self.thinking.push(Reverse((now.saturating_add(self.think), user)));
    }

    fn phase_at(&mut self, now: Moment) -> Option<Arc<Phase>> {
        loop {
            match &self.phase {
                Some(phase) if now < phase.until => return Some(Arc::clone(phase)),
                Some(_) => {
                    self.phase = None;
                    self.place += 1;
                }
                None => match self.schedule.get(self.place) {
                    Next::Phase(phase) => self.phase = Some(phase),
                    Next::Later | Next::End => return None,
                },
            }
        }
    }

    /// Calls those of ours below `users` that are not there.
    fn call(&mut self, users: u32, now: Moment) {
        let ours = users.saturating_sub(self.sender).div_ceil(self.senders) as usize;
        if self.present >= ours {
            return;
        }
        if self.called.len() < ours {
            self.called.resize(ours, false);
        }
        for place in 0..ours {
            if !self.called[place] {
                self.called[place] = true;
                self.present += 1;
                let user = place as u32 * self.senders + self.sender;
                let at = now + if self.think > 0 { below(&mut self.dice, self.think) } else { 0 };
                self.thinking.push(Reverse((at, user)));
            }
        }
    }
}
