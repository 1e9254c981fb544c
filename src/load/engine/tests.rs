use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::task::{Poll, Wake, Waker};

use super::flights::Flights;
use super::*;
use crate::clock::Clock;
use crate::load::completion::Completion;
use crate::load::measure::{Recorders, Spare};
use crate::load::target::{ErrorClass, Outcome};
use crate::sync::{Arc, Mutex, Ordering, lock};

type Future = Pin<Box<dyn std::future::Future<Output = Outcome>>>;

#[derive(Default)]
struct Calls(AtomicUsize);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Bench {
    shared: Arc<Shared>,
    flights: Flights<Future>,
    calls: Arc<Calls>,
}

impl Bench {
    fn new() -> Self {
        let timeline = Timeline::after(Clock::real(), 0);
        let shared = Shared::new(timeline, Arc::default(), Recorders::new(1), 1, 0, u64::MAX);
        let calls = Arc::new(Calls::default());
        let flights = Flights::new(Waker::from(Arc::clone(&calls)));
        Self { shared: Arc::new(shared), flights, calls }
    }

    fn begin(&mut self, user: u32, deadline: Moment, future: Future) -> bool {
        let run = (Arc::clone(&self.shared), Arc::clone(&self.shared.origins[0]));
        let completion = Completion::new(run, 0, self.shared.timeline.now(), 0);
        self.flights.begin(future, completion, user, deadline)
    }

    fn poll(&mut self) -> Vec<u32> {
        let mut ended = Vec::new();
        self.flights.poll_ready(|user| ended.push(user));
        ended
    }

    fn counts(&self) -> (u64, u64) {
        let mut counts = (0, 0);
        self.shared.recorders.take(&mut Spare::default(), |_, cell| {
            counts = (counts.0 + cell.done, counts.1 + cell.failed[ErrorClass::Timeout as usize]);
        });
        counts
    }
}

/// Ends when the gate is open; wakes whoever waits.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Gate {
    fn open(&self) {
        let mut state = lock(&self.0);
        state.0 = true;
        state.1.drain(..).for_each(Waker::wake);
    }

    fn future(&self) -> Future {
        let gate = self.clone();
        Box::pin(poll_fn(move |context| {
            let mut state = lock(&gate.0);
            if state.0 {
                return Poll::Ready(Outcome::Done);
            }
            state.1.push(context.waker().clone());
            Poll::Pending
        }))
    }
}

#[test]
fn what_is_ready_at_once_never_takes_off() {
    let mut bench = Bench::new();
    for user in 0..10 {
        assert!(bench.begin(user, 5, Box::pin(std::future::ready(Outcome::Done))));
    }
    assert_eq!((bench.poll(), bench.flights.next_deadline(), bench.counts()), (vec![], None, (10, 0)));
}

#[test]
fn only_what_was_woken_is_polled_and_its_place_is_used_again() {
    let mut bench = Bench::new();
    let gates: Vec<Gate> = (0..3).map(|_| Gate::default()).collect();
    for (user, gate) in gates.iter().enumerate() {
        assert!(!bench.begin(user as u32, 100, gate.future()));
    }
    assert!(!bench.flights.has_ready());
    gates[1].open();
    assert!(bench.flights.has_ready());
    assert_eq!(bench.calls.0.load(Ordering::SeqCst), 1);
    assert_eq!(bench.poll(), [1]);
    // A waker of what is gone wakes whoever has its place now, for nothing.
    let stale = Gate::default();
    assert!(!bench.begin(7, 100, stale.future()));
    gates.iter().for_each(Gate::open);
    assert_eq!(bench.poll(), [0, 2]);
    stale.open();
    assert_eq!((bench.poll(), bench.counts()), (vec![7], (4, 0)));
}

#[test]
fn what_wakes_itself_while_it_is_polled_is_polled_again() {
    let mut bench = Bench::new();
    let mut left = 3;
    let yields = poll_fn(move |context| {
        left -= 1;
        if left == 0 {
            return Poll::Ready(Outcome::Done);
        }
        context.waker().wake_by_ref();
        Poll::Pending
    });
    assert!(!bench.begin(4, 100, Box::pin(yields)));
    assert_eq!((bench.poll(), bench.poll()), (vec![], vec![4]));
}

#[test]
fn what_is_late_is_given_up_oldest_first_and_a_new_message_in_its_place_is_not() {
    let mut bench = Bench::new();
    let never = || Box::pin(std::future::pending::<Outcome>());
    let gate = Gate::default();
    bench.begin(0, 10, gate.future());
    gate.open();
    assert_eq!(bench.poll(), [0]);
    // Takes the place of the first, whose deadline is still known.
    bench.begin(1, 20, never());
    bench.begin(2, 30, never());
    let mut given_up = |now| {
        let mut users = Vec::new();
        bench.flights.expire(now, |user| users.push(user));
        users
    };
    assert_eq!((given_up(10), given_up(19), given_up(20), given_up(29)), (vec![], vec![], vec![1], vec![]));
    bench.flights.give_up();
    assert_eq!((bench.flights.next_deadline(), bench.counts()), (None, (1, 2)));
}

#[test]
fn deadlines_of_what_has_ended_are_forgotten() {
    let mut bench = Bench::new();
    for user in 0..10_000 {
        let gate = Gate::default();
        bench.begin(user, u64::MAX, gate.future());
        gate.open();
        assert_eq!(bench.poll(), [user]);
    }
    assert!(bench.flights.deadlines() < 100, "{}", bench.flights.deadlines());
}

#[test]
fn the_inverse_of_a_ramp_meets_its_integral() {
    for (from, to) in [(0.0, 1_000.0), (1_000.0, 0.0), (500.0, 500.0), (500.0, 500.000_001), (1e-3, 1e8)] {
        let phase = Phase {
            rate_from: from,
            rate_to: to,
            ..Phase::steady(String::new(), 7_000_000_000, std::time::Duration::from_secs(20), 0.0, 1)
        };
        let all = phase.messages();
        let mut last = 0;
        for n in 0..=1_000 {
            let count = all * f64::from(n) / 1_000.0;
            let at = phase.moment_of(count.max(1e-9));
            assert!(at >= last && (7_000_000_000..=27_000_000_000).contains(&at), "{from} to {to}: {at}");
            last = at;
            let seconds = (at - 7_000_000_000) as f64 / 1e9;
            let integral = from * seconds + (to - from) / 40.0 * seconds * seconds;
            assert!((integral - count).abs() <= all * 1e-6 + 1e-6, "{from} to {to}: {integral} and {count}");
        }
    }
}
