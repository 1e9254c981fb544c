//! What is to come of a script, by the book's chapter on the mailbox: one list of messages a lane, one line of senders, and
//! a calendar. Slow, and as plain as can be.

mod agent;
mod lane;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use statim::{Overflow, Reason};

use crate::script::{House, Parcel, Step};
use crate::stage::{Play, Told};
use lane::{Lane, Message};

const LANES: [usize; 4] = [0, 1, 2, 3];
const NORMAL: usize = 2;
const LOW: usize = 3;

type Moment = Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Pause,
    Resume,
    Restart,
    Stop { drain: bool },
}

struct Busy {
    until: Moment,
    messages: Vec<Message>,
}

struct Model {
    house: House,
    now: Moment,
    lanes: [Lane; 4],
    arrivals: u64,
    /// Places taken, by lane.
    depth: [usize; 4],
    /// Senders that wait for room, in the order in which they began to.
    line: Vec<Message>,
    /// Turns of others since the lane was served while it had work.
    passed_over: [u32; 4],
    /// Normal senders let in since a Low one waits.
    low_passed_over: u32,
    is_open: bool,
    commands: VecDeque<Command>,
    paused: bool,
    draining: bool,
    ended: bool,
    busy: Option<Busy>,
    /// Questions whose asker has stopped waiting, and when each of the others will.
    gone: Vec<usize>,
    timeouts: BTreeMap<usize, Moment>,
    /// Senders and askers that have not been told, in the order in which they came.
    untold: Vec<usize>,
    sent: usize,
    counts: BTreeMap<Reason, u64>,
    play: Play,
}

pub(crate) fn predict(house: House, steps: &[Step]) -> Play {
    let mut model = Model::new(house);
    for step in steps {
        model.take(*step);
        model.attend();
        model.note();
        model.run_until(model.now + step.lasts());
    }
    model.command(Command::Resume);
    model.command(Command::Stop { drain: true });
    model.attend();
    model.run_until(Duration::MAX);
    assert!(
        model.ended && model.line.is_empty() && model.untold.is_empty(),
        "the model leaves something open"
    );
    model.play.dead.sort_unstable();
    model.play
}

impl Model {
    fn new(house: House) -> Self {
        Self {
            house,
            now: Duration::from_secs(1),
            lanes: Default::default(),
            arrivals: 0,
            depth: [0; 4],
            line: Vec::new(),
            passed_over: [0; 4],
            low_passed_over: 0,
            is_open: true,
            commands: VecDeque::new(),
            paused: false,
            draining: false,
            ended: false,
            busy: None,
            gone: Vec::new(),
            timeouts: BTreeMap::new(),
            untold: Vec::new(),
            sent: 0,
            counts: BTreeMap::new(),
            play: Play::default(),
        }
    }

    // ---- Steps ----------------------------------------------------------------------------

    fn take(&mut self, step: Step) {
        match step {
            Step::Tell { parcel, deadline, at_most } => {
                let lane = parcel.priority.lane().max(at_most.lane());
                let message = self.message(parcel, lane, deadline, false);
                self.untold.push(message.id);
                self.send(message, self.house.overflow == Overflow::Wait);
            }
            Step::TryTell(parcel) => {
                let message = self.message(parcel, parcel.priority.lane(), None, false);
                self.untold.push(message.id);
                self.send(message, false);
            }
            Step::Ask { parcel, timeout } => {
                let message = self.message(parcel, parcel.priority.lane(), timeout, true);
                self.untold.push(message.id);
                if let Some(deadline) = message.deadline {
                    self.timeouts.insert(message.id, deadline);
                }
                self.send(message, self.house.overflow == Overflow::Wait);
            }
            Step::Leave(which) => {
                if !self.untold.is_empty() {
                    let id = self.untold[which % self.untold.len()];
                    self.line.retain(|message| message.id != id);
                    self.gone.push(id);
                    self.tell(id, Told::Nothing);
                }
            }
            Step::Purge(subject) => self.purge(subject),
            Step::Pause => self.command(Command::Pause),
            Step::Resume => self.command(Command::Resume),
            Step::Restart => self.command(Command::Restart),
            Step::Stop { drain } => self.command(Command::Stop { drain }),
            Step::Rest(_) => {}
        }
    }

    fn message(
        &mut self,
        parcel: Parcel,
        lane: usize,
        within: Option<Duration>,
        is_question: bool,
    ) -> Message {
        let id = self.sent;
        self.sent += 1;
        let deadline = within.map(|within| self.now + within);
        Message {
            id,
            lane,
            parcel,
            sent_at: self.now,
            deadline,
            is_question,
            failed: 0,
            arrival: 0,
            returned: false,
        }
    }

    fn command(&mut self, command: Command) {
        if !self.ended {
            self.commands.push_back(command);
        }
    }

