//! The bell and the door of the scheduler: who rings is answered by a turn that sees what it was rung for, and an executor
//! does not sleep through a ring.

use super::{beside, explore, explore_bounded};
use crate::bed::Bed;
use crate::message::Priority;
use crate::primitives::{Arc, AtomicUsize, Ordering};
use crate::scheduler::{Bell, Door, Inside, Slot, more_urgent_waits};

/// Agents of one thread, and how much each has to do. The figure is neither written nor read in any order of its own: the
/// bell alone must see to it that a turn sees what came before the ring.
struct House {
    door: Arc<Door>,
    bells: Vec<Bell>,
    work: Vec<AtomicUsize>,
}

impl House {
    fn of(agents: usize) -> Arc<Self> {
        Arc::new(Self {
            door: Arc::default(),
            bells: (0..agents).map(|_| Bell::default()).collect(),
            work: (0..agents).map(|_| AtomicUsize::new(0)).collect(),
        })
    }

    fn bring(&self, agent: usize, priority: Priority) {
        self.work[agent].fetch_add(1, Ordering::Relaxed);
        self.bells[agent].ring(priority);
    }

    fn hang(&self) {
        for (slot, bell) in (0..).zip(&self.bells) {
            bell.hang(&self.door, slot);
        }
    }

    /// Answers rings, as the executor does, until each agent has seen all of its work; whose turns there were.
    fn answer_until_all_is_seen(&self, inside: &mut Inside, expected: &[usize]) -> Vec<Slot> {
        let (bed, waker) = Bed::made();
        let (mut seen, mut turns) = (vec![0; expected.len()], Vec::new());
        loop {
            inside.begin();
            loop {
                if seen == expected {
                    return turns;
                }
                inside.let_in();
                if let Some((slot, priority)) = inside.next() {
                    if self.bells[slot as usize].answer(priority) {
                        turns.push(slot);
                        seen[slot as usize] = self.work[slot as usize].load(Ordering::Relaxed);
                    }
                } else if inside.sleep(&waker) {
                    break;
                }
            }
            bed.sleep();
        }
    }

    /// Opens the door on this thread, once.
    fn open(&self) -> Inside {
        Inside::open(Arc::clone(&self.door)).expect("one executor")
    }
}

#[test]
fn a_ring_from_elsewhere_is_answered() {
    explore(|| {
        let house = House::of(1);
        let mut inside = house.open();
        house.hang();
        let other = beside(&house, |house| house.bring(0, Priority::Low));
        house.answer_until_all_is_seen(&mut inside, &[1]);
        other.join().unwrap();
    });
}

#[test]
fn a_second_more_urgent_ring_is_answered_too() {
    explore_bounded(|| {
        let house = House::of(1);
        let mut inside = house.open();
        house.hang();
        let other = beside(&house, |house| {
            house.bring(0, Priority::Low);
            house.bring(0, Priority::Critical);
            house.bring(0, Priority::Normal);
        });
        house.answer_until_all_is_seen(&mut inside, &[3]);
        other.join().unwrap();
    });
}

#[test]
fn rings_for_two_agents_are_answered() {
    explore(|| {
        let house = House::of(2);
        let mut inside = house.open();
        house.hang();
        let other = beside(&house, |house| {
            house.bring(0, Priority::Low);
            house.bring(1, Priority::Low);
        });
        house.answer_until_all_is_seen(&mut inside, &[1, 1]);
        other.join().unwrap();
    });
}

#[test]
fn rings_of_two_threads_are_answered() {
    explore_bounded(|| {
        let house = House::of(1);
        let mut inside = house.open();
        house.hang();
        let urgent = beside(&house, |house| house.bring(0, Priority::Critical));
        let bulk = beside(&house, |house| house.bring(0, Priority::Low));
        house.answer_until_all_is_seen(&mut inside, &[2]);
        urgent.join().unwrap();
        bulk.join().unwrap();
    });
}

#[test]
fn a_ring_as_the_bell_is_hung_is_answered() {
    explore(|| {
        let house = House::of(1);
        let mut inside = house.open();
        let other = beside(&house, |house| house.bring(0, Priority::High));
        // The bell's place is no primitive that the checker sees: this is where it may let the other go first.
        let _either = house.work[0].load(Ordering::Relaxed);
        house.hang();
        house.answer_until_all_is_seen(&mut inside, &[1]);
        other.join().unwrap();
    });
}

/// An agent that rings for itself, to go on after a yield, does not swallow the ring of another thread.
#[test]
fn an_agents_own_ring_and_one_from_elsewhere_are_both_answered() {
    explore(|| {
        let house = House::of(1);
        let mut inside = house.open();
        house.hang();
        let other = beside(&house, |house| house.bring(0, Priority::High));
        house.bring(0, Priority::Normal);
        house.answer_until_all_is_seen(&mut inside, &[2]);
        other.join().unwrap();
    });
}

#[test]
fn an_agent_rung_urgently_has_its_turn_before_one_with_bulk() {
    explore(|| {
        let house = House::of(2);
        let mut inside = house.open();
        house.hang();
        // The bells ring once when they are hung.
        while inside.next().is_some_and(|(slot, priority)| house.bells[slot as usize].answer(priority)) {}
        house.bring(0, Priority::Low);
        let other = beside(&house, |house| house.bring(1, Priority::Critical));
        let heard = more_urgent_waits(Priority::Low);
        let turns = house.answer_until_all_is_seen(&mut inside, &[1, 1]);
        assert!(!heard || turns[0] == 1, "heard, and yet {turns:?}");
        other.join().unwrap();
    });
}

#[test]
fn a_more_urgent_ring_moves_its_agent_up() {
    explore(|| {
        let house = House::of(2);
        let mut inside = house.open();
        house.hang();
        while inside.next().is_some_and(|(slot, priority)| house.bells[slot as usize].answer(priority)) {}
        let other = beside(&house, |house| {
            house.bring(1, Priority::Low);
            house.bring(1, Priority::Critical);
        });
        house.bring(0, Priority::Normal);
        other.join().unwrap();
        assert_eq!(house.answer_until_all_is_seen(&mut inside, &[1, 2]), [1, 0]);
    });
}

/// Somebody moves in: no ring, but the executor is to look.
#[test]
fn a_knock_wakes_a_sleeping_executor() {
    explore(|| {
        let house = House::of(1);
        let mut inside = house.open();
        let other = beside(&house, |house| {
            house.work[0].fetch_add(1, Ordering::Relaxed);
            house.door.knock();
        });
        let (bed, waker) = Bed::made();
        loop {
            inside.begin();
            if inside.let_in() {
                break;
            }
            if inside.sleep(&waker) {
                bed.sleep();
            }
        }
        assert_eq!(
            house.work[0].load(Ordering::Relaxed),
            1,
            "the knock was heard, and not what came before it"
        );
        other.join().unwrap();
    });
}
