//! One server behind a queue, in virtual time: what admission control is judged by.

use std::collections::VecDeque;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use statim::Priority;
use statim::resilience::{AdmissionOptions, Controller};

/// Messages a second that the server can serve.
pub(crate) const CAPACITY: f64 = 1000.0;

/// How the queue is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discipline {
    /// As a mailbox does: the most urgent first, and a Normal or Low message after at most 32 others.
    Urgency,
    /// In the order of arrival, so that nothing but admission keeps the urgent from waiting.
    Arrival,
}

/// Some time of a load: so many times what the server can serve, of each priority this share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage {
    pub(crate) seconds: f64,
    pub(crate) load: f64,
    pub(crate) mix: [f64; 4],
}

/// What became of the messages that arrived in one second.
#[derive(Debug, Clone, Default)]
pub(crate) struct Second {
    pub(crate) offered: [u64; 4],
    pub(crate) shed: [u64; 4],
    /// Messages served in this second, whenever they came.
    pub(crate) served: u64,
    /// How long each message took that was served in this second, in milliseconds.
    pub(crate) took: [Vec<f64>; 4],
}

/// All seconds of a run, and the messages left in the queue.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) seconds: Vec<Second>,
    pub(crate) left: u64,
    /// When the first message of each priority was refused, in seconds.
    pub(crate) first_shed: [Option<f64>; 4],
}

impl Run {
    /// Seconds from this one on.
    pub(crate) fn from(&self, second: usize) -> &[Second] {
        &self.seconds[second..]
    }
}

/// The longest and the 99th percentile of how long messages of `priority` took, in milliseconds.
pub(crate) fn latency(seconds: &[Second], priority: Priority) -> (f64, f64) {
    let mut took: Vec<f64> = seconds.iter().flat_map(|it| &it.took[priority.lane()]).copied().collect();
    assert!(took.len() > 50, "{} messages of {priority:?} were served", took.len());
    took.sort_by(f64::total_cmp);
    (took[took.len() - 1], took[took.len() * 99 / 100])
}

/// Sums a count of each second, for a priority.
pub(crate) fn total(seconds: &[Second], priority: Priority, count: impl Fn(&Second) -> &[u64; 4]) -> u64 {
    seconds.iter().map(|it| count(it)[priority.lane()]).sum()
}

/// Messages served a second.
pub(crate) fn goodput(seconds: &[Second]) -> f64 {
    seconds.iter().map(|it| it.served).sum::<u64>() as f64 / seconds.len() as f64
}

/// Runs the stages one after the other. Arrivals are Poisson, service takes 1 ms; the same seed is the same run.
pub(crate) fn run(
    stages: &[Stage],
    discipline: Discipline,
    admission: Option<&AdmissionOptions>,
    seed: u64,
) -> Run {
    let seconds = stages.iter().map(|stage| stage.seconds).sum::<f64>() as usize;
    let mut server = Server {
        chance: StdRng::seed_from_u64(seed),
        controller: admission.map(|options| Controller::new(options).unwrap()),
        discipline,
        queue: Default::default(),
        passed_over: 0,
        arrived: 0,
        run: Run { seconds: vec![Second::default(); seconds], left: 0, first_shed: [None; 4] },
    };
    let (mut begins, mut free) = (0.0, 0.0);
    for stage in stages {
        let ends = begins + stage.seconds;
        let mut arrival = begins + server.pause(stage.load);
        while arrival < ends {
            free = server.serve_until(arrival, free);
            server.arrive(arrival, &stage.mix);
            arrival += server.pause(stage.load);
        }
        begins = ends;
    }
    server.serve_until(begins, free);
    server.run.left = server.queue.iter().map(|lane| lane.len() as u64).sum();
    server.run
}

struct Server {
    chance: StdRng,
    controller: Option<Controller>,
    discipline: Discipline,
    /// When each message arrived, and its number.
    queue: [VecDeque<(f64, u64)>; 4],
    /// More urgent messages served since a less urgent one.
    passed_over: u32,
    arrived: u64,
    run: Run,
}

impl Server {
    fn pause(&mut self, load: f64) -> f64 {
        -(1.0 - self.chance.random::<f64>()).ln() / (CAPACITY * load)
    }

    fn arrive(&mut self, now: f64, mix: &[f64; 4]) {
        let mut chance = self.chance.random::<f64>();
        let drawn = Priority::ALL.into_iter().find(|priority| {
            chance -= mix[priority.lane()];
            chance < 0.0
        });
        let priority = drawn.unwrap_or(Priority::Low);
        let lane = priority.lane();
        self.second(now).offered[lane] += 1;
        let time = Duration::from_secs_f64(now);
        if self.controller.as_mut().is_none_or(|controller| controller.admit(priority, time)) {
            self.arrived += 1;
            self.queue[lane].push_back((now, self.arrived));
        } else {
            self.second(now).shed[lane] += 1;
            self.run.first_shed[lane].get_or_insert(now);
        }
    }

    /// Serves what waits until `now`; returns when the server is free.
    fn serve_until(&mut self, now: f64, mut free: f64) -> f64 {
        while let Some(lane) = self.next_lane() {
            let begins = free.max(self.queue[lane][0].0);
            if begins >= now {
                break;
            }
            let (arrived, _) = self.queue[lane].pop_front().unwrap();
            self.passed_over = if lane >= 2 { 0 } else { self.passed_over + 1 };
            let waited = Duration::from_secs_f64(begins - arrived);
            if let Some(controller) = &mut self.controller {
                controller.observe(Priority::ALL[lane], waited, Duration::from_secs_f64(begins));
            }
            free = begins + 1.0 / CAPACITY;
            let second = self.second(free);
            second.served += 1;
            second.took[lane].push((free - arrived) * 1000.0);
        }
        free
    }

    fn next_lane(&self) -> Option<usize> {
        let waiting = (0..4).filter(|lane| !self.queue[*lane].is_empty());
        match self.discipline {
            Discipline::Arrival => waiting.min_by_key(|lane| self.queue[*lane][0].1),
            Discipline::Urgency if self.passed_over >= 32 => {
                waiting.min_by_key(|lane| if *lane >= 2 { 0 } else { lane + 1 })
            }
            Discipline::Urgency => waiting.min(),
        }
    }

    fn second(&mut self, now: f64) -> &mut Second {
        // What is being served at the end is counted in the last second.
        let last = self.run.seconds.len() - 1;
        &mut self.run.seconds[last.min(now as usize)]
    }
}
