//! A mailbox written from its documentation: one list of messages, and a scan for every question.
//!
//! Where the documentation leaves a choice (which of two lanes that fall due goes first, whether a batch
//! that ripened comes before a message of the same moment) the model accepts either and no more.

use super::TestMessage;
use super::driver::Event;
use crate::mailbox::{Gate, MailboxOptions, Overflow};
use crate::message::Priority;

const NORMAL: usize = Priority::Normal.lane();
const LOW: usize = Priority::Low.lane();

#[derive(Debug, Clone, Copy)]
struct Item {
    message: TestMessage,
    /// The how-manieth message the mailbox accepted.
    arrival: u64,
    /// It was taken once and given back: counts against nothing, comes first, belongs to no batch.
    returned: bool,
    /// The batch it is in.
    group: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    number: u64,
    lane: usize,
    key: u8,
    opened_at: u64,
    /// Was full once, and takes in nothing more.
    closed: bool,
    /// Once ready: the first and the last arrival it may count as having come with.
    ready: Option<(u64, u64)>,
}

#[derive(Debug)]
pub(super) struct Model {
    options: MailboxOptions,
    gate: Gate,
    /// In the order in which each lane is served, but for batches.
    items: Vec<Item>,
    groups: Vec<Group>,
    /// In the order in which they began to wait.
    waiting: Vec<TestMessage>,
    passed_over: [u32; Priority::COUNT],
    arrivals: u64,
    opened: u64,
    /// What was taken last and might come back.
    held: Vec<TestMessage>,
    /// Who was let in by the operation that is looked at.
    let_in: Vec<TestMessage>,
}

impl Model {
    pub(super) fn new(options: MailboxOptions) -> Self {
        Self {
            options,
            gate: Gate::Open,
            items: Vec::new(),
            groups: Vec::new(),
            waiting: Vec::new(),
            passed_over: [0; Priority::COUNT],
            arrivals: 0,
            opened: 0,
            held: Vec::new(),
            let_in: Vec::new(),
        }
    }

    pub(super) fn depth(&self) -> [u64; Priority::COUNT] {
        std::array::from_fn(|lane| self.counted().filter(|item| item.message.lane() == lane).count() as u64)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.gate == Gate::Closed
    }

    pub(super) fn holds_more_urgent_than(&self, priority: Priority) -> bool {
        self.items.iter().any(|item| item.message.priority.is_more_urgent_than(priority))
    }

    /// Follows an event, or panics with what should have happened instead.
    pub(super) fn follow(&mut self, event: &Event, now: u64) {
        match event {
            Event::Accepted { message, shed } => self.accepted(*message, *shed, now),
            Event::Full { message, wanted_to_wait } => {
                assert!(!self.has_place_for(message), "refused, though there is room");
                assert!(!(self.options.overflow == Overflow::Wait && *wanted_to_wait), "it wanted to wait");
                assert_eq!(self.victim(message), None, "refused, though something could be shed");
            }
            Event::Closed { from_agent, .. } => assert!(!self.admits(*from_agent), "the gate is open"),
            Event::Waits(message) => {
                assert_eq!(self.options.overflow, Overflow::Wait);
                assert!(!self.has_place_for(message), "waits, though there is room");
                self.waiting.push(*message);
            }
            Event::Admitted(id) => self.admitted(*id, now),
            Event::TurnedAway(id) => {
                assert!(self.is_closed(), "turned away at an open mailbox");
                self.waiting.retain(|message| message.id != *id);
            }
            Event::LeftTheLine(id) => self.waiting.retain(|message| message.id != *id),
            Event::Taken { ids, batch } => self.taken(ids, *batch, now),
            Event::Nothing { ripe_at } => {
                self.ripen(now);
                assert_eq!(self.most_urgent_ready(), None, "nothing, though something is ready");
                let linger = self.linger();
                assert_eq!(*ripe_at, self.groups.iter().map(|group| group.opened_at + linger).min());
                self.held.clear();
            }
            Event::GaveBack(ids) => {
                let held = self.held.drain(..).filter(|message| ids.contains(&message.id));
                let back = held.map(|message| Item { message, arrival: 0, returned: true, group: None });
                self.items.splice(0..0, back.collect::<Vec<_>>());
            }
            Event::Purged { subject, ids } => {
                let left = self.waiting.iter().find(|message| message.subject == Some(*subject));
                assert_eq!(left, None, "waits on, though its subject was purged");
                self.removed(ids, |message| message.subject == Some(*subject));
            }
            Event::Drained(ids) => self.removed(ids, |_| true),
            Event::GateIs(gate) => {
                if !self.is_closed() {
                    self.gate = *gate;
                }
            }
            Event::Parked { asleep } => {
                if self.items.is_empty() {
                    assert!(*asleep, "kept awake by an empty mailbox");
                }
                if self.most_urgent_ready().is_some() {
                    assert!(!*asleep, "asleep beside a message");
                }
            }
        }
    }

