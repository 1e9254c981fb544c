//! What may happen to the agent, one step a second.

use std::time::Duration;

use proptest::prelude::*;
use statim::{BatchOptions, Overflow, Priority};

/// The clock of the scripts. Steps fall on whole seconds; whatever else can happen falls on moments of its own, so that no
/// two things ever happen at the same time and there is one right answer.
pub(crate) const STEP: Duration = Duration::from_millis(1_000);
/// Deadlines and timeouts end on the half second.
const DEADLINE: u64 = 500;
/// Handling takes whole seconds and so much: it would take 71 messages in a row to end on a half second.
const SERVICE: u64 = 7;
/// A linger ends so long after a second: with the sevens, on no other moment for 170 messages.
const LINGER: u64 = 303;

/// The agent's options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct House {
    pub(crate) capacity: usize,
    pub(crate) reserve: usize,
    pub(crate) overflow: Overflow,
    pub(crate) bypass: Option<u32>,
    pub(crate) batch: Option<BatchOptions>,
    pub(crate) attempts: u16,
}

/// A message, whoever sends it and however.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parcel {
    pub(crate) priority: Priority,
    pub(crate) subject: Option<u8>,
    pub(crate) batch: Option<u8>,
    /// How long it takes to handle.
    pub(crate) service: Duration,
    /// How often handling it fails.
    pub(crate) failures: u16,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Tell {
        parcel: Parcel,
        deadline: Option<Duration>,
        at_most: Priority,
    },
    TryTell(Parcel),
    Ask {
        parcel: Parcel,
        timeout: Option<Duration>,
    },
    /// One of those who wait, for room or for an answer, loses patience.
    Leave(usize),
    Purge(u8),
    Pause,
    Resume,
    Restart,
    Stop {
        drain: bool,
    },
    /// Nothing happens for so many seconds.
    Rest(u32),
}

impl Step {
    /// When the next step is taken.
    pub(crate) fn lasts(self) -> Duration {
        match self {
            Step::Rest(seconds) => STEP * seconds,
            _ => STEP,
        }
    }
}

fn priority() -> impl Strategy<Value = Priority> {
    prop::sample::select(&Priority::ALL[..])
}

fn until() -> impl Strategy<Value = Option<Duration>> {
    let seconds = (0..12_u64).prop_map(|seconds| Duration::from_millis(seconds * 1_000 + DEADLINE));
    prop_oneof![2 => Just(None), 3 => seconds.prop_map(Some)]
}

fn key() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![1 => Just(None), 2 => (0..3_u8).prop_map(Some)]
}

fn parcel() -> impl Strategy<Value = Parcel> {
    let service = (0..4_u64).prop_map(|seconds| Duration::from_millis(seconds * 1_000 + SERVICE));
    let failures = prop_oneof![4 => Just(0_u16), 1 => 1..4_u16];
    (priority(), key(), key(), service, failures).prop_map(|(priority, subject, batch, service, failures)| {
        Parcel { priority, subject, batch, service, failures }
    })
}

fn tell() -> impl Strategy<Value = Step> {
    (parcel(), until(), priority()).prop_map(|(parcel, deadline, at_most)| Step::Tell {
        parcel,
        deadline,
        at_most,
    })
}

fn ask() -> impl Strategy<Value = Step> {
    (parcel(), until()).prop_map(|(parcel, timeout)| Step::Ask { parcel, timeout })
}

pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => tell(),
        8 => parcel().prop_map(Step::TryTell),
        12 => ask(),
        6 => (0..8_usize).prop_map(Step::Leave),
        3 => (0..3_u8).prop_map(Step::Purge),
        3 => Just(Step::Pause),
        4 => Just(Step::Resume),
        2 => Just(Step::Restart),
        1 => any::<bool>().prop_map(|drain| Step::Stop { drain }),
        6 => (1..8_u32).prop_map(Step::Rest),
    ];
    prop::collection::vec(step, 1..most)
}

pub(crate) fn crowd(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => tell(),
        1 => parcel().prop_map(Step::TryTell),
        3 => ask(),
        4 => (0..8_usize).prop_map(Step::Leave),
        1 => (0..3_u8).prop_map(Step::Purge),
    ];
    prop::collection::vec(step, 1..most)
}

pub(crate) fn house() -> impl Strategy<Value = House> {
    let overflow = prop::sample::select(&[Overflow::Wait, Overflow::Reject, Overflow::ShedLeastUrgent][..]);
    let linger = prop_oneof![
        Just(Duration::ZERO),
        (0..4_u64).prop_map(|seconds| Duration::from_millis(seconds * 1_000 + LINGER)),
    ];
    let batch = prop::option::of(
        (1..4_usize, linger).prop_map(|(most, linger)| BatchOptions::up_to(most).linger(linger)),
    );
    (1..6_usize, 0..3_usize, overflow, prop::option::of(2..5_u32), batch, 1..4_u16).prop_map(
        |(capacity, reserve, overflow, bypass, batch, attempts)| House {
            capacity,
            reserve: reserve.min(capacity - 1),
            overflow,
            bypass,
            batch,
            attempts,
        },
    )
}

pub(crate) fn crowded_house() -> impl Strategy<Value = House> {
    house().prop_map(|house| House {
        capacity: house.capacity.min(3),
        reserve: house.reserve.min(1).min(house.capacity.min(3) - 1),
        overflow: Overflow::Wait,
        ..house
    })
}
