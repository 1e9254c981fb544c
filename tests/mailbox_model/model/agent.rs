//! What the agent does, and when.

use std::time::Duration;

use statim::Reason;

use super::{Busy, Command, LANES, LOW, Message, Model, Moment, NORMAL};
use crate::stage::Told;

impl Model {
    /// Everything the agent does until it is busy, has nothing to do, or has ended.
    pub(super) fn attend(&mut self) {
        while self.busy.is_none() && !self.ended {
            self.obey();
            if self.ended || self.paused {
                return;
            }
            let Some(taken) = self.next() else {
                if self.draining {
                    self.end();
                }
                return;
            };
            self.depart(&taken);
            self.admit();
            let (lapsed, alive): (Vec<_>, Vec<_>) = taken
                .into_iter()
                .map(|message| (self.lapse(&message), message))
                .partition(|(lapse, _)| lapse.is_some());
            for (reason, message) in lapsed {
                self.bury(message, reason.unwrap());
            }
            let messages: Vec<_> = alive.into_iter().map(|(_, message)| message).collect();
            if let Some(service) = messages.iter().map(|message| message.parcel.service).max() {
                self.play
                    .handled
                    .push(messages.iter().map(|message| (message.id, message.failed + 1)).collect());
                self.busy = Some(Busy { until: self.now + service, messages });
            }
        }
    }

    fn obey(&mut self) {
        while let Some(command) = self.commands.pop_front() {
            match command {
                Command::Pause => self.paused = !self.draining,
                Command::Resume => self.paused = false,
                Command::Restart => {}
                Command::Stop { drain: true } => {
                    self.draining = true;
                    self.paused = false;
                    self.close();
                }
                Command::Stop { drain: false } => return self.end(),
            }
        }
    }

    fn close(&mut self) {
        self.is_open = false;
        for message in std::mem::take(&mut self.line) {
            self.tell(message.id, Told::Closed);
        }
    }

    fn end(&mut self) {
        self.close();
        self.ended = true;
        self.commands.clear();
        for message in self.remove(|_| true) {
            self.bury(message, Reason::Undeliverable);
        }
    }

    fn lapse(&self, message: &Message) -> Option<Reason> {
        if message.is_question && self.gone.contains(&message.id) {
            return Some(Reason::Cancelled);
        }
        message.deadline.filter(|deadline| self.now > *deadline).map(|_| Reason::Expired)
    }

    /// The next message or batch: Critical first; the others by urgency, but for a lane that was passed over too often.
    fn next(&mut self) -> Option<Vec<Message>> {
        let ripe_by = if self.draining { Duration::MAX } else { self.now };
        for lane in &mut self.lanes {
            for gathered in &mut lane.gathered {
                if gathered.ripe_at <= ripe_by {
                    // It does not overtake what was ready before it.
                    gathered.ready.get_or_insert(lane.last_gathered);
                }
            }
        }
        let ready = |lane: usize| self.lanes[lane].has_ready();
        let overdue = |lane: usize, allowance: u32| {
            self.house
                .bypass
                .is_some_and(|bypass| ready(lane) && self.passed_over[lane] + allowance >= bypass)
        };
        let chosen = if ready(0) {
            0
        } else if overdue(LOW, 0) {
            LOW
        } else if overdue(NORMAL, 1) {
            NORMAL
        } else {
            LANES.into_iter().find(|lane| ready(*lane))?
        };
        if chosen != 0 {
            for lane in [NORMAL, LOW] {
                self.passed_over[lane] =
                    if lane == chosen || !ready(lane) { 0 } else { self.passed_over[lane] + 1 };
            }
        }
        Some(self.lanes[chosen].pop())
    }

    fn finish(&mut self, busy: Busy) {
        let Busy { messages, .. } = busy;
        if messages.iter().all(|message| message.failed >= message.parcel.failures) {
            for message in messages.iter().filter(|message| message.is_question) {
                self.tell(message.id, Told::Answered);
            }
            return;
        }
        // The newest first, so that the oldest is in front in the end.
        for mut message in messages.into_iter().rev() {
            message.failed += 1;
            if message.is_question || message.failed >= self.house.attempts {
                self.bury(message, Reason::Poisoned);
            } else {
                message.returned = true;
                self.lanes[message.lane].singles.insert(0, message);
            }
        }
    }

    // ---- The calendar ------------------------------------------------------------------------

    pub(super) fn run_until(&mut self, end: Moment) {
        while let Some(moment) = self.next_moment().filter(|moment| *moment < end) {
            self.now = moment;
            if let Some(busy) = self.busy.take_if(|busy| busy.until == moment) {
                self.finish(busy);
            }
            for message in
                self.line.extract_if(.., |message| message.deadline == Some(moment)).collect::<Vec<_>>()
            {
                self.gone.push(message.id);
                self.tell(message.id, if message.is_question { Told::Timeout } else { Told::Expired });
            }
            for id in
                self.timeouts.extract_if(.., |_, at| *at == moment).map(|(id, _)| id).collect::<Vec<_>>()
            {
                self.gone.push(id);
                self.tell(id, Told::Timeout);
            }
            self.attend();
        }
        self.now = end;
    }

    /// When something happens next of itself.
    fn next_moment(&self) -> Option<Moment> {
        let busy = self.busy.as_ref().map(|busy| busy.until);
        let idle = self.busy.is_none() && !self.paused && !self.ended;
        let lingering =
            self.lanes.iter().flat_map(|lane| &lane.gathered).filter(|gathered| gathered.ready.is_none());
        let ripe = lingering.map(|gathered| gathered.ripe_at).filter(|_| idle).min();
        let deadline = self.line.iter().filter_map(|message| message.deadline).min();
        let timeout = self.timeouts.values().min().copied();
        [busy, ripe, deadline, timeout].into_iter().flatten().min()
    }
}