    /// What must hold after every operation is complete.
    pub(super) fn check_at_rest(&mut self) {
        // Senders let in at one stroke are reported in no order, so compare them with who is left: nobody
        // more urgent, but that Normal may be bypassed by Low.
        for lucky in self.let_in.drain(..) {
            let bypass = lucky.lane() == LOW && self.options.bypass.is_some();
            let skipped =
                |other: &&TestMessage| other.lane() < lucky.lane() && !(bypass && other.lane() == NORMAL);
            assert_eq!(self.waiting.iter().find(skipped), None, "passed over for {lucky:?}");
        }
        if let Some(idle) = self.waiting.iter().find(|message| self.fits(message)) {
            panic!("{idle:?} waits beside a free place");
        }
        assert!(!self.is_closed() || self.waiting.is_empty(), "waits at a closed mailbox");
    }

    // ---- Coming in -------------------------------------------------------------------------------

    fn counted(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| !item.returned)
    }

    fn fits(&self, message: &TestMessage) -> bool {
        let all = self.counted().count();
        let bulk = self.counted().filter(|item| item.message.priority.is_bulk()).count();
        all < self.options.capacity
            && (!message.priority.is_bulk() || bulk < self.options.capacity - self.options.reserve)
    }

    /// Room, and nobody at least as urgent who has waited for it.
    fn has_place_for(&self, message: &TestMessage) -> bool {
        self.fits(message) && !self.waiting.iter().any(|other| other.lane() <= message.lane())
    }

    fn admits(&self, from_agent: bool) -> bool {
        match self.gate {
            Gate::Open => true,
            Gate::AgentsOnly => from_agent,
            Gate::Closed => false,
        }
    }

    /// The newest message of the least urgent lane that is less urgent than the newcomer.
    fn victim(&self, newcomer: &TestMessage) -> Option<usize> {
        if self.options.overflow != Overflow::ShedLeastUrgent {
            return None;
        }
        self.counted()
            .filter(|item| newcomer.priority.is_more_urgent_than(item.message.priority))
            .max_by_key(|item| (item.message.lane(), item.arrival))
            .map(|item| item.message.id)
    }

    fn accepted(&mut self, message: TestMessage, shed: Option<usize>, now: u64) {
        assert!(!self.is_closed(), "accepted by a closed mailbox");
        let expected = if self.has_place_for(&message) { None } else { self.victim(&message) };
        assert_eq!(shed, expected, "for {message:?}");
        if let Some(id) = shed {
            self.forget(&[id]);
        }
        assert!(self.has_place_for(&message), "{message:?} accepted without room");
        self.push(message, now);
    }

    fn admitted(&mut self, id: usize, now: u64) {
        let place = self.waiting.iter().position(|message| message.id == id).expect("was not waiting");
        let message = self.waiting.remove(place);
        let longer = |other: &&TestMessage| other.id < id && other.lane() == message.lane();
        assert_eq!(self.waiting.iter().find(longer), None, "waited longer than {message:?}");
        assert!(self.fits(&message), "{message:?} let in without room");
        self.let_in.push(message);
        self.push(message, now);
    }

    fn push(&mut self, message: TestMessage, now: u64) {
        let arrival = self.arrivals;
        self.arrivals += 1;
        let mut item = Item { message, arrival, returned: false, group: None };
        if let (Some(batch), Some(key)) = (self.options.batch, message.batch) {
            let open = |group: &&mut Group| group.lane == message.lane() && group.key == key && !group.closed;
            if self.groups.iter_mut().find(open).is_none() {
                let number = self.opened;
                self.opened += 1;
                let ready = batch.linger.is_zero().then_some((arrival, arrival));
                let lane = message.lane();
                self.groups.push(Group { number, lane, key, opened_at: now, closed: false, ready });
            }
            let group = self.groups.iter_mut().find(open).expect("just opened");
            item.group = Some(group.number);
            let members = self.items.iter().filter(|other| other.group == item.group).count() + 1;
            if members >= batch.max_messages {
                group.closed = true;
                group.ready.get_or_insert((arrival, arrival));
            }
        }
        self.items.push(item);
    }

    // ---- Going out -------------------------------------------------------------------------------

    fn linger(&self) -> u64 {
        self.options.batch.map_or(0, |batch| batch.linger.as_nanos() as u64)
    }

    fn ripen(&mut self, now: u64) {
        let linger = self.linger();
        for group in self.groups.iter_mut().filter(|group| group.ready.is_none()) {
            if group.opened_at + linger <= now {
                let members = self.items.iter().filter(|item| item.group == Some(group.number));
                let last = members.map(|item| item.arrival).max().expect("a batch has messages");
                group.ready = Some((last, self.arrivals));
            }
        }
    }

    fn is_ready(&self, lane: usize) -> bool {
        self.items.iter().any(|item| item.message.lane() == lane && item.group.is_none())
            || self.groups.iter().any(|group| group.lane == lane && group.ready.is_some())
    }

    fn most_urgent_ready(&self) -> Option<usize> {
        (0..Priority::COUNT).find(|&lane| self.is_ready(lane))
    }

    fn taken(&mut self, ids: &[usize], batch: bool, now: u64) {
        self.ripen(now);
        let first = *self.items.iter().find(|item| item.message.id == ids[0]).expect("not queued");
        let lane = first.message.lane();
        self.check_turn(lane);
        if batch {
            self.check_batch(&first, ids);
        } else {
            self.check_single(&first);
        }
        self.held = ids.iter().map(|id| self.message(*id)).collect();
        self.forget(ids);
    }

    fn message(&self, id: usize) -> TestMessage {
        self.items.iter().find(|item| item.message.id == id).expect("not queued").message
    }

    /// Critical first; the most urgent, or a Normal or Low lane that is due; nobody overdue.
    fn check_turn(&mut self, lane: usize) {
        let most_urgent = self.most_urgent_ready().expect("taken from nothing");
        let due = |lane: usize| {
            let nearly = self.options.bypass.is_some_and(|most| self.passed_over[lane] + 1 >= most);
            (lane == NORMAL || lane == LOW) && nearly && most_urgent != 0
        };
        assert!(lane == most_urgent || due(lane), "lane {lane} before {most_urgent}");
        self.passed_over[lane] = 0;
        if lane == Priority::Critical.lane() {
            return;
        }
        for other in [NORMAL, LOW].into_iter().filter(|&other| other != lane) {
            let waits = self.is_ready(other);
            self.passed_over[other] = if waits { self.passed_over[other] + 1 } else { 0 };
            if let Some(most) = self.options.bypass {
                assert!(self.passed_over[other] <= most, "lane {other} passed over");
            }
        }
    }

    fn check_single(&self, taken: &Item) {
        assert_eq!(taken.group, None, "a gathered message handed over alone");
        let mut singles = self.items.iter().filter(|item| item.group.is_none());
        let head = singles.find(|item| item.message.lane() == taken.message.lane()).expect("itself");
        assert_eq!(head.message.id, taken.message.id, "not the head of its lane");
        let earlier = self.groups.iter().find(|group| {
            group.lane == taken.message.lane() && group.ready.is_some_and(|(_, last)| last < taken.arrival)
        });
        assert!(taken.returned || earlier.is_none(), "before a batch that was ready: {earlier:?}");
    }

    fn check_batch(&self, first: &Item, ids: &[usize]) {
        let number = first.group.expect("a batch of messages that are not gathered");
        let group = self.groups.iter().find(|group| group.number == number).expect("of a batch");
        let members = self.items.iter().filter(|item| item.group == Some(number));
        assert_eq!(members.map(|item| item.message.id).collect::<Vec<_>>(), ids);
        assert!(ids.len() <= self.options.batch.expect("gathers").max_messages);
        let (from, _) = group.ready.expect("a batch handed over before it was full or ripe");
        for item in self.items.iter().filter(|item| item.message.lane() == group.lane) {
            assert!(!item.returned, "a batch before what was given back: {item:?}");
            assert!(item.group.is_some() || item.arrival > from, "a batch before an older {item:?}");
        }
        let earlier =
            |other: &&Group| other.lane == group.lane && other.ready.is_some_and(|(_, last)| last < from);
        assert!(self.groups.iter().find(earlier).is_none(), "a batch before one that was ready earlier");
    }

    fn removed(&mut self, ids: &[usize], matches: impl Fn(&TestMessage) -> bool) {
        let gone = self.items.iter().map(|item| item.message).filter(|message| matches(message));
        let mut expected: Vec<_> = gone.map(|message| message.id).collect();
        let mut actual = ids.to_vec();
        expected.sort_unstable();
        actual.sort_unstable();
        assert_eq!(actual, expected);
        self.forget(ids);
    }

    fn forget(&mut self, ids: &[usize]) {
        self.items.retain(|item| !ids.contains(&item.message.id));
        let items = &self.items;
        self.groups.retain(|group| items.iter().any(|item| item.group == Some(group.number)));
    }
}