    fn tell(&mut self, id: usize, told: Told) {
        if let Some(place) = self.untold.iter().position(|other| *other == id) {
            self.untold.remove(place);
            self.timeouts.remove(&id);
            self.play.told.insert(id, told);
        }
    }

    // ---- Room -----------------------------------------------------------------------------

    fn has_room(&self, lane: usize) -> bool {
        let bulk = self.depth[NORMAL] + self.depth[LOW];
        let all: usize = self.depth.iter().sum();
        all < self.house.capacity && (lane < NORMAL || bulk < self.house.capacity - self.house.reserve)
    }

    fn send(&mut self, message: Message, may_wait: bool) {
        let id = message.id;
        if !self.is_open {
            return self.tell(id, Told::Closed);
        }
        let ahead = self.line.iter().any(|other| other.lane <= message.lane);
        if self.has_room(message.lane) && !ahead {
            return self.accept(message);
        }
        if may_wait {
            self.line.push(message);
            return;
        }
        if self.house.overflow == Overflow::ShedLeastUrgent && self.shed(message.lane) {
            return self.accept(message);
        }
        self.count(Reason::Rejected);
        self.tell(id, Told::Full);
    }

    /// The newest message of the least urgent lane, if that is less urgent than the newcomer.
    fn shed(&mut self, newcomer: usize) -> bool {
        for lane in (newcomer + 1..4).rev() {
            let queued = self.lanes[lane].messages().filter(|message| !message.returned);
            if let Some(newest) = queued.max_by_key(|message| message.arrival).map(|message| message.id) {
                let mut shed = self.remove(|message| message.id == newest);
                self.bury(shed.remove(0), Reason::Shed);
                return true;
            }
        }
        false
    }

    fn accept(&mut self, mut message: Message) {
        self.arrivals += 1;
        message.arrival = self.arrivals;
        self.depth[message.lane] += 1;
        if !message.is_question {
            self.tell(message.id, Told::Accepted);
        }
        self.lanes[message.lane].push(message, self.house.batch);
    }

    /// Lets in those who wait while there is room: the most urgent, then whoever waited longest; but a Low one after so
    /// many Normal ones.
    fn admit(&mut self) {
        while let Some(first) = self.line.iter().map(|message| message.lane).min() {
            let low_waits = self.line.iter().any(|message| message.lane == LOW);
            let due = self.house.bypass.is_some_and(|bypass| self.low_passed_over >= bypass);
            let lane = if first == NORMAL && due && low_waits { LOW } else { first };
            if !self.has_room(lane) {
                return;
            }
            let place = self.line.iter().position(|message| message.lane == lane).unwrap();
            let message = self.line.remove(place);
            let low_waits = self.line.iter().any(|message| message.lane == LOW);
            if lane == LOW || !low_waits {
                self.low_passed_over = 0;
            } else if lane == NORMAL {
                self.low_passed_over += 1;
            }
            self.accept(message);
        }
    }

    // ---- Ends -----------------------------------------------------------------------------

    /// Takes messages out of the lanes, most urgent lane first; their places are free.
    fn remove(&mut self, matches: impl Fn(&Message) -> bool) -> Vec<Message> {
        let mut removed = Vec::new();
        for lane in &mut self.lanes {
            removed.extend(lane.singles.extract_if(.., |message| matches(message)));
            for gathered in &mut lane.gathered {
                removed.extend(gathered.messages.extract_if(.., |message| matches(message)));
            }
            lane.gathered.retain(|gathered| !gathered.messages.is_empty());
        }
        self.depart(&removed);
        removed
    }

    fn depart(&mut self, messages: &[Message]) {
        for message in messages.iter().filter(|message| !message.returned) {
            self.depth[message.lane] -= 1;
        }
    }

    fn purge(&mut self, subject: u8) {
        let about = |message: &Message| message.parcel.subject == Some(subject);
        let mut purged = self.remove(about);
        // Whoever waits is told that the message was accepted: it is accounted for. By urgency, as in the lanes.
        for lane in LANES {
            purged.extend(self.line.extract_if(.., |message| message.lane == lane && about(message)));
        }
        self.admit();
        for message in purged {
            if !message.is_question {
                self.tell(message.id, Told::Accepted);
            }
            self.bury(message, Reason::Purged);
        }
    }

    fn bury(&mut self, message: Message, reason: Reason) {
        let holds_body = reason != Reason::Poisoned || !message.is_question;
        self.play.dead.push((holds_body.then_some(message.id), reason));
        self.count(reason);
        if message.is_question {
            self.tell(message.id, Told::Dropped(reason));
        }
    }

    fn count(&mut self, reason: Reason) {
        *self.counts.entry(reason).or_default() += 1;
    }

    fn note(&mut self) {
        let counts = (!self.ended).then(|| self.counts.clone());
        self.play.figures.push((self.depth.iter().sum::<usize>() as u64, counts));
    }
}
